/* Checks a broker's URL before rabbitmq-c takes it apart: that one fills gaps with guest and localhost, and knows only
 * one host. */
#include "url.h"

#include <bus/amqp.h>
#include <bus/config.h>

#include <stdio.h>

static const char shape[] = "amqp://user:password@host:port[,host:port...]/vhost";

static bool refuse_url(struct bus_error *err, const char *what) {
  return bus_fail(err, BUS_E_CONFIG, "broker URL: %s; expected %s or amqps://…", what, shape);
}

static bool has_odd_characters(const char *url) {
  for (const char *c = url; *c; c++)
    if (*c <= 0x20 || *c == 0x7f || strchr("?#\\\"", *c))
      return true;
  return strstr(url, "%00") != NULL;
}

static const char *after_scheme(const char *url) {
  return strncmp(url, "amqp://", 7) == 0 ? url + 7 : strncmp(url, "amqps://", 8) == 0 ? url + 8 : NULL;
}

static bool check_host(const char *host, size_t len, struct bus_error *err) {
  if (len == 0 || *host == ':' || memchr(host, '@', len))
    return refuse_url(err, "a host is missing");
  return host[len - 1] != ':' || refuse_url(err, "a port is missing");
}

static bool check_parts(const char *url, struct bus_error *err) {
  const char *begin = after_scheme(url);
  if (begin == NULL)
    return refuse_url(err, "it must begin with amqp://, amqps://, amqp+srv:// or amqps+srv://");
  if (has_odd_characters(url))
    return refuse_url(err, "it holds a character that must be percent-encoded, or a query");
  const char *end = begin + strcspn(begin, "/");
  const char *at = memchr(begin, '@', (size_t)(end - begin));
  const char *colon = at ? memchr(begin, ':', (size_t)(at - begin)) : NULL;
  if (colon == NULL || colon == begin || colon + 1 == at)
    return refuse_url(err, "user or password is missing");
  for (const char *host = at; host < end; host += 1 + strcspn(host + 1, ",/"))
    if (!check_host(host + 1, strcspn(host + 1, ",/"), err))
      return false;
  return end[0] != '/' || end[1] != '\0' || refuse_url(err, "the vhost is empty (leave out the last slash for \"/\")");
}

/* Start of the hosts in a URL that was checked. */
static const char *hosts_of(const char *url) {
  return strchr(after_scheme(url), '@') + 1;
}

static size_t count_hosts(const char *url) {
  size_t count = 1;
  for (const char *c = hosts_of(url); *c && *c != '/'; c++)
    count += *c == ',';
  return count;
}

/* The URL with that host alone. */
static void pick_host(const char *url, size_t index, char *text, size_t size) {
  const char *hosts = hosts_of(url), *host = hosts;
  for (size_t i = 0; i < index; i++)
    host += strcspn(host, ",") + 1;
  (void)snprintf(text, size, "%.*s%.*s%s", (int)(hosts - url), url, (int)strcspn(host, ",/"), host,
                 hosts + strcspn(hosts, "/")); /* shorter than the URL, which fitted */
}

static bool parse_one(const char *url, size_t index, struct broker_url *ret, struct bus_error *err) {
  pick_host(url, index, ret->text, sizeof ret->text);
  if (amqp_parse_url(ret->text, &ret->info) != AMQP_STATUS_OK || ret->info.port < 1 || ret->info.port > 65535) {
    url_forget(ret);
    return refuse_url(err, "it cannot be taken apart (port, percent-encoding or vhost)");
  }
  if (strlen(ret->info.user) >= BUS_NAME_MAX) {
    url_forget(ret);
    return refuse_url(err, "the user's name is longer than 63 bytes");
  }
  return true;
}

static bool parse_hosts(const char *url, size_t host, struct broker_url *ret, struct bus_error *err) {
  if (!check_parts(url, err))
    return false;
  if (strlen(url) >= sizeof ret->text)
    return refuse_url(err, "it is longer than 1023 bytes");
  ret->service[0] = '\0';
  return parse_one(url, host % count_hosts(url), ret, err);
}

/* The service's name stands where a plain URL has its host. */
static bool parse_service(const char *url, struct broker_url *ret, struct bus_error *err) {
  char name[SRV_NAME_MAX], plain[sizeof ret->text];
  if (!srv_url_name(url, name, err))
    return bus_error_wrap(err, "broker URL");
  bool good = srv_url_plain(url, plain, sizeof plain) ? parse_hosts(plain, 0, ret, err)
                                                      : refuse_url(err, "it is longer than 1023 bytes");
  explicit_bzero(plain, sizeof plain);
  if (good)
    memcpy(ret->service, name, sizeof name);
  return good;
}

bool url_parse(const char *url, size_t host, struct broker_url *ret, struct bus_error *err) {
  if (url == NULL)
    return refuse_url(err, "none given");
  return srv_is_url(url) ? parse_service(url, ret, err) : parse_hosts(url, host, ret, err);
}

static bool read_text(const char *file, size_t host, struct broker_url *ret, struct bus_error *err) {
  char text[sizeof ret->text];
  bool good = bus_secret_file_read(file, text, sizeof text, err);
  good = good && (url_parse(text, host, ret, err) || bus_error_wrap(err, "%s", file));
  explicit_bzero(text, sizeof text);
  return good;
}

static bool is_same_user(const struct broker_url *url, const char *user, const char *file, struct bus_error *err) {
  return strcmp(url->info.user, user) == 0 ||
         bus_fail(err, BUS_E_CONFIG, "%s names the user \"%s\", but a running program stays \"%s\"", file,
                  url->info.user, user);
}

bool url_read(const char *url, const char *file, size_t host, struct broker_url *ret, struct bus_error *err) {
  char user[BUS_NAME_MAX];
  if (!bus_amqp_url_user(url, user, err))
    return false;
  bool good = read_text(file, host, ret, err);
  if (good && !is_same_user(ret, user, file, err)) {
    url_forget(ret);
    good = false;
  }
  if (!good && err)
    err->code = BUS_E_AMQP_CONNECTION;
  return good;
}

void url_forget(struct broker_url *url) {
  explicit_bzero(url, sizeof *url);
}

bool bus_amqp_url_check(const char *url, struct bus_error *err) {
  struct broker_url parsed;
  for (size_t i = 0; i == 0 || i < bus_amqp_url_hosts(url); i++) {
    if (!url_parse(url, i, &parsed, err))
      return false;
    url_forget(&parsed);
  }
  return true;
}

bool bus_amqp_url_vhost(const char *url, char *text, size_t size, struct bus_error *err) {
  struct broker_url parsed = {.info = {0}};
  if (!url_parse(url, 0, &parsed, err))
    return false;
  bool fits = (size_t)snprintf(text, size, "%s", parsed.info.vhost) < size;
  url_forget(&parsed);
  return fits || refuse_url(err, "the vhost is too long");
}

size_t bus_amqp_url_hosts(const char *url) {
  return url && check_parts(url, NULL) ? count_hosts(url) : 1;
}

bool bus_amqp_url_user(const char *url, char name[BUS_NAME_MAX], struct bus_error *err) {
  struct broker_url parsed = {.info = {0}};
  if (!url_parse(url, 0, &parsed, err))
    return false;
  (void)snprintf(name, BUS_NAME_MAX, "%s", parsed.info.user);
  url_forget(&parsed);
  return true;
}
