/* The edge's configuration. */
#ifndef EDGE_SETTINGS_H
#define EDGE_SETTINGS_H

#include <bus/breaker_options.h>
#include <bus/config.h>

struct edge_settings {
  int log_level, access_log;
  const char *customer_hash_key;
  bool public_metrics;
  const char *bind;
  int64_t port, admin_port;
  const char *rabbitmq_url, *rabbitmq_ca_file;
  int64_t heartbeat_s;
  const char *allowed_hosts, *cors_origins;
  int64_t http_threads, body_deadline_ms, keep_alive_ms, drain_ms, drain_kept_ms;
  int64_t max_open_requests;
  int64_t accept_timeout_ms, accept_total_ms, query_timeout_ms, prefer_wait_max_s;
  int64_t shed_outbox_age_ms;
  const char *payment_default_token;
  struct bus_breaker_options breaker;
};

/* The one table, over static settings that bus_config_main fills. */
extern struct edge_settings edge_settings;
extern const struct bus_option_table edge_option_table;

struct bus_breaker_settings edge_breaker_settings(const struct edge_settings *settings);

/* A list of a variable's text. */
enum { EDGE_LIST_MAX = 32, EDGE_LIST_TEXT = 1025 };
struct edge_list {
  const char *items[EDGE_LIST_MAX + 1]; /* NULL behind the last */
  char storage[EDGE_LIST_TEXT];
};
/* allowed_hosts: names without spaces, separated by commas. "*" is a name. */
bool edge_hosts_parse(const char *text, struct edge_list *ret, struct bus_error *err) BUS_MUST_CHECK;
/* cors_origins: "https://shop.example,http://localhost:3000", or "*", or empty. */
bool edge_origins_parse(const char *text, struct edge_list *ret, struct bus_error *err) BUS_MUST_CHECK;

#endif
