/*
 * A server's TLS: its certificate and private key, which can be replaced while connections are open. TLS 1.2 with
 * forward secrecy and authenticated ciphers, or TLS 1.3; ALPN "http/1.1", or "h2" for gRPC; no renegotiation, no
 * compression.
 */
#pragma once

#include <bus/error.h>
#include <bus/tls_options.h>

BUS_C_BEGIN

struct bus_tls;

/* Reads both files; their names are kept. *ret is NULL where no certificate is named: plain connections. Shows the
 * certificate's end as the metric tls_certificate_not_after_seconds. */
bool bus_tls_new(const struct bus_tls_files *files, struct bus_tls **ret, struct bus_error *err) BUS_MUST_CHECK;
/* Reads both files again. Handshakes that begin later use the new pair; open connections stay as they are. False: one
 * of them cannot be read, or they do not fit; the old pair stays in use. Thread-safe. */
bool bus_tls_reload(struct bus_tls *tls, struct bus_error *err) BUS_MUST_CHECK;
/* Has SIGHUP reload it (bus_process_on_hangup), and log what is wrong with the files. Accepts NULL: SIGHUP drains. */
void bus_tls_follow_hangup(struct bus_tls *tls);
/* Shows the end of the client certificate in files->cert as the metric tls_client_certificate_not_after_seconds: the
 * file is read at each scrape. files: kept; without a certificate nothing is shown. */
void bus_tls_show_client(struct bus_tls_files *files);
/* Registers the metrics, for bus_metrics_print_list. */
void bus_tls_metrics_register(void);
/* After the servers that use it. Accepts NULL. */
void bus_tls_free(struct bus_tls *tls);

BUS_C_END
