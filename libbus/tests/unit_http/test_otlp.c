/* The exporter with a collector that takes spans, is away, refuses or hangs. */
#include <bus/clock.h>
#include <bus/metrics.h>
#include <bus/otlp.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client_driver.h"
#include "fixture.h"
#include "odd_server.h"
#include "test.h"

#define TRACEPARENT "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static const struct bus_span_resource resource = {"edge", "instance-1", "1.2.3"};

/* ---- metrics, since the exporter was started ---- */

static const char *const causes[] = {"full", "unreachable", "refused", "rejected", "stopped"};
static int64_t exported_before, lost_before[BUS_COUNT(causes)];

static int64_t exported(void) {
  struct bus_metric *metric = bus_metric_register(&(struct bus_metric_spec){.name = "bus_spans_exported_total"});
  return bus_series_value(bus_metric_series(metric, NULL)) - exported_before;
}

static int64_t lost(const char *cause) {
  struct bus_metric *metric = bus_metric_register(&(struct bus_metric_spec){.name = "bus_spans_dropped_total"});
  size_t i = 0;
  while (strcmp(causes[i], cause) != 0)
    i++;
  return bus_series_value(bus_metric_series(metric, &causes[i])) - lost_before[i];
}

static void count_from_now(void) {
  exported_before += exported();
  for (size_t i = 0; i < BUS_COUNT(causes); i++)
    lost_before[i] += lost(causes[i]);
}

/* ---- a collector ---- */

static char collected[256 * 1024];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void collect(void *context, struct bus_http_exchange *exchange) {
  struct bus_str body = bus_http_body(exchange);
  (void)context;
  pthread_mutex_lock(&lock);
  size_t len = strlen(collected);
  assert_true(len + body.len < sizeof collected);
  memcpy(collected + len, body.data, body.len + 1);
  pthread_mutex_unlock(&lock);
  bus_http_reply(exchange, 200, "application/json", BUS_STR("{}"));
}

static void assert_collected(const char *text) {
  pthread_mutex_lock(&lock);
  assert_non_null(strstr(collected, text));
  pthread_mutex_unlock(&lock);
}

static struct bus_http_server *collector_start(void) {
  static const struct bus_http_route routes[] = {
      {.method = "POST", .path = "/a/v1/traces", .handler = collect, .body_limit = sizeof collected - 1}};
  const struct bus_http_settings settings = {.bind = "127.0.0.1", .threads = 4};
  struct bus_http_server *server;
  collected[0] = '\0';
  assert_true(bus_http_server_start(&settings, routes, 1, NULL, &server, NULL));
  return server;
}

static struct bus_otlp *start_for(const char *endpoint) {
  struct bus_otlp *otlp;
  struct bus_error err;
  const struct bus_trace_options options = {.endpoint = endpoint, .ca_file = "", .sample_ppm = 1000000};
  if (!bus_otlp_start(&options, &resource, &otlp, &err))
    fail_msg("%s", err.text);
  assert_non_null(otlp);
  count_from_now();
  return otlp;
}

static struct bus_otlp *start(int port, const char *path) {
  return start_for(driven_url(port, path));
}

static struct bus_span sample(void) {
  struct bus_trace trace;
  struct bus_span span;
  assert_true(bus_trace_parse(BUS_STR(TRACEPARENT), &trace));
  bus_span_init(&span, BUS_SPAN_INTERNAL, &trace, NULL);
  bus_span_set_name(&span, "sample");
  return span;
}

static void record(struct bus_otlp *otlp, int count) {
  struct bus_span span = sample();
  for (int i = 0; i < count; i++)
    bus_tracer_record(bus_otlp_tracer(otlp), &span);
}

static bool comes(int64_t (*count)(void), int64_t wanted) {
  int64_t until = bus_monotonic() + 10 * BUS_SECOND;
  while (count() < wanted && bus_monotonic() < until)
    poll(NULL, 0, 10);
  return count() == wanted;
}

/* A port that refuses connections: it is bound and does not listen. */
static int closed_port(int *ret_fd) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof address;
  *ret_fd = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(bind(*ret_fd, (const struct sockaddr *)&address, sizeof address), 0);
  assert_int_equal(getsockname(*ret_fd, (struct sockaddr *)&address, &len), 0);
  return ntohs(address.sin_port);
}

/* ---- cases ---- */

TEST(without_an_endpoint_there_is_no_tracer)
{
  struct bus_otlp *otlp = (struct bus_otlp *)&lock;
  struct bus_trace trace;
  struct bus_span span = sample();
  assert_true(bus_otlp_start(&(struct bus_trace_options){.endpoint = ""}, &resource, &otlp, NULL));
  assert_null(otlp);
  assert_null(bus_otlp_tracer(otlp));
  assert_true(bus_trace_parse(BUS_STR(TRACEPARENT), &trace));
  assert_false(bus_tracer_wants(NULL, &trace));
  bus_tracer_record(NULL, &span);
  bus_otlp_stop(otlp, 1000);
}

TEST(a_wrong_endpoint_is_refused)
{
  struct bus_otlp *otlp;
  struct bus_error err;
  assert_false(bus_otlp_start(&(struct bus_trace_options){.endpoint = "collector:4318"}, &resource, &otlp, &err));
  assert_non_null(strstr(err.text, "OTEL_EXPORTER_OTLP_ENDPOINT=collector:4318"));
}

TEST(spans_of_requests_arrive_with_parent_and_resource)
{
  struct bus_http_server *collector = collector_start();
  struct bus_otlp *otlp = start(bus_http_server_port(collector), "/a/");
  struct fixture fixture = fixture_start((struct bus_http_settings){.tracer = bus_otlp_tracer(otlp)});
  static const char request[] =
      "GET /trace HTTP/1.1\r\nHost: a\r\nConnection: close\r\ntraceparent: " TRACEPARENT "\r\n\r\n";
  assert_int_equal(raw_status(raw_talk(fixture.port, request, 5000)), 200);
  assert_true(comes(exported, 1)); /* without a stop, once it has gathered */
  assert_collected("\"service.name\",\"value\":{\"stringValue\":\"edge\"}");
  assert_collected("\"service.instance.id\",\"value\":{\"stringValue\":\"instance-1\"}");
  assert_collected("\"traceId\":\"4bf92f3577b34da6a3ce929d0e0e4736\"");
  assert_collected("\"parentSpanId\":\"00f067aa0ba902b7\",\"name\":\"GET /trace\",\"kind\":2");
  fixture_stop(&fixture);
  bus_otlp_stop(otlp, 1000);
  bus_http_server_stop(collector);
}

TEST(a_stop_sends_what_is_left)
{
  struct bus_http_server *collector = collector_start();
  struct bus_otlp *otlp = start(bus_http_server_port(collector), "/a");
  record(otlp, 3);
  int64_t began = bus_monotonic();
  bus_otlp_stop(otlp, 5000);
  assert_true(bus_monotonic() - began < 3 * BUS_SECOND);
  assert_int_equal(exported(), 3);
  bus_http_server_stop(collector);
}

TEST(while_the_collector_is_away_requests_go_on_and_drops_are_counted)
{
  int fd, port = closed_port(&fd);
  struct bus_otlp *otlp = start(port, "");
  struct fixture fixture = fixture_start((struct bus_http_settings){.tracer = bus_otlp_tracer(otlp)});
  static const char request[] = "GET /trace HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  for (int i = 0; i < 20; i++)
    assert_int_equal(raw_status(raw_talk(fixture.port, request, 5000)), 200);
  fixture_stop(&fixture);
  bus_otlp_stop(otlp, 2000);
  assert_int_equal(exported(), 0);
  assert_int_equal(lost("unreachable"), 20);
  close(fd);
}

static void unavailable(int fd, const char *request) {
  (void)request;
  odd_send(fd, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

TEST(spans_that_are_refused_are_counted)
{
  struct odd_server *server = odd_server_start(unavailable);
  struct bus_otlp *otlp = start(odd_server_port(server), "");
  record(otlp, 5);
  bus_otlp_stop(otlp, 2000);
  assert_int_equal(lost("refused"), 5);
  assert_int_equal(exported(), 0);
  odd_server_stop(server);
}

static void reject_two(int fd, const char *request) {
  assert_non_null(strstr(request, "\r\nauthorization: Bearer sesame\r\n"));
  odd_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 40\r\nConnection: close\r\n\r\n"
               "{\"partialSuccess\":{\"rejectedSpans\":\"2\"}}");
}

TEST(spans_that_are_rejected_are_counted_and_headers_are_sent)
{
  struct odd_server *server = odd_server_start(reject_two);
  const struct bus_trace_options options = {.endpoint = driven_url(odd_server_port(server), ""),
                                            .headers = "authorization=Bearer%20sesame"};
  struct bus_otlp *otlp;
  assert_true(bus_otlp_start(&options, &resource, &otlp, NULL));
  count_from_now();
  record(otlp, 5);
  bus_otlp_stop(otlp, 2000);
  assert_int_equal(lost("rejected"), 2);
  assert_int_equal(exported(), 3);
  odd_server_stop(server);
}

static void hang(int fd, const char *request) {
  char byte[4096];
  (void)request;
  while (recv(fd, byte, sizeof byte, 0) > 0)
    ;
}

enum { RECORDERS = 4, EACH = 2000 };

static void *record_many(void *context) {
  record(context, EACH);
  return NULL;
}

TEST(a_collector_that_hangs_blocks_nothing)
{
  struct odd_server *server = odd_server_start(hang);
  struct bus_otlp *otlp = start(odd_server_port(server), "");
  pthread_t threads[RECORDERS];
  record(otlp, 256);
  int64_t until = bus_monotonic() + 10 * BUS_SECOND;
  while (odd_server_requests(server) == 0 && bus_monotonic() < until)
    poll(NULL, 0, 10);
  int64_t began = bus_monotonic();
  for (int i = 0; i < RECORDERS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, record_many, otlp), 0);
  for (int i = 0; i < RECORDERS; i++)
    pthread_join(threads[i], NULL);
  assert_true(bus_monotonic() - began < 2 * BUS_SECOND);
  assert_in_range(lost("full"), RECORDERS * EACH - 2048, RECORDERS * EACH - 2048 + 256);
  began = bus_monotonic();
  bus_otlp_stop(otlp, 300);
  assert_true(bus_monotonic() - began < BUS_SECOND);
  assert_int_equal(lost("stopped") + lost("full"), RECORDERS * EACH + 256);
  assert_int_equal(exported(), 0);
  odd_server_stop(server);
}

static _Atomic bool is_up;

static void when_up(int fd, const char *request) {
  (void)request;
  odd_send(fd, atomic_load(&is_up) ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
                                   : "HTTP/1.1 500 Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

static int64_t refused(void) {
  return lost("refused");
}

TEST(a_collector_that_is_back_gets_spans_again)
{
  struct odd_server *server = odd_server_start(when_up);
  struct bus_otlp *otlp = start(odd_server_port(server), "");
  record(otlp, 1);
  assert_true(comes(refused, 1));
  atomic_store(&is_up, true);
  record(otlp, 2);
  assert_true(comes(exported, 2));
  bus_otlp_stop(otlp, 1000);
  odd_server_stop(server);
}

/* ---- a resolver that hangs; it takes the place of libc's, and addresses need none ---- */

enum { RESOLVER_S = 4 };
static atomic_int asked;

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **ret) {
  (void)node;
  (void)service;
  (void)hints;
  (void)ret;
  atomic_fetch_add(&asked, 1);
  sleep(RESOLVER_S);
  return EAI_AGAIN;
}

TEST(a_stop_does_not_wait_for_the_resolver)
{
  struct bus_otlp *otlp = start_for("http://collector.invalid:4318");
  record(otlp, 256);
  int64_t until = bus_monotonic() + 10 * BUS_SECOND;
  while (atomic_load(&asked) == 0 && bus_monotonic() < until)
    poll(NULL, 0, 10);
  assert_int_equal(atomic_load(&asked), 1);
  int64_t began = bus_monotonic();
  bus_otlp_stop(otlp, 300);
  assert_true(bus_monotonic() - began < 2 * BUS_SECOND);
  assert_int_equal(lost("stopped"), 256);
}
