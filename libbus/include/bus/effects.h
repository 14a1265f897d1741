/*
 * Inputs and effects of a decision, as data. Pure: a service's `decide` links nothing but bus_core, so tests and the
 * simulation run it without a broker or a database.
 */
#pragma once

#include <bus/arena.h>
#include <bus/base.h>
#include <bus/message.h>

BUS_C_BEGIN

enum bus_input_kind {
  BUS_INPUT_DELIVERY,   /* a message from a queue */
  BUS_INPUT_DEADLINE,   /* a row that came due: found by a periodic statement, looked at again under its lock */
  BUS_INPUT_COMPLETION, /* the result of a call that an action started */
};

struct bus_input {
  enum bus_input_kind kind;
  const struct bus_message_type *type; /* DELIVERY; else NULL */
  const struct bus_envelope *envelope; /* DELIVERY; else NULL */
  const void *body; /* DELIVERY: a struct of type->schema; else the service's own struct (see bus_worker_push) */
};

enum bus_verdict {
  BUS_DONE,  /* decided; the decision may be to ignore it */
  BUS_RETRY, /* deliver again later, through a retry tier; not for deadlines and completions; drops a request */
  BUS_PARK,  /* dead-letter with the reason; drops a request */
};

enum bus_effect_kind {
  BUS_EFFECT_EMIT,   /* an outbox row in this transaction, published after its COMMIT and until it is confirmed */
  BUS_EFFECT_ANSWER, /* published once after COMMIT, from memory; lost if the process dies in between */
  BUS_EFFECT_NOTICE, /* the same, to the event queues that are there */
  BUS_EFFECT_ACTION, /* the service's act() after COMMIT, e.g. "start this call"; lost if the process dies in between */
};

struct bus_effect {
  enum bus_effect_kind kind;
  const struct bus_input *cause;
  /* EMIT, ANSWER, NOTICE */
  const struct bus_message_type *type;
  struct bus_envelope envelope; /* message_id, correlation, causation, trace, reply_to (ANSWER: where it goes) */
  struct bus_str body;          /* JSON */
  /* ACTION */
  const void *action; /* lies in the batch's arena or in static data */
  struct bus_effect *next;
};

/* The effects of one batch in order, and the verdict on the input that is being decided. */
struct bus_topology;

struct bus_effects {
  struct bus_arena *arena;
  struct bus_uuid_source *ids;
  bus_time now;
  const char *service;                       /* app_id */
  const struct bus_topology *topology;       /* what may be sent; NULL: everything, in tests of decisions */
  const struct bus_message_type *checked[8]; /* types of this batch that may be */
  const struct bus_input *input;
  struct bus_effect *first, *last;
  struct bus_effect *before_input; /* last effect before this input's; a retry or park removes those behind it */
  size_t count;
  enum bus_verdict verdict;
  char reason[160];
  bool refused; /* a message was sent that the topology does not allow; the reason says so */
  bool failed;  /* that, out of memory, or a body that cannot be encoded: the batch is not committed */
};

/* Begins the effects of a batch. All arguments are kept by pointer and must live as long as the batch. */
void bus_effects_init(struct bus_effects *effects, struct bus_arena *arena, struct bus_uuid_source *ids, bus_time now,
                      const char *service);
/* Begins the next input: the verdict is BUS_DONE again. */
void bus_effects_begin(struct bus_effects *effects, const struct bus_input *input);
/* Ends the input after decide, and returns its verdict. For BUS_RETRY and BUS_PARK it removes the input's effects. */
enum bus_verdict bus_effects_end(struct bus_effects *effects);

/* The part of a message that an aggregate keeps, so that later deadlines and completions can name their cause. */
struct bus_cause {
  struct bus_trace trace;
  struct bus_uuid message_id;
};

/* An input that sends a type which the topology does not let this service send, or which is of another kind, is
 * dead-lettered, and the cause names the cure; its transaction is rolled back. */

/* Emits a command or event. Its causation is the input's message, its trace the input's: the span that it names as its
 * parent is the one that processes the input, where spans are recorded (bus_pipeline_setup). An input without a message
 * (deadline, completion) or without a trace needs bus_emit_caused, with the cause that the aggregate keeps. */
void bus_emit(struct bus_effects *effects, const struct bus_message_type *type, const struct bus_uuid *correlation_id,
              const void *body);
/* The same for an input without a message or trace: causation and trace are those that the aggregate keeps. */
void bus_emit_caused(struct bus_effects *effects, const struct bus_message_type *type,
                     const struct bus_uuid *correlation_id, const struct bus_cause *kept, const void *body);

/* Answers this input if its envelope has a reply_to; else does nothing. */
void bus_answer(struct bus_effects *effects, const struct bus_message_type *type, const void *body);
/* Address and request of a later answer, kept by the aggregate. */
struct bus_asker {
  struct bus_str reply_to;    /* absent: no asker waits */
  struct bus_uuid request_id; /* message_id of the request */
};
/* Answers a request of an earlier batch; does nothing where no asker waits. */
void bus_answer_to(struct bus_effects *effects, const struct bus_asker *asker, const struct bus_message_type *type,
                   const void *body);

/* Publishes a notice (BUS_NOTICE). */
void bus_notify(struct bus_effects *effects, const struct bus_message_type *type, const void *body);
/* Publishes notices whose first field is an array, until all items are in one; none without items. */
void bus_notify_list(struct bus_effects *effects, const struct bus_message_type *type, const void *items, size_t count);

/* NULL: the input is no message of that type. */
static inline const void *bus_input_body(const struct bus_input *input, const struct bus_message_type *type) {
  return input->type == type ? input->body : NULL;
}

/* The same for a type that BUS_MESSAGE declares, by its name. The last argument is a pointer to the type's struct, such
 * as
 * &(struct shipment){.order_id = id}; a pointer to another struct is an error of the compiler. C alone. */
#define BUS_POINTER_TO_BODY(name, ...)                                                                                 \
  _Generic((__VA_ARGS__), name##_body * : (__VA_ARGS__), const name##_body * : (__VA_ARGS__))
#define BUS_BODY(input, name) ((const name##_body *)bus_input_body((input), &name##_type))
#define BUS_EMIT(effects, name, correlation_id, ...)                                                                   \
  bus_emit((effects), &name##_type, (correlation_id), BUS_POINTER_TO_BODY(name, __VA_ARGS__))
#define BUS_REPLY(effects, name, ...) bus_answer((effects), &name##_type, BUS_POINTER_TO_BODY(name, __VA_ARGS__))
#define BUS_NOTIFY(effects, name, ...) bus_notify((effects), &name##_type, BUS_POINTER_TO_BODY(name, __VA_ARGS__))

/* Zeroed elements in the batch's arena. NULL: out of memory, and the effects have failed. */
void *bus_effects_array(struct bus_effects *effects, size_t count, size_t size) BUS_MUST_CHECK;

/* action must live as long as the batch: allocate it in effects->arena. */
void bus_act(struct bus_effects *effects, const void *action);

/* Gives the input back undecided. The caller must not have changed any aggregate. */
void bus_retry(struct bus_effects *effects, const char *format, ...) BUS_PRINTF(2, 3);
/* Dead-letters the input with that reason. The caller must not have changed any aggregate. */
void bus_park(struct bus_effects *effects, const char *format, ...) BUS_PRINTF(2, 3);

BUS_C_END
