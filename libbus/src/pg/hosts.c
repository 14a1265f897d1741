/* URLs with several hosts. libpq tries them in order, and in its asynchronous mode waits without limit for a host that
 * does not answer. After a timeout the caller takes the same list, rotated to begin with the next host. */
#include "pg.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

static const char *value_of(const PQconninfoOption *options, const char *keyword) {
  for (; options->keyword; options++)
    if (strcmp(options->keyword, keyword) == 0)
      return options->val ? options->val : "";
  return "";
}

static size_t count_hosts(const char *list) {
  size_t count = *list != '\0';
  for (; *list; list++)
    count += *list == ',';
  return count;
}

/* A list of another length, such as one port for all, stays as it is. */
static void rotate_list(const char *list, size_t count, size_t first, char text[PG_HOSTS_MAX]) {
  size_t len = strlen(list);
  text[0] = '\0';
  if (len >= PG_HOSTS_MAX)
    return;
  const char *from = list;
  for (size_t i = 0; count_hosts(list) == count && i < first; i++)
    from = strchr(from, ',') + 1;
  size_t tail = len - (size_t)(from - list);
  memcpy(text, from, tail);
  if (from > list) { /* the comma before `from` comes between */
    text[tail] = ',';
    memcpy(text + tail + 1, list, len - tail - 1);
  }
  text[len] = '\0';
}

void pg_hosts_from(const char *url, size_t first, struct pg_hosts *ret) {
  char *ignored = NULL;
  PQconninfoOption *options = PQconninfoParse(url, &ignored);
  *ret = (struct pg_hosts){.host = ""};
  PQfreemem(ignored);
  if (!options)
    return;
  const char *host = value_of(options, "host"), *address = value_of(options, "hostaddr");
  size_t count = count_hosts(*address ? address : host);
  if (count > 1) {
    rotate_list(host, count, first % count, ret->host);
    rotate_list(address, count, first % count, ret->hostaddr);
    rotate_list(value_of(options, "port"), count, first % count, ret->port);
  }
  PQconninfoFree(options);
}

void pg_hosts_of_records(const struct srv_records *records, size_t first, struct pg_hosts *ret) {
  size_t count = records->count < SRV_HOSTS_MAX ? records->count : SRV_HOSTS_MAX, host_len = 0, port_len = 0;
  *ret = (struct pg_hosts){.host = ""};
  for (size_t i = 0; i < count; i++) {
    const struct srv_record *record = &records->items[(first + i) % count];
    const char *comma = i > 0 ? "," : "";
    host_len += (size_t)snprintf(ret->host + host_len, PG_HOSTS_MAX - host_len, "%s%s", comma, record->target);
    port_len += (size_t)snprintf(ret->port + port_len, PG_HOSTS_MAX - port_len, "%s%u", comma, record->port);
  } /* all fit */
}
