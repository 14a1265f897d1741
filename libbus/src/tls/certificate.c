/* The certificate of a server's handshakes, and its replacement. Handshakes begin with one context of OpenSSL, which
 * lives as long as the server, and take the certificate of another, which a reload replaces. */
#include "tls.h"

#include <bus/clock.h>
#include <bus/log.h>
#include <bus/process.h>
#include <bus/timefmt.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdlib.h>

struct bus_tls {
  struct bus_tls_files files;
  SSL_CTX *context, *http_2; /* they differ in ALPN */
  pthread_mutex_t lock;
  SSL_CTX *current; /* under the lock; it holds certificate and key alone */
  void (*begin)(void *owner, void *session);
};

/* ---- one pair of files ---- */

static bool fail_openssl(struct bus_error *err, const char *what, const char *path) {
  const char *reason = ERR_reason_error_string(ERR_peek_error());
  bus_fail(err, BUS_E_CONFIG, "TLS: %s %s: %s", what, path, reason ? reason : "unknown cause");
  ERR_clear_error();
  return false;
}

static bool use_files(SSL_CTX *pair, const struct bus_tls_files *files, struct bus_error *err) {
  if (SSL_CTX_use_certificate_chain_file(pair, files->cert) != 1)
    return fail_openssl(err, "no certificate in", files->cert);
  if (SSL_CTX_use_PrivateKey_file(pair, files->key, SSL_FILETYPE_PEM) != 1)
    return fail_openssl(err, "no private key of the certificate in", files->key);
  return true;
}

/* NULL: an error. */
static SSL_CTX *read_pair(const struct bus_tls_files *files, struct bus_error *err) {
  ERR_clear_error();
  SSL_CTX *pair = SSL_CTX_new(TLS_server_method());
  if (pair == NULL)
    (void)bus_fail(err, BUS_E_NOMEM, "TLS: no memory for a certificate");
  else if (!use_files(pair, files, err)) {
    SSL_CTX_free(pair);
    pair = NULL;
  }
  return pair;
}

/* Tells of a pair that handshakes will use. */
static void show_pair(const struct bus_tls *tls, SSL_CTX *pair) {
  char until[BUS_TIME_TEXT];
  bus_time end = tls_expiry(SSL_CTX_get0_certificate(pair));
  bus_time_format(end, until);
  tls_show_expiry(end);
  bus_log(end > bus_wall_clock() ? BUS_INFO : BUS_ERROR, "certificate read", BUS_F_STR("file", tls->files.cert),
          BUS_F_STR("not_after", until));
}

static void replace_pair(struct bus_tls *tls, SSL_CTX *pair) {
  pthread_mutex_lock(&tls->lock);
  SSL_CTX *old = tls->current;
  tls->current = pair;
  pthread_mutex_unlock(&tls->lock);
  SSL_CTX_free(old); /* handshakes that use it have references of their own; accepts NULL */
}

bool bus_tls_reload(struct bus_tls *tls, struct bus_error *err) {
  SSL_CTX *pair = read_pair(&tls->files, err);
  if (pair == NULL)
    return false;
  show_pair(tls, pair);
  replace_pair(tls, pair);
  return true;
}

static void reload_on_hangup(void *context) {
  struct bus_error err;
  if (!bus_tls_reload(context, &err))
    bus_log(BUS_ERROR, "certificate not read; the one before stays in use", BUS_F_STR("error", err.text));
}

void bus_tls_follow_hangup(struct bus_tls *tls) {
  if (tls)
    bus_process_on_hangup(reload_on_hangup, tls);
}

/* ---- handshakes ---- */

static int choose_certificate(SSL *ssl, void *context) {
  struct bus_tls *tls = context;
  pthread_mutex_lock(&tls->lock);
  const SSL_CTX *used = SSL_set_SSL_CTX(ssl, tls->current);
  pthread_mutex_unlock(&tls->lock);
  return used == NULL ? 0 : 1;
}

/* A client that does not offer the protocol could not read the answer. spoken: the one that is spoken, behind its
 * length.
 */
static int choose_protocol(SSL *ssl, const unsigned char **ret, unsigned char *ret_len, const unsigned char *offered,
                           unsigned offered_len, void *spoken) {
  unsigned char *chosen;
  const unsigned char *protocol = spoken;
  (void)ssl;
  if (SSL_select_next_proto(&chosen, ret_len, protocol, protocol[0] + 1U, offered, offered_len) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *ret = chosen;
  return SSL_TLSEXT_ERR_OK;
}

static void on_info(const SSL *ssl, int where, int unused) {
  const struct bus_tls *tls = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
  (void)unused;
  if ((where & SSL_CB_HANDSHAKE_START) && tls && tls->begin)
    tls->begin(SSL_get_app_data(ssl), (SSL *)(uintptr_t)ssl);
}

/* NULL: OpenSSL makes none. */
static SSL_CTX *new_context(struct bus_tls *tls, unsigned char *protocol) {
  SSL_CTX *context = SSL_CTX_new(TLS_server_method());
  if (context == NULL || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1) {
    SSL_CTX_free(context);
    return NULL;
  }
  (void)SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  (void)SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); /* tickets do without */
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, protocol);
  SSL_CTX_set_cert_cb(context, choose_certificate, tls);
  return context;
}

static bool set_up_contexts(struct bus_tls *tls) {
  static unsigned char http_1[] = "\x08http/1.1", http_2[] = "\x02h2";
  tls->context = new_context(tls, http_1);
  tls->http_2 = tls->context ? new_context(tls, http_2) : NULL;
  if (tls->http_2 == NULL)
    return false;
  SSL_CTX_set_info_callback(tls->context, on_info);
  return SSL_CTX_set_app_data(tls->context, tls) == 1;
}

/* ---- life ---- */

bool bus_tls_new(const struct bus_tls_files *files, struct bus_tls **ret, struct bus_error *err) {
  *ret = NULL;
  if (!bus_tls_files_check(files, "TLS", err))
    return false;
  if (bus_tls_path(files->cert) == NULL)
    return true;
  struct bus_tls *tls = calloc(1, sizeof *tls);
  if (tls == NULL)
    return bus_fail(err, BUS_E_NOMEM, "TLS: no memory for a server's certificate");
  tls->files = *files;
  pthread_mutex_init(&tls->lock, NULL);
  if (!set_up_contexts(tls))
    (void)bus_fail(err, BUS_E_NOMEM, "TLS: OpenSSL makes no context");
  else if (bus_tls_reload(tls, err)) {
    *ret = tls;
    return true;
  }
  bus_tls_free(tls);
  return false;
}

void bus_tls_free(struct bus_tls *tls) {
  if (tls == NULL)
    return;
  SSL_CTX_free(tls->context);
  SSL_CTX_free(tls->http_2);
  SSL_CTX_free(tls->current);
  pthread_mutex_destroy(&tls->lock);
  free(tls);
}

void *tls_context(struct bus_tls *tls) {
  return tls->context;
}

void *tls_context_of_http_2(struct bus_tls *tls) {
  return tls->http_2;
}

void tls_on_handshake(struct bus_tls *tls, void (*begin)(void *owner, void *session)) {
  tls->begin = begin;
}
