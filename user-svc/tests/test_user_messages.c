/* E-mail addresses and ids of requests. */
#include "user_messages.h"

#include <test.h>

static void assert_normal(const char *email, const char *expected) {
  char normal[USER_EMAIL_MAX + 1];
  assert_true(user_email_normalise(bus_str(email), normal));
  assert_string_equal(normal, expected);
}

TEST(an_address_has_one_form)
{
  assert_normal("ann@example.org", "ann@example.org");
  assert_normal("  ann@EXAMPLE.Org ", "ann@example.org");
  assert_normal("Ann@example.org", "Ann@example.org"); /* the local part is the receiving host's */
  assert_normal("\"a@b\"@x", "\"a@b\"@x");
}

TEST(what_is_no_address_has_no_form)
{
  static const char *const wrong[] = {"", " ", "ann", "@example.org", "ann@", "ann @example.org", "ann@exam ple.org"};
  char normal[USER_EMAIL_MAX + 1], longest[USER_EMAIL_MAX + 2];
  for (size_t i = 0; i < BUS_COUNT(wrong); i++)
    assert_false(user_email_normalise(bus_str(wrong[i]), normal));
  memset(longest, 'a', sizeof longest);
  longest[64] = '@';
  assert_true(user_email_normalise((struct bus_str){longest, USER_EMAIL_MAX}, normal));
  assert_false(user_email_normalise((struct bus_str){longest, USER_EMAIL_MAX + 1}, normal));
  longest[64] = 'a';
  longest[65] = '@';
  assert_false(user_email_normalise((struct bus_str){longest, 100}, normal));
}

TEST(a_request_id_is_of_path_key_and_person)
{
  struct bus_uuid one, same, other;
  user_request_id_of(BUS_STR("/a"), BUS_STR("k"), BUS_STR("x"), &one);
  user_request_id_of(BUS_STR("/a"), BUS_STR("k"), BUS_STR("x"), &same);
  assert_true(bus_uuid_equal(&one, &same));
  user_request_id_of(BUS_STR("/a"), BUS_STR("kx"), BUS_STR(""), &other);
  assert_false(bus_uuid_equal(&one, &other));
  user_request_id_of(BUS_STR("/b"), BUS_STR("k"), BUS_STR("x"), &other);
  assert_false(bus_uuid_equal(&one, &other));
}

TEST(a_cursor_is_an_address_and_nothing_else)
{
  static const char *const wrong[] = {"", "6", "6g", "6A", "0a", "ff", "61ff"};
  char text[USER_CURSOR_MAX + 1], email[USER_EMAIL_MAX + 1];
  user_cursor_format(BUS_STR("\xC3\xA4nn@b"), text);
  assert_string_equal(text, "c3a46e6e4062");
  assert_true(user_cursor_parse(bus_str(text), email));
  assert_string_equal(email, "\xC3\xA4nn@b");
  for (size_t i = 0; i < BUS_COUNT(wrong); i++)
    assert_false(user_cursor_parse(bus_str(wrong[i]), email));
}
