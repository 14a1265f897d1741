/* The log's writer thread: takes lines from the ring, and is the only thread that waits where stderr takes none. */
#include "log_writer.h"

#include <bus/clock.h>
#include <bus/log.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "log_ring.h"

enum {
  GATHER_MS = 5,        /* a line waits that long for others, so that under load one write takes many */
  REPORT_MS = 1000,     /* while lines are dropped again and again, one report a second */
  EXIT_FLUSH_MS = 1000, /* at exit; a reader that takes nothing keeps no process longer */
};

enum writer_state { NOT_STARTED, IDLE, GATHERING, WRITING };

static struct {
  pthread_mutex_t lock;
  pthread_cond_t work, quiet;
  struct log_ring ring;
  enum writer_state state;
  bool urgent;
  uint64_t reported; /* how many of the dropped lines a line has told of */
  int64_t reported_at;
} writer = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Atomic uint64_t dropped;

/* ---- writing ---- */

bool log_write_now(const char *text, size_t len) {
  struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
  return poll(&out, 1, 0) == 1 && (out.revents & POLLOUT) != 0 && write(STDERR_FILENO, text, len) == (ssize_t)len;
}

/* Another process may have made the shared pipe non-blocking: then poll(2) waits instead of write(2). */
static bool can_go_on(int error) {
  struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
  if (error == EAGAIN)
    (void)poll(&out, 1, -1); /* an error of poll shows in the next write */
  return error == EAGAIN || error == EINTR;
}

static bool write_all(const char *text, size_t len) {
  for (size_t done = 0; done < len;) {
    ssize_t written = write(STDERR_FILENO, text + done, len - done);
    if (written >= 0)
      done += (size_t)written;
    else if (!can_go_on(errno))
      return false;
  }
  return true;
}

/* ---- the thread; all below runs with the lock held, which is given up while it writes or waits ---- */

static bool write_unlocked(const char *text, size_t len) {
  writer.state = WRITING;
  pthread_mutex_unlock(&writer.lock);
  bool written = write_all(text, len);
  pthread_mutex_lock(&writer.lock);
  return written;
}

static void wait_for_lines(void) {
  writer.state = IDLE;
  while (writer.ring.used == 0) {
    pthread_cond_broadcast(&writer.quiet);
    pthread_cond_wait(&writer.work, &writer.lock);
  }
  int64_t until = bus_monotonic() + GATHER_MS * BUS_MILLISECOND;
  writer.state = GATHERING;
  while (!writer.urgent && writer.ring.used < LOG_LINE_SIZE && bus_monotonic() < until)
    (void)bus_cond_wait(&writer.work, &writer.lock, until);
  writer.urgent = false;
}

static void report_dropped(char *text) {
  uint64_t total = atomic_load(&dropped), lost = total - writer.reported;
  int64_t now = bus_monotonic();
  if (lost == 0 || (writer.ring.used > 0 && now - writer.reported_at < REPORT_MS * BUS_MILLISECOND))
    return;
  size_t len =
      bus_log_line(text, LOG_LINE_SIZE, BUS_WARN, "log lines were dropped: stderr took none",
                   (const struct bus_log_field[]){
                       BUS_F_INT("dropped", lost), BUS_F_INT("dropped_since_start", total), {.kind = BUS_LOG_END}});
  writer.reported_at = now;
  if (write_unlocked(text, len))
    writer.reported = total;
}

static void *write_lines(void *context) {
  static char text[LOG_LINE_SIZE]; /* one writer a process */
  (void)context;
  pthread_mutex_lock(&writer.lock);
  for (;;) {
    uint64_t count = 0;
    wait_for_lines();
    size_t len = log_ring_take(&writer.ring, text, sizeof text, &count);
    if (write_unlocked(text, len))
      report_dropped(text);
    else
      atomic_fetch_add(&dropped, count);
  }
  return NULL;
}

/* ---- starting ---- */

static void conditions_init(void) {
  bus_cond_init(&writer.work);
  bus_cond_init(&writer.quiet);
}

/* A child of fork has no writer thread; the parent writes the lines of the ring. */
static void before_fork(void) {
  pthread_mutex_lock(&writer.lock);
}

static void parent_after_fork(void) {
  pthread_mutex_unlock(&writer.lock);
}

static void child_after_fork(void) {
  writer.state = NOT_STARTED;
  writer.ring.used = 0;
  conditions_init();
  pthread_mutex_unlock(&writer.lock);
}

static void flush_at_exit(void) {
  (void)bus_log_flush(EXIT_FLUSH_MS); /* lines that a stalled reader does not accept are lost */
}

static void process_init(void) {
  conditions_init();
  (void)pthread_atfork(before_fork, parent_after_fork, child_after_fork); /* without it only children log worse */
  (void)atexit(flush_at_exit);
}

/* Signals belong to other threads. */
static bool start_writer(void) {
  pthread_attr_t attributes;
  pthread_t thread;
  sigset_t all, before;
  (void)sigfillset(&all);
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  bool started = pthread_create(&thread, &attributes, write_lines, NULL) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  writer.state = started ? IDLE : NOT_STARTED;
  return started;
}

static bool is_running(void) {
  return writer.state != NOT_STARTED || start_writer();
}

/* ---- what other threads call ---- */

static void wake(bool urgent) {
  writer.urgent = writer.urgent || urgent;
  if (writer.state == IDLE || (writer.state == GATHERING && (writer.urgent || writer.ring.used >= LOG_LINE_SIZE)))
    pthread_cond_signal(&writer.work);
}

void log_writer_put(struct bus_str line, bool urgent) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, process_init);
  pthread_mutex_lock(&writer.lock);
  bool running = is_running(), taken = running && log_ring_put(&writer.ring, line);
  if (taken)
    wake(urgent);
  pthread_mutex_unlock(&writer.lock);
  if (!taken && (running || !log_write_now(line.data, line.len)))
    atomic_fetch_add(&dropped, 1);
}

int64_t bus_log_dropped(void) {
  return (int64_t)atomic_load(&dropped);
}

bool bus_log_flush(int64_t timeout_ms) {
  int64_t deadline = bus_monotonic() + timeout_ms * BUS_MILLISECOND;
  pthread_mutex_lock(&writer.lock);
  for (bool more = true; more && writer.state != NOT_STARTED && (writer.ring.used > 0 || writer.state != IDLE);) {
    wake(true);
    more = bus_cond_wait(&writer.quiet, &writer.lock, deadline);
  }
  bool done = writer.state == NOT_STARTED || (writer.ring.used == 0 && writer.state == IDLE);
  pthread_mutex_unlock(&writer.lock);
  return done;
}
