/* One page after another. Answers of the moment, and none, are asked for again. */
#include "psp_records.h"

#include "psp_list.h"
#include "psp_request.h"

#include <bus/http_client.h>

#include <stdio.h>
#include <unistd.h>

enum { ATTEMPTS = 4, RESPONSE_MAX = 4 << 20, ARENA_LIMIT = 64 << 20, URL_MAX = 512 + PSP_LIST_PATH_SIZE };
enum { CONNECT_MS = 5000, TOTAL_MS = 30000 };

struct reader {
  const struct psp_records *records;
  struct bus_http_client *client;
  struct bus_arena *arena;
  char authorization[320];
  /* of the call at hand */
  int status; /* 0: no answer */
  char problem[160];
  struct bus_str body;
  int64_t retry_after_s;
};

static void take(void *context, const struct bus_http_result *result) {
  struct reader *reader = context;
  reader->status = result->outcome == BUS_HTTP_ANSWERED ? result->status : 0;
  reader->body = reader->status ? bus_arena_copy(reader->arena, result->body) : BUS_NO_STR;
  reader->retry_after_s = result->retry_after_s;
  if (reader->status)
    (void)snprintf(reader->problem, sizeof reader->problem, "status %d", reader->status);
  else
    (void)snprintf(reader->problem, sizeof reader->problem, "%s", result->error);
}

static bool get_once(struct reader *reader, const char *path, struct bus_error *err) {
  char url[URL_MAX];
  (void)snprintf(url, sizeof url, "%s%s", reader->records->url, path);
  const struct bus_http_call call = {
      .method = "GET",
      .url = url,
      .headers = (const char *const[]){reader->authorization, "Stripe-Version: " PSP_API_VERSION, NULL}};
  reader->status = 0;
  bus_arena_reset(reader->arena);
  if (!bus_http_client_start(reader->client, &call, take, reader, err))
    return false;
  bus_http_client_finish(reader->client);
  return (reader->status == 200 && reader->body.data) ||
         bus_fail(err, BUS_E_SYSTEM, "GET %s: %s", path, reader->problem);
}

static bool get(struct reader *reader, const char *path, struct bus_error *err) {
  for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
    if (get_once(reader, path, err))
      return true;
    bool may_heal = reader->status == 0 || reader->status == 429 || reader->status >= 500;
    if (!may_heal)
      break;
    if (attempt < ATTEMPTS)
      (void)sleep(reader->retry_after_s > 0 && reader->retry_after_s < 60 ? (unsigned)reader->retry_after_s
                                                                          : 1U << attempt);
  }
  return false;
}

static bool read_list(struct reader *reader, enum psp_list_kind kind, struct bus_error *err) {
  static struct psp_page page; /* large for a stack */
  char path[PSP_LIST_PATH_SIZE];
  page = (struct psp_page){.has_more = true};
  while (page.has_more) {
    psp_list_path(kind, reader->records->since, page.last_id, path);
    if (!get(reader, path, err))
      return false;
    if (!psp_page_read(kind, reader->body, reader->arena, &page))
      return bus_fail(err, BUS_E_DECODE, "GET %s: the answer is not a list", path);
    for (size_t i = 0; i < page.count; i++)
      if (!reader->records->visit(reader->records->context, &page.lines[i]))
        return bus_fail(err, BUS_E_SYSTEM, "the records could not be kept");
  }
  return true;
}

static bool open_reader(struct reader *reader, struct bus_error *err) {
  const struct psp_records *records = reader->records;
  const struct bus_http_client_settings http = {.connect_timeout_ms = CONNECT_MS,
                                                .read_timeout_ms = TOTAL_MS,
                                                .total_timeout_ms = TOTAL_MS,
                                                .max_connections = 1,
                                                .max_response = RESPONSE_MAX,
                                                .user_agent = "orderbus/" ORDERBUS_VERSION,
                                                .ca_file = records->ca_file[0] ? records->ca_file : NULL,
                                                .allow_plain = strncmp(records->url, "http://", 7) == 0};
  if (!psp_url_is_allowed(records->url, records->allow_plain))
    return bus_fail(err, BUS_E_CONFIG, "PSP_URL must be https://host[:port], or http:// on this machine");
  (void)snprintf(reader->authorization, sizeof reader->authorization, "Authorization: Bearer %s", records->key);
  reader->arena = bus_arena_new(ARENA_LIMIT);
  if (reader->arena == NULL)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for a page");
  return bus_http_client_new(&http, &reader->client, err);
}

bool psp_records_read(const struct psp_records *records, struct bus_error *err) {
  struct reader reader = {.records = records};
  bool done = open_reader(&reader, err) && read_list(&reader, PSP_LIST_INTENTS, err) &&
              read_list(&reader, PSP_LIST_REFUNDS, err);
  bus_http_client_free(reader.client);
  bus_arena_free(reader.arena);
  explicit_bzero(reader.authorization, sizeof reader.authorization);
  return done;
}
