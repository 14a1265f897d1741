/* The edge's configuration. */
#ifndef EDGE_SETTINGS_H
#define EDGE_SETTINGS_H

#include <bus/breaker_options.h>
#include <bus/config.h>
#include <bus/consul_options.h>
#include <bus/tls_options.h>
#include <bus/trace_options.h>

enum edge_auth_mode { EDGE_AUTH_OFF, EDGE_AUTH_OIDC, EDGE_AUTH_OWN };

struct edge_settings {
  int log_level, access_log;
  int auth; /* enum edge_auth_mode */
  const char *oidc_issuer, *oidc_audience, *oidc_algorithms, *oidc_ca_file, *oidc_keys_file;
  int64_t oidc_max_token_age_s, oidc_refresh_s;
  int64_t rate_limit, rate_limit_burst, address_rate_limit, address_rate_limit_burst, address_connections;
  const char *customer_hash_key;
  bool public_metrics;
  const char *bind, *trusted_proxies;
  int64_t grpc_port, grpc_threads, grpc_connections;
  int64_t port, admin_port;
  struct bus_credential rabbitmq_url;
  struct bus_tls_files rabbitmq_tls, tls;
  const char *dns_server;
  struct bus_consul_options consul;
  int64_t heartbeat_s;
  const char *allowed_hosts, *cors_origins;
  int64_t http_threads, body_deadline_ms, keep_alive_ms, drain_ms, drain_kept_ms;
  int64_t max_open_requests;
  int64_t bundle_max, gather_ms, queue_shards;
  int64_t accept_timeout_ms, accept_total_ms, query_timeout_ms, prefer_wait_max_s;
  int64_t shed_outbox_age_ms, shed_requests, shed_requests_age_ms;
  int64_t order_cache_ms, product_cache_ms;
  const char *payment_default_token, *user_seal_key, *psp_webhook_secret;
  struct bus_breaker_options breaker;
  struct bus_trace_options tracing;
};

/* The one table, over static settings that bus_config_main fills. */
extern struct edge_settings edge_settings;
extern const struct bus_option_table edge_option_table;

struct bus_breaker_settings edge_breaker_settings(const struct edge_settings *settings);

/* Refuses settings that do not go together: AUTH=off on an address that others reach, AUTH=oidc or own without an
 * issuer, an issuer whose key set could be forged on its way. */
bool edge_settings_check(const struct edge_settings *settings, struct bus_error *err) BUS_MUST_CHECK;
/* The algorithms of OIDC_ALGORITHMS as bits of enum bus_token_alg; 0: the text is not a list of them. */
unsigned edge_algorithms(const char *text);
/* May a key set be read there? https, or plain http where plain_too says so and the host is the loopback. */
bool edge_url_is_safe(struct bus_str url, bool plain_too);

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
