/* The edge's variables: names, ranges, defaults and what they are for. */
#include "settings.h"

#include <bus/bundle.h>
#include <bus/dns_options.h>
#include <bus/log.h>
#include <bus/token.h>
#include <bus/topology.h>

#include <stdio.h>

struct edge_settings edge_settings;

#define TEXT(variable, member, least, most, value, text)                                                               \
  {                                                                                                                    \
    .name = (variable), .kind = BUS_OPTION_STRING, .offset = offsetof(struct edge_settings, member), .min = (least),   \
    .max = (most), .fallback = (value), .description = (text)                                                          \
  }
#define NUMBER(variable, member, least, most, value, what, text)                                                       \
  {                                                                                                                    \
    .name = (variable), .kind = BUS_OPTION_INT, .offset = offsetof(struct edge_settings, member), .min = (least),      \
    .max = (most), .fallback = (value), .unit = (what), .description = (text)                                          \
  }

static const struct bus_option options[] = {
    {.name = "LOG_LEVEL",
     .kind = BUS_OPTION_ENUM,
     .offset = offsetof(struct edge_settings, log_level),
     .fallback = "info",
     .names = bus_level_names,
     .description = "least level that is logged"},
    {.name = "ACCESS_LOG",
     .kind = BUS_OPTION_ENUM,
     .offset = offsetof(struct edge_settings, access_log),
     .fallback = "all",
     .names = bus_access_log_names,
     .description = "requests that are logged, whatever the level: off, those answered from 400 on, or all; answered "
                    "probes at debug alone"},
    {.name = "CUSTOMER_HASH_KEY",
     .kind = BUS_OPTION_STRING,
     .offset = offsetof(struct edge_settings, customer_hash_key),
     .max = 128,
     .fallback = "",
     .secret = true,
     .description = "key of the hashes of customers and addresses in the access log, the same for all edges; empty: "
                    "one of each start"},
    {.name = "AUTH",
     .kind = BUS_OPTION_ENUM,
     .offset = offsetof(struct edge_settings, auth),
     .fallback = "off",
     .names = (const char *const[]){"off", "oidc", "own", NULL},
     .description = "off: anyone may call every route, and BIND must be a loopback address; oidc: bearer tokens of "
                    "OIDC_ISSUER; own: those of user-svc, whose TOKEN_ISSUER is OIDC_ISSUER"},
    TEXT("OIDC_ISSUER", oidc_issuer, 0, 255, "",
         "the issuer of tokens, exactly as in their iss; with AUTH=oidc its key set is found by OpenID Connect "
         "Discovery; "
         "https, or http on loopback"),
    TEXT("OIDC_AUDIENCE", oidc_audience, 1, 255, "orderbus", "what the aud of a token must be or have"),
    TEXT("OIDC_ALGORITHMS", oidc_algorithms, 1, 64, "ES256,RS256,PS256",
         "algorithms that the issuer signs with, of ES256, RS256 and PS256, separated by commas"),
    NUMBER("OIDC_MAX_TOKEN_AGE", oidc_max_token_age_s, 60, 86400, "3600", "s",
           "longest time between the iat and the exp of a token"),
    NUMBER(
        "OIDC_REFRESH_S", oidc_refresh_s, 1, 50, "45", "s",
        "how often the issuer's key set is read; a withdrawn key is refused after this time and that of the reading"),
    NUMBER(
        "RATE_LIMIT", rate_limit, 0, 100000, "50", NULL,
        "requests a second that each customer with a token may make at each edge; operators have no limit; 0: nobody "
        "has"),
    NUMBER("RATE_LIMIT_BURST", rate_limit_burst, 1, 100000, "100", NULL, "and how many of them at once"),
    NUMBER("ADDRESS_RATE_LIMIT", address_rate_limit, 0, 100000, "100", NULL,
           "requests a second without an accepted token that each address may make at each edge, where tokens are "
           "checked; probes do not count; 0: no limit"),
    NUMBER("ADDRESS_RATE_LIMIT_BURST", address_rate_limit_burst, 1, 100000, "200", NULL,
           "and how many of them at once"),
    TEXT("OIDC_CA_FILE", oidc_ca_file, 0, 1024, "",
         "certificates that the issuer is checked against; empty: the system's"),
    TEXT("OIDC_KEYS_FILE", oidc_keys_file, 0, 1024, "",
         "file that keeps the last key set for a restart while the issuer is away; empty: none"),
    TEXT("BIND", bind, 1, 64, "127.0.0.1", "address that both listeners are on"),
    BUS_TLS_SERVER_ROWS(struct edge_settings, tls),
    NUMBER("PORT", port, 1, 65535, SERVICE_PORT, NULL, "API and health"),
    NUMBER("GRPC_PORT", grpc_port, 0, 65535, "0", NULL, "OrderService over gRPC, with TLS as PORT; 0: off"),
    NUMBER("GRPC_THREADS", grpc_threads, 4, 4096, "128", NULL,
           "calls of gRPC that are carried out at once; a quarter at most watches an order or waits for it"),
    NUMBER("GRPC_CONNECTIONS", grpc_connections, 1, 65536, "256", NULL,
           "connections of gRPC at once, each with 100 calls at most"),
    TEXT(
        "TRUSTED_PROXIES", trusted_proxies, 0, 1024, "",
        "addresses and networks of proxies, such as 10.0.0.11,10.1.0.0/16: X-Forwarded-For of their requests names the "
        "client; empty: the client is the peer of the connection"),
    NUMBER("ADMIN_PORT", admin_port, 1, 65535, SERVICE_ADMIN_PORT, NULL, "health and metrics by threads of their own"),
    {.name = "PUBLIC_METRICS",
     .kind = BUS_OPTION_BOOL,
     .offset = offsetof(struct edge_settings, public_metrics),
     .fallback = "false",
     .description = "/metrics on PORT as well; scraping both ports counts everything twice"},
    TEXT("ALLOWED_HOSTS", allowed_hosts, 1, 1024, "localhost,127.0.0.1,[::1]",
         "names that a Host header may have, separated by commas; * for any; health paths take any"),
    TEXT(
        "CORS_ORIGINS", cors_origins, 0, 1024, "",
        "origins whose pages may call the API from a browser, such as https://shop.example, separated by commas; * for "
        "any; empty: none"),
    {.name = "RABBITMQ_URL",
     .kind = BUS_OPTION_CREDENTIAL,
     .offset = offsetof(struct edge_settings, rabbitmq_url),
     .min = 1,
     .max = 1024,
     .secret = true,
     .description = BUS_AMQP_URL_TEXT},
    BUS_TLS_AMQP_ROWS(struct edge_settings, rabbitmq_tls),
    BUS_DNS_ROW(struct edge_settings, dns_server),
    NUMBER("RABBITMQ_HEARTBEAT", heartbeat_s, 1, 600, "5", "s", "heartbeat of both connections"),
    NUMBER("HTTP_THREADS", http_threads, 4, 4096, "256", NULL,
           "connections served at once; half of them at most are kept between requests, and a quarter at most waits "
           "because of a Prefer header"),
    NUMBER("ADDRESS_CONNECTIONS", address_connections, 0, 4096, "64", NULL,
           "connections of one address served at once, TRUSTED_PROXIES aside; requests on further ones are answered "
           "503; 0: any number"),
    NUMBER("BODY_DEADLINE_MS", body_deadline_ms, 100, 60000, "5000", "ms", "a whole request body"),
    NUMBER("KEEP_ALIVE_MS", keep_alive_ms, 1, 3600000, "75000", "ms",
           "how long an idle connection is kept; longer than a proxy in front keeps it"),
    NUMBER("DRAIN_MS", drain_ms, 0, 3600000, "5000", "ms",
           "how long all requests are still served after SIGTERM, while /health/ready says 503"),
    NUMBER("DRAIN_KEPT_MS", drain_kept_ms, 0, 3600000, "65000", "ms",
           "and how long at most, while clients still keep connections: each gets one more answer, with Connection: "
           "close; longer than a proxy in front keeps an idle connection"),
    NUMBER("MAX_OPEN_REQUESTS", max_open_requests, 1, 100000, "4096", NULL, "requests under way on the bus"),
    NUMBER(
        "BUNDLE_MAX", bundle_max, 1, BUS_BUNDLE_MAX, BUS_BUNDLE_DEFAULT, NULL,
        "commands of one type that may travel in one AMQP message, if they are sent at the same time; 1: each alone, "
        "while a service of a release without bundles runs"),
    NUMBER("QUEUE_SHARDS", queue_shards, 1, BUS_SHARDS_MAX, "1", NULL,
           "shards of each work queue; the same number in every program and at bus-topology apply"),
    NUMBER("GATHER_MS", gather_ms, 0, 100, "10", "ms",
           "under load bundles of commands leave at least that far from each other; 0: none waits"),
    NUMBER("ACCEPT_TIMEOUT_MS", accept_timeout_ms, 1, 30000, "500", "ms",
           "how long a command waits for its answer before the broker's confirm is enough"),
    NUMBER("ACCEPT_TOTAL_MS", accept_total_ms, 1, 30000, "2000", "ms", "how long a command waits for anything at all"),
    NUMBER("QUERY_TIMEOUT_MS", query_timeout_ms, 1, 30000, "2000", "ms", "how long a query waits for its answer"),
    NUMBER("PREFER_WAIT_MAX", prefer_wait_max_s, 0, 60, "30", "s", "longest wait that a Prefer header may ask for"),
    NUMBER("SHED_OUTBOX_AGE_MS", shed_outbox_age_ms, 0, 3600000, "30000", "ms",
           "new orders are refused while order-svc has an older message that the broker has not taken; 0: never"),
    NUMBER("SHED_REQUESTS", shed_requests, 0, 4096, "192", NULL,
           "requests in progress, those that wait because of a Prefer header and streams aside, at which new ones are "
           "refused if SHED_REQUESTS_AGE_MS is passed; probes never are; 0: never"),
    NUMBER("SHED_REQUESTS_AGE_MS", shed_requests_age_ms, 0, 30000, "250", "ms",
           "mean age of requests in progress, beyond which SHED_REQUESTS counts"),
    NUMBER("ORDER_CACHE_MS", order_cache_ms, 0, 60000, "100", "ms",
           "how long an order is shown as it was read last, unless an event says before that it has changed; 0: each "
           "is asked for"),
    NUMBER("PRODUCT_CACHE_MS", product_cache_ms, 0, 60000, "5000", "ms",
           "how long a product is shown as it was read last, unless an event says before that it has changed; 0: each "
           "is asked for"),
    TEXT("USER_SEAL_KEY", user_seal_key, 0, 64, "",
         "public key of user-svc, which passwords are sealed to; empty: there is no user-svc, and its routes answer "
         "503"),
    {.name = "PSP_WEBHOOK_SECRET",
     .kind = BUS_OPTION_STRING,
     .offset = offsetof(struct edge_settings, psp_webhook_secret),
     .max = 256,
     .fallback = "",
     .secret = true,
     .description = "secret that the payment provider signs its events with (POST /webhooks/psp); empty: they are "
                    "answered 503"},
    TEXT("PAYMENT_DEFAULT_TOKEN", payment_default_token, 1, 128, "pm_card_visa",
         "payment token of orders that name none"),
    BUS_BREAKER_OPTION_ROWS(struct edge_settings, breaker),
    BUS_TRACE_OPTION_ROWS(struct edge_settings, tracing),
    BUS_CONSUL_ROWS(struct edge_settings, consul),
};

const struct bus_option_table edge_option_table = {options, BUS_COUNT(options), &edge_settings};

struct bus_breaker_settings edge_breaker_settings(const struct edge_settings *settings) {
  return bus_breaker_settings_of(&settings->breaker, settings->query_timeout_ms);
}

/* False: a name is empty, or there are too many. */
static bool split(const char *text, struct edge_list *ret) {
  size_t count = 0;
  if ((size_t)snprintf(ret->storage, sizeof ret->storage, "%s", text) >= sizeof ret->storage)
    return false;
  for (char *at = ret->storage, *name; (name = strsep(&at, ",")) != NULL;) {
    if (*name == '\0' || count == EDGE_LIST_MAX)
      return false;
    ret->items[count++] = name;
  }
  ret->items[count] = NULL;
  return true;
}

bool edge_hosts_parse(const char *text, struct edge_list *ret, struct bus_error *err) {
  return split(text, ret) ||
         bus_fail(err, BUS_E_CONFIG, "ALLOWED_HOSTS=%s: up to %d names separated by commas, or *", text, EDGE_LIST_MAX);
}

/* As browsers send it: scheme and authority, lower case, and nothing behind. */
static bool is_origin(const char *text) {
  static const char *const schemes[] = {"http://", "https://"};
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789.-:[]";
  for (size_t i = 0; i < BUS_COUNT(schemes); i++) {
    size_t len = strlen(schemes[i]);
    if (strncmp(text, schemes[i], len) == 0 && text[len] != '\0' && text[len + strspn(text + len, allowed)] == '\0')
      return true;
  }
  return strcmp(text, "*") == 0;
}

bool edge_origins_parse(const char *text, struct edge_list *ret, struct bus_error *err) {
  ret->items[0] = NULL;
  bool good = *text == '\0' || split(text, ret);
  for (size_t i = 0; good && ret->items[i]; i++)
    good = is_origin(ret->items[i]);
  return good || bus_fail(err, BUS_E_CONFIG,
                          "CORS_ORIGINS=%s: up to %d origins such as https://shop.example, separated by commas, or *",
                          text, EDGE_LIST_MAX);
}

/* ---- what goes together ---- */

unsigned edge_algorithms(const char *text) {
  static const struct {
    const char *name;
    unsigned bit;
  } known[] = {{"ES256", BUS_TOKEN_ES256}, {"RS256", BUS_TOKEN_RS256}, {"PS256", BUS_TOKEN_PS256}};
  struct bus_str rest = bus_str(text);
  unsigned found = 0;
  while (rest.len > 0) {
    struct bus_str name = bus_str_cut(&rest, ',');
    size_t i = 0;
    while (i < BUS_COUNT(known) && !bus_str_is(name, known[i].name))
      i++;
    if (i == BUS_COUNT(known))
      return 0;
    found |= known[i].bit;
  }
  return found;
}

/* The text behind "http://" names this machine: an address or localhost, then a port, a path or its end. */
static bool is_loopback_host(struct bus_str rest) {
  bool named = bus_str_cut_start(&rest, "127.0.0.1") || bus_str_cut_start(&rest, "localhost") ||
               bus_str_cut_start(&rest, "[::1]");
  return named && (rest.len == 0 || rest.data[0] == ':' || rest.data[0] == '/');
}

bool edge_url_is_safe(struct bus_str url, bool plain_too) {
  for (size_t i = 0; i < url.len; i++)
    if (url.data[i] <= 0x20 || url.data[i] > 0x7E || strchr("@\\#\"", url.data[i]) != NULL)
      return false;
  struct bus_str rest = url;
  if (bus_str_cut_start(&rest, "https://"))
    return rest.len > 0 && rest.data[0] != '/';
  return plain_too && bus_str_cut_start(&rest, "http://") && is_loopback_host(rest);
}

static bool is_loopback_address(const char *bind) {
  struct bus_str rest = bus_str(bind);
  return bus_str_cut_start(&rest, "127.") || bus_str_is(rest, "[::1]") || bus_str_is(rest, "localhost");
}

bool edge_settings_check(const struct edge_settings *settings, struct bus_error *err) {
  if (settings->auth == EDGE_AUTH_OFF)
    return is_loopback_address(settings->bind) ||
           bus_fail(err, BUS_E_CONFIG,
                    "AUTH=off with BIND=%s: without tokens anyone there could order and set stock; "
                    "set AUTH=oidc or AUTH=own, and OIDC_ISSUER, or BIND=127.0.0.1",
                    settings->bind);
  if (settings->auth == EDGE_AUTH_OWN)
    return settings->oidc_issuer[0] != '\0' ||
           bus_fail(err, BUS_E_CONFIG, "AUTH=own: OIDC_ISSUER must be the TOKEN_ISSUER of user-svc");
  if (!edge_url_is_safe(bus_str(settings->oidc_issuer), true))
    return bus_fail(err, BUS_E_CONFIG, "OIDC_ISSUER=%s: must be the URL of an issuer, https:// or http:// on loopback",
                    settings->oidc_issuer);
  return edge_algorithms(settings->oidc_algorithms) != 0 ||
         bus_fail(err, BUS_E_CONFIG, "OIDC_ALGORITHMS=%s: must be some of ES256, RS256, PS256, separated by commas",
                  settings->oidc_algorithms);
}
