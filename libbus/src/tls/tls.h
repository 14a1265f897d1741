/* The servers' interface to TLS. A session is OpenSSL's SSL; the HTTP server's engine makes and frees its own. */
#pragma once

#include <bus/tls.h>

#include <sys/types.h>

struct x509_st; /* OpenSSL's X509 */

/* Before civetweb is told to use TLS. */
bool tls_open_names(struct bus_error *err) BUS_MUST_CHECK;
/* OpenSSL's SSL_CTX, for the engine. It lives as long as tls. */
void *tls_context(struct bus_tls *tls);
/* The same for sessions of HTTP/2. */
void *tls_context_of_http_2(struct bus_tls *tls);
/* Sets what is called as a handshake begins, on the thread that makes it: owner is what the engine has attached to the
 * session. It may be called again for the same session. */
void tls_on_handshake(struct bus_tls *tls, void (*begin)(void *owner, void *session));
/* When the certificate expires; 0: it is NULL, or has no such time. */
bus_time tls_expiry(const struct x509_st *certificate);
/* Shows the end of the listeners' certificate as their metric. */
void tls_show_expiry(bus_time end);
/* Bytes that are decrypted and not read yet; further ones are still in the socket. */
size_t tls_pending(void *session);
/* Bytes read; 0: a whole record has not come yet; -1: the connection has ended. */
ssize_t tls_read(void *session, char *text, size_t size);
/* A session of a connection that the caller has accepted, for HTTP/2 (ALPN "h2"). NULL when out of memory. */
void *tls_session_new(struct bus_tls *tls, int fd);
void tls_session_free(void *session); /* accepts NULL */
/* Has the handshake ended? tls_read makes it. */
bool tls_is_open(void *session);
/* Bytes written; 0: the socket takes no more now, and the same bytes must follow; -1: the connection has ended. */
ssize_t tls_write(void *session, const char *text, size_t size);
/* Tells the peer that nothing more is sent. */
void tls_close_notify(void *session);
