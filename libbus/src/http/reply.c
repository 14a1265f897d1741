/* Answers: the whole text is put together in the arena and handed to the socket at once. */
#include "internal.h"

#include <bus/clock.h>
#include <bus/failpoint.h>

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

enum {
  HEAD_SIZE = 768,
  DETAIL_SIZE = 256,
  SMALL_CHUNK = 1024,
  PIECE = 32 * 1024,    /* each may wait 3 s where the peer takes nothing at all */
  PATIENCE_MS = 1000,   /* so long a client may take its time without asking for a place */
  WRITE_MAX_MS = 30000, /* the longest, whatever the place */
};

/* IMF-fixdate (RFC 9110, 5.6.7), whatever the locale. */
static void date_format(char text[32]) {
  static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  time_t now = (time_t)(bus_wall_clock() / BUS_SECOND);
  struct tm tm;
  gmtime_r(&now, &tm);
  snprintf(text, 32, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + tm.tm_wday * 3, tm.tm_mday % 100,
           months + tm.tm_mon * 3, (tm.tm_year + 1900) % 10000, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static bool has_no_body(int status) {
  return status == 204 || status == 304;
}

static bool is_printable(struct bus_str value) {
  for (size_t i = 0; i < value.len; i++)
    if (value.data[i] < 0x20 || value.data[i] > 0x7E)
      return false;
  return value.data != NULL;
}

void bus_http_add_header(struct bus_http_exchange *exchange, const char *name, struct bus_str value) {
  struct bus_arena *arena = exchange->scratch->arena;
  if (!is_printable(value))
    return;
  struct http_added_header *added = bus_arena_alloc(arena, sizeof *added);
  struct bus_str copy = bus_arena_copy(arena, value);
  if (added == NULL || copy.data == NULL)
    return;
  *added = (struct http_added_header){.name = name, .value = copy};
  *exchange->added_end = added;
  exchange->added_end = &added->next;
}

#define HSTS "Strict-Transport-Security: max-age=31536000\r\n"

/* Headers of every answer. framing: the header line that gives the body's length. */
static int head_format(char head[HEAD_SIZE], const struct bus_http_exchange *exchange, int status,
                       const char *media_type, const char *framing) {
  char date[32], trace[BUS_TRACEPARENT_TEXT];
  struct bus_str id = exchange->request_id;
  date_format(date);
  bus_trace_format(&exchange->trace, trace);
  const char *connection = exchange->closes                        ? "Connection: close\r\n"
                           : strcmp(exchange->version, "1.0") == 0 ? "Connection: keep-alive\r\n"
                                                                   : "";
  return snprintf(head, HEAD_SIZE,
                  "HTTP/1.1 %d %s\r\nDate: %s\r\n%s%s%s%sCache-Control: %s\r\n"
                  "X-Content-Type-Options: nosniff\r\n%straceparent: %s\r\nX-Request-Id: %.*s\r\n%s",
                  status, http_status_title(status), date, media_type ? "Content-Type: " : "",
                  media_type ? media_type : "", media_type ? "\r\n" : "", framing,
                  exchange->is_cacheable ? "public, max-age=300" : "no-store",
                  exchange->server->settings.tls ? HSTS : "", trace, (int)id.len, id.data ? id.data : "", connection);
}

static size_t added_size(const struct bus_http_exchange *exchange) {
  size_t size = 0;
  for (const struct http_added_header *added = exchange->added; added; added = added->next)
    size += strlen(added->name) + added->value.len + strlen(": \r\n");
  return size;
}

static char *append_bytes(char *end, const char *text, size_t len) {
  if (len > 0)
    memcpy(end, text, len);
  return end + len;
}

static char *append_added(char *end, const struct bus_http_exchange *exchange) {
  for (const struct http_added_header *added = exchange->added; added; added = added->next) {
    end = append_bytes(end, added->name, strlen(added->name));
    end = append_bytes(end, ": ", 2);
    end = append_bytes(end, added->value.data, added->value.len);
    end = append_bytes(end, "\r\n", 2);
  }
  return end;
}

static bool cut_off(struct bus_http_exchange *exchange) {
  exchange->closes = true;
  http_connection_end(&exchange->connection);
  return false;
}

/* A client that reads slowly must not hold a thread that others wait for. */
static bool may_go_on(struct bus_http_exchange *exchange, int64_t began) {
  int64_t took_ms = (bus_monotonic() - began) / BUS_MILLISECOND;
  return took_ms < PATIENCE_MS || (took_ms < WRITE_MAX_MS && http_places_may_dawdle(exchange));
}

static bool write_all(struct bus_http_exchange *exchange, const char *text, size_t len) {
  int64_t began = exchange->write_began ? exchange->write_began : bus_monotonic();
  exchange->write_began = began;
  for (size_t piece; len > 0; text += piece, len -= piece) {
    piece = len < PIECE ? len : PIECE;
    if (!http_connection_write(&exchange->connection, text, piece))
      return cut_off(exchange);
    if (len > piece && !may_go_on(exchange, began))
      return cut_off(exchange);
  }
  return true;
}

/* Head, added headers, empty line and body in one piece. */
static bool send_answer(struct bus_http_exchange *exchange, int status, const char *media_type, const char *framing,
                        struct bus_str body) {
  char head[HEAD_SIZE];
  exchange->closes = !http_places_keep(exchange, !exchange->closes);
  if (exchange->closes)
    http_connection_end(&exchange->connection);
  int len = head_format(head, exchange, status, media_type, framing);
  char *text = bus_arena_alloc(exchange->scratch->arena, (size_t)len + added_size(exchange) + body.len + 2);
  exchange->status = status;
  if (len >= HEAD_SIZE || text == NULL) {
    exchange->status = 503;
    http_reply_bare(exchange, 503);
    return false;
  }
  char *end = append_bytes(text, head, (size_t)len);
  end = append_added(end, exchange);
  end = append_bytes(end, "\r\n", 2);
  end = append_bytes(end, body.data, body.len);
  if (strcmp(exchange->method, "POST") == 0 && BUS_ERROR_POINT("http.half-answer")) {
    (void)write_all(exchange, text, (size_t)(end - text) / 2);
    return cut_off(exchange);
  }
  exchange->body_bytes += (int64_t)body.len;
  return write_all(exchange, text, (size_t)(end - text));
}

void http_reply_bare(const struct bus_http_exchange *exchange, int status) {
  char text[128];
  int len = snprintf(text, sizeof text, "HTTP/1.1 %d %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status,
                     http_status_title(status));
  http_connection_end(&exchange->connection);
  (void)http_connection_write(&exchange->connection, text, (size_t)len); /* the connection ends in any case */
}

void bus_http_reply(struct bus_http_exchange *exchange, int status, const char *media_type, struct bus_str body) {
  char framing[48] = "";
  if (exchange->status != 0)
    return; /* answered already: a second answer would be taken for the next request's */
  if (exchange->carrier) {
    exchange->status = status;
    exchange->body_bytes += (int64_t)body.len;
    exchange->carrier->answer(exchange->carrier_context, exchange, status, body);
    return;
  }
  if (has_no_body(status))
    media_type = NULL;
  else
    snprintf(framing, sizeof framing, "Content-Length: %zu\r\n", body.len);
  if (exchange->is_head || has_no_body(status))
    body = BUS_NO_STR;
  (void)send_answer(exchange, status, media_type, framing, body); /* a peer that is gone has no use for an error */
}

void bus_http_reply_json(struct bus_http_exchange *exchange, int status, const struct bus_schema *schema,
                         const void *value) {
  struct bus_str json;
  if (!bus_encode_nulls(schema, value, exchange->scratch->arena, &json)) {
    bus_http_problem(exchange, 503, "the answer does not fit into memory");
    return;
  }
  bus_http_reply(exchange, status, "application/json", json);
}

/* ---- problems ---- */
static const struct bus_field problem_item_fields[] = {
    BUS_FIELD_STRING(struct bus_http_problem_item, field, BUS_TEXT, 0, 96, BUS_REQUIRED, "Path of the member."),
    BUS_FIELD_STRING(struct bus_http_problem_item, message, BUS_TEXT, 0, 160, BUS_REQUIRED,
                     "The error and the allowed values."),
    BUS_FIELD_JSON(struct bus_http_problem_item, value, 24, BUS_OPTIONAL,
                   "The wrong number or boolean; strings are not repeated."),
    BUS_FIELD_STRING(struct bus_http_problem_item, allowed, BUS_TEXT, 1, 160, BUS_OPTIONAL,
                     "The value that the member must have, in words."),
};
static const struct bus_schema problem_item_schema =
    BUS_SCHEMA("error", struct bus_http_problem_item, problem_item_fields);

static const struct bus_field problem_fields[] = {
    BUS_FIELD_STRING(struct bus_http_problem_body, type, BUS_VISIBLE, 1, 64, BUS_REQUIRED, "about:blank."),
    BUS_FIELD_STRING(struct bus_http_problem_body, title, BUS_TEXT, 1, 64, BUS_REQUIRED, "The status in words."),
    BUS_FIELD_INT64(struct bus_http_problem_body, status, 400, 599, BUS_REQUIRED, "The status."),
    BUS_FIELD_STRING(struct bus_http_problem_body, detail, BUS_TEXT, 0, DETAIL_SIZE, BUS_OPTIONAL,
                     "The error of this request."),
    BUS_FIELD_STRING(struct bus_http_problem_body, trace_id, BUS_TOKEN, 32, 32, BUS_OPTIONAL,
                     "To be quoted in a report."),
    BUS_FIELD_ARRAY(struct bus_http_problem_body, errors, error_count, struct bus_http_problem_item,
                    &problem_item_schema, 0, BUS_PROBLEMS_MAX, BUS_OPTIONAL, "Every wrong member."),
};
const struct bus_schema bus_http_problem_schema = BUS_SCHEMA("problem", struct bus_http_problem_body, problem_fields);

static void reply_problem(struct bus_http_exchange *exchange, int status, struct bus_http_problem_body problem) {
  char trace_id[BUS_TRACE_ID_TEXT];
  struct bus_str json;
  if (bus_trace_is_set(&exchange->trace)) {
    bus_trace_id_format(&exchange->trace, trace_id);
    problem.trace_id = bus_str(trace_id);
  }
  problem.type = BUS_STR("about:blank");
  problem.title = bus_str(http_status_title(status));
  problem.status = status;
  if (!bus_encode(&bus_http_problem_schema, &problem, exchange->scratch->arena, &json))
    json = BUS_STR("{}");
  bus_http_reply(exchange, status, "application/problem+json", json);
}

void bus_http_problem(struct bus_http_exchange *exchange, int status, const char *format, ...) {
  char detail[DETAIL_SIZE];
  va_list args;
  va_start(args, format);
  vsnprintf(detail, sizeof detail, format, args);
  va_end(args);
  struct bus_http_problem_body problem = {.detail = bus_str(detail)};
  reply_problem(exchange, status, problem);
}

void http_reply_no_memory(struct bus_http_exchange *exchange) {
  bus_http_add_header(exchange, "Retry-After", BUS_STR("1"));
  bus_http_problem(exchange, 503, "out of memory");
}

static struct bus_http_problem_item item_of(const struct bus_problem *problem) {
  static const char must_be[] = "must be ";
  const size_t len = sizeof must_be - 1;
  return (struct bus_http_problem_item){
      .field = bus_str(problem->path),
      .message = bus_str(problem->text),
      .value = bus_str(problem->value[0] ? problem->value : NULL),
      .allowed = bus_str(strncmp(problem->text, must_be, len) == 0 ? problem->text + len : NULL)};
}

void bus_http_problems(struct bus_http_exchange *exchange, const struct bus_problems *problems) {
  if (bus_problems_no_memory(problems)) { /* not the client's fault, and safe to repeat */
    http_reply_no_memory(exchange);
    return;
  }
  size_t count = problems->count < BUS_PROBLEMS_MAX ? problems->count : BUS_PROBLEMS_MAX;
  struct bus_http_problem_item *items = bus_arena_array(exchange->scratch->arena, count, sizeof *items);
  for (size_t i = 0; items && i < count; i++)
    items[i] = item_of(&problems->items[i]);
  struct bus_http_problem_body problem = {
      .detail = BUS_STR("the request has wrong fields"), .errors = items, .error_count = items ? count : 0};
  reply_problem(exchange, 400, problem);
}

/* ---- streams ---- */
bool bus_http_stream_start(struct bus_http_exchange *exchange, int status, const char *media_type) {
  bool chunked = strcmp(exchange->version, "1.1") == 0;
  if (exchange->status != 0)
    return false;
  if (!bus_http_hold(exchange)) {
    bus_http_add_header(exchange, "Retry-After", BUS_STR("1"));
    bus_http_problem(exchange, 503, "too many streams at once");
    return false;
  }
  if (exchange->carrier) {
    exchange->status = status;
    exchange->streaming = true;
    return true;
  }
  exchange->closes = exchange->closes || !chunked;
  if (!send_answer(exchange, status, media_type, chunked ? "Transfer-Encoding: chunked\r\n" : "", BUS_NO_STR))
    return false;
  exchange->streaming = true;
  return true;
}

/* A small chunk is one packet. */
static bool write_chunk(struct bus_http_exchange *exchange, struct bus_str text) {
  char chunk[SMALL_CHUNK + 32];
  int len = snprintf(chunk, sizeof chunk, "%zx\r\n", text.len);
  if (text.len <= SMALL_CHUNK) {
    char *end = append_bytes(chunk + len, text.data, text.len);
    end = append_bytes(end, "\r\n", 2);
    return write_all(exchange, chunk, (size_t)(end - chunk));
  }
  return write_all(exchange, chunk, (size_t)len) && write_all(exchange, text.data, text.len) &&
         write_all(exchange, "\r\n", 2);
}

static bool write_piece(struct bus_http_exchange *exchange, struct bus_str text) {
  if (exchange->carrier)
    return exchange->carrier->write(exchange->carrier_context, text);
  return strcmp(exchange->version, "1.1") == 0 ? write_chunk(exchange, text) : write_all(exchange, text.data, text.len);
}

bool bus_http_stream_write(struct bus_http_exchange *exchange, struct bus_str text) {
  if (!exchange->streaming)
    return false;
  if (exchange->is_head || text.len == 0)
    return true;
  bool sent = write_piece(exchange, text);
  exchange->streaming = sent;
  exchange->body_bytes += (int64_t)text.len;
  return sent;
}

void http_reply_finish(struct bus_http_exchange *exchange) {
  if (exchange->status == 0)
    bus_http_problem(exchange, 500, "no answer was made");
  if (exchange->streaming && !exchange->is_head && strcmp(exchange->version, "1.1") == 0)
    (void)write_all(exchange, "0\r\n\r\n", 5); /* the exchange is over in any case */
}
