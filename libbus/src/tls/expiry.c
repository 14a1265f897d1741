/* The ends of certificates, as metrics. */
#include "tls.h"

#include <bus/metrics.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <time.h>

bus_time tls_expiry(const X509 *certificate) {
  struct tm tm = {0};
  return certificate && ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &tm) == 1 ? timegm(&tm) * BUS_SECOND : 0;
}

/* OpenSSL's default asks at the terminal. */
static int no_passphrase(char *text, int size, int is_written, void *context) {
  (void)text, (void)size, (void)is_written, (void)context;
  return -1;
}

/* A connection reads the file when it begins, and one that is open outlives its certificate: the file counts. */
static int64_t read_client_expiry(void *context) {
  const struct bus_tls_files *files = context;
  BIO *file = BIO_new_file(files->cert, "re");
  X509 *certificate = file ? PEM_read_bio_X509(file, NULL, no_passphrase, NULL) : NULL;
  int64_t end = tls_expiry(certificate) / BUS_SECOND;
  X509_free(certificate);
  BIO_free(file);
  ERR_clear_error(); /* the thread also serves connections of TLS */
  return end;
}

static const struct bus_metric_spec listener_spec =
    BUS_GAUGE_SPEC("tls_certificate_not_after_seconds", "Unix time at which the certificate of the listeners expires.");
static const struct bus_metric_spec client_spec =
    BUS_GAUGE_SPEC("tls_client_certificate_not_after_seconds",
                   "Unix time at which the client certificate for the broker expires; 0: its file cannot be read.");

void bus_tls_metrics_register(void) {
  bus_metric_register(&listener_spec);
  bus_metric_register(&client_spec);
}

void tls_show_expiry(bus_time end) {
  bus_series_set(bus_metric_series(bus_metric_register(&listener_spec), NULL), end / BUS_SECOND);
}

void bus_tls_show_client(struct bus_tls_files *files) {
  if (bus_tls_path(files->cert))
    bus_metric_callback(&client_spec, read_client_expiry, files);
}
