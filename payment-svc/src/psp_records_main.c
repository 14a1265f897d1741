/* psp-records: prints what the provider has captured and refunded, page by page, as lines for payment-reconcile. */
#include "payment_settings.h"
#include "psp_list.h"
#include "psp_request.h"

#include <bus/http_client.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FAILED = 2, ATTEMPTS = 4, RESPONSE_MAX = 4 << 20, ARENA_LIMIT = 64 << 20, URL_MAX = 512 + PSP_LIST_PATH_SIZE };
enum { CONNECT_MS = 5000, TOTAL_MS = 30000, PROVIDER_OPTIONS = 4 };

static struct payment_settings provider;
static struct own { int64_t since; } own;

static const struct bus_option own_options[] = {
    {.name = "SINCE",
     .kind = BUS_OPTION_INT,
     .offset = offsetof(struct own, since),
     .fallback = "0",
     .max = BUS_JSON_INT_MAX,
     .unit = "s",
     .description = "Unix time: objects that were created before are left out"},
};
/* The first of the service's: URL, key, certificates, plain http. */
static const struct bus_option_table tables[] = {{payment_options, PROVIDER_OPTIONS, &provider},
                                                 {own_options, BUS_COUNT(own_options), &own}};

struct reader {
  struct bus_http_client *client;
  struct bus_arena *arena;
  char authorization[320];
  /* of the call at hand */
  int status; /* 0: no answer */
  struct bus_str body;
  int64_t retry_after_s;
};

static void take(void *context, const struct bus_http_result *result) {
  struct reader *reader = context;
  reader->status = result->outcome == BUS_HTTP_ANSWERED ? result->status : 0;
  reader->body = reader->status ? bus_arena_copy(reader->arena, result->body) : BUS_NO_STR;
  reader->retry_after_s = result->retry_after_s;
  if (reader->status == 0)
    (void)fprintf(stderr, "psp-records: %s\n", result->error); /* it is tried again, or the end says so */
}

static bool get_once(struct reader *reader, const char *path) {
  char url[URL_MAX];
  struct bus_error err;
  (void)snprintf(url, sizeof url, "%s%s", provider.psp_url, path); /* bounded by the options table */
  const struct bus_http_call call = {
      .method = "GET",
      .url = url,
      .headers = (const char *const[]){reader->authorization, "Stripe-Version: " PSP_API_VERSION, NULL}};
  reader->status = 0;
  bus_arena_reset(reader->arena);
  if (!bus_http_client_start(reader->client, &call, take, reader, &err))
    return false;
  bus_http_client_finish(reader->client);
  return reader->status == 200 && reader->body.data != NULL;
}

/* Answers of the moment, and none, are asked for again. */
static bool get(struct reader *reader, const char *path) {
  for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
    if (get_once(reader, path))
      return true;
    bool may_heal = reader->status == 0 || reader->status == 429 || reader->status >= 500;
    if (!may_heal)
      break;
    if (attempt < ATTEMPTS)
      (void)sleep(reader->retry_after_s > 0 && reader->retry_after_s < 60 ? (unsigned)reader->retry_after_s
                                                                          : 1U << attempt);
  }
  (void)fprintf(stderr, "psp-records: GET %s: status %d\n", path, reader->status);
  return false;
}

static bool print_line(struct reader *reader, const struct reconcile_line *line) {
  struct bus_str text = reconcile_line_format(line, reader->arena);
  return text.data && fwrite(text.data, 1, text.len, stdout) == text.len;
}

static bool print_list(struct reader *reader, enum psp_list_kind kind) {
  static struct psp_page page;
  char path[PSP_LIST_PATH_SIZE];
  page = (struct psp_page){.has_more = true};
  while (page.has_more) {
    psp_list_path(kind, own.since, page.last_id, path);
    if (!get(reader, path))
      return false;
    if (!psp_page_read(kind, reader->body, reader->arena, &page)) {
      (void)fprintf(stderr, "psp-records: GET %s: the answer is not a list\n", path);
      return false;
    }
    for (size_t i = 0; i < page.count; i++)
      if (!print_line(reader, &page.lines[i]))
        return false;
  }
  return true;
}

static bool open_reader(struct reader *reader, struct bus_error *err) {
  struct bus_http_client_settings http = {.connect_timeout_ms = CONNECT_MS,
                                          .read_timeout_ms = TOTAL_MS,
                                          .total_timeout_ms = TOTAL_MS,
                                          .max_connections = 1,
                                          .max_response = RESPONSE_MAX,
                                          .user_agent = "orderbus/" ORDERBUS_VERSION,
                                          .ca_file = provider.psp_ca_file[0] ? provider.psp_ca_file : NULL,
                                          .allow_plain = strncmp(provider.psp_url, "http://", 7) == 0};
  *reader = (struct reader){.arena = bus_arena_new(ARENA_LIMIT)};
  (void)snprintf(reader->authorization, sizeof reader->authorization, "Authorization: Bearer %s", provider.psp_key);
  if (reader->arena == NULL)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for a page");
  return bus_http_client_new(&http, &reader->client, err);
}

static int print_all(void) {
  struct reader reader;
  struct bus_error err;
  bool opened = psp_url_is_allowed(provider.psp_url, provider.psp_allow_plain) ||
                bus_fail(&err, BUS_E_CONFIG, "PSP_URL must be https://host[:port], or http:// on this machine");
  opened = opened && open_reader(&reader, &err);
  if (!opened) {
    (void)fprintf(stderr, "psp-records: %s\n", err.text);
    return FAILED;
  }
  bool done = print_list(&reader, PSP_LIST_INTENTS) && print_list(&reader, PSP_LIST_REFUNDS) && fflush(stdout) == 0;
  bus_http_client_free(reader.client);
  bus_arena_free(reader.arena);
  explicit_bzero(reader.authorization, sizeof reader.authorization);
  return done ? EXIT_SUCCESS : FAILED;
}

int main(int argc, char **argv) {
  int status = bus_config_main(argc, argv, "psp-records", "Prints what the payment provider has captured and refunded.",
                               tables, BUS_COUNT(tables), NULL, NULL);
  if (status < 0)
    status = print_all();
  bus_config_done(tables, BUS_COUNT(tables));
  return status;
}
