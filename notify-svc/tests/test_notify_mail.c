/* Mails of each event: header, both parts, and that the same delivery is the same mail. */
#include "notify_mail.h"
#include "notify_payload.h"

#include <test.h>

#define AT (INT64_C(1796093400) * BUS_SECOND)
static const struct notify_mail_from shop = {BUS_STR("shop@example.org"), BUS_STR("Bücher")};
static struct order_item items[] = {{BUS_STR("SKU-1"), 2, 999}, {BUS_STR("SKU-2"), 1, BUS_NO_INT64}};
static struct order_event told = {.order_id = {{9}},
                                  .items = items,
                                  .item_count = 2,
                                  .total = 1998,
                                  .currency = BUS_STR("EUR"),
                                  .reason = BUS_STR("out_of_stock: SKU-<1>"),
                                  .at = BUS_NO_TIME};
static const struct order_refunded refund = {
    .order_id = {{9}}, .refunded = 500, .total = 1998, .currency = BUS_STR("JPY"), .at = BUS_NO_TIME};

/* The mail of a delivery, its soft line breaks undone. */
static struct bus_str mail_of(struct bus_str payload, struct bus_arena *arena) {
  const struct notify_letter letter = {{{5}}, {{1}}, BUS_STR("ann@example.org"), payload, BUS_STR("c0de")};
  struct bus_str mail;
  assert_true(notify_mail_compose(&shop, &letter, arena, &mail));
  size_t len = 0;
  char *text = bus_arena_alloc(arena, mail.len + 1);
  for (size_t i = 0; i < mail.len; i++)
    if (strncmp(mail.data + i, "=\r\n", 3) == 0)
      i += 2;
    else
      text[len++] = mail.data[i];
  return (struct bus_str){text, len};
}

static struct bus_str mail_of_event(enum webhook_event type, struct bus_arena *arena) {
  struct notify_event event = {.type = type, .order_id = {{9}}, .at = BUS_NO_TIME, .event = &told};
  struct bus_str payload;
  if (type == WEBHOOK_ORDER_REFUNDED) {
    event.event = NULL;
    event.refunded = &refund;
  }
  if (type < WEBHOOK_WEBHOOK_DISABLED)
    assert_true(notify_payload_encode(&event, AT, arena, &payload));
  else
    assert_true(notify_payload_of_endpoint(type, &(struct bus_uuid){{7}},
                                           type == WEBHOOK_EMAIL_CONFIRM ? -1 : WEBHOOK_GONE, AT, arena, &payload));
  return mail_of(payload, arena);
}

static void assert_has(struct bus_str mail, const char *text) {
  if (!strstr(mail.data, text))
    fail_msg("no %s in\n%s", text, mail.data);
}

TEST(mail_has_its_header)
{
  struct bus_arena *arena = bus_arena_new(1 << 20);
  struct bus_str mail = mail_of_event(WEBHOOK_ORDER_CONFIRMED, arena);
  static const char expected[] = "Date: Tue, 01 Dec 2026 02:50:00 +0000\r\n"
                                 "From: =?UTF-8?Q?B=C3=BCcher?= <shop@example.org>\r\n"
                                 "To: <ann@example.org>\r\n"
                                 "Message-ID: <05000000-0000-0000-0000-000000000000@example.org>\r\n"
                                 "Subject: Order 09000000-0000-0000-0000-000000000000 is confirmed\r\n"
                                 "Auto-Submitted: auto-generated\r\n"
                                 "MIME-Version: 1.0\r\n"
                                 "Content-Type: multipart/alternative; "
                                 "boundary=\"05000000-0000-0000-0000-000000000000\"\r\n\r\n"
                                 "--05000000-0000-0000-0000-000000000000\r\n";
  assert_memory_equal(mail.data, expected, sizeof expected - 1);
  bus_arena_free(arena);
}

TEST(mail_has_the_values_escaped_in_html_alone)
{
  struct bus_arena *arena = bus_arena_new(1 << 20);
  struct bus_str mail = mail_of_event(WEBHOOK_ORDER_CONFIRMED, arena);
  assert_has(mail, "\r\n2 x SKU-1, 9.99 EUR each\r\n1 x SKU-2\r\n\r\nTotal: 19.98 EUR\r\n");
  assert_has(mail, "<td>SKU-1</td>");
  mail = mail_of_event(WEBHOOK_ORDER_REJECTED, arena);
  assert_has(mail, "Reason: out_of_stock: SKU-<1>\r\n");
  assert_has(mail, "Reason: out_of_stock: SKU-&lt;1&gt;</p>");
  bus_arena_free(arena);
}

TEST(mail_of_each_event_is_composed)
{
  static const char *const texts[] = {
      [WEBHOOK_ORDER_CONFIRMED] = "is paid and confirmed",
      [WEBHOOK_ORDER_CANCELLED] = "is cancelled",
      [WEBHOOK_ORDER_REJECTED] = "could not be accepted",
      [WEBHOOK_ORDER_REFUNDED] = "Refunded so far: 500 JPY\r\nTotal of the order: 1998 JPY", /* without decimals */
      [WEBHOOK_WEBHOOK_DISABLED] = "Cause: gone",
      [WEBHOOK_EMAIL_CONFIRM] = "Code: c0de",
  };
  for (int event = 0; event < WEBHOOK_ALL_EVENTS; event++) {
    struct bus_arena *arena = bus_arena_new(1 << 20);
    struct bus_str mail = mail_of_event((enum webhook_event)event, arena);
    assert_has(mail, texts[event]);
    assert_null(strstr(mail.data, "{{"));
    bool has_code = strstr(mail.data, "c0de") != NULL; /* it would confirm the address for whoever reads it */
    assert_true(has_code == (event == WEBHOOK_EMAIL_CONFIRM));
    for (size_t i = 0; i < mail.len; i++)
      assert_true(mail.data[i] > 0 && (mail.data[i] != '\n' || mail.data[i - 1] == '\r'));
    bus_arena_free(arena);
  }
}

TEST(mail_of_another_attempt_is_the_same)
{
  struct bus_arena *arena = bus_arena_new(1 << 20);
  struct bus_str first = mail_of_event(WEBHOOK_ORDER_CANCELLED, arena);
  assert_true(bus_str_equal(first, mail_of_event(WEBHOOK_ORDER_CANCELLED, arena)));
  bus_arena_free(arena);
}

TEST(mail_of_no_payload_is_none)
{
  struct bus_arena *arena = bus_arena_new(1 << 20);
  const struct notify_letter letter = {{{5}}, {{1}}, BUS_STR("ann@example.org"), BUS_STR("{}"), BUS_NO_STR};
  struct bus_str mail;
  assert_false(notify_mail_compose(&shop, &letter, arena, &mail));
  bus_arena_free(arena);
}

TEST(mail_code_is_of_the_secret)
{
  char code[NOTIFY_CODE_TEXT], other[NOTIFY_CODE_TEXT];
  notify_mail_code(BUS_STR("whsec_1"), code);
  notify_mail_code(BUS_STR("whsec_2"), other);
  assert_int_equal(strlen(code), NOTIFY_CODE_TEXT - 1);
  assert_string_not_equal(code, other);
}

TEST(mail_key_knows_no_capitals)
{
  char key[NOTIFY_MAIL_KEY + 1], other[NOTIFY_MAIL_KEY + 1];
  notify_mail_key(BUS_STR("mailto:ann@example.org"), true, key);
  notify_mail_key(BUS_STR("mailto:ANN@Example.org"), true, other);
  assert_string_equal(key, other);
  notify_mail_key(BUS_STR("mailto:ann@example.org"), false, other);
  assert_string_not_equal(key, other);
}

TEST(mail_address_of_an_endpoint_is_checked)
{
  static const struct notify_policy policy = {.sends_mail = true};
  char why[WEBHOOK_REASON_MAX + 1];
  assert_true(notify_mail_check(BUS_STR("mailto:ann@example.org"), &policy, why));
  assert_false(notify_mail_check(BUS_STR("mailto:ann@example.org?bcc=bob@example.org"), &policy, why));
  assert_non_null(strstr(why, "url must be mailto: and one address"));
}
