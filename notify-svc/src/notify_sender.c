/* Sends webhooks and mails: signs and posts, or composes, and reports what came back. */
#include "notify_sender.h"

#include "notify_mail.h"
#include "notify_metrics.h"
#include "notify_signature.h"
#include "notify_url.h"

#include <bus/clock.h>
#include <bus/failpoint.h>
#include <bus/log.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { HEADER_TEXT = 160, HEADERS = 4, MAIL_BYTES_MAX = 1 << 20 };

struct slot {
  struct notify_sender *sender;
  struct bus_uuid delivery_id, endpoint_id;
  int64_t number;
  bool under_way, failing, is_mail;
};

struct notify_sender {
  const struct notify_settings *settings;
  const struct notify_keys *keys;
  struct bus_worker *worker;
  struct bus_http_client *http;
  struct bus_mailer *mailer; /* NULL: no mail is sent */
  struct slot *slots;        /* settings->concurrency */
  int64_t under_way, failing, mails;
};

/* ---- results ---- */

static void push(struct notify_sender *sender, const struct notify_result *result) {
  if (BUS_ERROR_POINT("notify.result") ||
      !bus_worker_push(sender->worker, BUS_INPUT_COMPLETION, result, sizeof *result))
    bus_log(BUS_WARN, "result of an attempt dropped; its delivery comes due again",
            BUS_F_UUID("delivery_id", &result->delivery_id));
}

/* Text of strangers: printable ASCII alone, so that it is safe wherever it is shown. */
static void note(struct bus_str text, char ret[WEBHOOK_NOTE_MAX + 1]) {
  size_t len = text.len < WEBHOOK_NOTE_MAX ? text.len : WEBHOOK_NOTE_MAX;
  for (size_t i = 0; i < len; i++)
    ret[i] = (char)(text.data[i] >= ' ' && text.data[i] <= '~' ? text.data[i] : ' ');
  ret[len] = '\0';
}

/* The codes of an SMTP reply, "550 5.1.1": its text may have the address, which stands in one table alone. */
static struct bus_str codes_of(struct bus_str reply) {
  size_t len = 0;
  while (len < reply.len && reply.data[len] && strchr("0123456789. ", reply.data[len]))
    len++;
  while (len > 0 && reply.data[len - 1] == ' ')
    len--;
  return (struct bus_str){reply.data, len};
}

static void leave(struct slot *slot) {
  struct notify_sender *sender = slot->sender;
  slot->under_way = false;
  sender->under_way--;
  sender->failing -= slot->failing;
  sender->mails -= slot->is_mail;
}

static void on_done(void *context, const struct bus_http_result *answer) {
  struct slot *slot = context;
  struct notify_sender *sender = slot->sender;
  bool answered = answer->outcome == BUS_HTTP_ANSWERED;
  struct notify_result result = {.delivery_id = slot->delivery_id,
                                 .endpoint_id = slot->endpoint_id,
                                 .number = slot->number,
                                 .kind = answered ? NOTIFY_ANSWERED : NOTIFY_NO_ANSWER,
                                 .status = answered ? answer->status : BUS_NO_INT64,
                                 .retry_after_s = answer->retry_after_s,
                                 .duration_ms = answer->duration / BUS_MILLISECOND};
  BUS_CRASH_POINT("notify.answered");
  if (answered)
    note(slot->is_mail ? codes_of(answer->body) : answer->body, result.note);
  else
    note(bus_str(answer->error), result.note);
  leave(slot);
  notify_metrics_attempt(answer->duration);
  bus_log(BUS_DEBUG, "attempt of a delivery", BUS_F_UUID("delivery_id", &result.delivery_id),
          BUS_F_UUID("endpoint_id", &result.endpoint_id), BUS_F_INT("number", result.number),
          BUS_F_INT("status", answered ? result.status : 0), BUS_F_INT("duration_us", answer->duration));
  push(sender, &result);
}

/* ---- starting ---- */

/* The values of webhook-signature, one for each secret. False: a secret cannot be opened. */
static bool sign(const struct notify_sender *sender, const struct notify_call *call, const char *id, int64_t timestamp,
                 char line[HEADER_TEXT]) {
  char secret[WEBHOOK_SECRET_TEXT + 1], signature[NOTIFY_SIGNATURE_TEXT];
  int len = snprintf(line, HEADER_TEXT, "webhook-signature:");
  bool good = true;
  for (size_t i = 0; good && i < BUS_COUNT(call->secrets) && call->secrets[i].data; i++) {
    good = notify_keys_unseal(sender->keys, call->secrets[i], secret) &&
           notify_sign(bus_str(secret), bus_str(id), timestamp, call->payload, signature);
    if (good)
      len += snprintf(line + len, HEADER_TEXT - (size_t)len, " %s", signature); /* two signatures fit */
  }
  bus_erase(secret, sizeof secret);
  return good;
}

static bool start_http(struct notify_sender *sender, const struct notify_call *call, struct slot *slot,
                       struct bus_error *err) {
  char id[BUS_UUID_TEXT], id_line[HEADER_TEXT], time_line[HEADER_TEXT], signature_line[HEADER_TEXT],
      url[WEBHOOK_URL_MAX + 1];
  int64_t timestamp = bus_wall_clock() / BUS_SECOND;
  bus_uuid_format(&call->delivery_id, id);
  (void)snprintf(url, sizeof url, "%.*s", (int)call->url.len, call->url.data);
  (void)snprintf(id_line, sizeof id_line, "webhook-id: %s", id);
  (void)snprintf(time_line, sizeof time_line, "webhook-timestamp: %" PRId64, timestamp);
  if (!sign(sender, call, id, timestamp, signature_line))
    return bus_fail(err, BUS_E_CONFIG, "the secret was sealed to another ENDPOINT_KEY_FILE");
  const char *const headers[HEADERS + 1] = {"Content-Type: application/json", id_line, time_line, signature_line};
  const struct bus_http_call http = {.method = "POST",
                                     .url = url,
                                     .body = call->payload,
                                     .headers = headers,
                                     .route = "/webhook",
                                     .resend = call->number - 1};
  if (BUS_ERROR_POINT("notify.before-send"))
    return bus_fail(err, BUS_E_NOMEM, "failpoint");
  return bus_http_client_start(sender->http, &http, on_done, slot, err);
}

/* The mail of the call in the arena. */
static bool compose(const struct notify_sender *sender, const struct notify_call *call, struct bus_str to,
                    struct bus_arena *arena, struct bus_str *ret) {
  const struct notify_mail_from from = {bus_str(sender->settings->mail_from), bus_str(sender->settings->mail_name)};
  char secret[WEBHOOK_SECRET_TEXT + 1], code[NOTIFY_CODE_TEXT];
  struct notify_letter letter = {call->delivery_id, call->endpoint_id, to, call->payload, BUS_NO_STR};
  bool good = notify_keys_unseal(sender->keys, call->secrets[0], secret);
  if (good) {
    notify_mail_code(bus_str(secret), code);
    letter.code = bus_str(code);
    good = notify_mail_compose(&from, &letter, arena, ret);
  }
  bus_erase(secret, sizeof secret);
  bus_erase(code, sizeof code);
  return good;
}

static bool start_mail(struct notify_sender *sender, const struct notify_call *call, struct slot *slot,
                       struct bus_error *err) {
  struct bus_str message, address = notify_mail_address(call->url);
  char to[WEBHOOK_URL_MAX + 1];
  if (!sender->mailer)
    return bus_fail(err, BUS_E_CONFIG, "SMTP_URL is not set");
  struct bus_arena *arena = bus_arena_new(MAIL_BYTES_MAX);
  (void)snprintf(to, sizeof to, "%.*s", (int)address.len, address.data);
  bool good = arena && compose(sender, call, address, arena, &message);
  if (good) {
    good = bus_mailer_send(sender->mailer, to, message, slot, err);
  } else {
    (void)bus_fail(err, BUS_E_CONFIG, "the mail could not be composed: out of memory, or another ENDPOINT_KEY_FILE");
  }
  bus_arena_free(arena);
  return good;
}

static struct slot *find_free(struct notify_sender *sender) {
  for (int64_t i = 0; i < sender->settings->concurrency; i++)
    if (!sender->slots[i].under_way)
      return &sender->slots[i];
  return NULL;
}

void notify_sender_take(struct notify_sender *sender, const struct notify_call *call) {
  struct slot *slot = find_free(sender);
  struct bus_error err = {.code = BUS_OK};
  bool is_mail = notify_is_mail(call->url);
  if (slot)
    *slot = (struct slot){sender, call->delivery_id, call->endpoint_id, call->number, false, call->failing, is_mail};
  if (slot && (is_mail ? start_mail(sender, call, slot, &err) : start_http(sender, call, slot, &err))) {
    slot->under_way = true;
    sender->under_way++;
    sender->failing += slot->failing;
    sender->mails += is_mail;
    return;
  }
  if (slot)
    bus_log(BUS_ERROR, "cannot begin an attempt of a delivery", BUS_F_STR("cause", err.text),
            BUS_F_UUID("endpoint_id", &call->endpoint_id));
  /* Without a slot it is tried at once, after an error as any attempt that failed: it may fail for ever. */
  struct notify_result result = {.delivery_id = call->delivery_id,
                                 .endpoint_id = call->endpoint_id,
                                 .number = call->number,
                                 .kind = slot ? NOTIFY_NO_ANSWER : NOTIFY_NOT_STARTED,
                                 .status = BUS_NO_INT64,
                                 .retry_after_s = -1};
  note(BUS_STR("the attempt could not begin"), result.note);
  push(sender, &result);
}

/* ---- room ---- */

int64_t notify_sender_room(const struct notify_sender *sender, bool failing) {
  int64_t all = sender->settings->concurrency, room = all - sender->under_way, half = all / 2 - sender->failing;
  return failing && half < room ? half : room;
}

int64_t notify_sender_under_way(const struct notify_sender *sender, const struct bus_uuid *endpoint_id) {
  int64_t count = 0;
  for (int64_t i = 0; sender->under_way > 0 && i < sender->settings->concurrency; i++)
    count += sender->slots[i].under_way && bus_uuid_equal(&sender->slots[i].endpoint_id, endpoint_id);
  return count;
}

int64_t notify_sender_mail_room(const struct notify_sender *sender) {
  return sender->settings->smtp_connections - sender->mails;
}

bool notify_sender_add_sources(struct notify_sender *sender) {
  return bus_worker_add_source(sender->worker, bus_http_client_source(sender->http)) &&
         (!sender->mailer || bus_worker_add_source(sender->worker, bus_mailer_source(sender->mailer)));
}

/* ---- its life ---- */

static bool may_connect(void *context, const struct bus_address *address) {
  const struct notify_sender *sender = context;
  return notify_address_is_allowed(address, sender->settings->allow_local);
}

bool notify_sender_new(const struct notify_settings *settings, const struct notify_keys *keys,
                       struct bus_worker *worker, struct notify_sender **ret, struct bus_error *err) {
  struct bus_http_client_settings http = notify_http_of(settings);
  struct bus_mailer_settings mail = notify_mailer_of(settings);
  struct notify_sender *sender = calloc(1, sizeof *sender);
  if (!sender)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for the sender of webhooks");
  sender->settings = settings;
  sender->keys = keys;
  sender->worker = worker;
  sender->slots = calloc((size_t)settings->concurrency, sizeof *sender->slots);
  http.tracer = bus_worker_tracer(worker);
  http.may_connect = may_connect;
  http.context = sender;
  if (!sender->slots || !bus_http_client_new(&http, &sender->http, err) ||
      (*settings->smtp_url && !bus_mailer_new(&mail, on_done, &sender->mailer, err))) {
    bool has_slots = sender->slots != NULL;
    notify_sender_free(sender);
    return has_slots ? false : bus_fail(err, BUS_E_NOMEM, "out of memory for the sender of webhooks");
  }
  *ret = sender;
  return true;
}

void notify_sender_free(struct notify_sender *sender) {
  if (!sender)
    return;
  bus_http_client_free(sender->http);
  bus_mailer_free(sender->mailer);
  free(sender->slots);
  free(sender);
}
