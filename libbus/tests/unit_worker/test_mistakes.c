/* A worker that cannot be made: the text says what to change. */
#include <bus/worker.h>

#include <stdio.h>
#include <test.h>

static const struct bus_message_type greet = BUS_COMMAND("greeter.greet.v1", NULL, "edge");
static const struct bus_message_type *const types[] = {&greet};
static const struct bus_queue queues[] = {BUS_WORK_QUEUE("greeter", types)};
static const struct bus_topology_part part = BUS_TOPOLOGY_PART("greeter-svc", types, queues);
static const struct bus_topology_part edge = {.user = {.name = "edge"}};
static const struct bus_topology_part *const parts[] = {&part, &edge};
static const struct bus_topology topology = {
    .parts = parts, .part_count = 2, .tiers = bus_default_tiers, .tier_count = 3, .query_ttl_ms = 5000};
static const char *const names[] = {"greeter"};
static const struct bus_statement statement = {"SELECT 1", ""};

static bool make(const char *name, const char *user, struct bus_error *err) {
  char url[128];
  struct bus_worker *worker;
  const struct bus_service service = {
      .name = name, .queues = names, .queue_count = 1, .statements = &statement, .statement_count = 1};
  struct bus_worker_settings settings = {BUS_WORKER_DEFAULTS};
  (void)snprintf(url, sizeof url, "amqp://%s:very-secret@127.0.0.1:1/v", user);
  settings.amqp_url = url;
  settings.database_url = "postgres://u:p@127.0.0.1:1/d";
  if (!bus_worker_new(&service, &topology, &settings, NULL, &worker, err))
    return false;
  bus_worker_free(worker);
  return true;
}

TEST(a_service_logs_in_as_the_user_of_its_queues)
{
  struct bus_error err;
  assert_true(make("greeter-svc", "greeter-svc", &err));
  assert_false(make("greeter-svc", "guest", &err));
  assert_int_equal(err.code, BUS_E_CONFIG);
  assert_string_equal(err.text, "RABBITMQ_URL logs in as guest, but the topology gives the queues and permissions of "
                                "this service to the user greeter-svc: give the URL that user");
}

TEST(a_service_is_named_as_the_user_of_its_queues)
{
  struct bus_error err;
  assert_false(make("greeter", "greeter", &err));
  assert_string_equal(
      err.text,
      "service greeter: queue greeter belongs to the user greeter-svc in the topology: name the service greeter-svc");
}
