/* One mail: its options, the bytes that go out, and what the server's reply means. */
#include <bus/mail.h>

#include "client_internal.h"

#include <bus/clock.h>

#include <stdio.h>
#include <stdlib.h>

enum { VERB = 4, REPLY_MAX = 200, IDLE_MAX_S = 20 };

struct mail_call {
  struct http_call call; /* first: the client frees it */
  char verb[VERB + 1];   /* of the last command; QUIT is none, and its reply is not kept */
  bool quits;
  char reply[REPLY_MAX + 1];
  size_t reply_len, sent, len;
  char message[];
};

/* ---- bytes ---- */

static size_t on_read(char *buffer, size_t size, size_t count, void *context) {
  struct mail_call *mail = context;
  size_t left = mail->len - mail->sent, room = size * count, len = left < room ? left : room;
  memcpy(buffer, mail->message + mail->sent, len);
  mail->sent += len;
  mail->call.last_byte = bus_monotonic();
  return len;
}

/* A line of a reply. */
static size_t on_reply(char *data, size_t size, size_t count, void *context) {
  struct mail_call *mail = context;
  size_t len = size * count, kept = len < REPLY_MAX ? len : REPLY_MAX;
  while (kept > 0 && (data[kept - 1] == '\r' || data[kept - 1] == '\n'))
    kept--;
  if (!mail->quits) {
    memcpy(mail->reply, data, kept);
    mail->reply_len = kept;
  }
  mail->call.last_byte = bus_monotonic();
  return len;
}

/* Commands are seen by their first letters alone: AUTH has a password behind them. */
static int on_debug(CURL *easy, curl_infotype type, char *data, size_t len, void *context) {
  struct mail_call *mail = context;
  (void)easy;
  if (type != CURLINFO_HEADER_OUT || len < VERB)
    return 0;
  mail->quits = memcmp(data, "QUIT", VERB) == 0;
  if (!mail->quits)
    memcpy(mail->verb, data, VERB);
  return 0;
}

/* ---- options ---- */

static bool spec_check(const struct bus_mail *spec, struct bus_error *err) {
  const char *const texts[] = {spec->url, spec->from, spec->to, spec->user, spec->password};
  for (size_t i = 0; i < BUS_COUNT(texts); i++)
    if (texts[i] && http_has_line_break(texts[i]))
      return bus_fail(err, BUS_E_INVALID, "mail: line break in the URL, an address, the user or the password");
  if (strpbrk(spec->from, "<> ") || strpbrk(spec->to, "<> "))
    return bus_fail(err, BUS_E_INVALID, "mail: an address has a space or an angle bracket");
  return !(spec->plain && spec->user) || bus_fail(err, BUS_E_INVALID, "mail: a password is not sent without TLS");
}

#define SET(option, value) (curl_easy_setopt(easy, (option), (value)) == CURLE_OK)

static bool set_transfer(struct mail_call *mail) {
  CURL *easy = mail->call.easy;
  return SET(CURLOPT_UPLOAD, 1L) && SET(CURLOPT_READFUNCTION, on_read) && SET(CURLOPT_READDATA, mail) &&
         SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)mail->len) && SET(CURLOPT_HEADERFUNCTION, on_reply) &&
         SET(CURLOPT_HEADERDATA, mail) && SET(CURLOPT_VERBOSE, 1L) && SET(CURLOPT_DEBUGFUNCTION, on_debug) &&
         SET(CURLOPT_DEBUGDATA, mail) && SET(CURLOPT_ERRORBUFFER, mail->call.error) &&
         SET(CURLOPT_PRIVATE, &mail->call) && SET(CURLOPT_MAXAGE_CONN, (long)IDLE_MAX_S);
}

static bool set_options(struct mail_call *mail, const struct bus_http_client_settings *settings,
                        const struct bus_mail *spec) {
  CURL *easy = mail->call.easy;
  char from[256 + 3];
  (void)snprintf(from, sizeof from, "<%s>", spec->from);
  mail->call.headers = curl_slist_append(NULL, spec->to);
  return mail->call.headers && SET(CURLOPT_URL, spec->url) && http_call_set_limits(easy, settings) &&
         http_call_set_trust(easy, settings, "smtp,smtps") &&
         SET(CURLOPT_USE_SSL, (long)(spec->plain ? CURLUSESSL_NONE : CURLUSESSL_ALL)) &&
         (!spec->user || (SET(CURLOPT_USERNAME, spec->user) && SET(CURLOPT_PASSWORD, spec->password))) &&
         SET(CURLOPT_MAIL_FROM, from) && SET(CURLOPT_MAIL_RCPT, mail->call.headers) && set_transfer(mail);
}

/* ---- the result ---- */

/* Only these replies are about this mail; a refusal before them would meet any other mail as well. */
static bool is_about_the_mail(const struct mail_call *mail) {
  return strcmp(mail->verb, "RCPT") == 0 || strcmp(mail->verb, "DATA") == 0;
}

static struct bus_http_result mail_result(struct http_call *call, CURLcode code) {
  struct mail_call *mail = (struct mail_call *)call;
  struct bus_http_result result = {.retry_after_s = -1, .duration = bus_monotonic() - call->started};
  long status = 0;
  curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
  if (code == CURLE_OK || (status >= 400 && status <= 599 && is_about_the_mail(mail))) {
    result.outcome = BUS_HTTP_ANSWERED;
    result.status = (int)status;
    result.body = (struct bus_str){mail->reply, mail->reply_len};
    return result;
  }
  result.outcome = mail->verb[0] ? BUS_HTTP_UNKNOWN : BUS_HTTP_NOT_SENT;
  result.error = call->error[0] ? call->error : curl_easy_strerror(code);
  return result;
}

bool bus_mail_start(struct bus_http_client *client, const struct bus_mail *spec, http_call_done *done, void *context,
                    struct bus_error *err) {
  if (!spec_check(spec, err))
    return false;
  struct mail_call *mail = calloc(1, sizeof *mail + spec->message.len);
  if (mail) {
    mail->len = spec->message.len;
    memcpy(mail->message, spec->message.data, mail->len);
    mail->call.result = mail_result;
    mail->call.easy = curl_easy_init();
  }
  if (!mail || !mail->call.easy || !set_options(mail, http_client_settings(client), spec)) {
    http_call_free(mail ? &mail->call : NULL);
    return bus_fail(err, BUS_E_NOMEM, "mail by %s", spec->url);
  }
  mail->call.started = mail->call.last_byte = bus_monotonic();
  return http_client_start(client, &mail->call, done, context, spec->url, err);
}
