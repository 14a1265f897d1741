/* Reads of orders: those that are under way at the same time share a query. The thread of a batch's first read asks for
 * all; the others sleep until it has put their response into their own arena. They need no time limit of their own: its
 * query has one, and nothing else holds it up for longer than GATHER_PATIENCE. */
#include "edge.h"

#include <bus/clock.h>

#include <semaphore.h>

struct read {
  struct bus_http_exchange *exchange;
  const struct order_get *get;
  struct view_ticket ticket; /* of the cache */
  struct response response;
  bool left_out; /* there is no response yet: to be asked for alone */
  sem_t told;
};

void edge_reads_init(struct edge_reads *reads) {
  *reads = (struct edge_reads){.gather = {.filling = NULL}};
  bus_cond_init(&reads->left);
  (void)pthread_mutex_init(&reads->mutex, NULL);
}

/* ---- responses ---- */

/* The text lies in the reader's arena: the message it comes from is the leader's. */
static struct response in_text(struct response response, struct bus_arena *arena) {
  if (response.schema == NULL)
    return response;
  if (!bus_encode_nulls(response.schema, response.body, arena, &response.json))
    return response_refusal(REFUSAL_NO_MEMORY);
  response.schema = NULL;
  response.body = NULL;
  return response;
}

static bool is_of(const struct order_answer *said, const struct bus_uuid *order_id) {
  return said->order == NULL || bus_uuid_equal(&said->order->order_id, order_id);
}

static void keep(struct edge *edge, const struct read *read, const struct order_answer *said) {
  if (said->outcome == ORDER_FOUND && said->order && is_of(said, &read->get->order_id))
    view_cache_keep(edge->orders, &read->ticket, edge_order_key(&read->get->order_id), said->order,
                    bus_http_arena(read->exchange), bus_monotonic());
}

static void take_part(struct edge *edge, struct read *read, const struct order_answer *said) {
  read->left_out = said->outcome == ORDER_LEFT_OUT;
  if (read->left_out)
    return;
  keep(edge, read, said);
  read->response = is_of(said, &read->get->order_id) ? in_text(response_get(said), bus_http_arena(read->exchange))
                                                     : response_refusal(REFUSAL_BAD_ANSWER);
}

/* From sem_post on a read is gone; the leader's own comes last. */
static void tell_all(struct edge *edge, const struct gather_batch *batch, const struct order_answers *said,
                     const struct response *refusal) {
  for (size_t i = batch->count; i-- > 0;) {
    struct read *read = batch->reads[i];
    if (said)
      take_part(edge, read, &said->answers[i]);
    else
      read->response = *refusal;
    if (i > 0)
      (void)sem_post(&read->told); /* fails only at its highest value */
  }
}

/* ---- the leader ---- */

static bool ask_for_all(struct edge *edge, const struct gather_batch *batch, const struct order_answers **ret,
                        struct response *ret_refusal) {
  const struct read *leader = batch->reads[0];
  struct order_get *orders = bus_arena_array(bus_http_arena(leader->exchange), batch->count, sizeof *orders);
  const struct order_get_many many = {orders, batch->count};
  *ret_refusal = response_refusal(REFUSAL_NO_MEMORY);
  if (orders == NULL)
    return false;
  for (size_t i = 0; i < batch->count; i++)
    orders[i] = *((const struct read *)batch->reads[i])->get;
  static const struct edge_query_kind kind = {&order_get_many_type, &order_answers_type, NULL};
  struct edge_query query = {.kind = &kind,
                             .correlation_id = batch->count == 1 ? &leader->get->order_id : NULL,
                             .id = {(const char *)leader->get->order_id.bytes, sizeof leader->get->order_id.bytes},
                             .body = &many};
  const void *body;
  if (!edge_ask(edge, leader->exchange, &query, &body, ret_refusal))
    return false;
  *ret = body;
  *ret_refusal = response_refusal(REFUSAL_BAD_ANSWER);
  return (*ret)->answer_count == batch->count;
}

static void lead(struct edge *edge, const struct gather_batch *batch) {
  const struct order_answers *said;
  struct response refusal;
  bool answered = ask_for_all(edge, batch, &said, &refusal);
  (void)pthread_mutex_lock(&edge->reads.mutex);
  if (gather_back(&edge->reads.gather, batch))
    (void)pthread_cond_broadcast(&edge->reads.left);
  (void)pthread_mutex_unlock(&edge->reads.mutex);
  tell_all(edge, batch, answered ? said : NULL, &refusal);
}

/* ---- every read ---- */

/* With the mutex held. */
static void wait_to_leave(struct edge *edge, struct gather_batch *batch) {
  int64_t until = bus_monotonic() + GATHER_PATIENCE;
  while (!batch->left && bus_cond_wait(&edge->reads.left, &edge->reads.mutex, until))
    continue;
  gather_leave(&edge->reads.gather, batch);
}

/* True: the read leads its batch, which has left. */
static bool join(struct edge *edge, struct read *read, struct gather_batch *fresh) {
  (void)pthread_mutex_lock(&edge->reads.mutex);
  struct gather_batch *batch = gather_join(&edge->reads.gather, fresh, read);
  bool leads = batch == fresh;
  if (!leads && batch->left)
    (void)pthread_cond_broadcast(&edge->reads.left);
  if (leads && !batch->left)
    wait_to_leave(edge, batch);
  (void)pthread_mutex_unlock(&edge->reads.mutex);
  return leads;
}

static void wait_for_answer(struct read *read) {
  while (sem_wait(&read->told) != 0) /* interrupted */
    continue;
}

static void read_together(struct edge *edge, struct read *read) {
  struct gather_batch batch;
  (void)sem_init(&read->told, 0, 0); /* cannot fail with these arguments */
  bus_series_add(edge->metrics.waiting, 1);
  bool leads = join(edge, read, &batch);
  if (!leads)
    wait_for_answer(read);
  bus_series_add(edge->metrics.waiting, -1);
  if (leads)
    lead(edge, &batch);
  (void)sem_destroy(&read->told);
}

static struct response read_alone(struct edge *edge, const struct read *read) {
  static const struct edge_query_kind kind = {&order_get_type, &order_answer_type, NULL};
  const struct edge_query query = {.kind = &kind, .correlation_id = &read->get->order_id, .body = read->get};
  const void *body;
  struct response refusal;
  return edge_ask(edge, read->exchange, &query, &body, &refusal) ? response_get(body) : refusal;
}

/* True: an order that the caller may see. */
static bool find(struct edge *edge, struct read *read, struct order_view *ret) {
  struct bus_str owner = read->get->customer_id;
  bool hit = view_cache_find(edge->orders, edge_order_key(&read->get->order_id), bus_monotonic(),
                             bus_http_arena(read->exchange), ret, &read->ticket) &&
             (!owner.data || bus_str_equal(owner, ret->customer_id));
  bus_series_add(edge->metrics.order_reads[hit], 1);
  return hit;
}

struct response edge_read(struct edge *edge, struct bus_http_exchange *exchange, const struct order_get *get) {
  struct read read = {.exchange = exchange, .get = get};
  struct order_view *view = bus_arena_alloc(bus_http_arena(exchange), sizeof *view);
  if (!view)
    return response_refusal(REFUSAL_NO_MEMORY);
  if (find(edge, &read, view))
    return response_get(&(struct order_answer){ORDER_FOUND, view});
  read_together(edge, &read);
  return read.left_out ? read_alone(edge, &read) : read.response;
}
