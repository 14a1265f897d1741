/* Prints how much of the broker one user may take: bytes in queues as policies, connections and queues of the virtual
 * host. */
#include "topology_text.h"

#include <inttypes.h>

enum { CONNECTIONS_A_USER = 100, QUEUES_AN_ASKER = 100, INSTANCES = 100, WAITING_BYTES = 64 << 20 };

/* The name in a regular expression in JSON: names are of a-z 0-9 - . */
static void print_name(FILE *out, const char *name) {
  for (const char *c = name; *c; c++)
    (void)fputs(*c == '.' ? "\\\\." : (const char[]){*c, '\0'}, out);
}

static size_t count_queues(const struct bus_topology *topology, bool work) {
  const struct bus_queue *queue;
  size_t count = 0;
  for (size_t i = 0; (queue = bus_topology_queue_at(topology, i)); i++)
    if ((queue->kind == BUS_QUEUE_WORK) == work && bus_topology_is_own(topology, queue))
      count += queue->kind == BUS_QUEUE_EVENT ? INSTANCES : 1;
  return count;
}

/* A user of another system may ask for all that this one knows. */
static size_t count_askers(const struct bus_topology *topology) {
  size_t count = 0;
  for (size_t i = 0; i < topology->part_count; i++)
    count += topology->parts[i]->user.asks || topology->parts[i]->user.elsewhere;
  return count;
}

static size_t count_shards(const struct bus_topology *topology) {
  const struct bus_queue *queue;
  size_t count = 0;
  for (size_t i = 0; (queue = bus_topology_queue_at(topology, i)); i++)
    if (bus_topology_is_split(topology, queue) && bus_topology_is_own(topology, queue))
      count += bus_topology_shards(topology);
  return count;
}

/* A work queue, its dead queue, its tiers and its shards. */
static size_t count_stored(const struct bus_topology *topology) {
  return count_queues(topology, true) * (2 + topology->tier_count) + count_shards(topology);
}

static void print_names(FILE *out, const struct bus_topology *topology, bool work) {
  const struct bus_queue *queue;
  const char *between = "";
  for (size_t i = 0; (queue = bus_topology_queue_at(topology, i)); i++) {
    if ((queue->kind == BUS_QUEUE_WORK) != work || !bus_topology_is_own(topology, queue))
      continue;
    (void)fputs(between, out);
    print_name(out, queue->name);
    if (queue->kind == BUS_QUEUE_EVENT)
      (void)fputs("\\\\..+", out);
    if (bus_topology_is_split(topology, queue))
      (void)fputs("(\\\\.[0-9][0-9])?", out);
    between = "|";
  }
}

static void print_policy_begin(FILE *out, const struct bus_topology *topology, const char *vhost_json,
                               const char *name) {
  (void)fprintf(out, "{\"vhost\":%s, \"name\":\"%s%s%s\", \"apply-to\":\"queues\", \"priority\":0, \"pattern\":\"",
                vhost_json, name, topology->guest ? "." : "", topology->guest ? topology->guest : "");
}

/* Full queues refuse publishes and drop no accepted message. All limits together fit on the disk. */
static void print_stored(FILE *out, const struct bus_topology *topology, const char *vhost_json, int64_t disk_bytes) {
  size_t count = count_stored(topology);
  print_policy_begin(out, topology, vhost_json, "bus-stored");
  (void)fputs("^(bus\\\\.retry\\\\.[0-9a-z-]+\\\\.)?(", out);
  print_names(out, topology, true);
  (void)fprintf(out,
                ")(\\\\.dead)?$\", \"definition\":{\"max-length-bytes\":%" PRId64 ", \"overflow\":\"reject-publish\"}}",
                disk_bytes / (count > 0 ? (int64_t)count : 1));
}

/* Requests and answers lie in memory and are of use for seconds: the oldest go first. */
static void print_waiting(FILE *out, const struct bus_topology *topology, const char *vhost_json) {
  print_policy_begin(out, topology, vhost_json, "bus-waiting");
  (void)fputs("^(", out);
  print_names(out, topology, false);
  for (size_t i = 0; i < topology->part_count; i++) {
    if (!topology->parts[i]->user.asks || topology->parts[i]->user.elsewhere)
      continue;
    (void)fputc('|', out);
    print_name(out, topology->parts[i]->user.name);
    (void)fputs("\\\\.reply\\\\..+", out);
  }
  (void)fprintf(out, ")$\", \"definition\":{\"max-length-bytes\":%d}}", WAITING_BYTES);
}

static void print_vhost_limits(FILE *out, const struct bus_topology *topology, const char *vhost_json) {
  size_t queues = count_stored(topology) + count_queues(topology, false);
  (void)fprintf(out,
                ",\n\"parameters\": [\n  {\"vhost\":%s, \"component\":\"vhost-limits\", \"name\":\"limits\", "
                "\"value\":{\"max-connections\":%zu, \"max-queues\":%zu}}]",
                vhost_json, (topology->part_count + 1) * CONNECTIONS_A_USER,
                queues + (count_askers(topology) + 1) * QUEUES_AN_ASKER);
}

void topology_print_limits(FILE *out, const struct bus_topology *topology, const char *vhost_json, int64_t disk_bytes) {
  (void)fputs("\"policies\": [\n  ", out);
  print_stored(out, topology, vhost_json, disk_bytes);
  if (count_queues(topology, false) > 0) {
    (void)fputs(",\n  ", out);
    print_waiting(out, topology, vhost_json);
  }
  (void)fputc(']', out);
  if (!topology->guest)
    print_vhost_limits(out, topology, vhost_json);
}
