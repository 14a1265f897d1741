/* The allocator that refuses, and the loops over what it refuses. */
#include "torture.h"

#include <errno.h>
#include <stdio.h>

#include "test.h"

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

void torture_pause(bool paused) {
  allocations.armed = !paused;
}

void torture_over(void) {
  allocations.armed = false;
}

/* One run; *ret_refused: something was refused in it. */
static bool run(torture_scenario scenario, const void *context, size_t limit, bool *ret_refused) {
  struct bus_arena *arena = bus_arena_new(limit);
  assert_non_null(arena);
  allocations.seen = allocations.refused = 0;
  allocations.armed = true;
  bool done = scenario(arena, context);
  allocations.armed = false;
  bus_arena_free(arena);
  *ret_refused = allocations.refused > 0;
  return done;
}

struct tally {
  size_t refused, survived;
};

static void refuse_calls(torture_scenario scenario, const void *context, bool for_ever, struct tally *tally) {
  bool refused = true;
  for (size_t n = 1; refused; n++) {
    assert_true(n < RUNS_MAX);
    allocations.refuse_at = n;
    allocations.for_ever = for_ever;
    bool done = run(scenario, context, ARENA_LIMIT, &refused);
    if (!done && !refused)
      fail_msg("it failed, and nothing had been refused (n = %zu)", n);
    tally->refused += refused;
    tally->survived += refused && done;
  }
  allocations.refuse_at = 0;
}

/* A scenario that needs nothing of the arena succeeds at once. */
static void refuse_room(torture_scenario scenario, const void *context, struct tally *tally) {
  bool done = false, refused;
  allocations.refuse_at = 0;
  for (size_t limit = ARENA_STEP; !done; limit += ARENA_STEP) {
    assert_true(limit < ARENA_STEP * (size_t)RUNS_MAX);
    done = run(scenario, context, limit, &refused);
    tally->refused += !done;
  }
}

static void torture_all(torture_scenario scenario, const void *context) {
  struct tally tally = {0, 0};
  bool refused;
  allocations.refuse_at = 0;
  assert_true(run(scenario, context, ARENA_LIMIT, &refused)); /* whatever it makes once for the process is made */
  refuse_calls(scenario, context, false, &tally);
  refuse_calls(scenario, context, true, &tally);
  refuse_room(scenario, context, &tally);
  if (tally.refused == 0)
    fail_msg("nothing was ever refused: the scenario allocates nothing");
  if (__lsan_do_recoverable_leak_check)
    assert_int_equal(__lsan_do_recoverable_leak_check(), 0);
  print_message("%zu injections, %zu survived\n", tally.refused, tally.survived);
}

void torture(torture_scenario scenario, const void *context) {
  allocations.ours_only = false;
  torture_all(scenario, context);
}

void torture_ours(torture_scenario scenario, const void *context) {
  allocations.ours_only = true;
  torture_all(scenario, context);
}
