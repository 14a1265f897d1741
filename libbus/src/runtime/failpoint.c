/* Failpoints: the armed faults, the count of hits, and the faults that act by themselves. */
#include <bus/failpoint.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define VARIABLE "BUS_FAILPOINTS"
#define LOG_VARIABLE "BUS_FAILPOINTS_LOG"
const char *const bus_failpoint_variables[] = {VARIABLE, LOG_VARIABLE, NULL};
enum { ARMED_MAX = 16, NAME_SIZE = 64, FAULT_SIZE = 24, DELAY_MAX_MS = 60000, HITS_MAX = 1000000000 };

enum kind { CRASH, DELAY, ERROR, DISCONNECT };

/* One entry of the variable. All but hits stands still once there are threads. */
struct armed {
  char name[NAME_SIZE];
  char fault[FAULT_SIZE]; /* as it was written */
  enum kind kind;
  long delay_ms, first, last;
  atomic_long hits;
};
static struct armed armed[ARMED_MAX];
static size_t armed_count;
static int log_fd = -1;

/* Weak: a program without any point has no such section. */
extern struct bus_failpoint *const __start_bus_failpoints[] __attribute__((weak));
extern struct bus_failpoint *const __stop_bus_failpoints[] __attribute__((weak));

/* ---- the program's points ---- */

static const char *const *fault_names(unsigned can) {
  static const char *const names[][5] = {
      {"crash", "delay:MS"},
      {"crash", "delay:MS", "error"},
      {"crash", "delay:MS", "disconnect"},
      {"crash", "delay:MS", "error", "disconnect"},
  };
  return names[can];
}

/* The same step may stand at several places; it is listed once. */
static bool is_repeated(struct bus_failpoint *const *point) {
  for (struct bus_failpoint *const *at = __start_bus_failpoints; at < point; at++)
    if (strcmp((*at)->name, (*point)->name) == 0)
      return true;
  return false;
}

void bus_failpoints_print(void *context, void (*write)(void *context, const char *text)) {
  for (struct bus_failpoint *const *at = __start_bus_failpoints; at < __stop_bus_failpoints; at++) {
    if (is_repeated(at))
      continue;
    write(context, (*at)->name);
    for (const char *const *fault = fault_names((*at)->can); *fault; fault++) {
      write(context, " ");
      write(context, *fault);
    }
    write(context, "\n");
  }
}

/* ---- reading ---- */

static bool number(const char *text, const char **end, long most, long *ret) {
  char *after;
  if (*text < '0' || *text > '9')
    return false;
  errno = 0;
  *ret = strtol(text, &after, 10);
  *end = after;
  return errno == 0 && *ret <= most;
}

static bool read_hits(const char *text, struct armed *ret) {
  ret->first = ret->last = 1;
  if (*text == '\0')
    return true;
  if (*text++ != '@' || !number(text, &text, HITS_MAX, &ret->first) || ret->first < 1)
    return false;
  ret->last = ret->first;
  if (strncmp(text, "..", 2) != 0)
    return *text == '\0';
  text += 2;
  ret->last = HITS_MAX;
  return *text == '\0' || (number(text, &text, HITS_MAX, &ret->last) && *text == '\0' && ret->last >= ret->first);
}

static bool read_fault(const char *text, struct armed *ret) {
  static const char *const names[] = {
      [CRASH] = "crash", [DELAY] = "delay", [ERROR] = "error", [DISCONNECT] = "disconnect"};
  size_t len = strcspn(text, ":@");
  for (size_t i = 0; i < BUS_COUNT(names); i++) {
    if (strlen(names[i]) != len || memcmp(text, names[i], len) != 0)
      continue;
    const char *rest = text + len;
    ret->kind = (enum kind)i;
    if (i == DELAY && (*rest != ':' || !number(rest + 1, &rest, DELAY_MAX_MS, &ret->delay_ms)))
      return false;
    (void)snprintf(ret->fault, sizeof ret->fault, "%.*s", (int)(rest - text), text);
    return read_hits(rest, ret);
  }
  return false;
}

static bool is_taken(const struct bus_failpoint *point, enum kind kind) {
  return (kind != ERROR || (point->can & BUS_CAN_ERROR)) && (kind != DISCONNECT || (point->can & BUS_CAN_DISCONNECT));
}

/* Arms every place of that name. */
static bool arm(const struct armed *entry, struct bus_error *err) {
  size_t found = 0;
  for (struct bus_failpoint *const *at = __start_bus_failpoints; at < __stop_bus_failpoints; at++) {
    if (strcmp((*at)->name, entry->name) != 0)
      continue;
    if (!is_taken(*at, entry->kind))
      return bus_fail(err, BUS_E_CONFIG, VARIABLE ": %s takes no %s (see --print-failpoints)", entry->name,
                      entry->fault);
    (*at)->armed = true;
    found++;
  }
  return found > 0 ||
         bus_fail(err, BUS_E_CONFIG, VARIABLE ": this program has no point %s (see --print-failpoints)", entry->name);
}

static bool read_entry(const char *text, size_t len, struct bus_error *err) {
  char copy[NAME_SIZE + FAULT_SIZE + 32];
  struct armed *entry = &armed[armed_count];
  (void)snprintf(copy, sizeof copy, "%.*s", (int)len, text);
  char *equals = strchr(copy, '=');
  if (len >= sizeof copy || !equals || equals == copy || equals - copy >= NAME_SIZE || !read_fault(equals + 1, entry))
    return bus_fail(err, BUS_E_CONFIG,
                    VARIABLE ": \"%s\" is not point=fault[@N[..[M]]], fault being crash, error, disconnect or delay:MS "
                             "up to %d",
                    copy, DELAY_MAX_MS);
  *equals = '\0';
  (void)snprintf(entry->name, sizeof entry->name, "%.*s", NAME_SIZE - 1, copy);
  armed_count++;
  return arm(entry, err);
}

static bool read_entries(const char *text, struct bus_error *err) {
  for (;;) {
    size_t len = strcspn(text, ",");
    if (armed_count == ARMED_MAX)
      return bus_fail(err, BUS_E_CONFIG, VARIABLE ": at most %d entries", ARMED_MAX);
    if (!read_entry(text, len, err))
      return false;
    if (text[len] == '\0')
      return true;
    text += len + 1;
  }
}

bool bus_failpoints_read(const char *(*lookup)(void *context, const char *name), void *context, struct bus_error *err) {
  const char *file = lookup(context, LOG_VARIABLE);
  if (file && *file && log_fd < 0)
    log_fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (file && *file && log_fd < 0)
    return bus_fail(err, BUS_E_CONFIG, LOG_VARIABLE ": %s: %s", file, strerror(errno));
  const char *text = lookup(context, VARIABLE); /* may lie where the file's name lay */
  return !text || !*text || read_entries(text, err);
}

/* ---- acting ---- */

static void note(const struct armed *entry) {
  char line[NAME_SIZE + FAULT_SIZE + 16];
  int len = snprintf(line, sizeof line, "%s %s %d\n", entry->name, entry->fault, (int)getpid());
  if (log_fd >= 0 && write(log_fd, line, (size_t)len) != len)
    abort(); /* a fault without its record proves nothing */
}

static void sleep_ms(long ms) {
  struct timespec left = {ms / 1000, ms % 1000 * 1000000};
  while (nanosleep(&left, &left) != 0 && errno == EINTR)
    continue;
}

static void crash(void) {
  (void)kill(getpid(), SIGKILL);
  for (;;) /* other threads may run on until the signal is delivered, this one must not */
    (void)pause();
}

static enum bus_fault act(const struct armed *entry) {
  note(entry);
  switch (entry->kind) {
  case CRASH:
    crash();
    break;
  case DELAY:
    sleep_ms(entry->delay_ms);
    break;
  case ERROR:
    return BUS_FAULT_ERROR;
  case DISCONNECT:
    return BUS_FAULT_DISCONNECT;
  }
  return BUS_FAULT_NONE;
}

enum bus_fault bus_failpoint_hit(const struct bus_failpoint *point) {
  enum bus_fault fault = BUS_FAULT_NONE;
  for (size_t i = 0; i < armed_count; i++) {
    if (strcmp(armed[i].name, point->name) != 0)
      continue;
    long hit = atomic_fetch_add(&armed[i].hits, 1) + 1;
    if (hit >= armed[i].first && hit <= armed[i].last && fault == BUS_FAULT_NONE)
      fault = act(&armed[i]);
  }
  return fault;
}

void bus_failpoint_cut(enum bus_fault fault, int fd) {
  if (fault == BUS_FAULT_DISCONNECT)
    (void)shutdown(fd, SHUT_RDWR); /* ignore an error: the socket may be closed already */
}

bool bus_failpoint_acts(enum bus_fault fault, int fd) {
  bus_failpoint_cut(fault, fd);
  return fault == BUS_FAULT_ERROR;
}
