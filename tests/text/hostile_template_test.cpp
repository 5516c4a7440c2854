// Templates made to hang, fill the memory or overflow the stack: each is an error, and soon.
#include <gtest/gtest.h>

#include <ctime>

#include "lathe/text/chat_template.h"
#include "tests/support/errors.h"

namespace lathe {
namespace {

std::string template_error(const std::string& source) {
  return message_of([&] { ChatTemplate("t", source).render({}); });
}

std::string repeat(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

/// A namespace `ns` whose x went through `change` `times` times, then `use`.
std::string changed(const char* start, const char* change, int times, const char* use) {
  return fmt::format(
      "{{% set ns = namespace(x={}) %}}{{% for i in range({}) %}}{{% set ns.x = {} %}}"
      "{{% endfor %}}{}",
      start, times, change, use);
}

const std::string nested_loops =
    "{% for a in range(1000) %}{% for b in range(1000) %}{% for c in range(1000) %}x"
    "{% endfor %}{% endfor %}{% endfor %}";

TEST(HostileTemplate, endless_work_runs_out_of_steps) {
  const std::string steps = "needs more than 1000200 steps";
  EXPECT_TRUE(says(template_error(nested_loops), steps));
  EXPECT_TRUE(says(template_error("{{ '-' * 10**10 }}"), steps));
  EXPECT_TRUE(says(template_error(changed("'ab'", "ns.x ~ ns.x", 100, "")), steps));
  EXPECT_TRUE(says(template_error(changed("[1]", "ns.x + ns.x", 100, "")), steps));
  EXPECT_TRUE(says(template_error("{{ 'a'.center(10**12) }}"), steps));
  EXPECT_TRUE(says(template_error("{{ '%1000000000000d' % 1 }}"), steps));
  EXPECT_TRUE(says(template_error("{{ '{:1000000000000}'.format(1) }}"), steps));
  EXPECT_TRUE(says(template_error("{{ [1] | tojson(indent=10**12) }}"), steps));
  EXPECT_TRUE(says(template_error("{{ ('a' * 100000).replace('a', 'b' * 100000) }}"), steps));
  EXPECT_TRUE(says(template_error("{{ range(100000) | join('a' * 100000) }}"), steps));
}

TEST(HostileTemplate, a_range_has_a_limit) {
  EXPECT_TRUE(
      says(template_error("{% for i in range(10**9) %}{% endfor %}"), "at most 100000 items"));
  EXPECT_TRUE(says(template_error("{{ range(2**126, 0 - 2**126, -1) }}"), "at most 100000 items"));
}

TEST(HostileTemplate, recursion_ends) {
  const std::string deep = "recursion limit exceeded";
  EXPECT_TRUE(says(template_error("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"), deep));
  EXPECT_TRUE(says(template_error("{% macro f() %}{% call f() %}{{ caller() }}{% endcall %}"
                                  "{{ caller }}{% endmacro %}{{ f() }}"),
                   deep));
  EXPECT_TRUE(
      says(template_error("{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}"), deep));
}

TEST(HostileTemplate, values_that_contain_one_value_often_cost_what_they_look_like) {
  for (const char* use : {"{{ ns.x }}", "{{ '' ~ ns.x }}", "{{ ns.x | tojson }}"})
    EXPECT_TRUE(says(template_error(changed("[1]", "[ns.x, ns.x]", 60, use)), "steps")) << use;
  EXPECT_TRUE(says(template_error(changed("(1,)", "(ns.x, ns.x)", 60, "{{ {ns.x: 1} }}")),
                   "a tuple as key of a dict is not supported"));
  const std::string twins =
      "{% set ns = namespace(x=[1], y=[1]) %}{% for i in range(60) %}"
      "{% set ns.x = [ns.x, ns.x] %}{% set ns.y = [ns.y, ns.y] %}{% endfor %}";
  for (const char* use :
       {"{{ ns.x == ns.y }}", "{{ [ns.x, ns.y] | sort }}", "{{ ns.x in [ns.y] }}"})
    EXPECT_TRUE(says(template_error(twins + use), "steps")) << use;
}

TEST(HostileTemplate, no_value_is_deep_and_none_contains_itself) {
  const std::string deep = "nests values deeper than 100";
  EXPECT_TRUE(says(template_error(changed("1", "[ns.x]", 100000, "")), deep));
  EXPECT_TRUE(says(template_error(changed("1", "{'a': ns.x}", 100000, "")), deep));
  EXPECT_TRUE(says(template_error(changed("{}", "{'a': ns.x.get}", 100000, "")), "steps"));
  EXPECT_TRUE(says(template_error(repeat("{% set x = [x] %}", 50000)), deep));
  for (const char* self : {"ns", "[ns]", "{'a': ns}", "namespace(x=ns.x)"})
    EXPECT_TRUE(says(template_error(changed("1", self, 2, "")), "inside of another value")) << self;
  EXPECT_TRUE(says(template_error("{{ namespace() }}"), "cannot be written"));
}

TEST(HostileTemplate, sources_are_not_deep) {
  const auto refuses = [](const std::string& source) {
    return says(template_error(source), "the limit of 5000 words and signs in a tag");
  };
  EXPECT_TRUE(refuses("{{ " + repeat("(", 100000) + "1" + repeat(")", 100000) + " }}"));
  EXPECT_TRUE(refuses("{{ " + repeat("[", 100000) + repeat("]", 100000) + " }}"));
  EXPECT_TRUE(refuses("{{ " + repeat("not ", 100000) + "1 }}"));
  EXPECT_TRUE(refuses("{{ " + repeat("-", 100000) + "1 }}"));
  EXPECT_TRUE(refuses("{{ " + repeat("1+", 100000) + "1 }}"));
  EXPECT_TRUE(refuses("{{ a" + repeat(".b", 100000) + " }}"));
  EXPECT_TRUE(refuses("{{ a" + repeat("|e", 100000) + " }}"));
  EXPECT_TRUE(refuses("{{ " + repeat("1 if 0 else ", 50000) + "1 }}"));
  EXPECT_TRUE(says(template_error(repeat("{% if 1 %}", 50000) + repeat("{% endif %}", 40000)),
                   "template exceeds maximum recursion limits"));
  EXPECT_TRUE(says(template_error("{% if 0 %}" + repeat("{% elif 0 %}", 50000) + "{% endif %}"),
                   "the limit of 1000 elif"));
  EXPECT_TRUE(says(template_error(std::string(2 << 20, ' ')), "at most 1048576 bytes"));
}

TEST(HostileTemplate, nothing_of_the_host_is_in_reach) {
  for (const char* expression :
       {"''.__class__.__mro__", "[].__class__.__base__", "messages.__init__.__globals__",
        "self.__init__", "cycler.__init__", "range.__self__.x", "lipsum.__globals__.os"})
    EXPECT_TRUE(says(template_error(fmt::format("{{{{ {}.x }}}}", expression)), "t, line 1: "))
        << expression;
  EXPECT_TRUE(says(template_error("{% include '/etc/passwd' %}"), "unknown statement include"));
  EXPECT_TRUE(says(template_error("{{ messages.append(1) }}"), "append of list is not supported"));
}

TEST(HostileTemplate, messages_are_short) {
  EXPECT_LT(template_error("{{ raise_exception('a' * 1000000) }}").size(), 1100u);
}

TEST(HostileTemplate, every_cut_of_a_template_is_a_template_or_an_error) {
  const std::string whole =
      "{%- macro m(a, b=1) -%}{{ a ~ b|upper }}{%- endmacro %}{# c #}{% raw %}{{{% endraw %}"
      "{% for x in [1, {'a': 2.5}, (\"q\\n\",)] if x is not none %}{% set ns = x[0:1] or 'é' %}"
      "{% if loop.first and not x == 2 ** 3 // 1 %}{{ m(x, b=*[1]) }}{% else %}-{% endif %}"
      "{% generation %}{% endgeneration %}{% endfor %}";
  for (size_t size = 0; size < whole.size(); ++size) {
    if ((whole[size] & 0xc0) == 0x80) continue;
    const std::string message = template_error(whole.substr(0, size));
    EXPECT_TRUE(message == "no error" || says(message, "t, line 1: ")) << message;
  }
}

/// Of all threads of this process.
double processor_seconds_of(const std::string& source) {
  const std::clock_t begin = std::clock();
  EXPECT_NE(template_error(source), "no error") << source;
  return static_cast<double>(std::clock() - begin) / double{CLOCKS_PER_SEC};
}

TEST(HostileTemplate, attacks_known_from_other_programs_end_within_100_ms) {
  for (const std::string& attack :
       {std::string("{% for i in range(10**9) %}{% endfor %}"), std::string("{{ '-' * 10**10 }}"),
        std::string("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"), nested_loops,
        std::string("{{ ''.__class__.__mro__[1].__subclasses__() }}"),
        std::string("{{ cycler.__init__.__globals__.os.popen('id').read() }}")})
    EXPECT_LT(processor_seconds_of(attack), 0.1) << attack;
}

TEST(HostileTemplate, the_worst_of_them_end_soon) {
  const std::string grown = "{% set x = 'ä' * 1000000 %}{% for i in range(100000) %}";
  EXPECT_LT(processor_seconds_of(grown + "{{ x.upper() }}{% endfor %}"), 1);
  EXPECT_LT(processor_seconds_of(changed("[1]", "[ns.x, ns.x]", 60, "{{ ns.x }}")), 1);
  EXPECT_LT(processor_seconds_of(grown + "{{ x.split('b') }}{% endfor %}"), 1);
}

TEST(HostileTemplate, output_has_a_limit) {
  const Chat long_text = {.variables = fmt::format(R"({{"x": "{}"}})", std::string(1 << 20, 'a'))};
  const std::string error = message_of(
      [&] { ChatTemplate("t", "{% for i in range(100) %}{{ x }}{% endfor %}").render(long_text); });
  EXPECT_TRUE(says(error, "the template writes more than 67108864 bytes"));
}

}  // namespace
}  // namespace lathe
