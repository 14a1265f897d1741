/* The whole topology at a real broker: applied, applied again, compared, and every retry tier's way back. */
#include "amqp_fixture.h"
#include "amqp_program.h"

#include <orderbus_topology.h>

#include <cjson/cJSON.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char *const no_more = NULL;

/* bus_topology_main in a process of its own. */
static void run(struct output *ret, const struct bus_topology *topology, const char *url, const char *verb,
                const char *bindings) {
  int ends[2] = {-1, -1};
  char *argv[8] = {"bus-topology", "--url", (char *)(uintptr_t)url, (char *)(uintptr_t)verb, no_more};
  int argc = 4;
  if (bindings) {
    argv[argc++] = "--bindings";
    argv[argc++] = (char *)(uintptr_t)bindings;
  }
  assert_int_equal(pipe(ends), 0);
  pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    optind = 1;
    int status = bus_topology_main(argc, argv, topology);
    (void)fflush(NULL);
    _exit(status);
  }
  close(ends[1]);
  collect_output(ret, child, ends[0]);
}

/* Writes the output of `rabbitmqctl list_bindings source_name destination_name routing_key` to a file; returns its
 * name. */
static const char *list_bindings(const char *vhost) {
  static char name[] = "/tmp/bus-bindings-XXXXXX", path[128], answer[1 << 20];
  memcpy(name + sizeof name - 7, "XXXXXX", 6);
  (void)snprintf(path, sizeof path, "bindings/%s", vhost);
  assert_int_equal(manage("GET", path, NULL, answer, sizeof answer), 200);
  cJSON *bindings = cJSON_Parse(answer);
  FILE *out = fdopen(mkstemp(name), "w");
  const cJSON *binding;
  (void)fputs("source_name\tdestination_name\trouting_key\n", out);
  cJSON_ArrayForEach(binding, bindings)(void)
      fprintf(out, "%s\t%s\t%s\n", cJSON_GetObjectItemCaseSensitive(binding, "source")->valuestring,
              cJSON_GetObjectItemCaseSensitive(binding, "destination")->valuestring,
              cJSON_GetObjectItemCaseSensitive(binding, "routing_key")->valuestring);
  cJSON_Delete(bindings);
  (void)fclose(out);
  return name;
}

TEST(topology_is_applied_and_applied_again_without_change)
{
  static struct output output;
  char vhost[64];
  const char *url = fresh_vhost(vhost, sizeof vhost);
  run(&output, &orderbus_topology, url, "diff", NULL);
  assert_int_equal(output.status, 1);
  assert_non_null(strstr(output.text, "missing: queue order-svc.place\n"));
  run(&output, &orderbus_topology, url, "apply", NULL);
  if (output.status != 0)
    fail_msg("%s", output.text);
  static const char applied[] = "applied: ";
  const char *found = strstr(output.text, applied);
  long created = found ? strtol(found + strlen(applied), NULL, 10) : 0;
  assert_true(created > 30);
  assert_non_null(strstr(output.text, " created, 0 were there"));
  run(&output, &orderbus_topology, url, "apply", NULL);
  assert_int_equal(output.status, 0);
  char again[64];
  (void)snprintf(again, sizeof again, "applied: 0 created, %ld were there", created);
  assert_non_null(strstr(output.text, again));
  run(&output, &orderbus_topology, url, "diff", NULL);
  assert_int_equal(output.status, 3); /* nobody has looked at the bindings */
  assert_string_equal(output.text, "bus-topology: bindings not compared: give --bindings\n");
  const char *bindings = list_bindings(vhost);
  run(&output, &orderbus_topology, url, "diff", bindings);
  if (output.status != 0)
    fail_msg("%s", output.text);
  assert_string_equal(output.text, "no difference\n");
  (void)unlink(bindings);
}

/* Earlier versions retried through one exchange and one queue a tier for all. A message waits there. */
static void lay_out_as_before(struct link *link, const char *vhost) {
  struct bus_declaration retry = exchange_of(BUS_EXCHANGE_RETRY), back = exchange_of(BUS_EXCHANGE_BACK);
  struct bus_declaration way = binding_of(BUS_EXCHANGE_RETRY, "1s.#", "bus.retry.1s");
  struct bus_declaration tier = {.kind = BUS_DECLARE_QUEUE,
                                 .name = "bus.retry.1s",
                                 .arguments = {{.name = "x-queue-type", .text = "quorum"},
                                               {.name = "x-message-ttl", .number = 3000},
                                               {.name = "x-dead-letter-exchange", .text = "bus.back"},
                                               {.name = "x-dead-letter-strategy", .text = "at-least-once"},
                                               {.name = "x-overflow", .text = "reject-publish"}},
                                 .argument_count = 5};
  char path[128], answer[256];
  declare(link, &retry);
  declare(link, &back);
  declare(link, &tier);
  declare(link, &way);
  (void)snprintf(path, sizeof path, "exchanges/%s/bus.retry/publish", vhost);
  assert_int_equal(manage("POST", path,
                          "{\"routing_key\":\"1s.payment-svc\",\"payload\":\"waiting\",\"payload_encoding\":"
                          "\"string\",\"properties\":{}}",
                          answer, sizeof answer),
                   200);
  assert_non_null(strstr(answer, "\"routed\":true"));
}

TEST(topology_is_applied_to_the_broker_of_an_earlier_version)
{
  static struct output output;
  char vhost[64], path[128];
  const char *url = fresh_vhost(vhost, sizeof vhost);
  struct link *link = link_open(url);
  lay_out_as_before(link, vhost);
  run(&output, &orderbus_topology, url, "apply", NULL);
  if (output.status != 0)
    fail_msg("%s", output.text);
  link_consume(link, "payment-svc", 0, 1);
  link_await(link, SEEN_DELIVERY, 1, 20000);
  assert_true(bus_str_is(link_nth(link, SEEN_DELIVERY, 0)->delivery.body, "waiting"));
  const char *bindings = list_bindings(vhost);
  run(&output, &orderbus_topology, url, "diff", bindings);
  assert_non_null(strstr(output.text, "not ours: binding (source, destination, key) bus.retry\tbus.retry.1s\t1s.#\n"));
  assert_int_equal(output.status, 1);
  (void)unlink(bindings);
  (void)snprintf(path, sizeof path, "exchanges/%s/bus.retry", vhost);
  assert_int_equal(manage("DELETE", path, NULL, NULL, 0), 204);
  bindings = list_bindings(vhost);
  run(&output, &orderbus_topology, url, "diff", bindings);
  assert_string_equal(output.text, "no difference\n");
  (void)unlink(bindings);
  link_close(link);
}

TEST(topology_diff_finds_a_missing_and_a_foreign_binding)
{
  static struct output output;
  char vhost[64];
  const char *url = fresh_vhost(vhost, sizeof vhost);
  struct link *link = link_open(url);
  assert_true(apply_topology(link, &orderbus_topology));
  struct bus_declaration queue = queue_of("spy"), spy = binding_of(BUS_EXCHANGE_CMD, "payment.charge", "spy");
  declare(link, &queue);
  declare(link, &spy);
  char path[256];
  (void)snprintf(path, sizeof path, "bindings/%s/e/bus.cmd/q/order-svc.place/order.place", vhost);
  assert_int_equal(manage("DELETE", path, NULL, NULL, 0), 204);
  const char *bindings = list_bindings(vhost);
  run(&output, &orderbus_topology, url, "diff", bindings);
  assert_int_equal(output.status, 1);
  assert_non_null(strstr(output.text, "missing: binding bus.cmd order.place -> order-svc.place\n"));
  assert_non_null(strstr(output.text, "not ours: binding (source, destination, key) bus.cmd\tspy\tpayment.charge\n"));
  (void)unlink(bindings);
  link_close(link);
}

/* The tiers of the real topology have other times: a changed argument for the broker. */
static struct bus_topology with_tiers(const struct bus_tier *tiers, size_t count) {
  struct bus_topology topology = orderbus_topology;
  topology.tiers = tiers;
  topology.tier_count = count;
  return topology;
}

TEST(topology_diff_finds_a_changed_argument_and_apply_changes_nothing)
{
  static struct output output;
  static const struct bus_tier tiers[] = {{"1s", 1234}, {"new", 5000}};
  struct bus_topology changed = with_tiers(tiers, 2);
  char vhost[64];
  const char *url = fresh_vhost(vhost, sizeof vhost);
  struct link *link = link_open(url);
  assert_true(apply_topology(link, &orderbus_topology));
  run(&output, &changed, url, "diff", NULL);
  assert_int_equal(output.status, 1);
  assert_non_null(strstr(output.text, "differs: queue bus.retry.1s.order-svc\n"));
  assert_non_null(strstr(output.text, "x-message-ttl")); /* the broker says what */
  assert_non_null(strstr(output.text, "missing: queue bus.retry.new.order-svc\n"));
  run(&output, &changed, url, "apply", NULL);
  assert_int_equal(output.status, 1);
  assert_non_null(strstr(output.text, "nothing was changed"));
  struct bus_declaration d = queue_of("bus.retry.new.order-svc");
  assert_false(bus_amqp_declare(link->amqp, &d, true, &link->err));
  link_close(link);
}

TEST(topology_program_says_what_is_wrong_with_its_call)
{
  static struct output output;
  run(&output, &orderbus_topology, "amqp://u:hunter2@127.0.0.1:1/v", "apply", NULL);
  assert_int_equal(output.status, 2);
  assert_non_null(strstr(output.text, "127.0.0.1 port 1"));
  assert_null(strstr(output.text, "hunter2"));
  run(&output, &orderbus_topology, test_url(), "destroy", NULL);
  assert_int_equal(output.status, 2);
  run(&output, &orderbus_topology, test_url(), "diff", "/no/such/file");
  assert_int_equal(output.status, 2);
  run(&output, &orderbus_topology, test_url(), "print", NULL);
  assert_int_equal(output.status, 0);
  assert_non_null(strstr(output.text, "queue order-svc x-queue-type=quorum"));
}

/* ---- the ways that messages go ---- */

static const struct bus_tier short_tiers[] = {{"1s", 50}, {"30s", 100}, {"10m", 150}};

static size_t work_queues(const struct bus_topology *topology, const struct bus_queue *ret[8]) {
  const struct bus_queue *queue;
  size_t count = 0;
  for (size_t i = 0; (queue = bus_topology_queue_at(topology, i)); i++)
    if (queue->kind == BUS_QUEUE_WORK)
      ret[count++] = queue;
  return count;
}

static struct link *open_owner(const struct bus_queue *queue, const char *vhost) {
  struct link *owner = link_open(url_of(bus_topology_owner(&orderbus_topology, queue)->user.name, vhost));
  assert_true(bus_amqp_confirm(owner->amqp, &owner->err));
  return owner;
}

static const struct seen *delivery_of(const struct link *link, const struct bus_uuid *id) {
  for (size_t i = 0; i < link->count; i++)
    if (link->seen[i].kind == SEEN_DELIVERY && bus_uuid_equal(&link->seen[i].message_id, id))
      return &link->seen[i];
  return NULL;
}

TEST(topology_each_tier_brings_a_message_back_to_its_queue)
{
  struct bus_topology topology = with_tiers(short_tiers, 3);
  const struct bus_queue *queues[8];
  struct bus_uuid ids[8][3];
  struct link *owners[8];
  char vhost[64], key[BUS_KEY_MAX];
  struct link *link = link_open(fresh_vhost(vhost, sizeof vhost));
  size_t count = work_queues(&topology, queues);
  assert_true(count > 1);
  assert_true(apply_topology(link, &topology));
  import_permissions(&topology, vhost);
  for (size_t q = 0; q < count; q++) {
    owners[q] = open_owner(queues[q], vhost);
    link_consume(link, queues[q]->name, (int)q, 100);
  }
  int64_t begin = bus_monotonic();
  for (size_t q = 0; q < count; q++)
    for (size_t t = 0; t < topology.tier_count; t++) {
      (void)snprintf(key, sizeof key, "%s.%s", topology.tiers[t].name, queues[q]->name);
      link_publish(owners[q], BUS_EXCHANGE_RETRY, key, true, &ids[q][t]);
      link_await(owners[q], SEEN_ACK, t + 1, 5000);
      assert_int_equal(link_count(owners[q], SEEN_RETURN), 0);
    }
  link_await(link, SEEN_DELIVERY, count * topology.tier_count, 10000);
  assert_true(bus_monotonic() - begin >= 150 * BUS_MILLISECOND);
  for (size_t q = 0; q < count; q++)
    link_close(owners[q]);
  for (size_t q = 0; q < count; q++)
    for (size_t t = 0; t < topology.tier_count; t++) {
      const struct seen *seen = delivery_of(link, &ids[q][t]);
      assert_non_null(seen);
      assert_int_equal(seen->consumer, q);
      assert_true(bus_str_is(seen->delivery.envelope.type, "test.thing.v1"));
    }
  link_close(link);
}

TEST(topology_parked_messages_reach_the_dead_queue)
{
  const struct bus_queue *queues[8];
  char vhost[64], dead[BUS_KEY_MAX];
  struct link *link = link_open(fresh_vhost(vhost, sizeof vhost));
  size_t count = work_queues(&orderbus_topology, queues);
  assert_true(apply_topology(link, &orderbus_topology));
  import_permissions(&orderbus_topology, vhost);
  for (size_t q = 0; q < count; q++) {
    struct link *owner = open_owner(queues[q], vhost);
    (void)snprintf(dead, sizeof dead, "%s.dead", queues[q]->name);
    link_consume(link, dead, (int)q, 10);
    link_publish(owner, BUS_EXCHANGE_DEAD, queues[q]->name, true, NULL);
    link_await(owner, SEEN_ACK, 1, 5000);
    link_close(owner);
    link_await(link, SEEN_DELIVERY, q + 1, 5000);
    assert_int_equal(link_nth(link, SEEN_DELIVERY, q)->consumer, q);
  }
  link_close(link);
}

/* An event queue has an instance on the reader's connection. */
static void consume_queue(struct link *reader, const struct bus_queue *queue, int consumer) {
  char name[BUS_KEY_MAX];
  bool own = queue->kind == BUS_QUEUE_EVENT;
  (void)snprintf(name, sizeof name, "%s%s", queue->name, own ? ".1" : "");
  if (own && !bus_amqp_event_queue(reader->amqp, queue, "1", &reader->err))
    fail_msg("%s", reader->err.text);
  link_consume(reader, name, consumer, 100);
}

/* A type may go to several queues, whose copies come in any order. */
static void await_in_queue(struct link *reader, const struct bus_uuid *id, size_t consumer) {
  for (size_t count = 1;; count++) {
    for (size_t i = 0; i < reader->count; i++)
      if (reader->seen[i].kind == SEEN_DELIVERY && bus_uuid_equal(&reader->seen[i].message_id, id) &&
          (size_t)reader->seen[i].consumer == consumer)
        return;
    link_await(reader, SEEN_DELIVERY, count, 5000);
  }
}

TEST(topology_every_type_reaches_its_queues)
{
  enum { LINKS = 8, CONSUMERS = 4 };
  char vhost[64], key[BUS_KEY_MAX];
  const char *url = fresh_vhost(vhost, sizeof vhost);
  struct link *link = link_open(url), *readers[LINKS] = {NULL};
  assert_true(apply_topology(link, &orderbus_topology));
  assert_true(bus_amqp_confirm(link->amqp, &link->err));
  const struct bus_queue *queue;
  for (size_t q = 0; (queue = bus_topology_queue_at(&orderbus_topology, q)); q++) {
    assert_true(q < (size_t)LINKS * CONSUMERS);
    if (q % CONSUMERS == 0)
      readers[q / CONSUMERS] = link_open(url);
    consume_queue(readers[q / CONSUMERS], queue, (int)(q % CONSUMERS));
  }
  for (size_t q = 0; (queue = bus_topology_queue_at(&orderbus_topology, q)); q++)
    for (size_t t = 0; t < queue->type_count; t++) {
      const struct bus_message_type *type = queue->types[t];
      struct bus_str text = bus_message_key(type);
      struct link *reader = readers[q / CONSUMERS];
      struct bus_uuid id;
      if (reader == NULL)
        abort(); /* it was opened above */
      (void)snprintf(key, sizeof key, "%.*s", (int)text.len, text.data);
      link_publish(link, type->exchange, key, true, &id);
      await_in_queue(reader, &id, q % CONSUMERS);
    }
  link_await(link, SEEN_ACK, 1, 5000);
  assert_int_equal(link_count(link, SEEN_RETURN), 0);
  for (size_t i = 0; i < LINKS && readers[i]; i++)
    link_close(readers[i]);
  link_close(link);
}
