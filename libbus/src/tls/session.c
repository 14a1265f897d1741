/* Reading from a session that the HTTP server's engine has opened, and ending it. */
#include "tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

size_t tls_pending(void *session) {
  int pending = SSL_pending(session);
  return pending > 0 ? (size_t)pending : 0;
}

ssize_t tls_read(void *session, char *text, size_t size) {
  size_t got;
  ERR_clear_error();
  if (SSL_read_ex(session, text, size, &got) == 1)
    return (ssize_t)got;
  int error = SSL_get_error(session, 0);
  ERR_clear_error(); /* OpenSSL's queue belongs to the thread and would be taken for a later call's */
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

void tls_close_notify(void *session) {
  ERR_clear_error();
  (void)SSL_shutdown(session); /* fails where the peer is gone, which is as good */
  ERR_clear_error();
}
