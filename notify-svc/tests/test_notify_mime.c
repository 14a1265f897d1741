/* Header lines, bodies, dates and addresses, byte by byte. */
#include "notify_mime.h"

#include <test.h>

static struct bus_arena *arena;

static struct mime begin(void) {
  arena = bus_arena_new(1 << 20);
  return (struct mime){.arena = arena};
}

static void assert_header(const char *value, const char *expected) {
  struct mime mime = begin();
  mime_header_text(&mime, "Subject", bus_str(value));
  assert_false(mime.failed);
  assert_string_equal(mime.data, expected);
  bus_arena_free(arena);
}

TEST(header_of_ascii_is_as_it_is)
{ assert_header("Order 7 is confirmed", "Subject: Order 7 is confirmed\r\n"); }

TEST(header_of_other_text_is_words_of_rfc_2047)
{
  assert_header("Größe", "Subject: =?UTF-8?Q?Gr=C3=B6=C3=9Fe?=\r\n");
  assert_header("a =?b", "Subject: =?UTF-8?Q?a=20=3D=3Fb?=\r\n"); /* would be read as a word */
  assert_header("ääääääääääää", "Subject: =?UTF-8?Q?=C3=A4=C3=A4=C3=A4=C3=A4=C3=A4=C3=A4=C3=A4=C3=A4=C3=A4=C3=A4?=\r\n"
                                " =?UTF-8?Q?=C3=A4=C3=A4?=\r\n"); /* whole characters, 75 bytes at most */
}

TEST(header_with_a_line_break_fails_the_mail)
{
  static const char *const wrong[] = {"a\r\nBcc: b@example.org", "a\nb", "a\rb", "\x01", "ä\nb", "a\x7F"};
  for (size_t i = 0; i < BUS_COUNT(wrong); i++) {
    struct mime text = begin();
    mime_header_text(&text, "Subject", bus_str(wrong[i]));
    assert_true(text.failed);
    struct mime plain = {.arena = arena};
    mime_header(&plain, "X", bus_str(wrong[i]));
    assert_true(plain.failed);
    struct mime mailbox = {.arena = arena};
    mime_header_mailbox(&mailbox, "From", bus_str(wrong[i]), BUS_STR("a@example.org"));
    assert_true(mailbox.failed);
    bus_arena_free(arena);
  }
}

TEST(header_of_a_mailbox)
{
  struct mime mime = begin();
  mime_header_mailbox(&mime, "To", BUS_NO_STR, BUS_STR("ann@example.org"));
  mime_header_mailbox(&mime, "From", BUS_STR("My \"Shop\""), BUS_STR("shop@example.org"));
  mime_header_mailbox(&mime, "From", BUS_STR("Bücher"), BUS_STR("shop@example.org"));
  assert_false(mime.failed);
  assert_string_equal(mime.data, "To: <ann@example.org>\r\nFrom: \"My \\\"Shop\\\"\" <shop@example.org>\r\n"
                                 "From: =?UTF-8?Q?B=C3=BCcher?= <shop@example.org>\r\n");
  mime_header_mailbox(&mime, "To", BUS_NO_STR, BUS_STR("ann@example.org>\r\nBcc: x"));
  assert_true(mime.failed);
  bus_arena_free(arena);
}

static void assert_body(const char *text, const char *expected) {
  struct mime mime = begin();
  mime_body(&mime, bus_str(text));
  assert_string_equal(mime.data, expected);
  bus_arena_free(arena);
}

TEST(body_is_quoted_printable)
{
  assert_body("Größe = 1\nlast", "Gr=C3=B6=C3=9Fe =3D 1\r\nlast\r\n");
  assert_body(".\nend \n\tx\t\n", "=2E\r\nend=20\r\n\tx=09\r\n"); /* a point would end the message */
  assert_body("a\rb\n", "a=0Db\r\n");
}

TEST(body_line_has_76_characters_at_most)
{
  char text[400];
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  struct mime mime = begin();
  mime_body(&mime, bus_str(text));
  for (const char *line = mime.data; *line;) {
    const char *end = strstr(line, "\r\n");
    assert_non_null(end);
    assert_true(end - line <= 76);
    line = end + 2;
  }
  bus_arena_free(arena);
}

TEST(date_is_that_of_rfc_5322)
{
  static const struct {
    int64_t second;
    const char *text;
  } dates[] = {{0, "Thu, 01 Jan 1970 00:00:00 +0000"},
               {1796093400, "Tue, 01 Dec 2026 02:50:00 +0000"},
               {1709164799, "Wed, 28 Feb 2024 23:59:59 +0000"},
               {1709164800, "Thu, 29 Feb 2024 00:00:00 +0000"}};
  char text[NOTIFY_DATE_TEXT];
  for (size_t i = 0; i < BUS_COUNT(dates); i++) {
    mime_date(dates[i].second * BUS_SECOND, text);
    assert_string_equal(text, dates[i].text);
  }
}

TEST(address_is_strict)
{
  static const char *const good[] = {"a@b.co", "ann.b+c@mail.example.org", "o'hara@xn--bcher-kva.example",
                                     "a_b-c@1.de"};
  static const char *const wrong[] = {"",
                                      "ann",
                                      "@example.org",
                                      "ann@",
                                      "ann@localhost",
                                      "ann@example.org.",
                                      "ann@.example.org",
                                      "ann@exa mple.org",
                                      "ann@-example.org",
                                      "ann@example-.org",
                                      ".ann@example.org",
                                      "ann.@example.org",
                                      "a..b@example.org",
                                      "a b@example.org",
                                      "\"a b\"@example.org",
                                      "ann@b@example.org",
                                      "ann@example.org\r\nDATA",
                                      "<ann@example.org>",
                                      "ann@example.org,bob@example.org",
                                      "ann%0d@example.org",
                                      "ann@example.org?cc=bob@example.org",
                                      "ann@[127.0.0.1]",
                                      "änn@example.org"};
  char local[80];
  for (size_t i = 0; i < BUS_COUNT(good); i++)
    if (!mime_is_address(bus_str(good[i])))
      fail_msg("refused: %s", good[i]);
  for (size_t i = 0; i < BUS_COUNT(wrong); i++)
    if (mime_is_address(bus_str(wrong[i])))
      fail_msg("taken: %s", wrong[i]);
  memset(local, 'a', sizeof local);
  memcpy(local + 65, "@b.co", 6);
  assert_false(mime_is_address(bus_str(local)));
  assert_true(mime_is_address(bus_str(local + 1)));
}
