/* Form bodies. */
#include "form.h"

#include <stdio.h>

#include "test.h"

struct parsed {
  struct bus_arena *arena;
  struct psp_form form;
  const char *problem;
  bool accepted;
};

static struct parsed parse(const char *body) {
  struct parsed parsed = {.arena = bus_arena_new(1 << 20), .problem = ""};
  assert_non_null(parsed.arena);
  parsed.accepted = psp_form_parse(bus_str(body), parsed.arena, &parsed.form, &parsed.problem);
  return parsed;
}

static void assert_refused(const char *body) {
  struct parsed parsed = parse(body);
  assert_false(parsed.accepted);
  assert_true(parsed.problem[0] != '\0');
  bus_arena_free(parsed.arena);
}

TEST(fields_are_found_decoded)
{
  struct parsed parsed = parse("amount=1998&currency=eur&metadata%5Border_id%5D=a%20b&metadata[x]=y+z&empty=");
  assert_true(parsed.accepted);
  assert_int_equal(parsed.form.count, 5);
  assert_true(bus_str_is(psp_form_get(&parsed.form, "amount"), "1998"));
  assert_true(bus_str_is(psp_form_get(&parsed.form, "metadata[order_id]"), "a b"));
  assert_true(bus_str_is(psp_form_get(&parsed.form, "metadata[x]"), "y z"));
  assert_true(bus_str_is(psp_form_get(&parsed.form, "empty"), ""));
  assert_null(psp_form_get(&parsed.form, "nothing").data);
  bus_arena_free(parsed.arena);
}

TEST(an_empty_body_has_no_fields)
{
  struct parsed parsed = parse("");
  assert_true(parsed.accepted);
  assert_int_equal(parsed.form.count, 0);
  bus_arena_free(parsed.arena);
}

TEST(what_is_malformed_is_refused)
{
  assert_refused("a=%zz");
  assert_refused("a=%");
  assert_refused("%00=a");
  assert_refused("a=%00");
  assert_refused("a=%ff");
  assert_refused("a=%0d%0a");
}

TEST(a_name_that_stands_twice_is_refused)
{
  assert_refused("amount=1&amount=2");
  assert_refused("b=1&amount=1&c=3&am%6funt=1");
}

TEST(more_than_forty_fields_are_refused)
{
  char body[1024];
  size_t len = 0;
  for (int i = 0; i < 41; i++)
    len += (size_t)snprintf(body + len, sizeof body - len, "&f%d=x", i);
  assert_refused(body);
  *strrchr(body, '&') = '\0';
  struct parsed parsed = parse(body);
  assert_true(parsed.accepted);
  bus_arena_free(parsed.arena);
}

TEST(members_of_a_group_are_named)
{
  assert_true(bus_str_is(psp_form_member(BUS_STR("metadata[order_id]"), "metadata"), "order_id"));
  assert_null(psp_form_member(BUS_STR("metadata[]"), "metadata").data);
  assert_null(psp_form_member(BUS_STR("metadata"), "metadata").data);
  assert_null(psp_form_member(BUS_STR("metadata[x"), "metadata").data);
  assert_null(psp_form_member(BUS_STR("metadatas[x]"), "metadata").data);
}

static void fingerprint(const char *body, const char *path, char text[BUS_SHA256_TEXT]) {
  struct parsed parsed = parse(body);
  assert_true(parsed.accepted);
  assert_true(psp_form_fingerprint(&parsed.form, path, parsed.arena, text));
  bus_arena_free(parsed.arena);
}

static bool is_same(const char *a, const char *b) {
  char left[BUS_SHA256_TEXT], right[BUS_SHA256_TEXT];
  fingerprint(a, "/p", left);
  fingerprint(b, "/p", right);
  return strcmp(left, right) == 0;
}

TEST(a_fingerprint_knows_the_parameters_and_not_their_order)
{
  assert_true(is_same("a=1&b=2", "b=2&a=1"));
  assert_true(is_same("a=x%20y", "a=x+y"));
  assert_false(is_same("a=1&b=2", "a=1&b=3"));
  assert_false(is_same("a=1&b=2", "a=1"));
  assert_false(is_same("a=1&b=2", "a=1%262:b=2"));
  assert_false(is_same("ab=c", "a=bc"));
  assert_false(is_same("a=", ""));
}

TEST(a_fingerprint_knows_the_path)
{
  char left[BUS_SHA256_TEXT], right[BUS_SHA256_TEXT];
  fingerprint("a=1", "/v1/refunds", left);
  fingerprint("a=1", "/v1/payment_intents", right);
  assert_string_not_equal(left, right);
}
