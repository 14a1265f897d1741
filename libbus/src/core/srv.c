/* Reads URLs that name a service, and the DNS answers that list its hosts. */
#include "srv.h"

#include <stdio.h>

#include "ascii.h"

/* ---- URLs ---- */

#define SUFFIX "+srv"

static const struct scheme {
  const char *name, *prefix;
} schemes[] = {
    {"amqp", "_amqp._tcp."},
    {"amqps", "_amqps._tcp."},
    {"postgresql", "_postgresql._tcp."},
    {"postgres", "_postgresql._tcp."},
};

static const struct scheme *scheme_of(const char *url, const char **ret_rest) {
  for (size_t i = 0; i < BUS_COUNT(schemes); i++) {
    size_t len = strlen(schemes[i].name);
    if (strncmp(url, schemes[i].name, len) == 0 && strncmp(url + len, SUFFIX "://", sizeof SUFFIX "://" - 1) == 0) {
      *ret_rest = url + len + sizeof SUFFIX - 1;
      return &schemes[i];
    }
  }
  return NULL;
}

bool srv_is_url(const char *url) {
  const char *rest;
  return url && scheme_of(url, &rest) != NULL;
}

/* The host as libpq and url.c find it. */
static struct bus_str host_of(const char *rest) {
  const char *begin = rest + strlen("://"), *host = begin + strcspn(begin, "@/");
  if (*host == '@')
    host++;
  else
    host = begin;
  return (struct bus_str){host, strcspn(host, "/?#")};
}

static bool is_host_character(char c) {
  return ascii_is_alphanumeric(c) || c == '-' || c == '_';
}

static bool is_host_name(struct bus_str name) {
  size_t label = 0;
  for (size_t i = 0; i < name.len; i++) {
    if (name.data[i] == '.' ? label == 0 : !is_host_character(name.data[i]))
      return false;
    label = name.data[i] == '.' ? 0 : label + 1;
    if (label > 63)
      return false;
  }
  return label > 0;
}

bool srv_url_name(const char *url, char name[SRV_NAME_MAX], struct bus_error *err) {
  const char *rest;
  const struct scheme *scheme = scheme_of(url, &rest);
  struct bus_str host = host_of(rest);
  int len = is_host_name(host) ? snprintf(name, SRV_NAME_MAX, "%s%.*s", scheme->prefix, (int)host.len, host.data)
                               : SRV_NAME_MAX;
  return len <= 253 || bus_fail(err, BUS_E_CONFIG,
                                "a URL of %s" SUFFIX ":// has one name of at most %zu bytes in place of hosts, and no "
                                "port: the records SRV of %sNAME have them",
                                scheme->name, 253 - strlen(scheme->prefix), scheme->prefix);
}

bool srv_url_plain(const char *url, char *text, size_t size) {
  const char *rest;
  const struct scheme *scheme = scheme_of(url, &rest);
  return (size_t)snprintf(text, size, "%s%s", scheme->name, rest) < size;
}

/* ---- answers (RFC 1035, 4.1) ---- */

enum { HEADER = 12, LABEL_MAX = 63, POINTER = 0xC0, TYPE_SRV = 33, CLASS_IN = 1, FIXED_RECORD = 10, FIXED_SRV = 6 };

struct answer {
  const uint8_t *data;
  size_t len, at;
};

static bool has(const struct answer *answer, size_t bytes) {
  return answer->len - answer->at >= bytes;
}

/* Call it where has() is true. */
static uint16_t take_number(struct answer *answer) {
  const uint8_t *data = answer->data + answer->at;
  answer->at += 2;
  return (uint16_t)(data[0] << 8 | data[1]);
}

static bool add_label(const struct answer *answer, size_t from, size_t size, char text[SRV_NAME_MAX], size_t *len) {
  if (answer->len - from < 1 + size || *len + size + 2 > SRV_NAME_MAX)
    return false;
  for (size_t i = 0; i < size; i++) {
    char c = (char)answer->data[from + 1 + i];
    text[*len + i] = c != '.' ? c : '\\'; /* which is in no host name either */
  }
  text[*len + size] = '.';
  *len += size + 1;
  return true;
}

/* Reads a name whose labels may go on at an earlier place, which a pointer names. Each pointer leads further back, so
 * that the reading ends. The text has any bytes, and dots only between the labels. */
static bool take_name(struct answer *answer, char text[SRV_NAME_MAX], size_t *ret_len) {
  size_t from = answer->at, before = from, len = 0, end = 0;
  for (;;) {
    if (from >= answer->len)
      return false;
    size_t size = answer->data[from];
    if (size == 0)
      break;
    if (size >= POINTER) {
      if (answer->len - from < 2)
        return false;
      end = end ? end : from + 2;
      from = (size & ~(size_t)POINTER) << 8 | answer->data[from + 1];
      if (from >= before)
        return false;
      before = from;
      continue;
    }
    if (size > LABEL_MAX || !add_label(answer, from, size, text, &len))
      return false;
    from += 1 + size;
  }
  answer->at = end ? end : from + 1;
  *ret_len = len > 0 ? len - 1 : 0;
  text[*ret_len] = '\0';
  return true;
}

/* A service that is not there has the target ".". */
static bool is_usable(const struct srv_record *record, size_t target_len) {
  return record->port > 0 && is_host_name((struct bus_str){record->target, target_len});
}

static bool take_srv(struct answer *answer, size_t end, struct srv_records *ret) {
  struct srv_record ignored, *record = ret->count < SRV_RECORDS_MAX ? &ret->items[ret->count] : &ignored;
  size_t len;
  if (end - answer->at < FIXED_SRV)
    return false;
  record->priority = take_number(answer);
  record->weight = take_number(answer);
  record->port = take_number(answer);
  if (!take_name(answer, record->target, &len) || answer->at != end)
    return false;
  if (record != &ignored && is_usable(record, len))
    ret->count++;
  return true;
}

static bool take_record(struct answer *answer, struct srv_records *ret) {
  char owner[SRV_NAME_MAX];
  size_t owner_len;
  if (!take_name(answer, owner, &owner_len) || !has(answer, FIXED_RECORD))
    return false;
  uint16_t type = take_number(answer), class = take_number(answer);
  answer->at += 4; /* how long the record may be kept */
  size_t len = take_number(answer);
  if (!has(answer, len))
    return false;
  size_t end = answer->at + len;
  if (type == TYPE_SRV && class == CLASS_IN && !take_srv(answer, end, ret))
    return false;
  answer->at = end;
  return true;
}

static bool skip_question(struct answer *answer) {
  char name[SRV_NAME_MAX];
  size_t len;
  if (!take_name(answer, name, &len) || !has(answer, 4))
    return false;
  answer->at += 4;
  return true;
}

bool srv_decode(const uint8_t *data, size_t len, struct srv_records *ret) {
  struct answer answer = {.data = data, .len = len, .at = 4}; /* behind id and flags */
  ret->count = 0;
  if (len < HEADER)
    return false;
  size_t questions = take_number(&answer), records = take_number(&answer);
  answer.at = HEADER;
  for (size_t i = 0; i < questions; i++)
    if (!skip_question(&answer))
      return false;
  for (size_t i = 0; i < records; i++)
    if (!take_record(&answer, ret))
      return false;
  return true;
}

/* ---- order ---- */

/* RFC 2782 wants those of weight 0 in front: each has a small chance then. */
static bool is_before(const struct srv_record *a, const struct srv_record *b) {
  if (a->priority != b->priority)
    return a->priority < b->priority;
  return a->weight == 0 && b->weight != 0;
}

static void move_to(struct srv_records *records, size_t from, size_t to) {
  struct srv_record moved = records->items[from];
  memmove(&records->items[to + 1], &records->items[to], (from - to) * sizeof moved);
  records->items[to] = moved;
}

static void sort(struct srv_records *records) {
  for (size_t i = 1; i < records->count; i++) {
    size_t to = i;
    while (to > 0 && is_before(&records->items[i], &records->items[to - 1]))
      to--;
    move_to(records, i, to);
  }
}

/* The record from `begin` to before `end` whose turn it is: the first with a running sum of weights of at least the
 * number, which is 0 to the whole sum. */
static size_t choose(const struct srv_records *records, size_t begin, size_t end, uint64_t random) {
  uint64_t sum = 0, running = 0;
  for (size_t i = begin; i < end; i++)
    sum += records->items[i].weight;
  uint64_t number = random % (sum + 1);
  for (size_t i = begin; i < end; i++) {
    running += records->items[i].weight;
    if (running >= number)
      return i;
  }
  return begin; /* never: the last running sum is the whole one */
}

void srv_order(struct srv_records *records, const uint64_t random[SRV_RECORDS_MAX]) {
  sort(records);
  for (size_t i = 0; i < records->count; i++) {
    size_t end = i + 1;
    while (end < records->count && records->items[end].priority == records->items[i].priority)
      end++;
    move_to(records, choose(records, i, end, random[i]), i);
  }
}
