/* Shards of work queues: their number, their names, and which one a message belongs to. */
#include <bus/hash.h>
#include <bus/topology.h>

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

size_t bus_topology_shards(const struct bus_topology *topology) {
  return topology->shards && *topology->shards > 1 ? *topology->shards : 1;
}

bool bus_topology_set_shards(const struct bus_topology *topology, int64_t shards, struct bus_error *err) {
  if (shards < 1 || shards > BUS_SHARDS_MAX)
    return bus_fail(err, BUS_E_CONFIG, "QUEUE_SHARDS is %" PRId64 ": allowed is 1 to %d", shards, BUS_SHARDS_MAX);
  if (topology->shards)
    *topology->shards = (size_t)shards;
  return topology->shards || shards == 1 ||
         bus_fail(err, BUS_E_CONFIG, "QUEUE_SHARDS is %" PRId64 ": no queue of this system can be split; leave it out",
                  shards);
}

bool bus_topology_is_split(const struct bus_topology *topology, const struct bus_queue *queue) {
  return queue->sharded && bus_topology_shards(topology) > 1;
}

void bus_topology_shard(const struct bus_queue *queue, size_t shard, char name[BUS_KEY_MAX]) {
  (void)snprintf(name, BUS_KEY_MAX, "%s.%02zu", queue->name, shard);
}

void bus_topology_shard_exchange(const struct bus_queue *queue, char name[BUS_KEY_MAX]) {
  (void)snprintf(name, BUS_KEY_MAX, "bus.shard.%s", queue->name);
}

/* The last bits of FNV-1a depend on the last bits of the bytes alone: the first half is folded in. */
size_t bus_shard_of(const struct bus_uuid *correlation_id, size_t shards) {
  if (shards < 2 || bus_uuid_is_nil(correlation_id))
    return 0;
  uint64_t hash = bus_hash64(correlation_id->bytes, sizeof correlation_id->bytes);
  return 1 + (size_t)((hash ^ hash >> 32) % shards);
}

void bus_shard_text(size_t shard, size_t shards, char text[BUS_SHARD_TEXT]) {
  assert(shard >= 1 && shard <= shards && shards <= BUS_SHARDS_MAX);
  (void)snprintf(text, BUS_SHARD_TEXT, "%02u/%u", (unsigned)(shard - 1) % 100, (unsigned)shards % 100);
}

/* A number of at most two digits; *text moves behind it. */
static bool take_number(const char **text, size_t *ret) {
  size_t digits = strspn(*text, "0123456789");
  *ret = 0;
  for (size_t i = 0; i < digits && digits <= 2; i++)
    *ret = *ret * 10 + (size_t)((*text)[i] - '0');
  *text += digits;
  return digits >= 1 && digits <= 2;
}

static bool take_range(const char **text, size_t shards, uint32_t *ret) {
  size_t first, last;
  if (!take_number(text, &first))
    return false;
  last = first;
  if (**text == '-') {
    ++*text;
    if (!take_number(text, &last))
      return false;
  }
  if (first > last || last >= shards)
    return false;
  for (size_t i = first; i <= last; i++)
    *ret |= UINT32_C(1) << i;
  return true;
}

bool bus_shards_parse(const char *text, size_t shards, uint32_t *ret, struct bus_error *err) {
  const char *rest = text;
  uint32_t found = 0;
  assert(shards >= 1 && shards <= BUS_SHARDS_MAX);
  if (strcmp(text, "all") == 0) {
    *ret = UINT32_MAX >> (BUS_SHARDS_MAX - shards);
    return true;
  }
  bool good = take_range(&rest, shards, &found);
  while (good && *rest == ',') {
    rest++;
    good = take_range(&rest, shards, &found);
  }
  if (!good || *rest != '\0')
    return bus_fail(err, BUS_E_CONFIG,
                    "CONSUME_SHARDS is \"%.40s\": allowed is \"all\", or numbers and ranges from 0 to %zu such as "
                    "\"0,2-3\"",
                    text, shards - 1);
  *ret = found;
  return true;
}
