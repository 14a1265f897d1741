/* Undoing a re-drive: what the run sent and still lies in the work queue goes back to the dead queue, as it was. The
 * queue is read as its service's user: the operator's may not take orders out of it. */
#include "dead.h"
#include "dead_fates.h"

#include <bus/clock.h>
#include <dead_queue.h>
#include <dead_redrive.h>
#include <dead_send.h>
#include <orderbus_topology.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TIER_WAIT_MS = 15000, POLL_MS = 200 };
#define MEMORY ((size_t)256 << 20)

/* A message that the run has sent. */
struct moved {
  struct bus_uuid successor, message_id, causation_id;
  struct bus_str history;
};

struct undo {
  const struct program *program;
  struct bus_uuid run;
  struct bus_arena *arena;
  struct moved *moved; /* by their successors */
  size_t count, room;
  bool found, other; /* the record has the run; its action is another one */
  const struct bus_queue *queue;
  struct bus_amqp_settings service; /* the broker, as the queue's reader */
  struct send_session session;
  struct audit audit;
  struct dead_fates fates;
  int64_t put_back, unseen;
  struct bus_error err;
};

/* ---- the run, as the record has it ---- */

static bool note(struct undo *undo, const struct audit_line *line) {
  struct moved moved = {line->successor, line->message_id, line->causation_id, BUS_STR("")};
  struct moved *grown = story_grow(undo->arena, undo->moved, undo->count, &undo->room, sizeof *grown);
  if (!grown || !audit_line_history(line, undo->arena, &moved.history))
    return bus_fail(&undo->err, BUS_E_NOMEM, "out of memory for the messages of a run");
  undo->moved = grown;
  grown[undo->count++] = moved;
  return true;
}

static bool visit_line(void *context, const struct audit_line *line, struct bus_str raw) {
  struct undo *undo = context;
  (void)raw;
  if (!bus_uuid_equal(&line->run, &undo->run))
    return true;
  undo->found = true;
  undo->other = !bus_str_is(line->action, DEAD_RETRY);
  char name[BUS_KEY_MAX];
  (void)snprintf(name, sizeof name, "%.*s", (int)line->queue.len, line->queue.data ? line->queue.data : "");
  undo->queue = bus_topology_queue(&orderbus_topology, name);
  return !undo->other && (line->mark.data || note(undo, line));
}

static int compare(const void *a, const void *b) {
  return memcmp(((const struct moved *)a)->successor.bytes, ((const struct moved *)b)->successor.bytes,
                sizeof(struct bus_uuid));
}

static bool read_run(struct undo *undo) {
  int64_t unread;
  if (!audit_each(undo->program->audit_file, visit_line, undo, &unread, &undo->err))
    return false;
  if (undo->err.code != BUS_OK)
    return false;
  if (!undo->found)
    return bus_fail(&undo->err, BUS_E_INVALID, "the audit file has no such run; orderctl audit names them");
  if (undo->other || !undo->queue)
    return bus_fail(&undo->err, BUS_E_INVALID, "only a run of dead retry, of a queue that is there, can be undone");
  if (undo->count > 0)
    qsort(undo->moved, undo->count, sizeof *undo->moved, compare);
  return true;
}

/* ---- what became of its messages ---- */

static bool read_fates(struct undo *undo) {
  struct bus_reader *reader = NULL;
  struct bus_uuid *ids = bus_arena_array(undo->arena, undo->count + 1, sizeof *ids);
  if (!ids)
    return bus_fail(&undo->err, BUS_E_NOMEM, "out of memory for the messages of a run");
  for (size_t i = 0; i < undo->count; i++)
    ids[i] = undo->moved[i].successor;
  bool good = dead_fates_open(undo->program, undo->queue, &reader, &undo->err) &&
              dead_fates_read(reader, ids, undo->count, &undo->fates, &undo->err);
  bus_reader_free(reader);
  return good;
}

static int64_t open_count(const struct undo *undo) {
  return (int64_t)undo->count - undo->put_back - undo->fates.taken - undo->fates.failed;
}

/* ---- the way back ---- */

static bool open_service(struct undo *undo) {
  int service = dead_service(undo->queue);
  const char *user = bus_topology_owner(&orderbus_topology, undo->queue)->user.name;
  undo->service = undo->program->settings.broker;
  undo->service.url = service < OUTBOXES ? undo->program->service_urls[service] : "";
  if (!undo->service.url[0])
    return bus_fail(&undo->err, BUS_E_CONFIG,
                    "undo reads the work queue %s: a variable must name the broker as its reader, "
                    "%s; see --help",
                    undo->queue->name, user);
  if (!send_open(&undo->session, &undo->service, &undo->err))
    return false;
  undo->session.unit = "message";
  if (strcmp(bus_amqp_user(undo->session.amqp), user) == 0)
    return true;
  (void)bus_fail(&undo->err, BUS_E_CONFIG, "the user %s does not read %s: %s does", bus_amqp_user(undo->session.amqp),
                 undo->queue->name, user);
  send_close(&undo->session);
  return false;
}

/* They come out of the shortest tier by themselves. */
static bool await_tier(struct undo *undo) {
  char tier[BUS_KEY_MAX];
  int64_t until = bus_monotonic() + TIER_WAIT_MS * BUS_MILLISECOND, depth;
  (void)snprintf(tier, sizeof tier, "bus.retry.%s.%s", orderbus_topology.tiers[0].name, undo->queue->name);
  for (;;) {
    if (!bus_amqp_queue_depth(undo->session.amqp, tier, &depth, &undo->err))
      return false;
    if (depth == 0 || bus_monotonic() > until)
      return true; /* what is in it now is of others, or is not found */
    const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
    (void)nanosleep(&pause, NULL); /* early or late, the depth tells */
  }
}

static bool put_back(struct undo *undo, const struct bus_delivery *delivery, const struct moved *moved) {
  const struct bus_envelope *sent = &delivery->envelope;
  const char *service = bus_topology_owner(&orderbus_topology, undo->queue)->user.name;
  struct bus_envelope envelope = dead_undone(sent, bus_topology_sender(&orderbus_topology, service, sent),
                                             &moved->message_id, &moved->causation_id, moved->history);
  struct audit_line line = audit_line_none();
  line.message_id = sent->message_id;
  line.order_id = sent->correlation_id;
  line.successor = moved->message_id;
  return audit_message(&undo->audit, &line, &undo->err) &&
         dead_put_back(&undo->session, undo->queue, &envelope, delivery->body, (long)undo->put_back + 1, &undo->err);
}

static enum dead_fate visit_delivery(void *context, const struct bus_delivery *delivery) {
  struct undo *undo = context;
  const struct moved key = {.successor = delivery->envelope.message_id};
  const struct moved *moved = bsearch(&key, undo->moved, undo->count, sizeof key, compare);
  if (!moved)
    return DEAD_STAYS;
  if (!put_back(undo, delivery, moved)) {
    if (undo->err.code == BUS_OK)
      (void)bus_fail(&undo->err, BUS_E_TOPOLOGY, "the broker returned or refused a message; it stays");
    return DEAD_STOPS;
  }
  undo->put_back++;
  return DEAD_GOES;
}

static bool look(struct undo *undo) {
  const struct dead_look look = {
      .settings = &undo->service, .queue = undo->queue->name, .visit = visit_delivery, .context = undo};
  undo->err = (struct bus_error){.code = BUS_OK};
  return await_tier(undo) && dead_look(&look, &undo->unseen, &undo->err) && undo->err.code == BUS_OK &&
         read_fates(undo);
}

static void describe(const struct undo *undo, bool good, char text[DEAD_END]) {
  (void)snprintf(text, DEAD_END,
                 "%s: %" PRId64 " put back, %" PRId64 " taken, %" PRId64 " came back, %" PRId64 " not found%s%s",
                 good ? "done" : "stopped", undo->put_back, undo->fates.taken, undo->fates.failed, open_count(undo),
                 good ? "" : "; ", good ? "" : undo->err.text);
}

static int act(struct undo *undo) {
  char text[DEAD_END];
  struct bus_error ignored;
  if (!audit_mark(&undo->audit, AUDIT_BEGIN, (int64_t)undo->count, "", &undo->err))
    return trouble(undo->err.text);
  bool good = look(undo);
  describe(undo, good, text);
  if (!audit_mark(&undo->audit, AUDIT_END, undo->put_back, text, &ignored))
    return trouble(ignored.text);
  (void)printf("%s\n", text);
  if (undo->unseen > 0)
    (void)fprintf(stderr, "orderctl: %" PRId64 " messages of the queue were not looked at: run it again\n",
                  undo->unseen);
  if (!good)
    return trouble(undo->err.text);
  return undo->fates.taken > 0 || open_count(undo) > 0 ? EXIT_ACT : EXIT_FINE;
}

static int preview(struct undo *undo) {
  if (!read_fates(undo))
    return trouble(undo->err.text);
  (void)printf("%zu messages were sent to %s: %" PRId64 " taken, %" PRId64 " came back; %" PRId64
               " would be looked for\n",
               undo->count, undo->queue->name, undo->fates.taken, undo->fates.failed, open_count(undo));
  return fflush(stdout) == 0 ? EXIT_FINE : EXIT_TROUBLE;
}

static int undo_with(struct undo *undo) {
  if (!read_run(undo))
    return trouble(undo->err.text);
  if (undo->program->dry_run)
    return preview(undo);
  if (!open_service(undo))
    return trouble(undo->err.text);
  int status;
  if (audit_open(undo->program->audit_file, "dead.undo", undo->queue->name, &undo->run, &undo->audit, &undo->err)) {
    status = act(undo);
    audit_close(&undo->audit);
  } else
    status = trouble(undo->err.text);
  send_close(&undo->session);
  return status;
}

int dead_undo(const struct program *program, const struct bus_uuid *run) {
  static struct undo undo; /* the session's window is large for a stack */
  undo = (struct undo){.program = program, .run = *run, .arena = bus_arena_new(MEMORY), .err.code = BUS_OK};
  if (!undo.arena)
    return trouble("out of memory for the messages of a run");
  int status = undo_with(&undo);
  bus_arena_free(undo.arena);
  return status;
}
