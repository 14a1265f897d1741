/* What every program of ours does to its process: signals, core dumps, memory arenas. */
#include <bus/service.h>

#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { DRAIN_SECONDS = 10, EXIT_SECOND_SIGNAL = 130, EXIT_DRAIN_TIMEOUT = 124 };

static void ending_signals(sigset_t *set) {
  (void)sigemptyset(set);
  (void)sigaddset(set, SIGTERM);
  (void)sigaddset(set, SIGINT);
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
  ending_signals(&set);
  (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
  (void)signal(SIGPIPE, SIG_IGN);
  (void)mallopt(M_ARENA_MAX, 2); /* an arena a thread would cost more memory than contention costs time */
  protect_memory();
}

static void on_second_signal(int signal_number) {
  _exit(signal_number == SIGALRM ? EXIT_DRAIN_TIMEOUT : EXIT_SECOND_SIGNAL);
}

int bus_process_wait(void) {
  sigset_t set;
  int signal_number = 0;
  ending_signals(&set);
  while (sigwait(&set, &signal_number) != 0)
    continue;
  const struct sigaction at_once = {.sa_handler = on_second_signal};
  (void)sigaction(SIGTERM, &at_once, NULL);
  (void)sigaction(SIGINT, &at_once, NULL);
  (void)sigaction(SIGALRM, &at_once, NULL);
  (void)alarm(DRAIN_SECONDS);
  (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
  return signal_number;
}
