/* The variables of TLS: rows of a program's option table. Files are PEM. Pure. */
#pragma once

#include <bus/config.h>

BUS_C_BEGIN

/* As the rows fill it. NULL and empty mean the same. */
struct bus_tls_files {
  const char *ca;   /* whom the peer is verified with; absent: the system's certificates */
  const char *cert; /* own certificate, and behind it those between it and the CA; absent: none */
  const char *key;  /* private key of cert, without a passphrase */
};

enum { BUS_TLS_PATH_MAX = 1024 };

#define BUS_TLS_ROW(S, path, variable, text)                                                                           \
  {                                                                                                                    \
    .name = (variable), .kind = BUS_OPTION_STRING, .offset = offsetof(S, path), .max = BUS_TLS_PATH_MAX,               \
    .fallback = "", .description = (text)                                                                              \
  }

/* S: the struct of the settings; member: its struct bus_tls_files for the broker. */
#define BUS_TLS_AMQP_ROWS(S, member)                                                                                   \
  BUS_TLS_ROW(S, member.ca, "RABBITMQ_CA_FILE",                                                                        \
              "certificates that an amqps:// broker is verified with; empty: the system's"),                           \
      BUS_TLS_ROW(S, member.cert, "RABBITMQ_CERT_FILE",                                                                \
                  "client certificate for an amqps:// broker, read again for each connection; empty: none"),           \
      BUS_TLS_ROW(S, member.key, "RABBITMQ_KEY_FILE", "private key of RABBITMQ_CERT_FILE")

/* The same for the listeners of the program itself. */
#define BUS_TLS_SERVER_ROWS(S, member)                                                                                 \
  BUS_TLS_ROW(S, member.cert, "TLS_CERT_FILE",                                                                         \
              "certificate of the listeners, and behind it those between it and the CA; read again on SIGHUP; empty: " \
              "plain HTTP"),                                                                                           \
      BUS_TLS_ROW(S, member.key, "TLS_KEY_FILE", "private key of TLS_CERT_FILE")

/* The value, or NULL where it is empty. */
const char *bus_tls_path(const char *path);
/* BUS_E_CONFIG where one of cert and key is given without the other. prefix: of their variables ("RABBITMQ"). */
bool bus_tls_files_check(const struct bus_tls_files *files, const char *prefix, struct bus_error *err) BUS_MUST_CHECK;

BUS_C_END
