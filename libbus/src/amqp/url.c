/* Checks a broker's URL before rabbitmq-c takes it apart: that one fills gaps with guest and localhost. */
#include "url.h"

#include <bus/amqp.h>

#include <stdio.h>

static const char shape[] = "amqp://user:password@host:port/vhost";

static bool refuse(struct bus_error *err, const char *what) {
  return bus_fail(err, BUS_E_CONFIG, "broker URL: %s; expected %s or amqps://…", what, shape);
}

static bool has_odd_characters(const char *url) {
  for (const char *c = url; *c; c++)
    if (*c <= 0x20 || *c == 0x7f || strchr("?#\\\"", *c))
      return true;
  return strstr(url, "%00") != NULL;
}

static bool check_parts(const char *url, struct bus_error *err) {
  const char *begin = strncmp(url, "amqp://", 7) == 0 ? url + 7 : strncmp(url, "amqps://", 8) == 0 ? url + 8 : NULL;
  if (begin == NULL)
    return refuse(err, "it must begin with amqp:// or amqps://");
  if (has_odd_characters(url))
    return refuse(err, "it holds a character that must be percent-encoded, or a query");
  const char *end = begin + strcspn(begin, "/");
  const char *at = memchr(begin, '@', (size_t)(end - begin));
  const char *colon = at ? memchr(begin, ':', (size_t)(at - begin)) : NULL;
  if (colon == NULL || colon == begin || colon + 1 == at)
    return refuse(err, "user or password is missing");
  const char *host = at + 1;
  if (host == end || *host == ':' || memchr(host, '@', (size_t)(end - host)))
    return refuse(err, "the host is missing");
  if (end[-1] == ':')
    return refuse(err, "the port is missing");
  return end[0] != '/' || end[1] != '\0' || refuse(err, "the vhost is empty (leave out the last slash for \"/\")");
}

bool url_parse(const char *url, struct broker_url *ret, struct bus_error *err) {
  if (url == NULL)
    return refuse(err, "none given");
  if (!check_parts(url, err))
    return false;
  int len = snprintf(ret->text, sizeof ret->text, "%s", url);
  if (len < 0 || (size_t)len >= sizeof ret->text)
    return refuse(err, "it is longer than 1023 bytes");
  if (amqp_parse_url(ret->text, &ret->info) != AMQP_STATUS_OK || ret->info.port < 1 || ret->info.port > 65535) {
    url_forget(ret);
    return refuse(err, "it cannot be taken apart (port, percent-encoding or vhost)");
  }
  if (strlen(ret->info.user) >= BUS_NAME_MAX) {
    url_forget(ret);
    return refuse(err, "the user's name is longer than 63 bytes");
  }
  return true;
}

void url_forget(struct broker_url *url) {
  explicit_bzero(url, sizeof *url);
}

bool bus_amqp_url_check(const char *url, struct bus_error *err) {
  struct broker_url parsed;
  if (!url_parse(url, &parsed, err))
    return false;
  url_forget(&parsed);
  return true;
}
