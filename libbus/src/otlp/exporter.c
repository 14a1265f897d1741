/* The exporter's thread: takes batches of spans, encodes and posts them, and rests after a failure. */
#include <bus/clock.h>
#include <bus/http_client.h>
#include <bus/log.h>
#include <bus/otlp.h>

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum {
  ROOM = 2048,
  BATCH = 256,
  GATHER_MS = 1000,
  CONNECT_MS = 2000,
  TOTAL_MS = 5000,
  REST_MS = 1000,
  REST_MAX_MS = 30000,
  LOOK_MS = 100, /* how often a call under way looks whether it must end */
  FDS = 8,
  ARENA_LIMIT = 4 << 20, /* a batch of spans whose every byte is escaped is smaller */
};

struct bus_otlp {
  struct bus_tracer *tracer;
  struct bus_span_resource resource;
  struct bus_http_client *client;
  struct bus_arena *arena;
  struct bus_span *batch;
  char url[BUS_TRACE_ENDPOINT_MAX + 16];
  struct bus_trace_headers headers;
  const char *lines[BUS_TRACE_HEADERS_MAX + 2]; /* those and the content type */
  pthread_t thread;
  _Atomic int64_t until; /* of bus_monotonic: no call goes on after it */
  /* the thread's own */
  int64_t rest_ms; /* 0: the last request was taken */
  struct answer {
    bool done;
    enum bus_http_outcome outcome;
    int status;
    size_t sent, rejected;
    char error[160];
  } answer;
};

static void note_answer(void *context, const struct bus_http_result *result) {
  struct bus_otlp *otlp = context;
  struct answer *answer = &otlp->answer;
  answer->done = true;
  answer->outcome = result->outcome;
  answer->status = result->status;
  (void)snprintf(answer->error, sizeof answer->error, "%s", result->error ? result->error : "");
  if (result->outcome == BUS_HTTP_ANSWERED && result->status / 100 == 2)
    answer->rejected = bus_spans_rejected(result->body, answer->sent, otlp->arena);
  bus_arena_reset(otlp->arena);
}

/* Drives the call until its answer, its time limit or the end of the exporter. */
static void drive(struct bus_otlp *otlp) {
  struct bus_poll_source source = bus_http_client_source(otlp->client);
  while (!otlp->answer.done && bus_monotonic() < atomic_load(&otlp->until)) {
    struct pollfd fds[FDS];
    int timeout = LOOK_MS;
    size_t count = source.prepare(source.context, fds, FDS, &timeout);
    (void)poll(fds, count, timeout);
    source.dispatch(source.context, fds, count);
  }
}

static bool is_taken(const struct answer *answer) {
  return answer->done && answer->outcome == BUS_HTTP_ANSWERED && answer->status / 100 == 2;
}

/* The loss of a batch that was not taken. */
static enum bus_span_loss loss_of(const struct answer *answer) {
  if (!answer->done)
    return BUS_SPAN_LOST_STOPPED;
  return answer->outcome == BUS_HTTP_ANSWERED ? BUS_SPAN_LOST_REFUSED : BUS_SPAN_LOST_UNREACHABLE;
}

static void log_change(const struct bus_otlp *otlp, bool taken) {
  if (taken)
    bus_log(BUS_INFO, "spans are exported again");
  else
    bus_log(BUS_WARN, "spans are dropped: the collector does not take them", BUS_F_STR("url", otlp->url),
            BUS_F_INT("status", otlp->answer.status), BUS_F_STR("error", otlp->answer.error));
}

static void rest(struct bus_otlp *otlp) {
  otlp->rest_ms = otlp->rest_ms == 0 ? REST_MS : 2 * otlp->rest_ms < REST_MAX_MS ? 2 * otlp->rest_ms : REST_MAX_MS;
  bus_tracer_pause(otlp->tracer, bus_monotonic() + otlp->rest_ms * BUS_MILLISECOND);
}

/* False: the batch could not be sent for want of memory. */
static bool post(struct bus_otlp *otlp, size_t count) {
  struct bus_str body;
  otlp->answer = (struct answer){.sent = count};
  bool sent = bus_spans_encode(&otlp->resource, otlp->batch, count, otlp->arena, &body) &&
              bus_http_client_start(
                  otlp->client,
                  &(struct bus_http_call){.method = "POST", .url = otlp->url, .body = body, .headers = otlp->lines},
                  note_answer, otlp, NULL);
  bus_arena_reset(otlp->arena);
  if (sent)
    drive(otlp);
  return sent;
}

static void export(struct bus_otlp *otlp, size_t count) {
  if (bus_monotonic() >= atomic_load(&otlp->until)) {
    bus_tracer_count_lost(otlp->tracer, BUS_SPAN_LOST_STOPPED, count);
    return;
  }
  if (!post(otlp, count)) {
    bus_tracer_count_lost(otlp->tracer, BUS_SPAN_LOST_NO_MEMORY, count);
    return;
  }
  bool taken = is_taken(&otlp->answer);
  if (otlp->answer.done && taken != (otlp->rest_ms == 0))
    log_change(otlp, taken);
  if (taken) {
    otlp->rest_ms = 0;
    bus_tracer_count_exported(otlp->tracer, count - otlp->answer.rejected);
    bus_tracer_count_lost(otlp->tracer, BUS_SPAN_LOST_REJECTED, otlp->answer.rejected);
    return;
  }
  bus_tracer_count_lost(otlp->tracer, loss_of(&otlp->answer), count);
  rest(otlp);
}

static void *run(void *context) {
  struct bus_otlp *otlp = context;
  size_t count;
  while ((count = bus_tracer_take(otlp->tracer, otlp->batch)) > 0)
    export(otlp, count);
  return NULL;
}

/* ---- the exporter ---- */

static void otlp_free(struct bus_otlp *otlp) {
  bus_http_client_free(otlp->client);
  if (otlp->arena)
    bus_arena_free(otlp->arena);
  bus_tracer_free(otlp->tracer);
  free(otlp->batch);
  explicit_bzero(&otlp->headers, sizeof otlp->headers);
  free(otlp);
}

static bool open_client(struct bus_otlp *otlp, const struct bus_trace_options *options, struct bus_error *err) {
  const char *ca_file = options->ca_file;
  const struct bus_http_client_settings settings = {.connect_timeout_ms = CONNECT_MS,
                                                    .read_timeout_ms = TOTAL_MS,
                                                    .total_timeout_ms = TOTAL_MS,
                                                    .max_connections = 1,
                                                    .user_agent = "libbus",
                                                    .ca_file = ca_file && *ca_file ? ca_file : NULL,
                                                    .allow_plain = bus_trace_options_is_plain(options),
                                                    .quick_exit = true};
  size_t len = strlen(options->endpoint);
  while (len > 0 && options->endpoint[len - 1] == '/')
    len--;
  (void)snprintf(otlp->url, sizeof otlp->url, "%.*s/v1/traces", (int)len, options->endpoint); /* fits: it was checked */
  return bus_http_client_new(&settings, &otlp->client, err);
}

static bool open_headers(struct bus_otlp *otlp, const struct bus_trace_options *options, struct bus_error *err) {
  size_t count = 0;
  if (!bus_trace_headers_cut(options->headers, &otlp->headers, err))
    return false;
  otlp->lines[count++] = "Content-Type: application/json";
  for (const char *const *line = otlp->headers.lines; *line; line++)
    otlp->lines[count++] = *line;
  otlp->lines[count] = NULL;
  return true;
}

static bool open_all(struct bus_otlp *otlp, const struct bus_trace_options *options, struct bus_error *err) {
  const struct bus_tracer_settings settings = {
      .room = ROOM, .batch = BATCH, .gather_ms = GATHER_MS, .sample_ppm = options->sample_ppm};
  otlp->arena = bus_arena_new(ARENA_LIMIT);
  otlp->batch = calloc(BATCH, sizeof *otlp->batch);
  if (otlp->arena == NULL || otlp->batch == NULL)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for the exporter of spans");
  if (!open_headers(otlp, options, err) || !bus_tracer_new(&settings, &otlp->tracer, err) ||
      !open_client(otlp, options, err))
    return false;
  return pthread_create(&otlp->thread, NULL, run, otlp) == 0 ||
         bus_fail(err, BUS_E_SYSTEM, "cannot start the thread that exports spans");
}

bool bus_otlp_start(const struct bus_trace_options *options, const struct bus_span_resource *resource,
                    struct bus_otlp **ret, struct bus_error *err) {
  *ret = NULL;
  if (!bus_trace_options_check(options, err))
    return false;
  if (!bus_trace_options_is_on(options))
    return true;
  struct bus_otlp *otlp = calloc(1, sizeof *otlp);
  if (otlp == NULL)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for the exporter of spans");
  otlp->resource = *resource;
  atomic_init(&otlp->until, INT64_MAX);
  if (!open_all(otlp, options, err)) {
    otlp_free(otlp);
    return false;
  }
  *ret = otlp;
  return true;
}

struct bus_tracer *bus_otlp_tracer(struct bus_otlp *otlp) {
  return otlp ? otlp->tracer : NULL;
}

void bus_otlp_stop(struct bus_otlp *otlp, int64_t flush_ms) {
  if (otlp == NULL)
    return;
  atomic_store(&otlp->until, bus_monotonic() + flush_ms * BUS_MILLISECOND);
  bus_tracer_close(otlp->tracer);
  pthread_join(otlp->thread, NULL);
  otlp_free(otlp);
}
