/* The deterministic simulation: runs seeds, or one seed with its trace, or every planted bug until it is caught. */
#include "world.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { JOBS_MAX = 64, ENOUGH_ORDERS = 5000, ENOUGH_SEEDS = 100000 };

struct options {
  uint64_t first, seeds;
  int jobs;
  struct planted bug;
  bool one, traced, all_bugs, cells;
};

static const char usage[] =
    "usage: simulation [--seeds N] [--first N] [--jobs N] [--cells] [--bug NAME | --every-bug]\n"
    "       simulation --seed N [--trace] [--bug NAME]\n"
    "       simulation --bugs\n"
    "\n"
    "Runs the services' own decisions over a simulated broker, simulated databases, a simulated PSP and simulated\n"
    "servers of webhooks, in virtual time and under faults. A seed always tells the same story.\n"
    "\n"
    "  --seeds N     how many seeds (1000); with a bug: how many at most, until it is caught\n"
    "  --first N     the first of them (1)\n"
    "  --jobs N      processes (1)\n"
    "  --cells       how often each cell of the saga's table was entered\n"
    "  --seed N      this one alone\n"
    "  --trace       what happens in it, a line an event\n"
    "  --bug NAME    with a bug planted; --every-bug: with each in turn\n"
    "  --bugs        which there are\n";

static double seconds(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now); /* how long a run took: no seed sees it */
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- many seeds ---- */

struct report {
  struct tally tally;
  uint64_t failed; /* seed + 1; 0: none */
  bus_time failed_at;
  char violation[400];
};

/* Every jobs-th seed; stops at the first that fails. */
static void run_share(const struct options *options, int job, struct report *ret) {
  struct run run;
  if (!run_init(&run))
    abort();
  run.bug = options->bug.bug;
  bugs_switch(&options->bug, true);
  *ret = (struct report){.failed = 0};
  for (uint64_t i = (uint64_t)job; i < options->seeds; i += (uint64_t)options->jobs) {
    if (run_seed(&run, options->first + i))
      continue;
    ret->failed = options->first + i + 1;
    ret->failed_at = run.violated_at;
    memcpy(ret->violation, run.violation, sizeof ret->violation);
    break;
  }
  ret->tally = run.tally;
  bugs_switch(&options->bug, false);
  run_done(&run);
}

static bool read_all(int fd, void *data, size_t size) {
  char *at = data;
  while (size > 0) {
    ssize_t got = read(fd, at, size);
    if (got <= 0)
      return false;
    at += got;
    size -= (size_t)got;
  }
  return true;
}

static int start_share(const struct options *options, int job) {
  int fds[2];
  struct report report;
  if (pipe(fds) != 0)
    abort();
  pid_t child = fork();
  if (child < 0)
    abort();
  if (child > 0) {
    (void)close(fds[1]);
    return fds[0];
  }
  run_share(options, job, &report);
  _exit(write(fds[1], &report, sizeof report) == sizeof report ? 0 : 1);
}

/* The failed seed that is reported is the least of the shares'. */
static void run_seeds(const struct options *options, struct report *ret) {
  int fds[JOBS_MAX];
  if (options->jobs == 1) {
    run_share(options, 0, ret);
    return;
  }
  *ret = (struct report){.failed = 0};
  for (int job = 0; job < options->jobs; job++)
    fds[job] = start_share(options, job);
  for (int job = 0; job < options->jobs; job++) {
    struct report share;
    if (!read_all(fds[job], &share, sizeof share)) {
      fprintf(stderr, "simulation: a process ended without a report\n");
      exit(2);
    }
    (void)close(fds[job]);
    tally_add(&ret->tally, &share.tally);
    if (!share.failed || (ret->failed && ret->failed < share.failed))
      continue;
    ret->failed = share.failed;
    ret->failed_at = share.failed_at;
    memcpy(ret->violation, share.violation, sizeof ret->violation);
  }
  while (wait(NULL) > 0)
    ;
}

/* ---- what is said ---- */

static void print_table(const char *name, const int64_t *cells, int rows, int columns, bool saga) {
  int reached = 0, reachable = 0;
  for (int row = 0; row < rows; row++)
    for (int column = 0; column < columns; column++) {
      reached += cells[row * columns + column] > 0;
      reachable += !saga || tally_is_reachable(row, column);
    }
  printf("%-12s %d of %d cells entered", name, reached, rows * columns);
  if (saga)
    printf(", %d reachable", reachable);
  printf("\n");
}

static void print_missing(const struct tally *tally) {
  for (int state = 0; state < ORDER_STATES; state++)
    for (int message = 0; message < ORDER_MESSAGES; message++)
      if (tally->saga[state][message] == 0 && tally_is_reachable(state, message))
        printf("NOT ENTERED  %s × %s\n", order_state_name(state), order_saga.messages[message].name);
}

static void print_cells(const struct tally *tally) {
  for (int state = 0; state < ORDER_STATES; state++)
    for (int message = 0; message < ORDER_MESSAGES; message++)
      printf("%-12s × %-16s %10" PRId64 "%s\n", order_state_name(state), order_saga.messages[message].name,
             tally->saga[state][message], tally_is_reachable(state, message) ? "" : "  no story leads there");
}

static void print_report(const struct report *report, double took) {
  const struct tally *tally = &report->tally;
  double orders = tally->orders ? (double)tally->orders : 1;
  printf("seeds        %" PRId64 " in %.1f s, %.0f a second; %" PRId64 " events, %.1f million a second\n", tally->seeds,
         took, (double)tally->seeds / took, tally->events, (double)tally->events / took / 1e6);
  printf("virtual time %.1f days\n", (double)tally->virtual_time / 86400e6);
  printf("orders       %" PRId64 ":", tally->orders);
  for (int i = 0; i < OUTCOMES; i++)
    printf(" %s %.1f %%%s", tally_outcome_names[i], 100 * (double)tally->outcomes[i] / orders,
           i + 1 < OUTCOMES ? "," : "\n");
  printf("faults       %" PRId64 " crashes, %" PRId64 " redeliveries, %" PRId64 " duplicates, %" PRId64
         " unknown commits, %" PRId64 " sweeps, %" PRId64 " calls to the PSP, %" PRId64 " of webhooks, %" PRId64
         " parked\n",
         tally->crashes, tally->redeliveries, tally->duplicates, tally->unknown_commits, tally->sweeps,
         tally->psp_calls, tally->webhooks, tally->parked);
  print_table("saga", &tally->saga[0][0], ORDER_STATES, ORDER_MESSAGES, true);
  print_table("payments", &tally->payment[0][0], PAYMENT_STATES, PAYMENT_INPUTS, false);
  print_table("reservations", &tally->reservation[0][0], RESERVATION_ORDER_STATES, RESERVATION_COMMANDS, false);
}

/* A run that met too little of what can happen shows nothing. */
static bool is_telling(const struct tally *tally) {
  static const enum tally_outcome needed[] = {OUTCOME_CONFIRMED, OUTCOME_REJECTED, OUTCOME_DECLINED, OUTCOME_CUSTOMER,
                                              OUTCOME_DEADLINE};
  bool telling = true;
  if (tally->orders < ENOUGH_ORDERS)
    return true;
  for (size_t i = 0; i < BUS_COUNT(needed); i++)
    if (tally->outcomes[needed[i]] * 20 < tally->orders) {
      printf("INVALID: fewer than 5 %% of the orders are %s\n", tally_outcome_names[needed[i]]);
      telling = false;
    }
  for (int state = 0; state < ORDER_STATES && tally->seeds >= ENOUGH_SEEDS; state++)
    for (int message = 0; message < ORDER_MESSAGES; message++)
      if (tally->saga[state][message] == 0 && tally_is_reachable(state, message))
        telling = false;
  if (tally->seeds >= ENOUGH_SEEDS)
    print_missing(tally);
  return telling;
}

static void print_violation(const struct report *report) {
  printf("VIOLATED     seed %" PRIu64 " at %" PRId64 ".%06" PRId64 " s: %s\n", report->failed - 1,
         report->failed_at / BUS_SECOND, report->failed_at % BUS_SECOND, report->violation);
}

static int many_seeds(const struct options *options) {
  struct report report;
  double begin = seconds();
  run_seeds(options, &report);
  print_report(&report, seconds() - begin);
  if (options->cells)
    print_cells(&report.tally);
  if (report.failed) {
    print_violation(&report);
    return 1;
  }
  return is_telling(&report.tally) ? 0 : 1;
}

static int one_seed(const struct options *options) {
  struct run run;
  if (!run_init(&run))
    abort();
  run.bug = options->bug.bug;
  bugs_switch(&options->bug, true);
  run.traced = options->traced;
  bool held = run_seed(&run, options->first);
  if (held)
    printf("seed %" PRIu64 " holds: %" PRId64 " events\n", options->first, run.tally.events);
  else
    printf("seed %" PRIu64 " at %" PRId64 ".%06" PRId64 " s: %s\n", options->first, run.violated_at / BUS_SECOND,
           run.violated_at % BUS_SECOND, run.violation);
  run_done(&run);
  return held ? 0 : 1;
}

/* ---- planted bugs ---- */

static int every_bug(struct options options) {
  struct planted all[PLANTED_MAX];
  size_t count = bugs_list(all), missed = 0;
  for (size_t i = 0; i < count; i++) {
    struct report report;
    options.bug = all[i];
    run_share(&options, 0, &report);
    if (report.failed)
      printf("caught %-30s after %6" PRId64 " seeds: %s\n", all[i].name, report.tally.seeds, report.violation);
    else
      printf("MISSED %-30s in %" PRId64 " seeds\n", all[i].name, report.tally.seeds);
    fflush(stdout);
    missed += !report.failed;
  }
  printf("%zu of %zu planted bugs caught\n", count - missed, count);
  return missed ? 1 : 0;
}

static int list_bugs(void) {
  struct planted all[PLANTED_MAX];
  size_t count = bugs_list(all);
  for (size_t i = 0; i < count; i++)
    printf("%-30s %s\n", all[i].name, all[i].text);
  return 0;
}

static bool read_number(const char *text, uint64_t most, uint64_t *ret) {
  char *end;
  unsigned long long number = strtoull(text, &end, 10);
  if (*text < '0' || *text > '9' || *end != '\0' || number > most) {
    fprintf(stderr, "simulation: %s: a number up to %" PRIu64 " is needed\n", text, most);
    return false;
  }
  *ret = number;
  return true;
}

static bool read_bug(const char *name, struct planted *ret) {
  if (bugs_find(name, ret))
    return true;
  fprintf(stderr, "simulation: no bug is called %s; --bugs lists them\n", name);
  return false;
}

int main(int argc, char **argv) {
  static const struct option words[] = {{"seeds", required_argument, NULL, 'n'},
                                        {"first", required_argument, NULL, 'f'},
                                        {"jobs", required_argument, NULL, 'j'},
                                        {"seed", required_argument, NULL, 's'},
                                        {"trace", no_argument, NULL, 't'},
                                        {"bug", required_argument, NULL, 'b'},
                                        {"every-bug", no_argument, NULL, 'e'},
                                        {"bugs", no_argument, NULL, 'l'},
                                        {"cells", no_argument, NULL, 'c'},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};
  struct options options = {.first = 1, .seeds = 1000, .jobs = 1};
  uint64_t jobs = 1;
  bool good = true;
  for (int word; good && (word = getopt_long(argc, argv, "", words, NULL)) != -1;)
    switch (word) {
    case 'n':
      good = read_number(optarg, UINT32_MAX, &options.seeds);
      break;
    case 's':
      options.one = true;
      good = read_number(optarg, UINT64_MAX - 1, &options.first);
      break;
    case 'f':
      good = read_number(optarg, UINT64_MAX / 2, &options.first);
      break;
    case 'j':
      good = read_number(optarg, JOBS_MAX, &jobs) && jobs > 0;
      break;
    case 't':
      options.traced = true;
      break;
    case 'b':
      good = read_bug(optarg, &options.bug);
      break;
    case 'c':
      options.cells = true;
      break;
    case 'e':
      options.all_bugs = true;
      break;
    case 'l':
      return list_bugs();
    case 'h':
      fputs(usage, stdout);
      return 0;
    default:
      good = false;
    }
  options.jobs = (int)jobs;
  if (!good || optind < argc || (options.traced && !options.one)) {
    fputs(usage, stderr);
    return 2;
  }
  if (options.all_bugs)
    return every_bug(options);
  return options.one ? one_seed(&options) : many_seeds(&options);
}
