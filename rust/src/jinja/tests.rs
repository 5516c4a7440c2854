use super::*;
use std::collections::HashMap;

const LIMITS: Limits = Limits {
    steps: 100_000,
    output: 1000,
};

fn run(source: &str) -> std::result::Result<Rendered, String> {
    let located = |(line, message)| format!("{line}: {message}");
    let program = parse(source).map_err(located)?;
    render(&program, HashMap::new(), Some(0), LIMITS).map_err(located)
}

fn text(source: &str) -> String {
    match run(source) {
        Ok(rendered) => rendered.text,
        Err(message) => format!("error, line {message}"),
    }
}

#[test]
fn block_tags_take_the_white_space_of_their_line() {
    assert_eq!(
        text("a\n  {% if true %}\n  b\n  {% endif %}\nc\n"),
        "a\n  b\nc"
    );
    assert_eq!(text("a \n {{- 1 -}} \n b"), "a1b");
    assert_eq!(text("a\n {%+ if true +%}\nb{% endif %}"), "a\n \nb");
}

#[test]
fn values_print_as_in_python() {
    assert_eq!(
        text("{{ [1, 2.0, 'a', none, true, (1,), {'b': 1e16}] }}"),
        "[1, 2.0, 'a', None, True, (1,), {'b': 1e+16}]"
    );
    assert_eq!(
        text(r#"{{ ["it's", '"', '\n\x00é\u200b'] }}"#),
        r#"["it's", '"', '\n\x00é\u200b']"#
    );
}

#[test]
fn keys_that_are_equal_are_one() {
    assert_eq!(text("{{ {1: 'a', true: 'b', 1.0: 'c'} }}"), "{1: 'c'}");
}

#[test]
fn what_a_loop_sets_is_gone_after_the_turn() {
    let source = "{% set x = 0 %}{% for i in [1, 2] %}{{ x }}{% set x = i %}{% endfor %}{{ x }}";
    assert_eq!(text(source), "000");
}

#[test]
fn a_macro_sees_the_variables_of_its_definition_as_they_are_now() {
    let source =
        "{% for i in [1, 2] %}{% macro m() %}{{ i }}{{ x }}{% endmacro %}{{ m() }}{% endfor %}";
    assert_eq!(text(&format!("{{% set x = 5 %}}{source}")), "1525");
}

#[test]
fn marks_count_from_what_is_written() {
    let rendered = run("é{% generation %}a{{ 1 }}{% endgeneration %}").unwrap();
    assert_eq!(
        (rendered.text.as_str(), rendered.assistant),
        ("éa1", vec![(2, 4)])
    );
}

#[test]
fn limits_hold() {
    assert!(text("{{ 'a' * 2000 }}").contains("more than 1000 bytes"));
    let loops = "{% for a in range(999) %}{% for b in range(999) %}{% endfor %}{% endfor %}";
    assert!(text(loops).contains("more than 100000 steps"));
    assert!(text("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}").contains("deeper than"));
}

#[test]
fn nothing_changes_a_list() {
    assert!(
        text("{% set l = [1] %}\n{{ l.append(2) }}").starts_with("error, line 2: 'list object'")
    );
}

#[test]
fn dates_are_those_of_the_calendar() {
    for (seconds, date) in [
        (0, "1970-01-01 Thu 001"),
        (951_782_400, "2000-02-29 Tue 060"),
        (4_107_542_400, "2100-03-01 Mon 060"),
        (-1, "1969-12-31 Wed 365"),
    ] {
        assert_eq!(strftime::strftime("%Y-%m-%d %a %j", seconds).unwrap(), date);
    }
}

#[test]
fn json_numbers_are_exact() {
    let budget = Budget::new(LIMITS);
    for number in [
        "0.30000000000000004",
        "1e-07",
        "123456789012345678901234567890",
        "5e-324",
    ] {
        let value = from_json(number, &budget).unwrap();
        assert_eq!(text::str_of(&value, &budget).unwrap().text.as_ref(), number);
    }
}
