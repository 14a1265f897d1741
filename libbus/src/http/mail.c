/* One mail: its options, the bytes that go out, and what the relay's replies mean. */
#include "mail_internal.h"

#include <bus/clock.h>

#include <stdlib.h>

/* Relays end connections that are idle for minutes. */
enum { IDLE_MAX_S = 20, MS = 1000 };

/* ---- bytes ---- */

static size_t on_read(char *buffer, size_t size, size_t count, void *context) {
  struct mail *mail = context;
  size_t left = mail->len - mail->sent, room = size * count, len = left < room ? left : room;
  memcpy(buffer, mail->message + mail->sent, len);
  mail->sent += len;
  return len;
}

/* A line of a reply. */
static size_t on_reply(char *data, size_t size, size_t count, void *context) {
  struct mail *mail = context;
  size_t len = size * count, kept = len < MAIL_REPLY_MAX ? len : MAIL_REPLY_MAX;
  while (kept > 0 && (data[kept - 1] == '\r' || data[kept - 1] == '\n'))
    kept--;
  if (!mail->quits) {
    memcpy(mail->reply, data, kept);
    mail->reply_len = kept;
  }
  return len;
}

/* Commands are seen by their first letters alone: AUTH has a password behind them. */
static int on_debug(CURL *easy, curl_infotype type, char *data, size_t len, void *context) {
  struct mail *mail = context;
  (void)easy;
  if (type != CURLINFO_HEADER_OUT || len < MAIL_VERB)
    return 0;
  mail->quits = memcmp(data, "QUIT", MAIL_VERB) == 0;
  if (!mail->quits)
    memcpy(mail->verb, data, MAIL_VERB);
  return 0;
}

/* Ends the transfer by anything but 0; curl asks at least once a second. */
static int on_progress(void *context, curl_off_t to_get, curl_off_t got, curl_off_t to_send, curl_off_t sent) {
  const atomic_bool *stopping = context;
  (void)to_get, (void)got, (void)to_send, (void)sent;
  return atomic_load(stopping);
}

/* ---- options ---- */

#define SET(option, value) (curl_easy_setopt(easy, (option), (value)) == CURLE_OK)

static bool set_relay(CURL *easy, const struct bus_mailer_settings *settings) {
  const struct bus_http_client_settings limits = {.connect_timeout_ms = settings->connect_timeout_ms,
                                                  .total_timeout_ms = settings->total_timeout_ms,
                                                  .cut_response = true,
                                                  .ca_file = settings->ca_file};
  return SET(CURLOPT_URL, settings->url) && http_call_set_limits(easy, &limits) &&
         http_call_set_trust(easy, &limits, "smtp,smtps") && SET(CURLOPT_MAXAGE_CONN, (long)IDLE_MAX_S) &&
         SET(CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)((settings->total_timeout_ms + MS - 1) / MS)) &&
         SET(CURLOPT_USE_SSL, (long)(settings->plain ? CURLUSESSL_NONE : CURLUSESSL_ALL)) &&
         (!settings->user || (SET(CURLOPT_USERNAME, settings->user) && SET(CURLOPT_PASSWORD, settings->password)));
}

static bool set_mail(CURL *easy, const struct curl_slist *to, const struct bus_mailer_settings *settings,
                     struct mail *mail) {
  return SET(CURLOPT_MAIL_FROM, settings->from) && SET(CURLOPT_MAIL_RCPT, to) && SET(CURLOPT_UPLOAD, 1L) &&
         SET(CURLOPT_READFUNCTION, on_read) && SET(CURLOPT_READDATA, mail) &&
         SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)mail->len) && SET(CURLOPT_HEADERFUNCTION, on_reply) &&
         SET(CURLOPT_HEADERDATA, mail) && SET(CURLOPT_VERBOSE, 1L) && SET(CURLOPT_DEBUGFUNCTION, on_debug) &&
         SET(CURLOPT_DEBUGDATA, mail) && SET(CURLOPT_ERRORBUFFER, mail->error);
}

static bool set_stopping(CURL *easy, const atomic_bool *stopping) {
  return SET(CURLOPT_NOPROGRESS, 0L) && SET(CURLOPT_XFERINFOFUNCTION, on_progress) &&
         SET(CURLOPT_XFERINFODATA, stopping);
}

/* ---- the result ---- */

/* Only these replies are about this mail; a refusal before them would meet any other mail as well. */
static bool is_about_the_mail(const struct mail *mail) {
  return strcmp(mail->verb, "RCPT") == 0 || strcmp(mail->verb, "DATA") == 0;
}

static void conclude(CURL *easy, CURLcode code, struct mail *mail) {
  struct bus_http_result *result = &mail->result;
  long status = 0;
  (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  if (code == CURLE_OK || (status >= 400 && status <= 599 && is_about_the_mail(mail))) {
    result->outcome = BUS_HTTP_ANSWERED;
    result->status = (int)status;
    result->body = (struct bus_str){mail->reply, mail->reply_len};
    return;
  }
  result->outcome = mail->verb[0] ? BUS_HTTP_UNKNOWN : BUS_HTTP_NOT_SENT;
  result->error = mail->error[0] ? mail->error : curl_easy_strerror(code);
}

void mail_transfer(CURL *easy, const struct bus_mailer_settings *settings, const atomic_bool *stopping,
                   struct mail *mail) {
  int64_t began = bus_monotonic();
  struct curl_slist *to = curl_slist_append(NULL, mail->to);
  curl_easy_reset(easy); /* its connection stays */
  bool set = to && set_relay(easy, settings) && set_mail(easy, to, settings, mail) && set_stopping(easy, stopping);
  mail->result = (struct bus_http_result){.retry_after_s = -1};
  conclude(easy, set ? curl_easy_perform(easy) : CURLE_OUT_OF_MEMORY, mail);
  mail->result.duration = bus_monotonic() - began;
  /* The connection outlives the mail, which its callbacks must not touch then. */
  (void)curl_easy_setopt(easy, CURLOPT_VERBOSE, 0L);
  (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, NULL);
  (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, NULL);
  (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
  curl_slist_free_all(to);
}

/* ---- its life ---- */

bool mail_check_address(const char *text, struct bus_error *err) {
  return (*text && !strpbrk(text, "<> \r\n")) ||
         bus_fail(err, BUS_E_INVALID, "mail: an address is empty, or has a line break, a space or an angle bracket");
}

struct mail *mail_new(const char *to, struct bus_str message, void *context, struct bus_error *err) {
  size_t to_size = strlen(to) + 1;
  if (!mail_check_address(to, err))
    return NULL;
  struct mail *mail = calloc(1, sizeof *mail + message.len + to_size);
  if (!mail) {
    (void)bus_fail(err, BUS_E_NOMEM, "mail");
    return NULL;
  }
  memcpy(mail->message, message.data, message.len);
  memcpy(mail->message + message.len, to, to_size);
  mail->len = message.len;
  mail->to = mail->message + message.len;
  mail->context = context;
  return mail;
}
