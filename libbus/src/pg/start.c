/* Finds the server of a connection, by the URL, its file and DNS, and has libpq begin to connect. */
#include "start.h"

#include <bus/config.h>

#include <stdlib.h>

#include "../runtime/dns.h"

enum { URL_SIZE = 1024 + 1 };

/* hosts: empty ones count as absent; others come before those of the URL. */
static PGconn *start_at(const struct pg_settings *settings, const char *url, const struct pg_hosts *hosts) {
  const char *const options[][2] = {
      {"connect_timeout", "3"},
      {"keepalives_idle", "5"},
      {"keepalives_interval", "2"},
      {"keepalives_count", "3"},
      {"tcp_user_timeout", "10000"},
      {"target_session_attrs", settings->only_reads ? "any" : "read-write"},
      {"gssencmode", "disable"},
      {"client_encoding", "UTF8"},
      {"dbname", url},
      {"fallback_application_name", settings->application_name},
      {"host", hosts->host},
      {"hostaddr", hosts->hostaddr},
      {"port", hosts->port},
  };
  const char *keywords[BUS_COUNT(options) + 1] = {NULL}, *values[BUS_COUNT(options) + 1] = {NULL};
  for (size_t i = 0; i < BUS_COUNT(options); i++) {
    keywords[i] = options[i][0];
    values[i] = options[i][1];
  }
  return PQconnectStartParams(keywords, values, 1);
}

static bool find_hosts(const struct pg_settings *settings, const char *url, struct pg_hosts *ret,
                       struct bus_error *err) {
  char name[SRV_NAME_MAX];
  if (!srv_url_name(url, name, err))
    return false;
  struct srv_records *records = dns_find(name, settings->dns_server, err);
  if (records)
    pg_hosts_of_records(records, settings->first_host, ret);
  free(records);
  return records != NULL;
}

static PGconn *start_service(const struct pg_settings *settings, const char *url, struct bus_error *err) {
  struct pg_hosts hosts;
  char plain[URL_SIZE];
  if (!find_hosts(settings, url, &hosts, err))
    return NULL;
  if (!srv_url_plain(url, plain, sizeof plain)) {
    (void)bus_fail(err, BUS_E_CONFIG, "the database's URL is longer than %d bytes", URL_SIZE - 1);
    return NULL;
  }
  PGconn *conn = start_at(settings, plain, &hosts);
  explicit_bzero(plain, sizeof plain);
  return conn;
}

static PGconn *start(const struct pg_settings *settings, const char *url, struct bus_error *err) {
  struct pg_hosts hosts;
  if (srv_is_url(url))
    return start_service(settings, url, err);
  pg_hosts_from(url, settings->first_host, &hosts);
  return start_at(settings, url, &hosts);
}

static bool read_url(const char *file, char url[URL_SIZE], struct bus_error *err) {
  if (!bus_secret_file_read(file, url, URL_SIZE, err))
    return false;
  if (url[0] == '\0') /* libpq would take its defaults */
    return bus_fail(err, BUS_E_CONFIG, "%s is empty", file);
  return pg_url_check(url, err) || bus_error_wrap(err, "%s", file);
}

static PGconn *start_from_file(const struct pg_settings *settings, struct bus_error *err) {
  char url[URL_SIZE];
  PGconn *conn = read_url(settings->url_file, url, err) ? start(settings, url, err) : NULL;
  explicit_bzero(url, sizeof url);
  return conn;
}

PGconn *pg_start(const struct pg_settings *settings, struct bus_error *err) {
  PGconn *conn = settings->url_file ? start_from_file(settings, err) : start(settings, settings->url, err);
  if (err->code != BUS_OK)
    err->code = BUS_E_DB_CONNECTION;
  return conn;
}
