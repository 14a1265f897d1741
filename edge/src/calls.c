/* Asking the services behind the edge: queries under a breaker, commands on an answer or the broker's confirm. */
#include "edge.h"

#include <bus/clock.h>
#include <bus/failpoint.h>
#include <bus/log.h>

/* Why nothing was sent. */
static enum refusal unavailable(const struct edge *edge) {
  if (!bus_requester_is_up(edge->requester))
    return REFUSAL_NO_BROKER;
  return bus_requester_is_blocked(edge->requester) ? REFUSAL_BLOCKED : REFUSAL_OVERLOADED;
}

static enum refusal refusal_of(const struct edge *edge, enum bus_request_state state, enum refusal silence) {
  switch (state) {
  case BUS_REQUEST_UNROUTABLE:
    return REFUSAL_UNROUTABLE;
  case BUS_REQUEST_REFUSED:
    return REFUSAL_QUEUE_FULL;
  case BUS_REQUEST_UNAVAILABLE:
    return unavailable(edge);
  case BUS_REQUEST_LOST:
    return REFUSAL_LOST;
  case BUS_REQUEST_SENT:
  case BUS_REQUEST_CONFIRMED:
  case BUS_REQUEST_ANSWERED:
    break;
  }
  return silence;
}

static struct bus_pending *begin(struct edge *edge, struct bus_http_exchange *exchange,
                                 const struct bus_message_type *type, const struct bus_uuid *correlation_id,
                                 const struct bus_uuid *message_id, const void *body) {
  static const struct bus_uuid none;
  return bus_request_begin(edge->requester,
                           &(struct bus_request){.type = type,
                                                 .correlation_id = correlation_id ? *correlation_id : none,
                                                 .trace = bus_http_trace(exchange),
                                                 .body = body,
                                                 .message_id = message_id,
                                                 .valid_ms = edge->settings->query_timeout_ms});
}

static bool take_answer(struct bus_pending *pending, const struct bus_message_type *type, struct bus_arena *arena,
                        const void **ret_body) {
  const struct bus_message_type *answered;
  return bus_request_answer(pending, &type, 1, arena, &answered, ret_body);
}

/* Out of the breaker's sight: sends, waits, decodes. */
static bool ask(struct edge *edge, struct bus_http_exchange *exchange, const struct edge_query *query,
                const void **ret_body, enum refusal *ret_refusal) {
  struct bus_pending *pending = begin(edge, exchange, query->kind->type, query->correlation_id, NULL, query->body);
  if (pending == NULL) {
    *ret_refusal = REFUSAL_NO_MEMORY;
    return false;
  }
  int64_t until = bus_monotonic() + edge->settings->query_timeout_ms * BUS_MILLISECOND;
  bus_series_add(edge->metrics.waiting, 1);
  enum bus_request_state state = bus_request_wait(pending, until, false);
  BUS_CRASH_POINT("edge.query-answered");
  bus_series_add(edge->metrics.waiting, -1);
  bool answered = state == BUS_REQUEST_ANSWERED;
  struct bus_arena *arena = query->arena ? query->arena : bus_http_arena(exchange);
  bool decoded = answered && take_answer(pending, query->kind->answer, arena, ret_body);
  if (!decoded)
    *ret_refusal = answered ? REFUSAL_BAD_ANSWER : refusal_of(edge, state, REFUSAL_NO_ANSWER);
  bus_request_end(pending);
  return decoded;
}

static struct response breaker_open(int64_t now, int64_t retry_at) {
  struct response refusal = response_refusal(REFUSAL_BREAKER_OPEN);
  int64_t seconds = (retry_at - now + BUS_SECOND - 1) / BUS_SECOND;
  refusal.retry_after_s = seconds > 1 ? (int)seconds : 1;
  return refusal;
}

/* The id asked for; without one, each query is an item of its own. */
static uint64_t item_of(struct edge *edge, const struct edge_query *query) {
  unsigned long long number;
  if (query->id.data)
    return bus_breaker_subject(query->id.data, query->id.len);
  if (query->correlation_id)
    return bus_breaker_subject(query->correlation_id->bytes, sizeof query->correlation_id->bytes);
  number = atomic_fetch_add(&edge->nameless_queries, 1);
  return bus_breaker_subject(&number, sizeof number);
}

/* A broker that is away, or that takes nothing, says nothing about the service; nor does the edge's own lack of room.
 */
static enum edge_verdict verdict_of(enum refusal refusal) {
  switch (refusal) {
  case REFUSAL_NO_BROKER:
  case REFUSAL_BLOCKED:
  case REFUSAL_OVERLOADED:
  case REFUSAL_LOST:
  case REFUSAL_NO_MEMORY:
    return EDGE_SAYS_NOTHING;
  default:
    return EDGE_FAILS;
  }
}

bool edge_ask(struct edge *edge, struct bus_http_exchange *exchange, const struct edge_query *query,
              const void **ret_body, struct response *ret_refusal) {
  struct edge_service *service = edge_service_of(edge, query->kind->type);
  struct bus_breaker_call call;
  int64_t now = bus_monotonic(), retry_at = now;
  enum refusal refusal = REFUSAL_NONE;
  if (!bus_requester_is_up(edge->requester) || bus_requester_is_blocked(edge->requester)) {
    *ret_refusal = response_refusal(unavailable(edge));
    return false;
  }
  if (service == NULL) {
    *ret_refusal = response_refusal(REFUSAL_UNROUTABLE);
    return false;
  }
  if (!edge_breaker_begin(&service->breaker, &call, item_of(edge, query), now, &retry_at)) {
    *ret_refusal = breaker_open(now, retry_at);
    return false;
  }
  bool answered = ask(edge, exchange, query, ret_body, &refusal);
  edge_breaker_end(&service->breaker, &call, answered ? EDGE_WORKS : verdict_of(refusal), bus_monotonic());
  if (!answered)
    *ret_refusal = response_refusal(refusal);
  return answered;
}

/* First for the answer, as long as one should take; where not even the broker has spoken, for its confirm; and on for
 * the answer, where the client wants to wait. */
static enum bus_request_state wait_first(const struct edge *edge, struct bus_pending *pending,
                                         const struct edge_command *command, int64_t start, bool hurried) {
  int64_t soon = start + edge->settings->accept_timeout_ms * BUS_MILLISECOND;
  int64_t late = start + edge->settings->accept_total_ms * BUS_MILLISECOND;
  enum bus_request_state state = bus_request_wait(pending, soon, hurried);
  if (state == BUS_REQUEST_SENT)
    state = bus_request_wait(pending, late, true);
  if (state == BUS_REQUEST_CONFIRMED && command->needs_answer && !hurried)
    state = bus_request_wait(pending, late, false);
  if (state == BUS_REQUEST_CONFIRMED && command->wait_ms > 0)
    state = bus_request_wait_long(pending, start + command->wait_ms * BUS_MILLISECOND);
  return state;
}

static void leave_mode(struct accept_mode *mode, enum accept_patience patience, enum bus_request_state state) {
  enum accept_ending ending = ACCEPT_UNKNOWN;
  if (state == BUS_REQUEST_ANSWERED)
    ending = ACCEPT_ANSWERED;
  else if (state == BUS_REQUEST_CONFIRMED && patience != ACCEPT_CONFIRM)
    ending = ACCEPT_TIMED_OUT;
  if (!accept_mode_leave(mode, ending))
    return;
  if (ending == ACCEPT_TIMED_OUT)
    bus_log(BUS_WARN, "answers do not come in time: commands are answered on the broker's confirm");
  else
    bus_log(BUS_INFO, "answers come again");
}

/* A later answer, where the first was not the last and there is time; the first stays where none comes. */
static void wait_last(struct bus_pending *pending, const struct edge_command *command, int64_t start,
                      struct bus_arena *arena, const void **body) {
  int64_t until = start + command->wait_ms * BUS_MILLISECOND;
  const void *later;
  while (command->is_last && !command->is_last(*body) && bus_monotonic() < until) {
    if (bus_request_wait_long(pending, until) != BUS_REQUEST_ANSWERED ||
        !take_answer(pending, command->answer, arena, &later))
      return;
    *body = later;
  }
}

static enum edge_outcome tell(struct edge *edge, struct edge_sent_command *sent, const struct edge_command *command,
                              struct bus_pending *pending, struct bus_arena *arena, const void **ret_body,
                              struct response *ret_refusal) {
  int64_t start = bus_monotonic();
  enum accept_patience patience = command->wait_ms > 0 ? ACCEPT_WAIT : accept_mode_enter(&sent->mode, start);
  enum bus_request_state state = wait_first(edge, pending, command, start, patience == ACCEPT_CONFIRM);
  leave_mode(&sent->mode, patience, state);
  edge_routing_note(sent, state);
  if (state == BUS_REQUEST_CONFIRMED && !command->needs_answer)
    return EDGE_CONFIRMED;
  if (state != BUS_REQUEST_ANSWERED) {
    enum refusal silence = state == BUS_REQUEST_CONFIRMED ? REFUSAL_NO_ANSWER : REFUSAL_NO_CONFIRM;
    *ret_refusal = response_refusal(refusal_of(edge, state, silence));
    return EDGE_REFUSED;
  }
  if (!take_answer(pending, command->answer, arena, ret_body)) {
    *ret_refusal = response_refusal(REFUSAL_BAD_ANSWER);
    return EDGE_REFUSED;
  }
  wait_last(pending, command, start, arena, ret_body);
  return EDGE_ANSWERED;
}

/* NULL: *ret_refusal says why nothing was sent. *ret_sent is the command's state. */
static struct bus_pending *begin_command(struct edge *edge, struct bus_http_exchange *exchange,
                                         const struct edge_command *command, struct edge_sent_command **ret_sent,
                                         struct response *ret_refusal) {
  struct edge_sent_command *sent = *ret_sent = edge_sent_command(edge, command->type);
  struct bus_pending *pending =
      sent ? begin(edge, exchange, command->type, command->correlation_id, command->message_id, command->body) : NULL;
  if (pending == NULL)
    *ret_refusal = response_refusal(sent ? REFUSAL_NO_MEMORY : REFUSAL_UNROUTABLE);
  return pending;
}

enum edge_outcome edge_tell(struct edge *edge, struct bus_http_exchange *exchange, const struct edge_command *command,
                            const void **ret_body, struct response *ret_refusal) {
  struct edge_sent_command *sent;
  struct bus_pending *pending = begin_command(edge, exchange, command, &sent, ret_refusal);
  if (pending == NULL)
    return EDGE_REFUSED;
  bus_series_add(edge->metrics.waiting, 1);
  enum edge_outcome outcome = tell(edge, sent, command, pending, bus_http_arena(exchange), ret_body, ret_refusal);
  bus_series_add(edge->metrics.waiting, -1);
  bus_request_end(pending);
  /* The client reads what it has written, before the event comes. */
  view_cache_forget(edge->orders, edge_order_key(command->correlation_id));
  return outcome;
}

bool edge_send(struct edge *edge, struct bus_http_exchange *exchange, const struct edge_command *command,
               struct response *ret_refusal) {
  struct edge_sent_command *sent;
  struct bus_pending *pending = begin_command(edge, exchange, command, &sent, ret_refusal);
  if (pending == NULL)
    return false;
  int64_t until = bus_monotonic() + edge->settings->accept_total_ms * BUS_MILLISECOND;
  bus_series_add(edge->metrics.waiting, 1);
  enum bus_request_state state = bus_request_wait(pending, until, true);
  bus_series_add(edge->metrics.waiting, -1);
  bus_request_end(pending);
  edge_routing_note(sent, state);
  if (state != BUS_REQUEST_CONFIRMED)
    *ret_refusal = response_refusal(refusal_of(edge, state, REFUSAL_NO_CONFIRM));
  return state == BUS_REQUEST_CONFIRMED;
}
