/* Templates: values, parts, lists, and what is escaped where. */
#include "notify_template.h"

#include <test.h>

static struct bus_str name_value = BUS_STR("<b>&\"'ann"), absent = BUS_NO_STR;

static bool find(const void *context, struct bus_str name, size_t item, struct bus_str *ret) {
  static const struct bus_str items[] = {BUS_STR("one"), BUS_STR("two")};
  (void)context;
  if (bus_str_is(name, "name"))
    *ret = name_value;
  else if (bus_str_is(name, "none"))
    *ret = absent;
  else if (bus_str_is(name, "item"))
    *ret = items[item];
  else
    return false;
  return true;
}

static bool render(const char *text, enum notify_escape escape, char ret[256]) {
  static const struct notify_values values = {NULL, find, BUS_STR("items"), 2};
  struct bus_arena *arena = bus_arena_new(1 << 16);
  struct mime mime = {.arena = arena};
  bool good = notify_template_render(bus_str(text), &values, escape, &mime);
  if (good)
    memcpy(ret, mime.data, mime.len + 1);
  bus_arena_free(arena);
  return good;
}

static void assert_rendered(const char *text, enum notify_escape escape, const char *expected) {
  char rendered[256];
  assert_true(render(text, escape, rendered));
  assert_string_equal(rendered, expected);
}

TEST(template_values_are_escaped_for_html)
{
  assert_rendered("<p>{{name}}</p>", NOTIFY_AS_HTML, "<p>&lt;b&gt;&amp;&quot;&#39;ann</p>");
  assert_rendered("{{name}}!", NOTIFY_AS_TEXT, "<b>&\"'ann!");
}

TEST(template_value_is_not_rendered_again)
{
  name_value = BUS_STR("{{item}}");
  assert_rendered("{{name}}", NOTIFY_AS_TEXT, "{{item}}");
  name_value = BUS_STR("<b>&\"'ann");
}

TEST(template_parts_are_there_with_their_value)
{
  assert_rendered("a\n{{#none}}\nb {{none}}\n{{/none}}\nc\n", NOTIFY_AS_TEXT, "a\nc\n");
  assert_rendered("a\n{{#item}}\nb\n{{/item}}\nc\n", NOTIFY_AS_TEXT, "a\nb\nc\n");
  assert_rendered("{{#items}}\n- {{item}}{{#none}}x{{/none}}\n{{/items}}\n", NOTIFY_AS_TEXT, "- one\n- two\n");
}

TEST(template_that_is_wrong_is_not_rendered)
{
  static const char *const wrong[] = {
      "{{unknown}}", "{{name", "{{#name}}x", "{{#unknown}}x{{/unknown}}", "{{/name}}", "{{#items}}{{oops}}{{/items}}"};
  char rendered[256];
  for (size_t i = 0; i < BUS_COUNT(wrong); i++)
    if (render(wrong[i], NOTIFY_AS_TEXT, rendered))
      fail_msg("rendered: %s", wrong[i]);
}
