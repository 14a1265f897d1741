/* The pair of a certificate and its private key among the variables of TLS. */
#include <bus/tls_options.h>

const char *bus_tls_path(const char *path) {
  return path && *path ? path : NULL;
}

bool bus_tls_files_check(const struct bus_tls_files *files, const char *prefix, struct bus_error *err) {
  bool has_cert = bus_tls_path(files->cert) != NULL, has_key = bus_tls_path(files->key) != NULL;
  const char *given = has_cert ? "CERT" : "KEY", *missing = has_cert ? "KEY" : "CERT";
  return has_cert == has_key || bus_fail(err, BUS_E_CONFIG, "%s_%s_FILE is set and %s_%s_FILE is not: set both or none",
                                         prefix, given, prefix, missing);
}
