/* Opens a connection: TCP or TLS, login with our capabilities, one channel; and closes it. */
#include "connection.h"

#include "../runtime/dns.h"
#include "url.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ORDERBUS_PRODUCT "orderbus"

/* ---- client properties ---- */

static amqp_table_entry_t text_entry(const char *key, const char *text) {
  return (amqp_table_entry_t){
      .key = amqp_cstring_bytes(key),
      .value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes(text)},
  };
}

static amqp_table_entry_t true_entry(const char *key) {
  return (amqp_table_entry_t){
      .key = amqp_cstring_bytes(key),
      .value = {.kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1},
  };
}

/* The broker reports a deleted queue or an alarm only to a client that announces the capability. */
static amqp_rpc_reply_t login(struct bus_amqp *amqp, const struct bus_amqp_settings *settings,
                              const struct amqp_connection_info *info) {
  amqp_table_entry_t capabilities[] = {
      true_entry("consumer_cancel_notify"),       true_entry("connection.blocked"),
      true_entry("publisher_confirms"),           true_entry("basic.nack"),
      true_entry("authentication_failure_close"),
  };
  amqp_table_entry_t entries[] = {
      text_entry("product", ORDERBUS_PRODUCT),
      text_entry("connection_name", settings->name ? settings->name : ORDERBUS_PRODUCT),
      {.key = amqp_cstring_bytes("capabilities"),
       .value = {.kind = AMQP_FIELD_KIND_TABLE,
                 .value.table = {.num_entries = (int)BUS_COUNT(capabilities), .entries = capabilities}}},
  };
  amqp_table_t properties = {.num_entries = (int)BUS_COUNT(entries), .entries = entries};
  int heartbeat = settings->heartbeat_s > 0 ? (int)settings->heartbeat_s : BUS_AMQP_HEARTBEAT_S;
  return amqp_login_with_properties(amqp->state, info->vhost, 1, FRAME_MAX, heartbeat, &properties,
                                    AMQP_SASL_METHOD_PLAIN, info->user, info->password);
}

/* ---- sockets ---- */

/* rabbitmq-c does not ask OpenSSL for the system's certificates by itself. */
static const char *system_ca_file(void) {
  static const char *const files[] = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                                      "/etc/ssl/cert.pem"};
  for (size_t i = 0; i < BUS_COUNT(files); i++)
    if (access(files[i], R_OK) == 0)
      return files[i];
  return NULL;
}

static bool use_certificate(amqp_socket_t *socket, const struct bus_tls_files *files, struct bus_error *err) {
  if (!bus_tls_files_check(files, "RABBITMQ", err))
    return false;
  if (bus_tls_path(files->cert) == NULL || amqp_ssl_socket_set_key(socket, files->cert, files->key) == AMQP_STATUS_OK)
    return true;
  return bus_fail(err, BUS_E_CONFIG, "TLS: no client certificate in %s with its private key in %s", files->cert,
                  files->key);
}

static amqp_socket_t *tls_socket(struct bus_amqp *amqp, const struct bus_tls_files *files, struct bus_error *err) {
  const char *file = bus_tls_path(files->ca) ? files->ca : system_ca_file();
  amqp_socket_t *socket = amqp_ssl_socket_new(amqp->state);
  if (socket == NULL)
    return (void)bus_fail(err, BUS_E_NOMEM, "TLS: no socket"), NULL;
  amqp_ssl_socket_set_verify_peer(socket, 1);
  amqp_ssl_socket_set_verify_hostname(socket, 1);
  if (amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST) != AMQP_STATUS_OK)
    return (void)bus_fail(err, BUS_E_CONFIG, "TLS: this library has no TLS 1.2"), NULL;
  if (file == NULL || amqp_ssl_socket_set_cacert(socket, file) != AMQP_STATUS_OK)
    return (void)bus_fail(err, BUS_E_CONFIG, "TLS: no CA certificates in %s", file ? file : "the system"), NULL;
  return use_certificate(socket, files, err) ? socket : NULL;
}

static bool is_certificate_error(int status) {
  return status == AMQP_STATUS_SSL_PEER_VERIFY_FAILED || status == AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED ||
         status == AMQP_STATUS_SSL_CONNECTION_FAILED;
}

static bool connect_socket(struct bus_amqp *amqp, const struct bus_amqp_settings *settings,
                           const struct amqp_connection_info *info, const struct timeval *timeout,
                           struct bus_error *err) {
  amqp_socket_t *socket = info->ssl ? tls_socket(amqp, &settings->tls, err) : amqp_tcp_socket_new(amqp->state);
  if (socket == NULL)
    return info->ssl ? false : bus_fail(err, BUS_E_NOMEM, "no socket");
  int status = amqp_socket_open_noblock(socket, info->host, info->port, timeout);
  if (status == AMQP_STATUS_OK)
    return true;
  return bus_fail(err, BUS_E_AMQP_CONNECTION, "connect to %s port %d: %s%s", info->host, info->port,
                  amqp_error_string2(status), is_certificate_error(status) ? " (certificate or TLS version)" : "");
}

/* ---- opening and closing ---- */

static bool connect_and_login(struct bus_amqp *amqp, const struct bus_amqp_settings *settings,
                              const struct amqp_connection_info *info, struct bus_error *err) {
  struct timeval timeout = link_timeval(settings->open_timeout_ms > 0 ? settings->open_timeout_ms : 3000);
  char what[160];
  (void)snprintf(what, sizeof what, "log in as %s at %s port %d", info->user, info->host, info->port);
  if (amqp_set_handshake_timeout(amqp->state, &timeout) != AMQP_STATUS_OK ||
      amqp_set_rpc_timeout(amqp->state, &timeout) != AMQP_STATUS_OK)
    return bus_fail(err, BUS_E_NOMEM, "%s: no timeout", what);
  if (!connect_socket(amqp, settings, info, &timeout, err))
    return false;
  if (!watchdog_add(&amqp->watchdog, amqp_get_sockfd(amqp->state)))
    return bus_fail(err, BUS_E_SYSTEM, "no thread for the watchdog");
  if (!link_check_reply(amqp, login(amqp, settings, info), what, err) || !link_open_channel(amqp, err))
    return false;
  link_set_call_timeout(amqp, CALL_TIMEOUT_MS);
  return true;
}

static void set_names(struct bus_amqp *amqp, const struct amqp_connection_info *info, size_t shards) {
  (void)snprintf(amqp->peer, sizeof amqp->peer, "%s:%d", info->host, info->port);
  (void)snprintf(amqp->user, sizeof amqp->user, "%s", info->user); /* url_parse has checked its length */
  (void)snprintf(amqp->source, sizeof amqp->source, "/%s", amqp->user);
  amqp->sender =
      (struct envelope_sender){.user = bus_str(amqp->user), .source = bus_str(amqp->source), .shards = shards};
}

static bool open_host(const struct bus_amqp_settings *settings, const struct amqp_connection_info *info,
                      struct bus_amqp **ret, struct bus_error *err) {
  struct bus_amqp *amqp = calloc(1, sizeof *amqp);
  if (amqp)
    amqp->state = amqp_new_connection();
  bool opened = amqp && amqp->state;
  if (!opened)
    (void)bus_fail(err, BUS_E_NOMEM, "no memory for a connection");
  if (opened) {
    set_names(amqp, info, settings->shards);
    opened = connect_and_login(amqp, settings, info, err);
  }
  if (opened)
    *ret = amqp;
  else if (amqp) {
    if (amqp->failure.code == BUS_OK) /* the socket is closed already */
      amqp->failure.code = BUS_E_AMQP_CONNECTION;
    bus_amqp_free(amqp);
  }
  return opened;
}

static bool open_service(const struct bus_amqp_settings *settings, const struct broker_url *url, struct bus_amqp **ret,
                         struct bus_error *err) {
  struct srv_records *records = dns_find(url->service, settings->dns_server, err);
  struct amqp_connection_info info = url->info;
  bool opened = false;
  if (!records) {
    if (err && err->code == BUS_E_SYSTEM)
      err->code = BUS_E_AMQP_CONNECTION;
    return false;
  }
  for (size_t i = 0; !opened && i < records->count && i < SRV_HOSTS_MAX; i++) {
    info.host = records->items[i].target;
    info.port = records->items[i].port;
    opened = open_host(settings, &info, ret, err);
  }
  free(records);
  return opened || bus_error_wrap(err, "%s", url->service);
}

bool bus_amqp_open(const struct bus_amqp_settings *settings, struct bus_amqp **ret, struct bus_error *err) {
  struct broker_url url;
  if (!(settings->url_file ? url_read(settings->url, settings->url_file, settings->host, &url, err)
                           : url_parse(settings->url, settings->host, &url, err)))
    return false;
  bool opened = url.service[0] ? open_service(settings, &url, ret, err) : open_host(settings, &url.info, ret, err);
  url_forget(&url);
  return opened;
}

bool bus_amqp_open_any(const struct bus_amqp_settings *settings, struct bus_amqp **ret, struct bus_error *err) {
  struct bus_amqp_settings one = *settings;
  size_t end = settings->host + bus_amqp_url_hosts(settings->url);
  bool opened = false;
  for (; !opened && one.host < end; one.host++)
    opened = bus_amqp_open(&one, ret, err);
  return opened;
}

static bool open_as(const struct bus_amqp_settings *settings, const char *role, struct bus_amqp **ret,
                    struct bus_error *err) {
  char name[BUS_NAME_MAX + 16];
  struct bus_amqp_settings one = *settings;
  (void)snprintf(name, sizeof name, "%s %s", settings->name, role);
  one.name = name;
  return bus_amqp_open(&one, ret, err);
}

bool bus_amqp_open_pair(const struct bus_amqp_settings *settings, const char *role, struct bus_amqp **ret_publishing,
                        struct bus_amqp **ret_consuming, struct bus_error *err) {
  return open_as(settings, "publish", ret_publishing, err) && bus_amqp_confirm(*ret_publishing, err) &&
         open_as(settings, role, ret_consuming, err);
}

static void close_politely(struct bus_amqp *amqp) {
  link_flush(amqp);
  link_set_call_timeout(amqp, CLOSE_TIMEOUT_MS);
  (void)amqp_connection_close(amqp->state, AMQP_REPLY_SUCCESS); /* the socket is closed in any case */
}

void bus_amqp_free(struct bus_amqp *amqp) {
  if (amqp == NULL)
    return;
  if (amqp->failure.code == BUS_OK)
    close_politely(amqp);
  watchdog_remove(&amqp->watchdog);
  bus_arena_free(amqp->reader.apart);
  if (amqp->state)
    (void)amqp_destroy_connection(amqp->state); /* its status concerns the socket, which is closed */
  free(amqp);
}

int bus_amqp_fd(const struct bus_amqp *amqp) {
  return amqp->watchdog.fd;
}

const char *bus_amqp_user(const struct bus_amqp *amqp) {
  return amqp->user;
}

const char *bus_amqp_peer(const struct bus_amqp *amqp) {
  return amqp->peer;
}

struct bus_str bus_amqp_server(const struct bus_amqp *amqp, const char *property) {
  const amqp_table_t *properties = amqp_get_server_properties(amqp->state);
  for (int i = 0; i < properties->num_entries; i++) {
    const amqp_table_entry_t *entry = &properties->entries[i];
    if (entry->value.kind == AMQP_FIELD_KIND_UTF8 && bus_str_is(rabbit_view(entry->key), property))
      return rabbit_view(entry->value.value.bytes);
  }
  return BUS_NO_STR;
}

void bus_amqp_set_arena(struct bus_amqp *amqp, struct bus_arena *arena) {
  amqp->arena = arena;
}
