/* A delivery as a mail: values of the payload, the templates of its event, and the header around them. */
#include "notify_mail.h"

#include "mail_embedded.h"
#include "notify_payload.h"
#include "notify_template.h"

#include <bus/hash.h>
#include <currency.h>

#include <inttypes.h>
#include <stdio.h>

enum { MONEY_TEXT = 48, NUMBER_TEXT = 24, LINE_TEXT = 400 };

/* ---- endpoints ---- */

bool notify_is_mail(struct bus_str url) {
  return bus_str_cut_start(&url, NOTIFY_MAIL_SCHEME);
}

struct bus_str notify_mail_address(struct bus_str url) {
  (void)bus_str_cut_start(&url, NOTIFY_MAIL_SCHEME); /* it is one */
  return url;
}

bool notify_mail_check(struct bus_str url, const struct notify_policy *policy, char why[WEBHOOK_REASON_MAX + 1]) {
  const char *wrong = !policy->sends_mail ? "url must begin with https://: this server sends no mail (SMTP_URL)"
                      : !mime_is_address(notify_mail_address(url))
                          ? "url must be mailto: and one address, such as mailto:ann@example.org: at most 254 "
                            "characters of ASCII, the domain with a dot, and no %, &, ? or quotes"
                          : NULL;
  if (wrong)
    (void)snprintf(why, WEBHOOK_REASON_MAX + 1, "%s", wrong);
  return wrong == NULL;
}

void notify_mail_key(struct bus_str url, bool confirmed, char ret[NOTIFY_MAIL_KEY + 1]) {
  char text[LINE_TEXT];
  struct bus_str address = notify_mail_address(url);
  int len = snprintf(text, sizeof text, "%s %.*s", confirmed ? "confirmed" : "unconfirmed", (int)address.len,
                     address.data); /* it fits */
  for (int i = 0; i < len; i++)
    if (text[i] >= 'A' && text[i] <= 'Z')
      text[i] = (char)(text[i] + 'a' - 'A');
  bus_sha256_hex(bus_str(text), ret);
}

void notify_mail_code(struct bus_str secret, char ret[NOTIFY_CODE_TEXT]) {
  static const struct bus_str purpose = BUS_STR("confirm");
  char text[BUS_SHA256_TEXT];
  bus_hmac_sha256_hex(secret, &purpose, 1, text);
  memcpy(ret, text, NOTIFY_CODE_TEXT - 1);
  ret[NOTIFY_CODE_TEXT - 1] = '\0';
}

/* ---- values ---- */

/* Texts of one item. */
struct item_text {
  char quantity[NUMBER_TEXT], price[MONEY_TEXT];
};
struct letter_text {
  const struct notify_payload_data *data;
  char order_id[BUS_UUID_TEXT], webhook_id[BUS_UUID_TEXT], endpoint_id[BUS_UUID_TEXT];
  char total[MONEY_TEXT], refunded[MONEY_TEXT]; /* "": unknown */
  struct item_text *items;
  struct bus_str code, title;
};

/* "19.98" for 1998 of a currency with two decimals; of an unknown currency the minor units. */
static void format_money(int64_t amount, struct bus_str code, char ret[MONEY_TEXT]) {
  const struct currency *currency = currency_find(code);
  int decimals = currency ? currency->decimals : 0;
  if (amount == BUS_NO_INT64)
    *ret = '\0';
  else if (decimals == 2)
    (void)snprintf(ret, MONEY_TEXT, "%" PRId64 ".%02" PRId64, amount / 100, amount % 100);
  else if (decimals == 3)
    (void)snprintf(ret, MONEY_TEXT, "%" PRId64 ".%03" PRId64, amount / 1000, amount % 1000);
  else
    (void)snprintf(ret, MONEY_TEXT, "%" PRId64, amount);
}

static bool read_values(const struct notify_payload *payload, const struct notify_letter *letter,
                        struct bus_arena *arena, struct letter_text *ret) {
  const struct notify_payload_data *data = payload->data;
  *ret = (struct letter_text){
      .data = data, .code = letter->code, .items = bus_arena_array(arena, data->item_count, sizeof *ret->items)};
  bus_uuid_format(&data->order_id, ret->order_id);
  bus_uuid_format(&data->webhook_id, ret->webhook_id);
  bus_uuid_format(&letter->endpoint_id, ret->endpoint_id);
  format_money(data->total, data->currency, ret->total);
  format_money(data->refunded, data->currency, ret->refunded);
  for (size_t i = 0; ret->items && i < data->item_count; i++) {
    (void)snprintf(ret->items[i].quantity, NUMBER_TEXT, "%" PRId64, data->items[i].quantity);
    format_money(data->items[i].unit_price, data->currency, ret->items[i].price);
  }
  return ret->items != NULL;
}

static struct bus_str cause_text(int cause) {
  return cause < 0 ? BUS_NO_STR : bus_str(webhook_cause_names[cause]);
}

static struct bus_str present(const char *text) {
  return text && *text ? bus_str(text) : BUS_NO_STR;
}

static bool find(const void *context, struct bus_str name, size_t item, struct bus_str *ret) {
  const struct letter_text *text = context;
  const struct notify_payload_data *data = text->data;
  bool has_item = item < data->item_count;
  const struct {
    const char *name;
    struct bus_str value;
  } values[] = {
      {"order_id", bus_str(text->order_id)},
      {"webhook_id", bus_str(text->webhook_id)},
      {"endpoint_id", bus_str(text->endpoint_id)},
      {"total", present(text->total)},
      {"refunded", present(text->refunded)},
      {"currency", data->currency},
      {"reason", data->reason},
      {"cause", cause_text(data->cause)},
      {"code", text->code},
      {"title", text->title},
      {"space", BUS_STR(" ")},
      {"product_id", has_item ? data->items[item].product_id : BUS_NO_STR},
      {"quantity", has_item ? bus_str(text->items[item].quantity) : BUS_NO_STR},
      {"price", has_item ? present(text->items[item].price) : BUS_NO_STR},
  };
  for (size_t i = 0; i < BUS_COUNT(values); i++) {
    if (!bus_str_is(name, values[i].name))
      continue;
    *ret = values[i].value;
    return true;
  }
  return false;
}

/* ---- the mail ---- */

static struct bus_str text_of(const struct embedded_file *file) {
  return (struct bus_str){(const char *)file->bytes, file->len};
}

static const struct {
  const struct embedded_file *text, *html;
} templates[] = {
    [WEBHOOK_ORDER_CONFIRMED] = {&order_confirmed_txt, &order_confirmed_html},
    [WEBHOOK_ORDER_CANCELLED] = {&order_cancelled_txt, &order_cancelled_html},
    [WEBHOOK_ORDER_REJECTED] = {&order_rejected_txt, &order_rejected_html},
    [WEBHOOK_ORDER_REFUNDED] = {&order_refunded_txt, &order_refunded_html},
    [WEBHOOK_WEBHOOK_DISABLED] = {&webhook_disabled_txt, &webhook_disabled_html},
    [WEBHOOK_EMAIL_CONFIRM] = {&email_confirm_txt, &email_confirm_html},
};

static bool render(struct bus_str text, const struct notify_values *values, enum notify_escape escape,
                   struct bus_arena *arena, struct bus_str *ret) {
  struct mime rendered = {.arena = arena};
  if (!notify_template_render(text, values, escape, &rendered))
    return false;
  *ret = (struct bus_str){rendered.data, rendered.len};
  return true;
}

/* Message-ID and boundary are of the delivery, the date of the event: an attempt that is made again sends the same
 * mail, which mail servers and readers know by its Message-ID. */
static void add_header(struct mime *mail, const struct notify_mail_from *from, const struct notify_letter *letter,
                       bus_time at, struct bus_str subject) {
  char id[BUS_UUID_TEXT], line[LINE_TEXT], date[NOTIFY_DATE_TEXT];
  struct bus_str domain = from->address;
  (void)bus_str_cut(&domain, '@');
  bus_uuid_format(&letter->delivery_id, id);
  mime_date(at, date);
  mime_header(mail, "Date", bus_str(date));
  mime_header_mailbox(mail, "From", from->name, from->address);
  mime_header_mailbox(mail, "To", BUS_NO_STR, letter->to);
  (void)snprintf(line, sizeof line, "<%s@%.*s>", id, (int)domain.len, domain.data);
  mime_header(mail, "Message-ID", bus_str(line));
  mime_header_text(mail, "Subject", subject);
  mime_header(mail, "Auto-Submitted", BUS_STR("auto-generated"));
  mime_header(mail, "MIME-Version", BUS_STR("1.0"));
  (void)snprintf(line, sizeof line, "multipart/alternative; boundary=\"%s\"", id);
  mime_header(mail, "Content-Type", bus_str(line));
}

static void add_part(struct mime *mail, const char *boundary, const char *type, struct bus_str text) {
  mime_add(mail, BUS_STR("\r\n--"));
  mime_add(mail, bus_str(boundary));
  mime_add(mail, BUS_STR("\r\n"));
  mime_header(mail, "Content-Type", bus_str(type));
  mime_header(mail, "Content-Transfer-Encoding", BUS_STR("quoted-printable"));
  mime_add(mail, BUS_STR("\r\n"));
  mime_body(mail, text);
}

/* The texts of both parts; the text's first line is the subject. */
static bool render_all(int event, struct letter_text *text, struct bus_arena *arena, struct bus_str *subject,
                       struct bus_str *plain, struct bus_str *html) {
  const struct notify_values values = {text, find, BUS_STR("items"), text->data->item_count};
  struct bus_str body = text_of(templates[event].text), title = bus_str_cut(&body, '\n'), foot, head, middle, end;
  if (!render(title, &values, NOTIFY_AS_TEXT, arena, subject))
    return false;
  text->title = *subject;
  if (!render(body, &values, NOTIFY_AS_TEXT, arena, plain) ||
      !render(text_of(&foot_txt), &values, NOTIFY_AS_TEXT, arena, &foot) ||
      !render(text_of(&head_html), &values, NOTIFY_AS_HTML, arena, &head) ||
      !render(text_of(templates[event].html), &values, NOTIFY_AS_HTML, arena, &middle) ||
      !render(text_of(&foot_html), &values, NOTIFY_AS_HTML, arena, &end))
    return false;
  *plain = bus_arena_printf(arena, "%s%s", plain->data, foot.data);
  *html = bus_arena_printf(arena, "%s%s%s", head.data, middle.data, end.data);
  return plain->data && html->data;
}

bool notify_mail_compose(const struct notify_mail_from *from, const struct notify_letter *letter,
                         struct bus_arena *arena, struct bus_str *ret) {
  struct notify_payload payload;
  struct letter_text text;
  struct bus_str subject, plain, html;
  char boundary[BUS_UUID_TEXT];
  struct mime mail = {.arena = arena};
  if (!notify_payload_decode(letter->payload, arena, &payload) || !read_values(&payload, letter, arena, &text) ||
      !render_all(payload.type, &text, arena, &subject, &plain, &html))
    return false;
  bus_uuid_format(&letter->delivery_id, boundary);
  add_header(&mail, from, letter, payload.timestamp, subject);
  add_part(&mail, boundary, "text/plain; charset=utf-8", plain);
  add_part(&mail, boundary, "text/html; charset=utf-8", html);
  mime_add(&mail, BUS_STR("\r\n--"));
  mime_add(&mail, bus_str(boundary));
  mime_add(&mail, BUS_STR("--\r\n"));
  *ret = (struct bus_str){mail.data, mail.len};
  return !mail.failed;
}
