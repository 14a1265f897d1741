/* Mail by SMTP for a worker: threads of the mailer talk to the relay, because libcurl waits for some of its replies,
 * and results come through the worker's poll set. It is in target bus_curl. The message is the caller's own: this part
 * carries it. */
#pragma once

#include <bus/http_client.h>

BUS_C_BEGIN

struct bus_mailer;

/* Texts must live as long as the mailer. */
struct bus_mailer_settings {
  const char *url;             /* smtp://host:587 with STARTTLS, smtps://host:465; a path is the name in EHLO */
  bool plain;                  /* smtp:// without STARTTLS: for a relay on the same machine; takes no user */
  const char *user, *password; /* NULL: no AUTH */
  const char *from;            /* address alone, as bus_mailer_send takes one */
  const char *ca_file;         /* NULL: the system's */
  int64_t connect_timeout_ms, total_timeout_ms;
  size_t threads; /* mails under way at once, at most BUS_MAILER_THREADS_MAX; further ones wait */
};
enum { BUS_MAILER_THREADS_MAX = 100 };

/* done is called once for each mail, from dispatch. The outcome is ANSWERED where the relay took the message (status
 * 250), or refused its recipient or the message itself (4xx: try again; 5xx: do not); body is the last line of the
 * reply. Else error says what is wrong, be it with the connection, TLS, the user or the sender: the mail may be sent
 * again, and after UNKNOWN the relay may have taken it. */
bool bus_mailer_new(const struct bus_mailer_settings *settings,
                    void (*done)(void *context, const struct bus_http_result *result), struct bus_mailer **ret,
                    struct bus_error *err) BUS_MUST_CHECK;
/* Cuts what is under way, within a second or two; done is not called. Accepts NULL. */
void bus_mailer_free(struct bus_mailer *mailer);

/* Sends a message: header, empty line and body, each line with CR LF; it is copied. to: an address alone. False: out of
 * memory, or the address has CR, LF, a space, < or >. */
bool bus_mailer_send(struct bus_mailer *mailer, const char *to, struct bus_str message, void *context,
                     struct bus_error *err) BUS_MUST_CHECK;

/* Valid as long as the mailer. */
struct bus_poll_source bus_mailer_source(struct bus_mailer *mailer);

BUS_C_END
