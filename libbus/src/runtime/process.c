/* Process setup of every program: signals and core dumps. */
#include "process_memory.h"

#include <bus/log.h>
#include <bus/process.h>

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { DRAIN_SECONDS = 10, EXIT_SECOND_SIGNAL = 130, EXIT_DRAIN_TIMEOUT = 124, TRIM_SECONDS = 30 };

static struct {
  void (*reload)(void *context);
  void *context;
} hangup;

void bus_process_on_hangup(void (*reload)(void *context), void *context) {
  hangup.reload = reload;
  hangup.context = context;
}

static bool is_ignored(int signal_number) {
  struct sigaction now;
  return sigaction(signal_number, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

/* The signals that bus_process_wait takes. */
static void awaited_signals(sigset_t *set) {
  (void)sigemptyset(set);
  (void)sigaddset(set, SIGTERM);
  (void)sigaddset(set, SIGINT);
  if (hangup.reload || !is_ignored(SIGHUP))
    (void)sigaddset(set, SIGHUP);
}

/* Secrets live in this memory. The sanitizers' leak check needs ptrace, so it keeps it. */
static void protect_memory(void) {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  const struct rlimit none = {0, 0};
  (void)setrlimit(RLIMIT_CORE, &none);
  (void)prctl(PR_SET_DUMPABLE, 0);
#endif
}

void bus_process_init(void) {
  sigset_t set;
  bus_process_standard_files();
  awaited_signals(&set);
  (void)sigaddset(&set, SIGHUP); /* a blocked signal stays pending also where it is ignored */
  (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
  (void)signal(SIGPIPE, SIG_IGN);
  (void)signal(SIGUSR1, SIG_IGN); /* without a meaning here, and by default they end a process without a drain */
  (void)signal(SIGUSR2, SIG_IGN);
  process_bound_memory();
  protect_memory();
}

static void on_second_signal(int signal_number) {
  bool late = signal_number == SIGALRM;
  bus_log_last_in_signal(BUS_ERROR, late ? "the drain took longer than it may; exiting with status 124"
                                         : "a second signal came during the drain; exiting with status 130");
  _exit(late ? EXIT_DRAIN_TIMEOUT : EXIT_SECOND_SIGNAL);
}

static int await_end(const sigset_t *set) {
  const struct timespec pause = {.tv_sec = TRIM_SECONDS};
  for (;;) {
    int signal_number = sigtimedwait(set, NULL, &pause);
    if (signal_number < 0)
      process_return_memory();
    else if (signal_number == SIGHUP && hangup.reload)
      hangup.reload(hangup.context);
    else
      return signal_number;
  }
}

int bus_process_wait(int64_t drain_ms) {
  sigset_t set;
  awaited_signals(&set);
  int signal_number = await_end(&set);
  const struct sigaction at_once = {.sa_handler = on_second_signal};
  (void)sigaction(SIGTERM, &at_once, NULL);
  (void)sigaction(SIGINT, &at_once, NULL);
  if (hangup.reload)
    (void)signal(SIGHUP, SIG_IGN);
  else if (!is_ignored(SIGHUP))
    (void)sigaction(SIGHUP, &at_once, NULL);
  (void)sigaction(SIGALRM, &at_once, NULL);
  (void)alarm((unsigned)(drain_ms / 1000) + DRAIN_SECONDS);
  (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
  return signal_number;
}

#ifndef NDEBUG
/* glibc's own writes to stderr, and would wait where a reader stalls; a process that failed an assertion must end. */
/* NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): glibc calls it by this name */
_Noreturn void __assert_fail(const char *assertion, const char *file, unsigned line, const char *function) {
  bus_log_last(BUS_ERROR, "assertion failed", BUS_F_STR("assertion", assertion), BUS_F_STR("file", file),
               BUS_F_INT("line", line), BUS_F_STR("function", function));
  abort();
}
#endif
