/* Consumes a dead queue as far as it goes at the start, and gives back what is not acked. */
#include "dead_queue.h"

#include <bus/arena.h>
#include <bus/clock.h>

#include <errno.h>
#include <poll.h>

#define ARENA_LIMIT ((size_t)1 << 30)

/* Deliveries of one pump; they are visited after it, because a visit may take its time on another connection. */
struct portion {
  struct bus_delivery deliveries[DEAD_LOOK_MAX];
  size_t count;
};

static void keep_delivery(void *context, const struct bus_delivery *delivery) {
  struct portion *portion = context;
  if (portion->count < DEAD_LOOK_MAX) /* the prefetch is no larger */
    portion->deliveries[portion->count++] = *delivery;
}

static const struct bus_amqp_events events = {.delivery = keep_delivery};

static bool await(struct bus_amqp *amqp, struct portion *portion, struct bus_error *err) {
  int64_t until = bus_monotonic() + DEAD_QUIET_MS * BUS_MILLISECOND;
  portion->count = 0;
  while (bus_amqp_pump(amqp, &events, portion, err)) {
    if (portion->count > 0 || bus_monotonic() >= until)
      return true; /* none: someone else has the rest */
    struct pollfd fd = {.fd = bus_amqp_fd(amqp), .events = POLLIN};
    if (!bus_amqp_has_buffered(amqp) && poll(&fd, 1, 100) < 0 && errno != EINTR)
      return bus_fail(err, BUS_E_SYSTEM, "poll: %s", strerror(errno));
  }
  return false;
}

static bool visit_one(const struct dead_look *look, struct bus_amqp *amqp, const struct bus_delivery *delivery,
                      bool *ret_stop, struct bus_error *err) {
  enum dead_fate fate = look->visit(look->context, delivery);
  *ret_stop = fate == DEAD_STOPS;
  return fate != DEAD_GOES || bus_amqp_ack(amqp, delivery->tag, false, err);
}

static bool visit_all(const struct dead_look *look, struct bus_amqp *amqp, struct bus_arena *arena, int64_t *left,
                      struct bus_error *err) {
  static struct portion portion; /* large for a stack */
  bool stop = false;
  while (*left > 0 && !stop) {
    bus_arena_reset(arena);
    if (!await(amqp, &portion, err))
      return false;
    for (size_t i = 0; i<portion.count && * left> 0 && !stop; i++, --*left)
      if (!visit_one(look, amqp, &portion.deliveries[i], &stop, err))
        return false;
    if (portion.count == 0)
      break;
  }
  return true;
}

static bool look_through(const struct dead_look *look, struct bus_amqp *amqp, int64_t *ret_unseen,
                         struct bus_error *err) {
  int64_t depth = 0;
  if (!bus_amqp_queue_depth(amqp, look->queue, &depth, err))
    return false;
  int64_t left = look->peeks && depth > DEAD_LOOK_MAX ? DEAD_LOOK_MAX : depth, beyond = depth - left;
  int prefetch = left < DEAD_LOOK_MAX ? (int)left : DEAD_LOOK_MAX; /* what stays is held until the end */
  struct bus_arena *arena = bus_arena_new(ARENA_LIMIT);
  if (!arena)
    return bus_fail(err, BUS_E_NOMEM, "out of memory");
  bus_amqp_set_arena(amqp, arena);
  bool good = left == 0 || (bus_amqp_consume(amqp, look->queue, 0, prefetch, false, err) &&
                            visit_all(look, amqp, arena, &left, err) && bus_amqp_cancel(amqp, 0, err) &&
                            bus_amqp_give_back(amqp, err));
  bus_arena_free(arena);
  *ret_unseen = left + beyond;
  return good;
}

bool dead_look(const struct dead_look *look, int64_t *ret_unseen, struct bus_error *err) {
  struct bus_amqp *amqp;
  if (!bus_amqp_open(look->settings, &amqp, err))
    return false;
  bool good = look_through(look, amqp, ret_unseen, err);
  bus_amqp_free(amqp);
  return good;
}
