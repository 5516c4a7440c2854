//! Expected texts are what transformers makes of the same templates.

use super::*;

const LIMITS: Limits = Limits {
    steps: 1_000_000,
    output: 10_000_000,
};

fn render_with(source: &str, variables: &str) -> Result<Rendered, String> {
    let variables = from_json(variables)?;
    let variables = as_dict(&variables)
        .map(|dict| dict.entries.clone())
        .unwrap_or_default();
    let mark = unused_mark(&[source])?;
    let program = parse(source).map_err(|(line, message)| format!("{line}: {message}"))?;
    let rendered = render(&program, variables, Some(1_770_127_509), LIMITS, mark);
    rendered.map_err(|(line, message)| format!("{line}: {message}"))
}

fn text(source: &str) -> String {
    let variables = r#"{"s": "Hello, Wörld", "d": {"b": 1, "a": [null, true, 1.0, "é'"], "items": 5},
        "l": [3, 1, 2], "n": null, "f": 1e20}"#;
    render_with(source, variables).map_or_else(|e| format!("error {e}"), |r| r.text)
}

#[test]
fn values_are_written_as_python_writes_them() {
    assert_eq!(
        text("{{ d }}"),
        r#"{'b': 1, 'a': [None, True, 1.0, "é'"], 'items': 5}"#
    );
    assert_eq!(
        text("{{ (1,) }}{{ () }}{{ 1e16 }}{{ f }}{{ 0.1 + 0.2 }}"),
        "(1,)()1e+161e+200.30000000000000004"
    );
    assert_eq!(
        text("{{ '\\x00\u{200b}é' ~ ['\\x00\u{200b}é'] }}"),
        "\0\u{200b}é['\\x00\\u200bé']"
    );
    assert_eq!(
        text("{{ none ~ true }}{{ missing }}{{ n }}"),
        "NoneTrueNone"
    );
}

#[test]
fn json_is_written_as_transformers_writes_it() {
    assert_eq!(
        text("{{ d|tojson }}"),
        r#"{"b": 1, "a": [null, true, 1.0, "é'"], "items": 5}"#
    );
    assert_eq!(
        text("{{ {'b': '<é>', 'a': []}|tojson(ensure_ascii=true, sort_keys=true) }}"),
        r#"{"a": [], "b": "<\u00e9>"}"#
    );
    assert_eq!(
        text("{{ [1, {'a': 2}]|tojson(indent=2) }}"),
        "[\n  1,\n  {\n    \"a\": 2\n  }\n]"
    );
    assert_eq!(
        text("{{ [1, {'a': 2}]|tojson(separators=(',', ':')) }}"),
        r#"[1,{"a":2}]"#
    );
    assert_eq!(
        text("{{ missing|tojson }}"),
        "error 1: 'Undefined' is not JSON serializable"
    );
}

#[test]
fn operators_are_those_of_python() {
    assert_eq!(
        text("{{ 1 == true }}{{ 1 == '1' }}{{ [1] == [1.0] }}{{ (1,) == [1] }}"),
        "TrueFalseTrueFalse"
    );
    assert_eq!(
        text("{{ 'a' < 1 }}"),
        "error 1: unsupported operand type(s) for <: 'str' and 'int'"
    );
    assert_eq!(
        text("{{ 1 in 'a1' }}"),
        "error 1: 'in <str>' requires a str, not int"
    );
    assert_eq!(
        text("{{ l[::-1] }}{{ s[-5:] }}{{ l[1:][0] }}{{ l[9] }}{{ s[8] }}"),
        "[2, 1, 3]Wörld1ö"
    );
    assert_eq!(
        text("{{ -7 // 2 }}{{ -7 % 3 }}{{ 7 / 2 }}{{ 'ab' * 2 }}{{ [1] * 2 + l }}"),
        "-423.5abab[1, 1, 3, 1, 2]"
    );
    assert_eq!(
        text("{% for x in n %}{% endfor %}"),
        "error 1: a NoneType is not iterable"
    );
    assert_eq!(text("{{ '<'|safe + '<' }}"), "<&lt;");
    assert_eq!(
        text("{{ 1 < 2 < 3 }}{{ 3 > 2 > 2 }}{{ 0 <= 1 in l == l }}{{ 1 < 2 in 5 }}"),
        "error 1: a int is not iterable"
    );
    assert_eq!(
        text("{{ 1 < 2 < 3 }}{{ 3 > 2 > 2 }}{{ 2 > 1 not in l }}{{ 2 ** 10 }}{{ 2 ** -1 }}"),
        "TrueFalseFalse10240.5"
    );
    assert_eq!(
        text("{{ '%-5s|%05.1f' % ('é', 2.25) }}{{ '{0[1]:>3}|{0:,}'.format(l) }}"),
        "error 1: format: a value of type 'list' takes no format specifier"
    );
    assert_eq!(
        text("{{ '%-5s|%05.1f' % ('é', 2.25) }} {{ '{:>3}|{:,}'.format('é', 12345) }}"),
        "é    |002.2   é|12,345"
    );
}

#[test]
fn members_are_looked_up_as_jinja2_does() {
    assert_eq!(
        text("{{ d.items() | list }}"),
        r#"[('b', 1), ('a', [None, True, 1.0, "é'"]), ('items', 5)]"#
    );
    assert_eq!(
        text("{{ d['items'] }}{{ d.items is mapping }}{{ d.items is defined }}"),
        "5FalseTrue"
    );
    assert_eq!(
        text("{{ l['items'] is defined }}{{ {}['items'] is defined }}{{ n.x is defined }}"),
        "FalseTrueFalse"
    );
    assert_eq!(text("{{ missing.x }}"), "error 1: 'missing' is undefined");
    assert_eq!(text("{{ d.items }}"), "error 1: a method cannot be written");
}

#[test]
fn generators_are_walked_through_once() {
    assert_eq!(
        text("{% set g = l|select('gt', 1) %}{{ g|list }}{{ g|list }}"),
        "[3, 2][]"
    );
    assert_eq!(
        text("{% set g = []|select %}{% if g %}true{% endif %}"),
        "true"
    );
    assert_eq!(
        text("{{ l|map('string')|length }}"),
        "error 1: length: a generator has no len()"
    );
}

#[test]
fn blocks_and_white_space_are_those_of_jinja2() {
    assert_eq!(
        text("a\n  {% if true %}\n  b\r\n  {%- endif %}\nc\n\n"),
        "a\n  bc\n"
    );
    assert_eq!(
        text("  {% raw %}\n {{ x }} {% endraw %}\ny"),
        "\n {{ x }} y"
    );
    assert_eq!(text("{% for x in l if x > 1 %}{{ loop.index }}{{ x }}{% if loop.last %}!{% endif %}{% endfor %}"), "1322!");
    assert_eq!(text("{% for x in l %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% break %}{% endfor %}"), "3");
    assert_eq!(text("{% set ns = namespace(x=0) %}{% macro m() %}{% set ns.x = ns.x + 1 %}{% endmacro %}{{ m() }}{{ ns.x }}"), "1");
    assert_eq!(text("{{ strftime_now('%d %b %Y %-H') }}"), "03 Feb 2026 14");
}

#[test]
fn generation_blocks_give_spans_in_bytes() {
    let source =
        "é{% for x in [1, 2] %}{%- generation %} ö{{ x }}{% endgeneration -%}  {% endfor %}.";
    let rendered = render_with(source, "{}").unwrap();
    assert_eq!(rendered.text, "é ö1 ö2.");
    assert_eq!(rendered.assistant, [(2, 6), (6, 10)]);
    let stale =
        "{% for x in l %}{% generation %}{{ y }}{% endgeneration %}{% set y = x %}{% endfor %}";
    assert_eq!(text(stale), "");
    let raw = "{% raw %}{% generation %}{% endraw %}{# {% generation %} #}{{ '{% generation %}' }}";
    assert_eq!(text(raw), "{% generation %}{% generation %}");
    assert!(
        text("{% set x %}{% generation %}{% endgeneration %}{% endset %}").contains("is captured")
    );
    assert_eq!(unused_mark(&["\u{fdd0} \\uFdD1"]), Ok('\u{fdd2}'));
}

#[test]
fn what_is_not_supported_is_named() {
    let cases = [
        ("{{ (-8) ** 0.5 }}", "1: -8 ** 0.5 is no finite number"),
        (
            "\n{{ 1 < 2 < range(3)[1] }}",
            "2: a call or filter at this place of a chain of comparisons is not supported",
        ),
        (
            "{{ s.swapcase() }}",
            "1: the method swapcase of str is not supported",
        ),
        ("{{ s|truncate }}", "1: filter truncate is unknown"),
        ("{{ '\\a' }}", "1: the escape \\a is not supported"),
        (
            "{{ 010 }}",
            "1: the number 010 in this form is not supported",
        ),
        (
            "{% for x in l %}{% with %}{% break %}{% endwith %}{% endfor %}",
            "1: a break or continue out of a with or set block is not supported",
        ),
        (
            "{{ strftime_now('%-A') }}",
            "1: strftime_now: '%-A' is not supported",
        ),
        ("{% include 'x' %}", "1: unknown statement include"),
        ("{{ raise_exception('no') }}", "1: the template refuses: no"),
    ];
    for (source, message) in cases {
        assert_eq!(text(source), format!("error {message}"), "{source}");
    }
}

fn ends_by(source: &str, limit: &str) {
    let found = text(source);
    assert!(
        found.starts_with("error") && found.contains(limit),
        "{source:.80}: {found:.200}"
    );
}

#[test]
fn what_grows_or_goes_on_runs_out_of_steps() {
    let steps = "more than 1000000 steps";
    let grow = |change: &str| {
        format!(
            "{{% set ns = namespace(x=[1], s='a') %}}{{% for i in range(100000) %}}{{% {change} \
             %}}{{% endfor %}}"
        )
    };
    ends_by(&grow("for j in range(100000) %}{% endfor"), steps);
    ends_by(&grow("set ns.s = ns.s ~ ns.s"), steps);
    ends_by(&grow("set ns.x = ns.x + ns.x"), steps);
    ends_by("{{ '-' * 10 ** 10 }}", steps);
    ends_by("{{ 'a'.center(10 ** 10) }}", steps);
    ends_by("{{ '%1000000000000d' % 1 }}", steps);
    ends_by("{{ [1] * 10 ** 10 }}", steps);
    ends_by("{% set x = 'a' * 1000000 %}{{ x.replace('a', x) }}", steps);
    ends_by("{{ (['a' * 1000000] * 100000) | sum(start='') }}", steps);
    ends_by("{{ range(1000000) }}", "at most 100000 items");
    ends_by(&grow("set ns.x = [ns.x]"), "nests values deeper than 100");
    let namespace = "a Namespace inside of another value";
    ends_by(&grow("set ns.x = namespace(x=ns.x)"), namespace);
}

#[test]
fn nothing_nests_or_chains_without_end() {
    let tokens = "the limit of 5000 words and signs";
    let recursion = "maximum recursion";
    let deep = "recursion limit exceeded";
    ends_by("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", deep);
    ends_by(&format!("{{{{ {}1 }}}}", "-".repeat(100_000)), tokens);
    ends_by(&format!("{{{{ 1{} }}}}", " - 1".repeat(100_000)), tokens);
    let parentheses = ["{{ ", &"(".repeat(2_000), "1", &")".repeat(2_000), " }}"].concat();
    ends_by(&parentheses, recursion);
    ends_by(&format!("{}x", "{% if 1 %}".repeat(1_000)), recursion);
    let elifs = format!("{{% if 1 %}}{}", "{% elif 1 %}".repeat(1_001));
    ends_by(&elifs, "the limit of 1000 elif");
    let longest = format!("{{{{ 1{} }}}}", " - 1".repeat(2_400));
    assert_eq!(text(&longest), "-2399");
}

#[test]
fn output_has_a_limit_whoever_writes_it() {
    let raw = "x".repeat(60_000);
    let long = "a".repeat(60_000);
    for source in [
        format!("{{% for i in range(1000) %}}{raw}{{% endfor %}}"),
        format!("{{% set s = '{long}' %}}{{% for i in range(1000) %}}{{{{ s }}}}{{% endfor %}}"),
        format!("{{% set x %}}{{% for i in range(1000) %}}{raw}{{% endfor %}}{{% endset %}}"),
    ] {
        assert_eq!(
            text(&source),
            "error 1: the template writes more than 10000000 bytes"
        );
    }
}

#[test]
fn json_numbers_are_exact() {
    for number in [
        "0.30000000000000004",
        "1e-07",
        "123456789012345678901234567890",
        "5e-324",
    ] {
        let variables = format!("{{\"x\": {number}}}");
        assert_eq!(render_with("{{ x }}", &variables).unwrap().text, number);
    }
}
