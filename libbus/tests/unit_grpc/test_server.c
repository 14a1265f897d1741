/* Calls over a real connection: answers, streams, statuses, deadlines and drains. */
#include "fixture.h"
#include "test.h"

#include <bus/clock.h>

#include <poll.h>
#include <stdatomic.h>

static struct bus_grpc_server *server;
static struct client *client;

static void start(void) {
  const struct bus_grpc_settings settings = fixture_settings();
  server = fixture_start(&settings);
  client = client_open(bus_grpc_server_port(server));
}

static void stop(void) {
  client_close(client);
  bus_grpc_server_stop(server);
}

static void assert_status(const struct client_answer *answer, const char *code, const char *message) {
  assert_string_equal(answer->http_status, "200");
  assert_string_equal(answer->code, code);
  assert_string_equal(answer->message, message);
}

TEST(a_call_is_answered)
{
  start();
  const struct client_answer *answer = fixture_call(client, "/t.T/Echo", "hello");
  assert_status(answer, "0", "");
  assert_int_equal(answer->len, 10);
  assert_memory_equal(answer->bytes, "\0\0\0\0\5hello", 10);
  stop();
}

static atomic_bool ready;

static bool is_ready(void *context) {
  (void)context;
  return atomic_load(&ready);
}

TEST(connections_before_it_is_ready_are_refused)
{
  struct bus_grpc_settings settings = fixture_settings();
  int64_t until = bus_monotonic() + 5 * BUS_SECOND;
  settings.is_ready = is_ready;
  atomic_store(&ready, false);
  server = fixture_start(&settings);
  int port = bus_grpc_server_port(server);
  (void)poll(NULL, 0, 300);
  assert_false(client_can_connect(port));
  atomic_store(&ready, true);
  while (!client_can_connect(port))
    assert_true(bus_monotonic() < until);
  atomic_store(&ready, false); /* later it has answers of its own */
  (void)poll(NULL, 0, 300);
  client = client_open(port);
  assert_status(fixture_call(client, "/t.T/Echo", "hello"), "0", "");
  stop();
}

TEST(many_calls_of_one_connection_are_answered)
{
  start();
  int streams[90];
  for (size_t i = 0; i < BUS_COUNT(streams); i++)
    streams[i] = client_send(client, &(struct client_call){.path = "/t.T/Echo", .body = fixture_framed("x")});
  for (size_t i = 0; i < BUS_COUNT(streams); i++)
    assert_status(client_wait(client, streams[i], 5000), "0", "");
  assert_int_equal(fixture_handled(), 90);
  stop();
}

TEST(calls_that_change_while_others_are_answered_are_answered)
{
  start();
  int streams[90];
  for (int round = 0; round < 5; round++) {
    for (size_t i = 0; i < BUS_COUNT(streams); i++)
      streams[i] = client_send(client, &(struct client_call){.path = "/t.T/Chatter", .body = fixture_framed("")});
    for (size_t i = 0; i < BUS_COUNT(streams); i++) {
      const struct client_answer *answer = client_wait(client, streams[i], 5000);
      assert_status(answer, "0", "");
      assert_int_equal(answer->len, 5 * FIXTURE_CHATTER);
    }
  }
  stop();
}

TEST(an_empty_message_is_one)
{
  start();
  const struct client_answer *answer = fixture_call(client, "/t.T/Echo", "");
  assert_status(answer, "0", "");
  assert_memory_equal(answer->bytes, "\0\0\0\0\0", 5);
  stop();
}

TEST(a_handler_sees_metadata_and_peer)
{
  start();
  int stream = client_send(
      client, &(struct client_call){.path = "/t.T/Show", .more = {{"x-y", "z"}}, .body = fixture_framed("")});
  const struct client_answer *answer = client_wait(client, stream, 5000);
  assert_memory_equal(answer->bytes + 5, "z from 127.0.0.1", 16);
  stop();
}

TEST(a_status_has_an_encoded_message_and_details)
{
  start();
  const struct client_answer *answer = fixture_call(client, "/t.T/Fail", "");
  assert_status(answer, "5", "100%25 gone%0A");
  assert_string_equal(answer->details, "Zm9v");
  assert_int_equal(answer->len, 0);
  stop();
}

TEST(a_handler_without_an_answer_is_internal)
{
  start();
  assert_status(fixture_call(client, "/t.T/Forget", ""), "13", "no answer was made");
  stop();
}

TEST(an_unknown_method_is_unimplemented)
{
  start();
  assert_status(fixture_call(client, "/t.T/Nothing", ""), "12", "no such method");
  stop();
}

TEST(requests_that_are_not_grpc_get_their_http_status)
{
  start();
  int get = client_send(client, &(struct client_call){.method = "GET", .path = "/t.T/Echo"});
  int json = client_send(client, &(struct client_call){.path = "/t.T/Echo", .content_type = "application/json"});
  assert_string_equal(client_wait(client, get, 5000)->http_status, "405");
  assert_string_equal(client_wait(client, json, 5000)->http_status, "415");
  stop();
}

TEST(a_stream_of_messages_comes_in_order)
{
  start();
  const struct client_answer *answer = fixture_call(client, "/t.T/Stream", "");
  assert_status(answer, "0", "");
  assert_int_equal(answer->len, 26);
  assert_memory_equal(answer->bytes, "\0\0\0\0\3one\0\0\0\0\3two\0\0\0\0\5three", 26);
  stop();
}

TEST(each_message_of_a_call_is_answered)
{
  start();
  struct bus_str body = {"\0\0\0\0\1a\0\0\0\0\2bc", 13};
  int stream = client_send(client, &(struct client_call){.path = "/t.T/Each", .body = body});
  const struct client_answer *answer = client_wait(client, stream, 5000);
  assert_status(answer, "0", "");
  assert_int_equal(answer->len, 17);
  assert_memory_equal(answer->bytes, "\0\0\0\0\3<a>\0\0\0\0\4<bc>", 17);
  stop();
}

TEST(a_message_that_is_refused_ends_the_call)
{
  start();
  assert_status(fixture_call(client, "/t.T/Each", "bad"), "11", "OUT_OF_RANGE");
  stop();
}

TEST(a_deadline_ends_the_call_and_its_handler)
{
  start();
  int64_t began = bus_monotonic();
  int stream = client_send(
      client,
      &(struct client_call){.path = "/t.T/Wait", .more = {{"grpc-timeout", "300m"}}, .body = fixture_framed("")});
  assert_status(client_wait(client, stream, 5000), "4", "the deadline has passed");
  int64_t took = bus_monotonic() - began;
  assert_true(took >= 300 * BUS_MILLISECOND && took < 2 * BUS_SECOND);
  stop();
  assert_true(fixture_saw_gone());
}

TEST(a_deadline_that_has_passed_begins_nothing)
{
  start();
  int stream = client_send(
      client, &(struct client_call){.path = "/t.T/Echo", .more = {{"grpc-timeout", "0u"}}, .body = fixture_framed("")});
  assert_string_equal(client_wait(client, stream, 5000)->code, "4");
  assert_int_equal(fixture_handled(), 0);
  stop();
}

TEST(a_cancelled_call_is_gone_for_its_handler)
{
  start();
  int stream = client_send(client, &(struct client_call){.path = "/t.T/Wait", .body = fixture_framed("")});
  client_run(client, 100);
  client_reset(client, stream);
  for (int i = 0; i < 50 && !fixture_saw_gone(); i++)
    client_run(client, 20);
  assert_true(fixture_saw_gone());
  stop();
}

TEST(a_handler_outlives_its_connection)
{
  start();
  (void)client_send(client, &(struct client_call){.path = "/t.T/Slow", .body = fixture_framed("x")});
  client_run(client, 100);
  stop(); /* it waits for the handler, whose call is gone */
}

/* The drain and the stop of another thread would block this one: the drain alone returns at once. */
TEST(a_drain_serves_then_tells_clients_to_go)
{
  start();
  int slow = client_send(client, &(struct client_call){.path = "/t.T/Slow", .body = fixture_framed("x")});
  client_run(client, 50);
  bus_grpc_server_drain(server, 200);
  assert_status(fixture_call(client, "/t.T/Echo", "still"), "0", "");
  assert_int_equal(client_goaway(client), -1);
  assert_status(client_wait(client, slow, 5000), "0", "");
  client_run(client, 3000);
  assert_true(client_is_gone(client));
  assert_int_equal(client_goaway(client), 3); /* the last of the two calls */
  assert_int_equal(client_goaway_error(client), 0);
  stop();
}
