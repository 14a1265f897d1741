/* Reads by many threads over a service that is played here: everyone gets its own answer, and queries are shared. */
#include "edge.h"

#include <bus/clock.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "test.h"

enum { THREADS = 100, ROUNDS = 200, UNKNOWN = 7, BIG = 11 };

/* Behaviour of the service in a test. */
static struct {
  atomic_int queries, alone, largest, under_way, most_under_way;
  bool is_silent, answers_too_few, mixes_up;
  int pause_us;
} service;
static struct edge edge;

struct bus_http_exchange {
  struct bus_arena *arena;
};

struct bus_arena *bus_http_arena(struct bus_http_exchange *exchange) {
  return exchange->arena;
}

static struct bus_uuid id_of(int number) {
  return (struct bus_uuid){{1, (uint8_t)(number >> 8), (uint8_t)number}};
}

static int number_of(const struct bus_uuid *id) {
  return id->bytes[1] << 8 | id->bytes[2];
}

static void note_most(atomic_int *most, int value) {
  int seen = atomic_load(most);
  while (seen < value && !atomic_compare_exchange_weak(most, &seen, value))
    continue;
}

/* Every twentieth order is unknown, another one does not fit. The version says whose answer it is. */
static void fill(struct order_answer *answer, struct order_view *view, const struct bus_uuid *id, bool alone) {
  int number = number_of(id);
  if (number % 20 == UNKNOWN) {
    *answer = (struct order_answer){.outcome = ORDER_NOT_FOUND};
  } else if (number % 20 == BIG && !alone) {
    *answer = (struct order_answer){.outcome = ORDER_LEFT_OUT};
  } else {
    static struct order_item items[] = {{{"A", 1}, 2, BUS_NO_INT64}};
    *view = (struct order_view){.order_id = *id,
                                .customer_id = BUS_STR("anonymous"),
                                .items = items,
                                .item_count = 1,
                                .total = BUS_NO_INT64,
                                .version = number + 1};
    *answer = (struct order_answer){ORDER_FOUND, view};
  }
}

static const void *answer_alone(const struct order_get *get, struct bus_arena *arena) {
  struct order_answer *answer = bus_arena_alloc(arena, sizeof *answer);
  atomic_fetch_add(&service.alone, 1);
  fill(answer, bus_arena_alloc(arena, sizeof(struct order_view)), &get->order_id, true);
  return answer;
}

static const void *answer_many(const struct order_get_many *many, struct bus_arena *arena) {
  struct order_answers *answers = bus_arena_alloc(arena, sizeof *answers);
  struct order_view *views = bus_arena_array(arena, many->order_count, sizeof *views);
  answers->answers = bus_arena_array(arena, many->order_count, sizeof *answers->answers);
  answers->answer_count = many->order_count - (service.answers_too_few ? 1 : 0);
  for (size_t i = 0; i < many->order_count; i++) {
    struct bus_uuid id = many->orders[i].order_id;
    if (service.mixes_up)
      id.bytes[0]++;
    fill(&answers->answers[i], &views[i], &id, false);
  }
  atomic_fetch_add(&service.queries, 1);
  note_most(&service.largest, (int)many->order_count);
  return answers;
}

bool edge_ask(struct edge *asked, struct bus_http_exchange *exchange, const struct edge_query *query,
              const void **ret_body, struct response *ret_refusal) {
  (void)asked;
  note_most(&service.most_under_way, atomic_fetch_add(&service.under_way, 1) + 1);
  usleep((useconds_t)service.pause_us);
  if (service.is_silent)
    *ret_refusal = response_refusal(REFUSAL_NO_ANSWER);
  else if (query->kind->type == &order_get_type)
    *ret_body = answer_alone(query->body, exchange->arena);
  else
    *ret_body = answer_many(query->body, exchange->arena);
  if (service.is_silent)
    atomic_fetch_add(&service.queries, 1);
  atomic_fetch_sub(&service.under_way, 1);
  return !service.is_silent;
}

/* ---- the readers ---- */

static int64_t version_in(struct bus_str json) {
  const char *at = json.data ? memmem(json.data, json.len, "\"version\":", 10) : NULL;
  return at ? strtoll(at + 10, NULL, 10) : -1;
}

static bool is_right(const struct response *answer, int number) {
  if (service.is_silent || service.answers_too_few || service.mixes_up)
    return answer->status == 503;
  if (number % 20 == UNKNOWN)
    return answer->status == 404;
  if (answer->schema) /* asked for alone, or known: not yet text */
    return answer->status == 200 && ((const struct order_view *)answer->body)->version == number + 1;
  return answer->status == 200 && version_in(answer->json) == number + 1;
}

/* Each in an arena of its own, which is gone as soon as it has its answer. */
static bool read_as(struct bus_str customer, int number) {
  struct bus_http_exchange exchange = {bus_arena_new(1 << 20)};
  struct bus_uuid id = id_of(number);
  struct response answer = edge_read(&edge, &exchange, &(struct order_get){id, customer});
  bool right = is_right(&answer, number);
  bus_arena_free(exchange.arena);
  return right;
}

static bool read_one(int number) {
  return read_as(BUS_NO_STR, number);
}

static void *read_often(void *argument) {
  int thread = *(int *)argument, wrong = 0;
  for (int i = 0; i < (service.is_silent ? 2 : ROUNDS); i++)
    wrong += !read_one(thread * ROUNDS + i);
  *(int *)argument = wrong;
  return NULL;
}

/* lifetime: of an order in the cache. */
static void begin_with(int64_t lifetime) {
  memset(&service, 0, sizeof service);
  view_cache_free(edge.orders); /* of the test before */
  edge = (struct edge){.orders = view_cache_new(&order_view_schema, 64, lifetime)};
  view_cache_open(edge.orders);
  edge_reads_init(&edge.reads);
  edge.metrics.waiting = edge.metrics.order_reads[0] = edge.metrics.order_reads[1] = bus_metric_series(NULL, NULL);
}

static void begin(void) {
  begin_with(0);
}

static void read_by_many_threads(void) {
  pthread_t threads[THREADS];
  int numbers[THREADS];
  for (int i = 0; i < THREADS; i++) {
    numbers[i] = i;
    assert_int_equal(pthread_create(&threads[i], NULL, read_often, &numbers[i]), 0);
  }
  for (int i = 0; i < THREADS; i++) {
    assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(numbers[i], 0);
  }
  assert_int_equal(edge.reads.gather.under_way, 0);
  assert_null(edge.reads.gather.filling);
}

TEST(one_reader_waits_for_nobody)
{
  begin();
  for (int i = 0; i < 40; i++)
    assert_true(read_one(i));
  assert_int_equal(atomic_load(&service.queries), 40);
  assert_int_equal(atomic_load(&service.largest), 1);
  assert_int_equal(atomic_load(&service.alone), 2);
}

TEST(of_many_readers_each_gets_its_own_answer)
{
  begin();
  service.pause_us = 200;
  read_by_many_threads();
  assert_in_range(atomic_load(&service.largest), 20, GATHER_ROOM);
  assert_in_range(atomic_load(&service.queries), THREADS * ROUNDS / GATHER_ROOM, THREADS * ROUNDS / 4);
  assert_int_equal(atomic_load(&service.alone), THREADS * ROUNDS / 20);
}

TEST(a_refusal_is_everybody_s)
{
  begin();
  service.is_silent = true;
  service.pause_us = 100000;
  read_by_many_threads();
  assert_true(atomic_load(&service.queries) < THREADS);
}

/* As many are under way, and silent, as go out by themselves; two more do not wait for them. */
TEST(a_silent_service_is_not_waited_for_twice)
{
  enum { READERS = GATHER_FEW + 2 };
  pthread_t threads[READERS];
  int numbers[READERS];
  begin();
  service.is_silent = true;
  service.pause_us = 500000;
  int64_t began = bus_monotonic();
  for (int i = 0; i < READERS; i++) {
    numbers[i] = i;
    assert_int_equal(pthread_create(&threads[i], NULL, read_often, &numbers[i]), 0);
  }
  for (int i = 0; i < READERS; i++)
    assert_int_equal(pthread_join(threads[i], NULL), 0);
  assert_true(bus_monotonic() - began < 1400 * BUS_MILLISECOND); /* two reads each, one after the other */
  assert_true(atomic_load(&service.most_under_way) > GATHER_FEW);
}

TEST(answers_that_do_not_fit_the_questions_are_nobody_s)
{
  begin();
  service.answers_too_few = true;
  assert_true(read_one(1));
  service = (typeof(service)){.mixes_up = true};
  assert_true(read_one(1));
}

TEST(an_order_that_was_read_is_known_until_it_changes)
{
  begin_with(BUS_HOUR);
  const struct bus_uuid id = id_of(1);
  for (int i = 0; i < 3; i++)
    assert_true(read_one(1));
  assert_int_equal(atomic_load(&service.queries), 1);
  view_cache_forget(edge.orders, edge_order_key(&id));
  assert_true(read_one(1) && read_one(1));
  assert_int_equal(atomic_load(&service.queries), 2);
  assert_true(read_one(UNKNOWN) && read_one(UNKNOWN)); /* it may come any time */
  assert_int_equal(atomic_load(&service.queries), 4);
}

TEST(a_known_order_is_shown_to_its_customer_alone)
{
  begin_with(BUS_HOUR);
  assert_true(read_as(BUS_STR("anonymous"), 1) && read_as(BUS_STR("anonymous"), 1));
  assert_int_equal(atomic_load(&service.queries), 1);
  assert_true(read_as(BUS_STR("another"), 1)); /* order-svc says what becomes of it: here all is everybody's */
  assert_int_equal(atomic_load(&service.queries), 2);
}
