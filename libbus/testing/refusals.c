/* The allocator that refuses, and the loops over what it refuses. */
#include <bus/refusals.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS_MAX = 20000, ARENA_LIMIT = 64 << 20, ARENA_STEP = 16 };

/* The sanitizer's allocator where there is one, else the C library's. */
extern void *__interceptor_malloc(size_t size) __attribute__((weak));
extern void *__interceptor_calloc(size_t count, size_t size) __attribute__((weak));
extern void *__interceptor_realloc(void *memory, size_t size) __attribute__((weak));
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));
extern const char __executable_start[], etext[];

/* Applies to the thread that runs the scenario; other threads allocate as usual. */
static _Thread_local struct {
  bool armed, for_ever, ours_only;
  size_t refuse_at, seen, refused;
} allocations;

static bool refuses(const void *caller) {
  const char *from = caller;
  if (!allocations.armed || (allocations.ours_only && (from < __executable_start || from >= etext)))
    return false;
  allocations.seen++;
  bool refused = allocations.seen == allocations.refuse_at ||
                 (allocations.for_ever && allocations.refuse_at > 0 && allocations.seen > allocations.refuse_at);
  allocations.refused += refused;
  if (refused)
    errno = ENOMEM;
  return refused;
}

void *malloc(size_t size) {
  if (refuses(__builtin_return_address(0)))
    return NULL;
  return __interceptor_malloc ? __interceptor_malloc(size) : __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  if (refuses(__builtin_return_address(0)))
    return NULL;
  return __interceptor_calloc ? __interceptor_calloc(count, size) : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
  if (refuses(__builtin_return_address(0)))
    return NULL;
  return __interceptor_realloc ? __interceptor_realloc(memory, size) : __libc_realloc(memory, size);
}

/* By malloc, also where the sanitizer has its own. */
char *strdup(const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = refuses(__builtin_return_address(0)) ? NULL : malloc(size);
  return copy ? memcpy(copy, text, size) : NULL;
}

char *strndup(const char *text, size_t max) {
  size_t len = strnlen(text, max);
  char *copy = refuses(__builtin_return_address(0)) ? NULL : malloc(len + 1);
  if (copy) {
    memcpy(copy, text, len);
    copy[len] = '\0';
  }
  return copy;
}

void bus_refusals_pause(bool paused) {
  allocations.armed = !paused;
}

void bus_refusals_over(void) {
  allocations.armed = false;
}

/* ---- the loops ---- */

struct loop {
  bus_refusals_scenario *scenario;
  const void *context;
  struct bus_refusals *ret;
  struct bus_error *err;
};

/* One run; *ret_done: to its end. False: there is no arena. */
static bool run(const struct loop *loop, size_t limit, bool *ret_done) {
  struct bus_arena *arena = bus_arena_new(limit);
  if (!arena)
    return bus_fail(loop->err, BUS_E_NOMEM, "out of memory for a scenario's arena");
  allocations.seen = allocations.refused = 0;
  allocations.armed = true;
  *ret_done = loop->scenario(arena, loop->context);
  allocations.armed = false;
  bus_arena_free(arena);
  return true;
}

static bool refuse_calls(const struct loop *loop, bool for_ever) {
  bool done = false, refused = true;
  for (size_t n = 1; refused; n++) {
    if (n == RUNS_MAX)
      return bus_fail(loop->err, BUS_E_INVALID, "the scenario allocates more than %d times", RUNS_MAX);
    allocations.refuse_at = n;
    allocations.for_ever = for_ever;
    if (!run(loop, ARENA_LIMIT, &done))
      return false;
    refused = allocations.refused > 0;
    if (!done && !refused)
      return bus_fail(loop->err, BUS_E_INVALID, "the scenario failed, and nothing had been refused (n = %zu)", n);
    loop->ret->refused += refused;
    loop->ret->survived += refused && done;
  }
  allocations.refuse_at = 0;
  return true;
}

/* A scenario that needs nothing of the arena succeeds at once. */
static bool refuse_room(const struct loop *loop) {
  bool done = false;
  allocations.refuse_at = 0;
  for (size_t limit = ARENA_STEP; !done; limit += ARENA_STEP) {
    if (limit >= ARENA_STEP * (size_t)RUNS_MAX)
      return bus_fail(loop->err, BUS_E_INVALID, "the scenario fails in an arena of %zu bytes", limit);
    if (!run(loop, limit, &done))
      return false;
    loop->ret->refused += !done;
  }
  return true;
}

/* Whatever it makes once for the process is made by the first run. */
static bool run_first(const struct loop *loop) {
  bool done = false;
  allocations.refuse_at = 0;
  return run(loop, ARENA_LIMIT, &done) &&
         (done || bus_fail(loop->err, BUS_E_INVALID, "the scenario fails although nothing is refused"));
}

bool bus_refusals_run(bus_refusals_scenario *scenario, const void *context, bool ours_only, struct bus_refusals *ret,
                      struct bus_error *err) {
  const struct loop loop = {scenario, context, ret, err};
  *ret = (struct bus_refusals){0, 0};
  allocations.ours_only = ours_only;
  if (!run_first(&loop) || !refuse_calls(&loop, false) || !refuse_calls(&loop, true) || !refuse_room(&loop))
    return false;
  if (ret->refused == 0)
    return bus_fail(err, BUS_E_INVALID, "nothing was refused: the scenario allocates nothing");
  return !__lsan_do_recoverable_leak_check || __lsan_do_recoverable_leak_check() == 0 ||
         bus_fail(err, BUS_E_INVALID, "the scenario leaks; the leak sanitizer has said where");
}
