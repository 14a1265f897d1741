/* A client of TLS that shows what it sees of the server. */
#pragma once

#include <bus/base.h>

struct tls_client;

struct tls_wishes {
  int max_version;  /* TLS1_1_VERSION, …; 0: any */
  const char *alpn; /* as on the wire: "\x02h2"; NULL: none */
};

/* NULL: the handshake failed. The certificate must be of the test's CA, and name 127.0.0.1. */
struct tls_client *tls_client_try(int port, struct tls_wishes wishes);
struct tls_client *tls_client_open(int port);
void tls_client_close(struct tls_client *client);
/* The common name of the server's certificate. */
const char *tls_client_name(const struct tls_client *client);
const char *tls_client_version(const struct tls_client *client);
const char *tls_client_protocol(const struct tls_client *client); /* of ALPN; "": none */
void tls_client_send(struct tls_client *client, const char *text, size_t len);
/* One answer with its Content-Length; the text is the client's. "" where the connection ended before. */
const char *tls_client_answer(struct tls_client *client);
/* Does the server close the connection within 5 s, without sending anything more? */
bool tls_client_is_closed(struct tls_client *client);
