/* Phases and events: the table of what the machine does with each event in each phase. */
#include "machine.h"

const char *const phase_names[PHASES] = {
    [PHASE_IDLE] = "idle",
    [PHASE_GATHERING] = "gathering",
    [PHASE_COUNTING] = "counting a suspect",
    [PHASE_TRIP_1] = "trip 1",
    [PHASE_TRIP_2] = "trip 2",
    [PHASE_QUERY] = "query",
    [PHASE_ROLLING_BACK] = "rolling back",
    [PHASE_PUBLISHING] = "publishing",
    [PHASE_PAUSING] = "pausing",
    [PHASE_RECOVERING] = "recovering",
    [PHASE_ASKING] = "asking",
    [PHASE_UNCOUNTING] = "uncounting a suspect",
    [PHASE_PROBING] = "probing",
    [PHASE_DRAINING] = "draining",
    [PHASE_STOPPED] = "stopped",
};

static const char *const event_names[BUS_PIPELINE_EVENTS] = {
    [BUS_ON_TICK] = "tick",
    [BUS_ON_DELIVERY] = "delivery",
    [BUS_ON_CONFIRM] = "confirm",
    [BUS_ON_RETURNED] = "return",
    [BUS_ON_BLOCKED] = "blocked",
    [BUS_ON_TRIP_DONE] = "trip done",
    [BUS_ON_TRIP_FAILED] = "trip failed",
    [BUS_ON_DATABASE_UP] = "database up",
    [BUS_ON_DATABASE_DOWN] = "database down",
    [BUS_ON_BROKER_UP] = "broker up",
    [BUS_ON_BROKER_DOWN] = "broker down",
    [BUS_ON_NOTICE] = "notice",
    [BUS_ON_PROBE] = "probe",
    [BUS_ON_STOP] = "stop",
};

/* One of the three functions: the second gets the trip's result. */
struct reaction {
  const char *name;
  enum next (*on_event)(struct bus_pipeline *pipeline, const struct bus_pipeline_event *event);
  enum next (*on_trip)(struct bus_pipeline *pipeline, const struct bus_trip_result *trip);
  enum next (*on)(struct bus_pipeline *pipeline);
};

/* ---- in any phase ---- */

static enum next do_keep(struct bus_pipeline *pipeline, const struct bus_pipeline_event *event) {
  const char *why = arrival_keep(pipeline, event->delivery, event->fails);
  if (why) /* unsettled: the broker gives it to someone else when this connection ends */
    machine_lose_broker(pipeline, why);
  return NEXT_WAIT;
}

static enum next do_confirm(struct bus_pipeline *pipeline, const struct bus_pipeline_event *event) {
  publish_confirm(pipeline, event->confirm.seq, event->confirm.multiple, event->confirm.ack);
  return NEXT_WAIT;
}

static enum next do_return(struct bus_pipeline *pipeline, const struct bus_pipeline_event *event) {
  window_returned(&pipeline->window, event->returned);
  turn_count(&pipeline->turn, BUS_COUNT_RETURNED, 1);
  return NEXT_WAIT;
}

static enum next do_block(struct bus_pipeline *pipeline, const struct bus_pipeline_event *event) {
  pipeline->window.blocked = event->blocked;
  return NEXT_WAIT;
}

static enum next do_say(struct bus_pipeline *pipeline, const struct bus_pipeline_event *event) {
  publish_notice(pipeline, event->notice);
  return NEXT_WAIT;
}

static enum next do_note_database(struct bus_pipeline *pipeline, const struct bus_pipeline_event *event) {
  links_database_up(&pipeline->links, &pipeline->turn, event->database.pooled);
  return NEXT_WAIT;
}

static enum next do_drop_database(struct bus_pipeline *pipeline, const struct bus_pipeline_event *event) {
  links_down(&pipeline->links, &pipeline->turn, &pipeline->links.database, event->error,
             bus_uuid_source_random(&pipeline->ids));
  return NEXT_WAIT;
}

/* The sweeper publishes outbox rows, the broker redelivers what is not acked. */
static enum next do_detach(struct bus_pipeline *pipeline, const struct bus_pipeline_event *event) {
  links_down(&pipeline->links, &pipeline->turn, &pipeline->links.broker, event->error,
             bus_uuid_source_random(&pipeline->ids));
  window_reset(&pipeline->window, false);
  holds_reset(&pipeline->holds, &pipeline->turn);
  acks_reset(&pipeline->acks);
  intake_forget_deliveries(&pipeline->intake);
  return NEXT_WAIT;
}

static enum next do_note_probe(struct bus_pipeline *pipeline) {
  pipeline->ending.probing = true;
  return NEXT_WAIT;
}

static enum next do_note_stop(struct bus_pipeline *pipeline) {
  if (!machine_is_stopping(pipeline))
    pipeline->ending.stop_at = pipeline->turn.now;
  return NEXT_WAIT;
}

static enum next do_attach(struct bus_pipeline *pipeline) {
  links_broker_up(&pipeline->links, &pipeline->turn);
  window_reset(&pipeline->window, true);
  links_apply_pauses(&pipeline->links, &pipeline->turn);
  return NEXT_WAIT;
}

/* ---- of a phase ---- */

static enum next do_watch(struct bus_pipeline *pipeline) {
  rest_plan(pipeline);
  if (pipeline->turn.now >= pipeline->actions.wake_at)
    turn_do(&pipeline->turn, BUS_DO_GIVE_UP_TRIP)->why =
        machine_is_stopping(pipeline) ? "no answer before the worker had to end" : "no answer for 15 s";
  return NEXT_WAIT;
}

static enum next do_go_on(struct bus_pipeline *pipeline) {
  return pipeline->waiting.after;
}

static enum next do_give_up(struct bus_pipeline *pipeline, const struct bus_trip_result *trip) {
  machine_note_dead(pipeline, trip);
  if (!trip->dead)
    machine_lose_database(pipeline, "a transaction cannot be rolled back");
  pipeline->batch.failed.died = true;
  return pipeline->waiting.after;
}

static enum next do_publish_on(struct bus_pipeline *pipeline) {
  (void)pipeline;
  return NEXT_PUBLISH;
}

static enum next do_try_again(struct bus_pipeline *pipeline) {
  if (pipeline->turn.now < pipeline->waiting.until)
    return NEXT_WAIT;
  pipeline->waiting.until = 0;
  return NEXT_ATTEMPT;
}

static enum next do_recover(struct bus_pipeline *pipeline) {
  bool lives = !machine_is_stopping(pipeline) && pipeline->batch.epoch == pipeline->links.epoch;
  rest_answer_no(pipeline);
  if (lives)
    links_open(&pipeline->links, &pipeline->turn);
  return lives && !links_are_up(&pipeline->links) ? NEXT_WAIT : failure_recovered(pipeline);
}

static enum next do_put_off(struct bus_pipeline *pipeline) {
  return failure_answered(pipeline, true);
}

static enum next do_keep_for_later(struct bus_pipeline *pipeline, const struct bus_trip_result *trip) {
  machine_note_dead(pipeline, trip);
  return trip->in_transaction ? machine_roll_back(pipeline, NEXT_KEEP) : NEXT_KEEP;
}

static enum next do_rest(struct bus_pipeline *pipeline) {
  (void)pipeline;
  return NEXT_REST;
}

static enum next do_stay_counted(struct bus_pipeline *pipeline, const struct bus_trip_result *trip) {
  machine_note_dead(pipeline, trip);
  turn_log(&pipeline->turn, BUS_WARN, "a message that crashed nothing stays counted",
           BUS_F_UUID("message_id", &pipeline->batch.suspect_id), BUS_F_STR("cause", trip->error.text));
  return NEXT_REST;
}

static enum next do_answer_yes(struct bus_pipeline *pipeline) {
  return rest_probed(pipeline, true);
}

static enum next do_answer_no(struct bus_pipeline *pipeline, const struct bus_trip_result *trip) {
  machine_note_dead(pipeline, trip);
  return rest_probed(pipeline, false);
}

static enum next do_nothing(struct bus_pipeline *pipeline) {
  (void)pipeline;
  return NEXT_WAIT;
}

/* ---- the table ---- */

static const struct reaction keep = {"keep", .on_event = do_keep};
static const struct reaction confirm = {"settle", .on_event = do_confirm};
static const struct reaction returned = {"note", .on_event = do_return};
static const struct reaction block = {"note", .on_event = do_block};
static const struct reaction say = {"publish", .on_event = do_say};
static const struct reaction database = {"note", .on_event = do_note_database};
static const struct reaction drop = {"back off", .on_event = do_drop_database};
static const struct reaction detach = {"forget, back off", .on_event = do_detach};
static const struct reaction probe = {"note", .on = do_note_probe};
static const struct reaction stop = {"note", .on = do_note_stop};
static const struct reaction attach = {"read queues", .on = do_attach};
static const struct reaction begin = {"begin what is due", .on = rest_tick};
static const struct reaction watch = {"watch the time", .on = do_watch};
static const struct reaction suspect = {"try it", .on_trip = batch_counted};
static const struct reaction uncounted = {"try it", .on_trip = batch_not_counted};
static const struct reaction decide = {"decide, send trip 2", .on_trip = attempt_answered};
static const struct reaction answer = {"decide, answer", .on_trip = attempt_answered};
static const struct reaction fail = {"roll back", .on_trip = attempt_failed};
static const struct reaction publish = {"publish, settle", .on_trip = attempt_committed};
static const struct reaction go_on = {"go on", .on = do_go_on};
static const struct reaction give_up = {"close, go on", .on_trip = do_give_up};
static const struct reaction publish_on = {"publish on", .on = do_publish_on};
static const struct reaction try_again = {"try again", .on = do_try_again};
static const struct reaction recover = {"open, try again", .on = do_recover};
static const struct reaction put_off = {"put off", .on = do_put_off};
static const struct reaction later = {"keep for later", .on_trip = do_keep_for_later};
static const struct reaction rest = {"rest", .on = do_rest};
static const struct reaction stay = {"rest", .on_trip = do_stay_counted};
static const struct reaction yes = {"answer yes", .on = do_answer_yes};
static const struct reaction no = {"answer no", .on_trip = do_answer_no};
static const struct reaction drain = {"drain", .on = rest_drain};
static const struct reaction nothing = {"-", .on = do_nothing};

/* The reactions that do not depend on the phase. */
#define ANYWHERE                                                                                                       \
  [BUS_ON_DELIVERY] = &keep, [BUS_ON_CONFIRM] = &confirm, [BUS_ON_RETURNED] = &returned, [BUS_ON_BLOCKED] = &block,    \
  [BUS_ON_DATABASE_UP] = &database, [BUS_ON_BROKER_UP] = &attach, [BUS_ON_BROKER_DOWN] = &detach,                      \
  [BUS_ON_NOTICE] = &say, [BUS_ON_PROBE] = &probe, [BUS_ON_STOP] = &stop
/* A trip is under way: the database's end is its failure. */
#define TRIP(done, failed)                                                                                             \
  { ANYWHERE, [BUS_ON_TICK] = &watch, [BUS_ON_TRIP_DONE] = &(done), [BUS_ON_TRIP_FAILED] = &(failed) }
#define NO_TRIP(tick)                                                                                                  \
  { ANYWHERE, [BUS_ON_TICK] = &(tick), [BUS_ON_DATABASE_DOWN] = &drop }

static const struct reaction *const reactions[PHASES][BUS_PIPELINE_EVENTS] = {
    [PHASE_IDLE] = NO_TRIP(begin),
    [PHASE_GATHERING] = NO_TRIP(begin),
    [PHASE_COUNTING] = TRIP(suspect, uncounted),
    [PHASE_TRIP_1] = TRIP(decide, fail),
    [PHASE_TRIP_2] = TRIP(publish, fail),
    [PHASE_QUERY] = TRIP(answer, fail),
    [PHASE_ROLLING_BACK] = TRIP(go_on, give_up),
    [PHASE_PUBLISHING] = NO_TRIP(publish_on),
    [PHASE_PAUSING] = NO_TRIP(try_again),
    [PHASE_RECOVERING] = NO_TRIP(recover),
    [PHASE_ASKING] = TRIP(put_off, later),
    [PHASE_UNCOUNTING] = TRIP(rest, stay),
    [PHASE_PROBING] = TRIP(yes, no),
    [PHASE_DRAINING] = NO_TRIP(drain),
    [PHASE_STOPPED] = NO_TRIP(nothing),
};

enum next phase_react(struct bus_pipeline *pipeline, const struct bus_pipeline_event *event) {
  const struct reaction *reaction = reactions[pipeline->waiting.phase][event->kind];
  assert(reaction); /* the driver's fault */
  if (reaction->on_trip)
    return reaction->on_trip(pipeline, event->trip);
  return reaction->on ? reaction->on(pipeline) : reaction->on_event(pipeline, event);
}

static bool is_same_anywhere(int event) {
  for (int phase = 1; phase < PHASES; phase++)
    if (reactions[phase][event] != reactions[0][event])
      return false;
  return true;
}

/* A row of the table; name NULL: the line under its head. */
static void print_row(void *context, void (*write)(void *context, const char *text), const char *name, int phase) {
  write(context, name ? "| " : "|---|");
  write(context, name ? name : "");
  write(context, name ? " |" : "");
  for (int event = 0; event < BUS_PIPELINE_EVENTS; event++) {
    if (is_same_anywhere(event))
      continue;
    const struct reaction *reaction = phase < 0 ? NULL : reactions[phase][event];
    write(context, name ? " " : "---|");
    write(context, !name ? "" : phase < 0 ? event_names[event] : reaction ? reaction->name : "cannot come");
    write(context, name ? " |" : "");
  }
  write(context, "\n");
}

void bus_pipeline_print(void (*write)(void *context, const char *text), void *context) {
  print_row(context, write, "phase", -1);
  print_row(context, write, NULL, -1);
  for (int phase = 0; phase < PHASES; phase++)
    print_row(context, write, phase_names[phase], phase);
  write(context, "\nIn every phase:");
  const char *separator = " ";
  for (int event = 0; event < BUS_PIPELINE_EVENTS; event++) {
    if (!is_same_anywhere(event))
      continue;
    write(context, separator);
    write(context, event_names[event]);
    write(context, ": ");
    write(context, reactions[0][event]->name);
    separator = "; ";
  }
  write(context, ".\n");
}
