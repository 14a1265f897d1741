/* Sessions: reading from one that the HTTP server's engine has opened, and all of one that we open. */
#include "tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

size_t tls_pending(void *session) {
  int pending = SSL_pending(session);
  return pending > 0 ? (size_t)pending : 0;
}

/* OpenSSL's queue of errors belongs to the thread and would be taken for a later call's. */
static ssize_t failure(void *session) {
  int error = SSL_get_error(session, 0);
  ERR_clear_error();
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

ssize_t tls_read(void *session, char *text, size_t size) {
  size_t got;
  ERR_clear_error();
  if (SSL_read_ex(session, text, size, &got) == 1)
    return (ssize_t)got;
  return failure(session);
}

ssize_t tls_write(void *session, const char *text, size_t size) {
  size_t written;
  ERR_clear_error();
  if (SSL_write_ex(session, text, size, &written) == 1)
    return (ssize_t)written;
  return failure(session);
}

void *tls_session_new(struct bus_tls *tls, int fd) {
  SSL *session = SSL_new(tls_context_of_http_2(tls));
  if (session == NULL || SSL_set_fd(session, fd) != 1) {
    SSL_free(session); /* accepts NULL */
    ERR_clear_error();
    return NULL;
  }
  SSL_set_accept_state(session);
  return session;
}

void tls_session_free(void *session) {
  SSL_free(session);
}

bool tls_is_open(void *session) {
  return SSL_is_init_finished(session) == 1;
}

void tls_close_notify(void *session) {
  ERR_clear_error();
  (void)SSL_shutdown(session); /* fails where the peer is gone, which is as good */
  ERR_clear_error();
}
