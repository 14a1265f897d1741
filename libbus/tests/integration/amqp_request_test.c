/* Requests over a real broker: every state, answers to many threads at once, loss and reconnection. */
#include "amqp_fixture.h"

#include <bus/request.h>

#include <proxy.h>

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- a small language of requests and answers ---- */

struct number {
  int64_t value;
};
static const struct bus_field number_fields[] = {
    BUS_FIELD_INT64(struct number, value, 0, 1000000, BUS_REQUIRED, "a number")};
static const struct bus_schema number_schema = BUS_SCHEMA("number", struct number, number_fields);

static const struct bus_message_type ask = {"test.ask.v1", BUS_EXCHANGE_CMD, NULL, true, &number_schema};
static const struct bus_message_type lost_ask = {"test.nobody.v1", BUS_EXCHANGE_CMD, NULL, true, &number_schema};
static const struct bus_message_type query = {"test.query.v1", BUS_EXCHANGE_QUERY, NULL, false, &number_schema};
static const struct bus_message_type answer = {"test.answer.v1", BUS_EXCHANGE_REPLY, NULL, false, &number_schema};
static const struct bus_message_type *const answers[] = {&answer};

/* ---- who answers ---- */

enum behaviour { ANSWER_ONCE, ANSWER_TWICE, ANSWER_GARBAGE, ANSWER_STRANGE_TYPE };

struct responder {
  struct link *link;
  pthread_t thread;
  atomic_bool stopping;
  atomic_int behaviour;
  atomic_size_t taken;
};

static void send_answer(struct responder *responder, const struct bus_envelope *request, struct bus_str type,
                        struct bus_str body) {
  struct bus_envelope envelope = {
      .type = type, .message_id = next_id(), .causation_id = request->message_id, .trace = request->trace};
  struct bus_publication publication = {
      .exchange = BUS_EXCHANGE_REPLY, .key = request->reply_to, .envelope = &envelope, .body = body};
  uint64_t seq;
  struct bus_error err;
  if (!bus_amqp_publish(responder->link->amqp, &publication, &seq, &err))
    atomic_store(&responder->stopping, true);
}

static void on_request(void *context, const struct bus_delivery *delivery) {
  struct responder *responder = context;
  struct bus_error err;
  int behaviour = atomic_load(&responder->behaviour);
  struct bus_str type = behaviour == ANSWER_STRANGE_TYPE ? BUS_STR("test.strange.v1") : BUS_STR("test.answer.v1");
  atomic_fetch_add(&responder->taken, 1);
  if (!bus_amqp_ack(responder->link->amqp, delivery->tag, false, &err))
    atomic_store(&responder->stopping, true);
  send_answer(responder, &delivery->envelope, type, behaviour == ANSWER_GARBAGE ? BUS_STR("{]") : delivery->body);
  if (behaviour == ANSWER_TWICE)
    send_answer(responder, &delivery->envelope, type, BUS_STR("{\"value\":2}"));
}

static void *respond(void *argument) {
  static const struct bus_amqp_events events = {.delivery = on_request};
  struct responder *responder = argument;
  struct bus_error err;
  while (!atomic_load(&responder->stopping)) {
    struct pollfd fd = {.fd = bus_amqp_fd(responder->link->amqp), .events = POLLIN};
    if (!bus_amqp_has_buffered(responder->link->amqp))
      (void)poll(&fd, 1, 20);
    if (!bus_amqp_pump(responder->link->amqp, &events, responder, &err))
      break;
    bus_arena_reset(responder->link->arena);
  }
  return NULL;
}

static const char *make_place(void) {
  char vhost[64];
  const char *url = fresh_vhost(vhost, sizeof vhost);
  struct link *link = link_open(url);
  struct bus_declaration queue = queue_of("asked"), command = binding_of(BUS_EXCHANGE_CMD, "test.ask", "asked"),
                         question = binding_of(BUS_EXCHANGE_QUERY, "test.query", "asked");
  declare_exchanges(link);
  declare(link, &queue);
  declare(link, &command);
  declare(link, &question);
  link_close(link);
  return url;
}

static struct responder *start_responder(const char *url, enum behaviour behaviour) {
  struct responder *responder = calloc(1, sizeof *responder);
  responder->link = link_open(url);
  atomic_store(&responder->behaviour, (int)behaviour);
  link_consume(responder->link, "asked", 0, 500);
  assert_int_equal(pthread_create(&responder->thread, NULL, respond, responder), 0);
  return responder;
}

static void stop_responder(struct responder *responder) {
  atomic_store(&responder->stopping, true);
  pthread_join(responder->thread, NULL);
  link_close(responder->link);
  free(responder);
}

/* ---- who asks ---- */

static struct bus_requester *new_requester(const char *url, int max_open) {
  struct bus_requester_settings settings = {
      .amqp_url = url, .service = "edge", .instance = fresh_name("i"), .heartbeat_s = 10, .max_open = max_open};
  struct bus_requester *requester;
  struct bus_error err;
  if (!bus_requester_new(&settings, &requester, &err))
    fail_msg("%s", err.text);
  return requester;
}

static void await_up(struct bus_requester *requester) {
  for (int i = 0; i < 1000 && !bus_requester_is_up(requester); i++)
    usleep(10000);
  assert_true(bus_requester_is_up(requester));
}

static struct bus_pending *begin(struct bus_requester *requester, const struct bus_message_type *type, int64_t value) {
  struct number body = {.value = value};
  struct bus_request request = {.type = type, .correlation_id = next_id(), .body = &body};
  struct bus_pending *pending = bus_request_begin(requester, &request);
  assert_non_null(pending);
  return pending;
}

static enum bus_request_state wait_ms(struct bus_pending *pending, int64_t ms, bool confirm_is_enough) {
  return bus_request_wait(pending, bus_monotonic() + ms * BUS_MILLISECOND, confirm_is_enough);
}

/* -1: no answer that can be read. */
static int64_t take(struct bus_pending *pending) {
  struct bus_arena *arena = bus_arena_new(65536);
  const struct bus_message_type *type;
  const void *body;
  int64_t value = -1;
  if (bus_request_answer(pending, answers, 1, arena, &type, &body)) {
    assert_ptr_equal(type, &answer);
    value = ((const struct number *)body)->value;
  }
  bus_arena_free(arena);
  return value;
}

TEST(request_is_answered)
{
  const char *url = make_place();
  struct responder *responder = start_responder(url, ANSWER_ONCE);
  struct bus_requester *requester = new_requester(url, 0);
  await_up(requester);
  struct bus_pending *command = begin(requester, &ask, 41), *question = begin(requester, &query, 42);
  assert_int_equal(wait_ms(command, 5000, false), BUS_REQUEST_ANSWERED);
  assert_int_equal(wait_ms(question, 5000, false), BUS_REQUEST_ANSWERED);
  assert_int_equal(take(question), 42);
  assert_int_equal(take(command), 41);
  assert_int_equal(take(command), -1); /* it was taken */
  assert_int_equal(wait_ms(command, 50, true), BUS_REQUEST_CONFIRMED);
  bus_request_end(command);
  bus_request_end(question);
  bus_request_end(NULL);
  bus_requester_free(requester);
  stop_responder(responder);
}

TEST(request_is_confirmed_where_nobody_answers)
{
  const char *url = make_place();
  struct bus_requester *requester = new_requester(url, 0);
  await_up(requester);
  struct bus_pending *pending = begin(requester, &ask, 1);
  assert_int_equal(wait_ms(pending, 5000, true), BUS_REQUEST_CONFIRMED);
  int64_t before = bus_monotonic();
  assert_int_equal(wait_ms(pending, 200, false), BUS_REQUEST_CONFIRMED);
  assert_true(bus_monotonic() - before >= 200 * BUS_MILLISECOND);
  bus_request_end(pending);
  bus_requester_free(requester);
}

/* «Confirmed» would be a promise that nobody gave: the message goes with its queue's time to live. */
TEST(request_query_is_never_confirmed)
{
  const char *url = make_place();
  struct bus_requester *requester = new_requester(url, 0);
  await_up(requester);
  struct bus_pending *pending = begin(requester, &query, 1);
  assert_int_equal(wait_ms(pending, 300, true), BUS_REQUEST_SENT);
  bus_request_end(pending);
  bus_requester_free(requester);
}

TEST(request_without_a_queue_is_unroutable_at_once)
{
  const char *url = make_place();
  struct bus_requester *requester = new_requester(url, 0);
  await_up(requester);
  struct bus_pending *pending = begin(requester, &lost_ask, 1);
  assert_int_equal(wait_ms(pending, 5000, false), BUS_REQUEST_UNROUTABLE);
  assert_int_equal(wait_ms(pending, 100, true), BUS_REQUEST_UNROUTABLE); /* also after its confirm */
  bus_request_end(pending);
  bus_requester_free(requester);
}

TEST(request_into_a_full_queue_is_refused)
{
  char vhost[64];
  const char *url = fresh_vhost(vhost, sizeof vhost);
  struct link *link = link_open(url);
  struct bus_declaration queue = queue_of("asked"), binding = binding_of(BUS_EXCHANGE_CMD, "test.ask", "asked");
  queue.arguments[queue.argument_count++] = (struct bus_declare_argument){"x-max-length", NULL, 1};
  queue.arguments[queue.argument_count++] = (struct bus_declare_argument){"x-overflow", "reject-publish", 0};
  declare_exchanges(link);
  declare(link, &queue);
  declare(link, &binding);
  link_close(link);
  struct bus_requester *requester = new_requester(url, 0);
  await_up(requester);
  struct bus_pending *first = begin(requester, &ask, 1);
  assert_int_equal(wait_ms(first, 5000, true), BUS_REQUEST_CONFIRMED);
  struct bus_pending *second = begin(requester, &ask, 2);
  assert_int_equal(wait_ms(second, 5000, true), BUS_REQUEST_REFUSED);
  bus_request_end(first);
  bus_request_end(second);
  bus_requester_free(requester);
}

TEST(request_takes_a_second_answer)
{
  const char *url = make_place();
  struct responder *responder = start_responder(url, ANSWER_TWICE);
  struct bus_requester *requester = new_requester(url, 0);
  await_up(requester);
  struct bus_pending *pending = begin(requester, &ask, 1);
  assert_int_equal(wait_ms(pending, 5000, false), BUS_REQUEST_ANSWERED);
  assert_int_equal(take(pending), 1);
  assert_int_equal(wait_ms(pending, 5000, false), BUS_REQUEST_ANSWERED);
  assert_int_equal(take(pending), 2);
  bus_request_end(pending);
  bus_requester_free(requester);
  stop_responder(responder);
}

TEST(request_answer_that_cannot_be_read_is_none)
{
  static const enum behaviour behaviours[] = {ANSWER_GARBAGE, ANSWER_STRANGE_TYPE};
  const char *url = make_place();
  struct bus_requester *requester = new_requester(url, 0);
  await_up(requester);
  for (size_t i = 0; i < BUS_COUNT(behaviours); i++) {
    struct responder *responder = start_responder(url, behaviours[i]);
    struct bus_pending *pending = begin(requester, &ask, 1);
    assert_int_equal(wait_ms(pending, 5000, false), BUS_REQUEST_ANSWERED);
    assert_int_equal(take(pending), -1);
    assert_int_equal(wait_ms(pending, 50, true), BUS_REQUEST_CONFIRMED);
    bus_request_end(pending);
    stop_responder(responder);
  }
  bus_requester_free(requester);
}

TEST(request_answer_after_the_end_is_dropped)
{
  const char *url = make_place();
  struct bus_requester *requester = new_requester(url, 0);
  await_up(requester);
  for (int i = 0; i < 100; i++)
    bus_request_end(begin(requester, &ask, i)); /* some not even published yet */
  struct responder *responder = start_responder(url, ANSWER_TWICE);
  struct bus_pending *pending = begin(requester, &ask, 7);
  assert_int_equal(wait_ms(pending, 5000, false), BUS_REQUEST_ANSWERED);
  assert_int_equal(take(pending), 7);
  bus_request_end(pending);
  bus_requester_free(requester);
  stop_responder(responder);
}

/* ---- unavailable ---- */

TEST(request_without_a_broker_is_unavailable_at_once)
{
  struct bus_requester *requester = new_requester("amqp://u:p@127.0.0.1:1/v", 0);
  int64_t before = bus_monotonic();
  struct bus_pending *pending = begin(requester, &ask, 1);
  assert_int_equal(wait_ms(pending, 5000, true), BUS_REQUEST_UNAVAILABLE);
  assert_true(bus_monotonic() - before < 100 * BUS_MILLISECOND);
  assert_int_equal(take(pending), -1);
  assert_false(bus_requester_is_up(requester));
  assert_false(bus_requester_is_blocked(requester));
  bus_request_end(pending);
  bus_requester_free(requester);
}

TEST(request_beyond_the_limit_is_unavailable)
{
  const char *url = make_place();
  struct bus_requester *requester = new_requester(url, 2);
  await_up(requester);
  struct bus_pending *first = begin(requester, &ask, 1), *second = begin(requester, &ask, 2);
  struct bus_pending *third = begin(requester, &ask, 3);
  assert_int_equal(wait_ms(third, 1000, true), BUS_REQUEST_UNAVAILABLE);
  bus_request_end(third);
  bus_request_end(first);
  third = begin(requester, &ask, 3);
  assert_int_equal(wait_ms(third, 5000, true), BUS_REQUEST_CONFIRMED);
  bus_request_end(second);
  bus_request_end(third);
  bus_requester_free(requester);
}

TEST(request_settings_are_checked)
{
  static const char *const instances[] = {"", "a.b", "a b", "01234567890123456789012345678901234567890"};
  struct bus_requester_settings settings = {.amqp_url = "amqp://u:p@h/v", .service = "edge"};
  struct bus_requester *requester = NULL;
  struct bus_error err;
  for (size_t i = 0; i < BUS_COUNT(instances); i++) {
    settings.instance = instances[i];
    assert_false(bus_requester_new(&settings, &requester, &err));
    assert_int_equal(err.code, BUS_E_CONFIG);
  }
  settings.instance = "1";
  settings.amqp_url = "amqp://h";
  assert_false(bus_requester_new(&settings, &requester, &err));
  assert_null(requester);
}

static void set_watermark(const char *value) {
  char command[512];
  (void)snprintf(command, sizeof command, "%s -q set_vm_memory_high_watermark %s >/dev/null",
                 getenv("TEST_RABBITMQCTL"), value);
  assert_int_equal(system(command), 0); /* the test's own environment names the command */
}

TEST(request_while_the_broker_is_blocked_is_unavailable_at_once)
{
  if (getenv("TEST_RABBITMQCTL") == NULL)
    skip_test("TEST_RABBITMQCTL is not set");
  const char *url = make_place();
  struct bus_requester *requester = new_requester(url, 0);
  await_up(requester);
  set_watermark("0.0000001");
  struct bus_pending *first = begin(requester, &ask, 1);
  for (int i = 0; i < 500 && !bus_requester_is_blocked(requester); i++)
    usleep(10000);
  assert_true(bus_requester_is_blocked(requester));
  struct bus_pending *second = begin(requester, &ask, 2);
  assert_int_equal(wait_ms(second, 1000, true), BUS_REQUEST_UNAVAILABLE);
  set_watermark("0.4");
  assert_int_equal(wait_ms(first, 10000, true), BUS_REQUEST_CONFIRMED);
  assert_false(bus_requester_is_blocked(requester));
  bus_request_end(first);
  bus_request_end(second);
  bus_requester_free(requester);
}

/* ---- loss ---- */

TEST(request_under_way_is_lost_with_the_connection_and_the_next_one_answered)
{
  char through[512];
  const char *url = make_place();
  struct proxy *proxy = proxy_for_url(url, through);
  assert_non_null(proxy);
  struct bus_requester *requester = new_requester(through, 0);
  await_up(requester);
  struct bus_pending *confirmed = begin(requester, &ask, 1), *question = begin(requester, &query, 2);
  assert_int_equal(wait_ms(confirmed, 5000, true), BUS_REQUEST_CONFIRMED);
  proxy_refuse(proxy, true);
  proxy_cut(proxy);
  assert_int_equal(wait_ms(question, 5000, false), BUS_REQUEST_LOST);
  assert_int_equal(wait_ms(confirmed, 50, false), BUS_REQUEST_CONFIRMED); /* the broker has it */
  assert_false(bus_requester_is_up(requester));
  struct bus_pending *refused = begin(requester, &ask, 3);
  assert_int_equal(wait_ms(refused, 1000, true), BUS_REQUEST_UNAVAILABLE);
  proxy_refuse(proxy, false);
  await_up(requester);
  struct responder *responder = start_responder(url, ANSWER_ONCE);
  /* the queue kept what was confirmed, and its answer finds the asker's new queue of the same name */
  assert_int_equal(wait_ms(confirmed, 5000, false), BUS_REQUEST_ANSWERED);
  struct bus_pending *next = begin(requester, &ask, 4);
  assert_int_equal(wait_ms(next, 5000, false), BUS_REQUEST_ANSWERED);
  assert_int_equal(take(next), 4);
  bus_request_end(confirmed);
  bus_request_end(question);
  bus_request_end(refused);
  bus_request_end(next);
  bus_requester_free(requester);
  stop_responder(responder);
  proxy_stop(proxy);
}

TEST(request_survives_a_deleted_reply_queue)
{
  const char *url = make_place();
  struct responder *responder = start_responder(url, ANSWER_ONCE);
  struct bus_requester *requester = new_requester(url, 0);
  await_up(requester);
  char answer_text[65536], path[256], name[128];
  const char *vhost = strrchr(url, '/') + 1;
  (void)snprintf(path, sizeof path, "queues/%s", vhost);
  assert_int_equal(manage("GET", path, NULL, answer_text, sizeof answer_text), 200);
  const char *begin_of = strstr(answer_text, "edge.reply.");
  assert_non_null(begin_of);
  (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(begin_of, "\""), begin_of);
  (void)snprintf(path, sizeof path, "queues/%s/%s", vhost, name);
  int status = manage("DELETE", path, NULL, NULL, 0);
  assert_in_range(status, 200,
                  499); /* a broker may refuse to delete someone's exclusive queue; then it is still there */
  usleep(200000);
  await_up(requester);
  struct bus_pending *pending = begin(requester, &ask, 5);
  assert_int_equal(wait_ms(pending, 5000, false), BUS_REQUEST_ANSWERED);
  bus_request_end(pending);
  bus_requester_free(requester);
  stop_responder(responder);
}

static void *free_requester(void *requester) {
  bus_requester_free(requester);
  return NULL;
}

TEST(request_open_at_the_end_is_lost_and_not_left_waiting)
{
  const char *url = make_place();
  struct bus_requester *requester = new_requester(url, 0);
  pthread_t thread;
  await_up(requester);
  struct bus_pending *pending = begin(requester, &query, 1);
  assert_int_equal(wait_ms(pending, 100, false), BUS_REQUEST_SENT);
  assert_int_equal(pthread_create(&thread, NULL, free_requester, requester), 0);
  assert_int_equal(wait_ms(pending, 20000, false), BUS_REQUEST_LOST);
  bus_request_end(pending);
  pthread_join(thread, NULL);
}

/* ---- many ---- */

enum { THREADS = 64, REQUESTS = 50 };

struct asker {
  struct bus_requester *requester;
  int index, wrong;
};

static void *ask_many(void *argument) {
  struct asker *asker = argument;
  for (int i = 0; i < REQUESTS; i++) {
    int64_t value = asker->index * REQUESTS + i;
    struct number body = {.value = value};
    struct bus_request request = {.type = i % 3 == 0 ? &query : &ask, .body = &body};
    struct bus_pending *pending = bus_request_begin(asker->requester, &request);
    if (pending == NULL || wait_ms(pending, 20000, false) != BUS_REQUEST_ANSWERED || take(pending) != value)
      asker->wrong++;
    bus_request_end(pending);
  }
  return NULL;
}

TEST(request_answers_find_their_askers_among_many_threads)
{
  const char *url = make_place();
  struct responder *responder = start_responder(url, ANSWER_ONCE);
  struct bus_requester *requester = new_requester(url, 0);
  static struct asker askers[THREADS];
  static pthread_t threads[THREADS];
  await_up(requester);
  for (int i = 0; i < THREADS; i++) {
    askers[i] = (struct asker){.requester = requester, .index = i};
    assert_int_equal(pthread_create(&threads[i], NULL, ask_many, &askers[i]), 0);
  }
  int wrong = 0;
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
    wrong += askers[i].wrong;
  }
  assert_int_equal(wrong, 0);
  assert_int_equal(atomic_load(&responder->taken), THREADS * REQUESTS);
  bus_requester_free(requester);
  stop_responder(responder);
}

/* More at once than may be unconfirmed: the rest waits in the queue for confirms, and all get through. */
TEST(request_cap_of_unconfirmed_bytes_loses_nothing)
{
  enum { N = 500 };
  const char *url = make_place();
  struct bus_requester_settings settings = {
      .amqp_url = url, .service = "edge", .instance = fresh_name("i"), .max_unconfirmed = 4096};
  struct bus_requester *requester;
  struct bus_error err;
  static struct bus_pending *pending[N];
  assert_true(bus_requester_new(&settings, &requester, &err));
  await_up(requester);
  for (int i = 0; i < N; i++)
    pending[i] = begin(requester, &ask, i);
  for (int i = 0; i < N; i++) {
    assert_int_equal(wait_ms(pending[i], 20000, true), BUS_REQUEST_CONFIRMED);
    bus_request_end(pending[i]);
  }
  bus_requester_free(requester);
}

static int64_t cpu_time(void) {
  struct rusage usage;
  (void)getrusage(RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * BUS_SECOND + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

TEST(request_idle_requester_uses_no_cpu)
{
  const char *url = make_place();
  struct bus_requester *requester = new_requester(url, 0);
  await_up(requester);
  struct bus_pending *pending = begin(requester, &ask, 1);
  assert_int_equal(wait_ms(pending, 5000, true), BUS_REQUEST_CONFIRMED);
  bus_request_end(pending);
  usleep(700000); /* the watchdog falls asleep */
  int64_t before = cpu_time();
  usleep(2000000);
  assert_true(cpu_time() - before < 10 * BUS_MILLISECOND);
  bus_requester_free(requester);
}
