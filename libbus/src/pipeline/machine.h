/* The machine: its parts, and the batch that is under way. */
#pragma once

#include "acks.h"
#include "bisect.h"
#include "blame.h"
#include "dropped.h"
#include "holds.h"
#include "intake.h"
#include "ledger.h"
#include "links.h"
#include "outgoing.h"
#include "stall.h"
#include "suspects.h"
#include "upkeep.h"
#include "window.h"

#include "../core/pace.h"

enum phase {
  PHASE_IDLE,         /* no batch; nothing has come, or a link is away */
  PHASE_GATHERING,    /* no batch yet: it begins a moment later, with more inputs */
  PHASE_COUNTING,     /* the attempts at a suspect */
  PHASE_TRIP_1,       /* inbox and locks are asked */
  PHASE_TRIP_2,       /* what was decided is written and committed */
  PHASE_QUERY,        /* the one trip of a service that only answers queries */
  PHASE_ROLLING_BACK, /* a transaction that failed is ended */
  PHASE_PUBLISHING,   /* committed; its messages wait for room */
  PHASE_PAUSING,      /* a moment after a conflict */
  PHASE_RECOVERING,   /* the database went away under a batch */
  PHASE_ASKING,       /* whether the database takes an inbox row now */
  PHASE_UNCOUNTING,   /* a suspect that crashed nothing */
  PHASE_PROBING,      /* whether the database is there */
  PHASE_DRAINING,     /* told to stop: confirms are awaited */
  PHASE_STOPPED,
  PHASES,
};

/* A step's work goes on from one of these to the next, until it waits for an event. */
enum next {
  NEXT_WAIT,
  NEXT_SEGMENT, /* try the segment on top */
  NEXT_ATTEMPT, /* at its transaction */
  NEXT_DECIDE,  /* trip 1 has answered */
  NEXT_OUTCOME, /* of an attempt that failed */
  NEXT_DIVIDE,  /* its inputs are searched for the guilty one */
  NEXT_JUDGE,   /* one input failed alone */
  NEXT_KEEP,    /* it is kept for later: a probe has failed, too */
  NEXT_PUBLISH, /* committed */
  NEXT_SETTLE,
  NEXT_FINISH, /* no segment is left, or the batch is abandoned */
  NEXT_REST,   /* the batch is over */
  NEXTS,
};

/* One attempt to carry the segment's inputs through one transaction; its memory lies in the work arena. */
struct attempt {
  struct entry **entries;
  size_t count;
  struct bus_input *inputs; /* of those that are not refused beforehand, in order */
  struct entry **asked;     /* their entries */
  size_t asked_count;
  void *model;
  struct bus_effects effects;
  size_t first_service_row, service_rows;
  long now_row, inbox_row;
  int64_t began;
  bool second;  /* the second trip was begun */
  bool commits; /* its COMMIT was sent, perhaps */
  bool wrote;   /* more than inbox rows: such a commit proves that the database takes what the inputs need */
  struct outgoings outgoings;
  size_t published; /* of this commit */
};

/* How the last attempt failed. */
struct failed {
  enum bus_batch_outcome outcome;
  struct bus_error error;
  bool rider;   /* in a statement that no input asked for */
  bool unknown; /* lost after its COMMIT was sent */
  bool died;    /* with its session */
};

struct batch {
  struct entry **entries;
  size_t count, room;
  uint64_t epoch; /* of the broker's connection when it began */
  bool fresh;     /* its inputs had just arrived */
  bool suspect;   /* one input that is counted while it is tried */
  struct bus_uuid suspect_id;
  struct bisect bisect;
  struct failed failed;
  bool bare;                /* no riders in the next attempt */
  struct bus_arena *before; /* of the attempt before: its publications may not be carried out yet */
  int tries;                /* of housekeeping */
};

/* Times of the last work, for what waits for quiet. Monotonic. */
struct quiet {
  int64_t last_work_at;  /* a commit or a confirm */
  int64_t last_batch_at; /* with inputs: what is due rides on the next one, if there is one soon */
  int64_t idle_again_at; /* after a transaction without inputs failed */
};

/* The trip, pause or quiet that is waited for. */
struct waiting {
  enum phase phase;
  enum next after;  /* ROLLING_BACK: what comes then */
  int64_t since;    /* of a trip, or of PUBLISHING without room */
  int64_t until;    /* PAUSING; a delay on purpose before a batch (0: none) */
  int64_t gathered; /* for the batch that began then, gathering is over */
  struct quiet quiet;
};

struct ending {
  int64_t stop_at; /* 0: not told to stop */
  bool draining;
  bool last;    /* the last transaction has begun */
  bool probing; /* the driver asks whether the database is there */
};

struct bus_pipeline {
  struct bus_pipeline_setup setup;
  void *context; /* the service's */
  struct turn turn;
  struct bus_pipeline_actions actions;
  struct bus_arena *work;
  struct bus_uuid_source ids;
  struct links links;
  struct intake intake;
  struct suspects suspects;
  struct acks acks;
  struct stall stall;
  struct window window;
  struct holds holds;
  struct dropped dropped;
  struct ledger ledger;
  struct pace pace;
  struct upkeep upkeep;
  struct batch batch;
  struct attempt attempt;
  struct waiting waiting;
  struct ending ending;
};

/* ---- machine.c ---- */
/* The other work arena is next, empty. */
void machine_turn_arenas(struct bus_pipeline *pipeline);
/* In the work arena; NULL: out of memory. */
struct bus_sql *machine_begin_trip(struct bus_pipeline *pipeline);
/* Sends a trip and waits for it in that phase. */
struct bus_pipeline_action *machine_send(struct bus_pipeline *pipeline, struct bus_sql *sql, enum bus_trip_kind purpose,
                                         enum phase phase);
/* Ends the open transaction; `after` comes then. */
enum next machine_roll_back(struct bus_pipeline *pipeline, enum next after);
/* The trip that failed took the connection with it, perhaps. */
void machine_note_dead(struct bus_pipeline *pipeline, const struct bus_trip_result *trip);
void machine_lose_database(struct bus_pipeline *pipeline, const char *why);
void machine_lose_broker(struct bus_pipeline *pipeline, const char *why);
/* Acks what is settled, if it is time; now: at once. */
void machine_ack(struct bus_pipeline *pipeline, bool now);
/* `until`, or earlier where the pipeline was told to stop. */
int64_t machine_bound(const struct bus_pipeline *pipeline, int64_t until);
struct upkeep_facts machine_upkeep_facts(const struct bus_pipeline *pipeline);
static inline bool machine_is_stopping(const struct bus_pipeline *pipeline) {
  return pipeline->ending.stop_at != 0;
}

/* ---- arrival.c ---- */
/* Keeps a delivery until it is batched: a bundle as its messages. Returns why it cannot; NULL: it is kept. */
const char *arrival_keep(struct bus_pipeline *pipeline, const struct bus_delivery *delivery, bool fails);

/* ---- attempt.c: an attempt until its COMMIT ---- */
enum next attempt_start(struct bus_pipeline *pipeline);
/* Trip 1 has answered. */
enum next attempt_answered(struct bus_pipeline *pipeline, const struct bus_trip_result *trip);
enum next attempt_decide(struct bus_pipeline *pipeline);
/* Trip 2 has answered. */
enum next attempt_committed(struct bus_pipeline *pipeline, const struct bus_trip_result *trip);
enum next attempt_failed(struct bus_pipeline *pipeline, const struct bus_trip_result *trip);
enum next attempt_no_memory(struct bus_pipeline *pipeline, bool in_transaction);

/* ---- second.c: the statements of trip 2 ---- */
enum next second_trip(struct bus_pipeline *pipeline);

/* ---- publish.c: after COMMIT ---- */
enum next publish_next(struct bus_pipeline *pipeline);
enum next publish_settle(struct bus_pipeline *pipeline);
void publish_confirm(struct bus_pipeline *pipeline, uint64_t seq, bool multiple, bool ack);
void publish_notice(struct bus_pipeline *pipeline, const struct bus_publication *notice);
/* A planted bug's. */
void publish_early(struct bus_pipeline *pipeline);

/* ---- batch.c: a batch until it is settled ---- */
/* Takes what is there and begins; NEXT_REST: nothing is there. */
enum next batch_begin(struct bus_pipeline *pipeline);
/* A transaction without inputs. */
enum next batch_housekeep(struct bus_pipeline *pipeline);
/* A suspect is counted, or could not be. */
enum next batch_counted(struct bus_pipeline *pipeline, const struct bus_trip_result *trip);
enum next batch_not_counted(struct bus_pipeline *pipeline, const struct bus_trip_result *trip);
enum next batch_segment(struct bus_pipeline *pipeline);
/* The segment on top is settled, kept or dropped. */
enum next batch_next_segment(struct bus_pipeline *pipeline);
enum next batch_finish(struct bus_pipeline *pipeline);
enum next batch_rest(struct bus_pipeline *pipeline);
/* When there are inputs to take; INT64_MAX: when something comes. */
int64_t batch_next_inputs(const struct bus_pipeline *pipeline);

/* ---- failure.c: attempts that failed ---- */
enum next failure_outcome(struct bus_pipeline *pipeline);
/* The links are up again. */
enum next failure_recovered(struct bus_pipeline *pipeline);
enum next failure_divide(struct bus_pipeline *pipeline);
enum next failure_judge(struct bus_pipeline *pipeline);
/* Keeps the segment's inputs for later, and goes on. */
enum next failure_defer(struct bus_pipeline *pipeline, const struct bus_error *why);
/* A probe transaction has answered. */
enum next failure_answered(struct bus_pipeline *pipeline, bool good);

/* ---- rest.c: between batches ---- */
/* Begins what is due: a link, a probe, a batch, housekeeping, the end. */
enum next rest_tick(struct bus_pipeline *pipeline);
enum next rest_drain(struct bus_pipeline *pipeline);
enum next rest_probed(struct bus_pipeline *pipeline, bool good);
/* While the database is away under a batch: not there. */
void rest_answer_no(struct bus_pipeline *pipeline);
/* When a tick is due, and what is worth waking up for. */
void rest_plan(struct bus_pipeline *pipeline);

/* ---- phase.c ---- */
/* The reaction of the phase that the pipeline is in. */
enum next phase_react(struct bus_pipeline *pipeline, const struct bus_pipeline_event *event);
extern const char *const phase_names[PHASES];
