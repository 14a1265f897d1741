/* topology_shards.c, and what a topology declares of queues in shards. */
#include <bus/topology.h>

#include <inttypes.h>
#include <stdio.h>

#include "test.h"

static const struct bus_message_type work_do = BUS_COMMAND("work.do.v1", NULL, "boss");
static const struct bus_message_type work_get = BUS_QUERY("work.get.v1", NULL, "boss");
static const struct bus_message_type *const types[] = {&work_do, &work_get};
static const struct bus_message_type *const takes[] = {&work_do};
static const struct bus_message_type *const queries[] = {&work_get};
static const struct bus_queue plain[] = {BUS_WORK_QUEUE("worker", takes), BUS_QUERY_QUEUE("worker.query", queries)};
static const struct bus_queue sharded[] = {BUS_SHARDED_QUEUE("worker", takes),
                                           BUS_QUERY_QUEUE("worker.query", queries)};
static const struct bus_tier tiers[] = {{"1s", 1000}};
static const struct bus_topology_part boss = {.user = {.name = "boss", .asks = true}},
                                      plain_worker = BUS_TOPOLOGY_PART("worker", types, plain),
                                      sharded_worker = BUS_TOPOLOGY_PART("worker", types, sharded);
static const struct bus_topology_part *const plain_parts[] = {&boss, &plain_worker};
static const struct bus_topology_part *const sharded_parts[] = {&boss, &sharded_worker};
static size_t shards = 1;
static const struct bus_topology whole = {
    .parts = plain_parts, .part_count = 2, .tiers = tiers, .tier_count = 1, .query_ttl_ms = 1000};
static const struct bus_topology split = {
    .parts = sharded_parts, .part_count = 2, .tiers = tiers, .tier_count = 1, .query_ttl_ms = 1000, .shards = &shards};

static bool print_one(void *context, const struct bus_declaration *d) {
  FILE *out = context;
  char name[BUS_DECLARATION_TEXT];
  bus_topology_name(d, name, sizeof name);
  fprintf(out, "%s%s%s", name, d->headers ? " headers" : "", d->to_exchange ? " (exchange)" : "");
  for (size_t i = 0; i < d->argument_count; i++)
    if (d->arguments[i].text)
      fprintf(out, " %s=%s", d->arguments[i].name, d->arguments[i].text);
    else
      fprintf(out, " %s=%s%" PRId64, d->arguments[i].name, d->arguments[i].flag ? "!" : "", d->arguments[i].number);
  fputc('\n', out);
  return true;
}

typedef bool each_function(const struct bus_topology *topology,
                           bool (*visit)(void *context, const struct bus_declaration *declaration), void *context);

static char *printed(each_function *each, const struct bus_topology *topology) {
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  assert_non_null(out);
  assert_true(each(topology, print_one, out));
  fclose(out);
  return text;
}

static void expect(each_function *each, const struct bus_topology *topology, const char *expected) {
  char *text = printed(each, topology);
  assert_string_equal(text, expected);
  free(text);
}

TEST(shards_one_shard_is_the_topology_without_shards)
{
  shards = 1;
  struct bus_permission a, b;
  char *text = printed(bus_topology_each, &whole);
  expect(bus_topology_each, &split, text);
  free(text);
  assert_true(bus_topology_permission(&whole, &plain_worker, &a) &&
              bus_topology_permission(&split, &sharded_worker, &b));
  assert_string_equal(a.read, b.read);
  assert_false(bus_topology_is_split(&split, &sharded[0]));
}

#define QUORUM(name)                                                                                                   \
  "queue " name " x-queue-type=quorum x-dead-letter-exchange=bus.dead x-dead-letter-routing-key=worker "               \
  "x-dead-letter-strategy=at-least-once x-overflow=reject-publish x-delivery-limit=100000"

TEST(shards_golden_declarations)
{
  shards = 2;
  expect(bus_topology_each, &split,
         "exchange bus.cmd\nexchange bus.event\nexchange bus.query\nexchange bus.reply\n"
         "exchange bus.retry.worker\nexchange bus.dead.worker\nexchange bus.dead\nexchange bus.back\n"
         "exchange bus.rest.worker\n"
         "exchange bus.shard.worker headers alternate-exchange=bus.rest.worker\n" /**/
         QUORUM("worker") "\n"
                          "queue worker.dead x-queue-type=quorum x-delivery-limit=100000\n" /**/
         QUORUM("worker.00") " x-single-active-consumer=!1\n"                               /**/
         QUORUM("worker.01") " x-single-active-consumer=!1\n"
                             "queue bus.retry.1s.worker x-queue-type=quorum x-message-ttl=1000 "
                             "x-dead-letter-exchange=bus.back x-dead-letter-routing-key=1s.worker "
                             "x-dead-letter-strategy=at-least-once x-overflow=reject-publish\n"
                             "queue worker.query x-queue-type=classic x-message-ttl=1000\n"
                             "binding bus.shard.worker 00/2 -> worker.00 x-match=all bus-shard=00/2\n"
                             "binding bus.shard.worker 01/2 -> worker.01 x-match=all bus-shard=01/2\n"
                             "binding bus.rest.worker # -> worker\n"
                             "binding bus.cmd work.do -> bus.shard.worker (exchange)\n"
                             "binding bus.retry.worker 1s.worker -> bus.retry.1s.worker\n"
                             "binding bus.back 1s.worker -> bus.shard.worker (exchange)\n"
                             "binding bus.dead.worker worker -> worker.dead\n"
                             "binding bus.dead worker -> worker.dead\n"
                             "binding bus.query work.get -> worker.query\n");
}

TEST(shards_what_another_number_leaves_is_named)
{
  expect(bus_topology_each_superseded, &whole, "");
  shards = 2;
  expect(bus_topology_each_superseded, &split,
         "binding bus.cmd work.do -> worker\nbinding bus.back 1s.worker -> worker\n");
  shards = 1;
  expect(bus_topology_each_superseded, &split,
         "exchange bus.rest.worker\nexchange bus.shard.worker headers alternate-exchange=bus.rest.worker\n");
}

/* A superseded binding is none of those that are declared, or apply would undo what it has done. */
static bool is_not_declared(void *context, const struct bus_declaration *d) {
  char name[BUS_DECLARATION_TEXT], line[sizeof name + 2];
  bus_topology_name(d, name, sizeof name);
  (void)snprintf(line, sizeof line, "\n%s\n", name);
  return strstr(context, line) == NULL;
}

TEST(shards_nothing_that_is_declared_is_superseded)
{
  for (shards = 1; shards <= 3; shards++) {
    char *text = printed(bus_topology_each, &split);
    assert_true(bus_topology_each_superseded(&split, is_not_declared, text));
    free(text);
  }
}

TEST(shards_only_the_reader_reads_them)
{
  struct bus_permission permission;
  shards = 2;
  assert_true(bus_topology_permission(&split, &sharded_worker, &permission));
  assert_string_equal(permission.read, "^(worker(\\.[0-9][0-9])?|worker\\.query)$");
  assert_string_equal(permission.write, "^(bus\\.reply|bus\\.retry\\.worker|bus\\.dead\\.worker)$");
  assert_true(bus_topology_permission(&split, &boss, &permission));
  assert_string_equal(permission.write, "^(bus\\.cmd|bus\\.query|boss\\.reply\\..*)$");
}

/* Every process of every release must come to these. */
TEST(shards_of_known_ids_never_change)
{
  static const struct {
    const char *id;
    size_t of_4, of_32;
  } cases[] = {{"01890a5d-ac96-774b-bcce-b302099a8057", 4, 16},
               {"6ba7b810-9dad-51d1-80b4-00c04fd430c8", 2, 22},
               {"ffffffff-ffff-ffff-ffff-ffffffffffff", 2, 30}};
  struct bus_uuid id;
  for (size_t i = 0; i < BUS_COUNT(cases); i++) {
    assert_true(bus_uuid_parse(bus_str(cases[i].id), &id));
    assert_int_equal(bus_shard_of(&id, 4), cases[i].of_4);
    assert_int_equal(bus_shard_of(&id, 32), cases[i].of_32);
  }
  assert_int_equal(bus_shard_of(&id, 1), 0);
  assert_int_equal(bus_shard_of(&id, 0), 0);
  assert_int_equal(bus_shard_of(&(struct bus_uuid){{0}}, 4), 0);
}

/* Ids that differ in their last byte, or their first, alone. */
TEST(shards_get_equal_parts_of_similar_ids)
{
  for (size_t place = 0; place < 16; place += 15) {
    size_t found[1 + 4] = {0};
    for (unsigned n = 0; n < 4096; n++) {
      struct bus_uuid id = {{9, 9}};
      id.bytes[place] = (uint8_t)n;
      id.bytes[7] = (uint8_t)(n >> 8);
      found[bus_shard_of(&id, 4)]++;
    }
    for (size_t shard = 1; shard <= 4; shard++)
      assert_in_range(found[shard], 900, 1150);
  }
}

TEST(shards_number_is_bounded_and_needs_queues_that_can_be_split)
{
  struct bus_error err;
  assert_true(bus_topology_set_shards(&split, 32, &err) && bus_topology_shards(&split) == 32);
  assert_false(bus_topology_set_shards(&split, 33, &err));
  assert_string_equal(err.text, "QUEUE_SHARDS is 33: allowed is 1 to 32");
  assert_false(bus_topology_set_shards(&split, 0, &err));
  assert_false(bus_topology_set_shards(&whole, 2, &err));
  assert_string_equal(err.text, "QUEUE_SHARDS is 2: no queue of this system can be split; leave it out");
  assert_true(bus_topology_set_shards(&whole, 1, &err) && bus_topology_shards(&whole) == 1);
  assert_true(bus_topology_set_shards(&split, 1, &err));
}

TEST(shards_text_is_numbers_and_ranges)
{
  static const struct {
    const char *text;
    uint32_t mask;
  } good[] = {{"all", 0xff}, {"0", 1}, {"7", 0x80}, {"0,2", 5}, {"0-3", 0xf}, {"1-2,5", 0x26}, {"3-3", 8}};
  static const char *const bad[] = {"", "8", "1-", "-1", "3-1", "0,", ",0", "0 1", "a", "0-8", "001", "all,1", "1;2"};
  struct bus_error err;
  uint32_t mask = 0;
  for (size_t i = 0; i < BUS_COUNT(good); i++) {
    assert_true(bus_shards_parse(good[i].text, 8, &mask, &err));
    assert_int_equal(mask, good[i].mask);
  }
  for (size_t i = 0; i < BUS_COUNT(bad); i++)
    if (bus_shards_parse(bad[i], 8, &mask, &err))
      fail_msg("%s was taken", bad[i]);
  assert_string_equal(err.text, "CONSUME_SHARDS is \"1;2\": allowed is \"all\", or numbers and ranges from 0 to 7 such "
                                "as \"0,2-3\"");
  assert_true(bus_shards_parse("all", 32, &mask, &err) && mask == UINT32_MAX);
  assert_true(bus_shards_parse("all", 1, &mask, &err) && mask == 1);
}

static void assert_refused(const struct bus_queue *queues, size_t count, const char *expected) {
  const struct bus_topology_part part = {
      .user = {.name = "worker"}, .types = types, .type_count = 2, .queues = queues, .queue_count = count};
  const struct bus_topology_part *const parts[] = {&boss, &part};
  struct bus_topology topology = whole;
  struct bus_error err = {.text = ""};
  topology.parts = parts;
  assert_false(bus_topology_is_valid(&topology, &err));
  assert_string_equal(err.text, expected);
}

TEST(shards_names_are_reserved_and_only_work_has_any)
{
  const struct bus_queue taken[] = {BUS_SHARDED_QUEUE("worker", takes), BUS_QUERY_QUEUE("worker.07", queries)};
  const struct bus_queue query[] = {
      BUS_WORK_QUEUE("worker", takes),
      {.name = "worker.query", .kind = BUS_QUEUE_QUERY, .types = queries, .type_count = 1, .sharded = true}};
  assert_refused(taken, 2, "queue worker.07: is the name of another queue's shard");
  assert_refused(query, 2, "queue worker.query: only a work queue is sharded");
}
