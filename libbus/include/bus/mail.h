/* Mail by SMTP from an HTTP client's poll set, never blocking it: the connections, time-outs and certificates are the
 * client's. It is in target bus_curl. The message is the caller's own: this part carries it. */
#pragma once

#include <bus/http_client.h>

BUS_C_BEGIN

struct bus_mail {
  const char *url;             /* smtp://host:587 with STARTTLS, smtps://host:465 */
  bool plain;                  /* smtp:// without STARTTLS: for a relay on the same machine; takes no user */
  const char *user, *password; /* NULL: no AUTH */
  const char *from, *to;       /* addresses alone; CR, LF, space, < and > are refused */
  struct bus_str message;      /* header, empty line and body; each line ends with CR LF; copied */
};

/* Starts a mail; done is called once, from dispatch, never from here. The outcome is ANSWERED where the server took the
 * message (status 250), or refused its recipient or the message itself (4xx: try again; 5xx: do not); body is the last
 * line of the reply. Else error says what is wrong, be it with the connection, TLS, the user or the sender: the mail
 * may be sent again, and after UNKNOWN the server may have taken it. */
bool bus_mail_start(struct bus_http_client *client, const struct bus_mail *mail,
                    void (*done)(void *context, const struct bus_http_result *result), void *context,
                    struct bus_error *err) BUS_MUST_CHECK;

BUS_C_END
