/* One step's surroundings: its time, where its actions go, the log; and the switches of planted bugs and failpoints. */
#pragma once

#include <bus/pipeline.h>

#include <assert.h>

enum { QUEUES_MAX = 8 };

struct turn {
  int64_t now;
  bus_time wall;
  struct bus_pipeline_actions *actions;
  const struct bus_pipeline_setup *setup;
  bool takes_requests; /* its messages are only dropped; those of other services are retried and dead-lettered */
};

#define turn_log(turn, level, msg, ...)                                                                                \
  (turn)->setup->log.write((turn)->setup->log.context, (level), (msg),                                                 \
                           (const struct bus_log_field[]){__VA_ARGS__ __VA_OPT__(, ){.kind = BUS_LOG_END}})

/* Room for them is made beforehand: see turn_has_room. */
static inline struct bus_pipeline_action *turn_do(const struct turn *turn, enum bus_pipeline_action_kind kind) {
  struct bus_pipeline_actions *actions = turn->actions;
  assert(actions->count < actions->room);
  struct bus_pipeline_action *action = &actions->items[actions->count++];
  action->kind = kind;
  return action;
}

static inline size_t turn_room(const struct turn *turn) {
  return turn->actions->room - turn->actions->count;
}

static inline void turn_count(const struct turn *turn, enum bus_pipeline_count what, int64_t more) {
  turn->actions->counts[what] += more;
}

#ifdef ORDERBUS_FAILPOINTS
#define turn_point(turn, which) (turn_do((turn), BUS_DO_POINT)->point = (which))
#define turn_point_if(turn, condition, which) ((condition) ? (void)turn_point((turn), (which)) : (void)0)
#else
#define turn_point(turn, which) ((void)(turn))
#define turn_point_if(turn, condition, which) ((void)(turn)) /* the condition is not compiled either */
#endif

/* A planted bug: a switch of the simulation's build alone, which shows that its checks would see the fault. */
struct bus_bug {
  const char *name, *text;
  bool on;
};
#ifdef ORDERBUS_BUGS
#define BUS_BUG(word, what)                                                                                            \
  __extension__({                                                                                                      \
    static struct bus_bug bug_ = {(word), (what), false};                                                              \
    static struct bus_bug *const listed_ __attribute__((section("bus_bugs"), used)) = &bug_;                           \
    bug_.on;                                                                                                           \
  })
#else
#define BUS_BUG(word, what) false
#endif

static inline void turn_init(struct turn *turn, const struct bus_pipeline_setup *setup,
                             struct bus_pipeline_actions *actions) {
  const struct bus_queue *queue = bus_topology_queue(setup->topology, setup->service->queues[0]);
  *turn = (struct turn){.now = setup->now, .actions = actions, .setup = setup};
  turn->takes_requests = queue->kind == BUS_QUEUE_REQUEST;
}

/* The name of the correlation id in logs. */
static inline const char *setup_correlation(const struct bus_pipeline_setup *setup) {
  return bus_topology_correlation(setup->topology);
}

static inline const char *setup_version(const struct bus_pipeline_setup *setup) {
  return setup->service->version ? setup->service->version : ORDERBUS_VERSION;
}
