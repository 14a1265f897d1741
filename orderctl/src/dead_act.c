/* Re-driving and dropping: an audit line before each message, a canary, a rate, and an end by itself. */
#include "dead.h"
#include "dead_fates.h"
#include "dead_plan.h"
#include "pace.h"

#include <bus/clock.h>
#include <dead_queue.h>
#include <dead_redrive.h>
#include <dead_send.h>
#include <orderbus_topology.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CHUNK_S = 10, CHUNK_MAX = 500, POLL_MS = 500, REMEMBERED = 100000 };

struct action {
  const struct dead_choice *choice;
  struct audit audit;
  struct bus_arena *arena, *scratch; /* scratch: of one line of the record */
  struct bus_uuid *successors;       /* of messages that were sent again; they may come back */
  struct send_session session;
  struct bus_uuid_source source;
  struct bus_reader *reader;
  int64_t chosen, refused, done; /* counted at the begin; then done */
  int64_t left;                  /* of this look */
  bus_time begun;
  int64_t next_at;
  struct bus_error err; /* of a visit */
};

static void dead_name(const struct bus_queue *queue, char name[BUS_KEY_MAX]) {
  (void)snprintf(name, BUS_KEY_MAX, "%s.dead", queue->name);
}

static bool look_through(struct action *action, enum dead_fate (*visit)(void *, const struct bus_delivery *),
                         bool peeks) {
  char name[BUS_KEY_MAX];
  int64_t unseen;
  dead_name(action->choice->queue, name);
  const struct dead_look look = {.settings = &action->choice->program->settings.broker,
                                 .queue = name,
                                 .peeks = peeks,
                                 .visit = visit,
                                 .context = action};
  return dead_look(&look, &unseen, &action->err);
}

static bool may_be_sent(const struct action *action, const struct bus_envelope *envelope, struct bus_str *ret_sender) {
  return dead_sender(&orderbus_topology, action->choice->queue, envelope, ret_sender, NULL);
}

/* Messages that were dead-lettered since the begin are others: the ones of this run that came back among them. */
static bool is_due(const struct action *action, const struct bus_envelope *envelope) {
  int64_t known = action->done < REMEMBERED ? action->done : REMEMBERED;
  for (int64_t i = 0; i < known; i++)
    if (bus_uuid_equal(&action->successors[i], &envelope->message_id))
      return false; /* also where the service's clock is behind */
  return dead_parked_at(envelope) < action->begun && dead_is_chosen(action->choice, envelope);
}

/* ---- before it begins ---- */

static enum dead_fate visit_count(void *context, const struct bus_delivery *delivery) {
  struct action *action = context;
  struct bus_str sender;
  if (!is_due(action, &delivery->envelope))
    return DEAD_STAYS;
  action->chosen++;
  action->refused += !may_be_sent(action, &delivery->envelope, &sender);
  return DEAD_STAYS;
}

static bool begin(const struct dead_choice *choice, const char *name, struct action *action) {
  uint64_t seed[4];
  *action = (struct action){.choice = choice, .audit.fd = -1, .begun = bus_wall_clock()};
  bus_random_seed(seed);
  bus_uuid_source_init(&action->source, seed);
  action->arena = bus_arena_new((size_t)64 << 20);
  action->scratch = bus_arena_new(1 << 18);
  if (action->arena && action->scratch)
    action->successors = bus_arena_array(action->arena, REMEMBERED, sizeof *action->successors);
  if (!action->successors)
    return bus_fail(&action->err, BUS_E_NOMEM, "out of memory for a re-drive");
  if (!choice->program->dry_run &&
      !audit_open(choice->program->audit_file, name, choice->queue->name, NULL, &action->audit, &action->err))
    return false;
  return look_through(action, visit_count, true);
}

static void end(struct action *action) {
  bus_reader_free(action->reader);
  audit_close(&action->audit);
  bus_arena_free(action->arena);
  bus_arena_free(action->scratch);
}

/* successor: nil where the message is dropped. */
static bool record(struct action *action, const struct bus_envelope *old, const struct bus_uuid *successor) {
  struct audit_line line = audit_line_none();
  line.message_id = old->message_id;
  line.order_id = old->correlation_id;
  line.causation_id = old->causation_id;
  line.successor = *successor;
  bus_arena_reset(action->scratch);
  if (!audit_line_set_history(&line, old->history, action->scratch))
    return bus_fail(&action->err, BUS_E_NOMEM, "out of memory for the record of a message");
  return audit_message(&action->audit, &line, &action->err);
}

/* ---- sending again ---- */

static enum dead_fate visit_retry(void *context, const struct bus_delivery *delivery) {
  struct action *action = context;
  struct bus_str sender;
  const struct bus_envelope *old = &delivery->envelope;
  if (!is_due(action, old) || !may_be_sent(action, old, &sender))
    return DEAD_STAYS;
  if (action->left == 0)
    return DEAD_STOPS;
  pace_keep(action->choice->program->rate, &action->next_at);
  struct bus_envelope envelope = dead_redrive(old, sender, bus_wall_clock(), &action->source);
  if (!record(action, old, &envelope.message_id) ||
      !dead_send(&action->session, &orderbus_topology, action->choice->queue, &envelope, delivery->body,
                 action->done + 1, &action->err)) {
    if (action->err.code == BUS_OK)
      (void)bus_fail(&action->err, BUS_E_TOPOLOGY, "the broker returned or refused a message; it stays");
    return DEAD_STOPS;
  }
  action->successors[action->done++ % REMEMBERED] = envelope.message_id;
  action->left--;
  return DEAD_GOES;
}

static bool send_some(struct action *action, int64_t count) {
  int64_t before = action->done;
  action->left = count;
  action->err = (struct bus_error){.code = BUS_OK};
  bool looked = look_through(action, visit_retry, false);
  return looked && action->err.code == BUS_OK &&
         (action->done > before || bus_fail(&action->err, BUS_E_INVALID, "the dead queue has no more of them"));
}

/* ---- watching ---- */

static bool read_fates(struct action *action, struct dead_watch *watch) {
  struct dead_fates fates;
  int64_t known = action->done < REMEMBERED ? action->done : REMEMBERED;
  watch->sent = action->done;
  if (!dead_fates_read(action->reader, action->successors, (size_t)known, &fates, &action->err))
    return false;
  watch->taken = fates.taken;
  watch->failed = fates.failed;
  return true;
}

static enum dead_step watch_canary(struct action *action, struct dead_watch *watch) {
  int64_t since = bus_monotonic();
  enum dead_step step;
  watch->patience_ms = action->choice->program->watch_s * 1000;
  do {
    struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
    (void)nanosleep(&pause, NULL); /* early or late, the rows tell */
    watch->waited_ms = (bus_monotonic() - since) / BUS_MILLISECOND;
    if (!read_fates(action, watch))
      return DEAD_STOP_SILENT;
    step = dead_after_canary(watch);
  } while (step == DEAD_WAIT);
  return step;
}

/* ---- a whole run ---- */

static int64_t chunk_of(const struct program *program) {
  int64_t chunk = program->rate * CHUNK_S;
  return chunk < CHUNK_MAX ? chunk : CHUNK_MAX;
}

static const char *stopped(enum dead_step step, const struct action *action, const struct dead_watch *watch,
                           char text[DEAD_END]) {
  (void)snprintf(text, DEAD_END, "%s: %" PRId64 " sent, %" PRId64 " taken, %" PRId64 " came back%s%s",
                 step == DEAD_GO_ON         ? "done"
                 : step == DEAD_STOP_FAILED ? "stopped by itself, messages came back"
                                            : "stopped by itself",
                 watch->sent, watch->taken, watch->failed, action->err.code == BUS_OK ? "" : "; ",
                 action->err.code == BUS_OK ? "" : action->err.text);
  return text;
}

static enum dead_step send_all(struct action *action, struct dead_watch *watch) {
  const struct program *program = action->choice->program;
  int64_t goal = action->chosen - action->refused, canary = program->canary < goal ? program->canary : goal;
  enum dead_step step = DEAD_GO_ON;
  if (program->limit > 0 && goal > program->limit)
    goal = program->limit;
  if (canary > 0)
    step = send_some(action, canary) ? watch_canary(action, watch) : DEAD_STOP_SILENT;
  while (step == DEAD_GO_ON && action->done < goal) {
    int64_t left = goal - action->done, chunk = chunk_of(program);
    if (!send_some(action, left < chunk ? left : chunk))
      return DEAD_STOP_SILENT;
    watch->sent = action->done;
    if (action->reader && !read_fates(action, watch))
      return DEAD_STOP_SILENT;
    step = dead_meanwhile(watch);
  }
  return step;
}

static int retry_with(struct action *action) {
  struct dead_watch watch = {0};
  struct bus_error ignored;
  char text[DEAD_END];
  if (action->choice->program->canary > 0 &&
      !dead_fates_open(action->choice->program, action->choice->queue, &action->reader, &action->err))
    return trouble(action->err.text);
  if (!send_open(&action->session, &action->choice->program->settings.broker, &action->err))
    return trouble(action->err.text);
  action->session.unit = "message";
  int status = EXIT_TROUBLE;
  if (audit_mark(&action->audit, AUDIT_BEGIN, action->chosen - action->refused, "", &action->err)) {
    enum dead_step step = send_all(action, &watch);
    (void)stopped(step, action, &watch, text);
    status = step == DEAD_GO_ON && action->refused == 0 ? EXIT_FINE : EXIT_ACT;
    if (!audit_mark(&action->audit, AUDIT_END, action->done, text, &ignored))
      status = trouble(ignored.text);
    (void)printf("%s\n", text);
  } else
    (void)trouble(action->err.text);
  send_close(&action->session);
  return status;
}

static int preview(const struct action *action, const char *verb) {
  (void)printf("%" PRId64 " messages would be %s, in %s", action->chosen, verb, action->choice->queue->name);
  if (action->refused > 0)
    (void)printf("; of %" PRId64 " the sender may not send them", action->refused);
  (void)putchar('\n');
  return fflush(stdout) == 0 ? EXIT_FINE : EXIT_TROUBLE;
}

int dead_retry(const struct dead_choice *choice) {
  static struct action action; /* the session's window is large for a stack */
  int status;
  if (!begin(choice, DEAD_RETRY, &action))
    status = trouble(action.err.text);
  else if (choice->program->dry_run)
    status = preview(&action, "sent again");
  else
    status = retry_with(&action);
  if (action.refused > 0)
    (void)fprintf(stderr, "orderctl: %" PRId64 " are not sent again: their sender may not send them\n", action.refused);
  end(&action);
  return status;
}

/* ---- dropping ---- */

static enum dead_fate visit_drop(void *context, const struct bus_delivery *delivery) {
  struct action *action = context;
  static const struct bus_uuid nil;
  if (!is_due(action, &delivery->envelope))
    return DEAD_STAYS;
  if (!record(action, &delivery->envelope, &nil))
    return DEAD_STOPS;
  action->done++;
  return DEAD_GOES;
}

static int drop_with(struct action *action) {
  struct bus_error ignored;
  if (!audit_mark(&action->audit, AUDIT_BEGIN, action->chosen, "", &action->err))
    return trouble(action->err.text);
  action->err = (struct bus_error){.code = BUS_OK};
  bool good = look_through(action, visit_drop, false) && action->err.code == BUS_OK;
  if (!audit_mark(&action->audit, AUDIT_END, action->done, good ? "done" : action->err.text, &ignored))
    return trouble(ignored.text);
  (void)printf("%" PRId64 " dropped\n", action->done);
  if (!good)
    return trouble(action->err.text);
  return action->done == action->chosen ? EXIT_FINE : EXIT_ACT;
}

int dead_drop(const struct dead_choice *choice) {
  static struct action action; /* as above */
  int status;
  if (!begin(choice, "dead.drop", &action))
    status = trouble(action.err.text);
  else
    status = choice->program->dry_run ? preview(&action, "dropped") : drop_with(&action);
  end(&action);
  return status;
}
