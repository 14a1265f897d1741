/* A blocking client over OpenSSL. */
#include "tls_client.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "certificates.h"
#include "raw_client.h"
#include "test.h"

enum { TEXT_SIZE = 65536, PATIENCE_S = 5 };

struct tls_client {
  int fd;
  SSL_CTX *context;
  SSL *session;
  char name[64], protocol[16], text[TEXT_SIZE];
};

void tls_client_close(struct tls_client *client) {
  if (client == NULL)
    return;
  SSL_free(client->session);
  SSL_CTX_free(client->context);
  close(client->fd);
  free(client);
}

static void prepare(struct tls_client *client, struct tls_wishes wishes) {
  const struct timeval limit = {.tv_sec = PATIENCE_S};
  assert_int_equal(setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
  client->context = SSL_CTX_new(TLS_client_method());
  assert_non_null(client->context);
  assert_int_equal(SSL_CTX_load_verify_locations(client->context, certificates_path("ca.pem"), NULL), 1);
  SSL_CTX_set_verify(client->context, SSL_VERIFY_PEER, NULL);
  if (wishes.max_version) {
    SSL_CTX_set_security_level(client->context, 0);
    (void)SSL_CTX_set_min_proto_version(client->context, TLS1_VERSION);
    (void)SSL_CTX_set_max_proto_version(client->context, wishes.max_version);
  }
  client->session = SSL_new(client->context);
  assert_non_null(client->session);
  if (wishes.alpn)
    (void)SSL_set_alpn_protos(client->session, (const unsigned char *)wishes.alpn, (unsigned)strlen(wishes.alpn));
  assert_int_equal(X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(client->session), "127.0.0.1"), 1);
  assert_int_equal(SSL_set_fd(client->session, client->fd), 1);
}

static void look(struct tls_client *client) {
  const unsigned char *protocol;
  unsigned len;
  X509 *certificate = SSL_get0_peer_certificate(client->session);
  (void)X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, client->name,
                                  sizeof client->name);
  SSL_get0_alpn_selected(client->session, &protocol, &len);
  assert_true(len < sizeof client->protocol);
  if (len > 0)
    memcpy(client->protocol, protocol, len);
}

struct tls_client *tls_client_try(int port, struct tls_wishes wishes) {
  struct tls_client *client = calloc(1, sizeof *client);
  assert_non_null(client);
  client->fd = raw_connect(port);
  prepare(client, wishes);
  if (SSL_connect(client->session) == 1) {
    look(client);
    return client;
  }
  tls_client_close(client);
  return NULL;
}

struct tls_client *tls_client_open(int port) {
  struct tls_client *client = tls_client_try(port, (struct tls_wishes){0});
  assert_non_null(client);
  return client;
}

const char *tls_client_name(const struct tls_client *client) {
  return client->name;
}

const char *tls_client_version(const struct tls_client *client) {
  return SSL_get_version(client->session);
}

const char *tls_client_protocol(const struct tls_client *client) {
  return client->protocol;
}

void tls_client_send(struct tls_client *client, const char *text, size_t len) {
  size_t sent;
  assert_int_equal(SSL_write_ex(client->session, text, len, &sent), 1);
  assert_int_equal(sent, len);
}

static bool is_complete(const char *text, size_t len) {
  const char *end = strstr(text, "\r\n\r\n"), *length = strcasestr(text, "\r\nContent-Length:");
  size_t wanted = length && length < end ? strtoul(length + strlen("\r\nContent-Length:"), NULL, 10) : 0;
  return end && len >= (size_t)(end + 4 - text) + wanted;
}

const char *tls_client_answer(struct tls_client *client) {
  size_t len = 0, got;
  client->text[0] = '\0';
  while (!is_complete(client->text, len) &&
         SSL_read_ex(client->session, client->text + len, TEXT_SIZE - 1 - len, &got) == 1) {
    len += got;
    client->text[len] = '\0';
  }
  return client->text;
}

bool tls_client_is_closed(struct tls_client *client) {
  char byte;
  size_t got;
  return SSL_read_ex(client->session, &byte, 1, &got) != 1 &&
         SSL_get_error(client->session, 0) == SSL_ERROR_ZERO_RETURN;
}
