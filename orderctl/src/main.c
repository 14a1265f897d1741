/* orderctl: an operator's command over the whole system. */
#include "program.h"

#include <bus/operator.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
    "usage: orderctl [OPTION…] order ID\n"
    "       orderctl [OPTION…] stuck\n"
    "       orderctl [OPTION…] dead list|show [QUEUE [ID…]]\n"
    "       orderctl [OPTION…] dead retry|drop QUEUE ID…|--type T|--error E|--all\n"
    "Says where orders stand, what they wait for, and what to do.\n"
    "\n"
    "  order ID     the story of one order: its messages and calls with times, where messages of it lie, and one\n"
    "               sentence that says what it waits for. It only reads\n"
    "  stuck        the same sentence for open orders that nothing has changed for a while, grouped by what to do\n"
    "  dead list    dead letters in groups: their number, queue, type, error and cause\n"
    "  dead show    each of them with its failed tries, without its body\n"
    "  dead retry   sends them again as new messages, as bus-dead replay does: a few first, which must be taken by "
    "their\n"
    "               service; then the rest at a rate, until one comes back\n"
    "  dead drop    takes them away forever; bus-dead show prints their bodies before\n"
    "\n"
    "  --json            order: one JSON object; stuck: one a line\n"
    "  --older SECONDS   stuck: nothing has changed for so long (60)\n"
    "  --limit N         stuck: at most N orders (100); retry: at most N messages\n"
    "  --type T, --error E   dead letters of this type, with this error, such as BUS_E_DB_DATA\n"
    "  --all             every message that lies in the queue now\n"
    "  --dry-run         say how many it would be, and do nothing\n"
    "  --canary N        retry: so many first (5); 0: none\n"
    "  --watch SECONDS   retry: how long those may take (15)\n"
    "  --rate N          retry: messages a second (50)\n"
    "  --env-file FILE   variables as lines NAME=value; those of the environment come first\n"
    "  --help, --version\n"
    "\n"
    "A database or broker that is away, or has no URL, is named in the story. retry and drop write a line of JSON for\n"
    "each message to the audit file before they act, and for their begin and end also to stderr.\n"
    "\n"
    "Status: 0 nothing is to be done, or all was done; 1 somebody must act, or some were not done; 2 trouble; 3 no "
    "place\n"
    "knows the order.\n"
    "\n";

int trouble(const char *text) {
  (void)fprintf(stderr, "orderctl: %s\n", text);
  return EXIT_TROUBLE;
}

static const struct verb {
  const char *name;
  int (*run)(const struct program *program, int count, char **words);
} verbs[] = {{"order", run_order}, {"stuck", run_stuck}, {"dead", run_dead}};

static int run_verb(struct program *program, int count, char **words) {
  for (size_t i = 0; count > 0 && i < BUS_COUNT(verbs); i++) {
    if (strcmp(words[0], verbs[i].name) != 0)
      continue;
    int status = settings_read(program->env_file, &program->settings, &program->audit_file);
    if (status < 0)
      status = verbs[i].run(program, count - 1, words + 1);
    settings_done();
    return status;
  }
  return trouble("a verb is needed: order, stuck or dead; see --help");
}

static int print_help(void) {
  (void)fputs(help, stdout);
  settings_print();
  return fflush(stdout) == 0 ? EXIT_FINE : EXIT_TROUBLE;
}

static bool take_number(const char *name, const char *text, int64_t least, int64_t most, int64_t *ret) {
  if (bus_str_number(bus_str(text), 9, ret) && *ret >= least && *ret <= most)
    return true;
  (void)fprintf(stderr, "orderctl: --%s is a number from %" PRId64 " to %" PRId64 "\n", name, least, most);
  return false;
}

enum { OPTION_OLDER = 256, OPTION_LIMIT, OPTION_CANARY, OPTION_WATCH, OPTION_RATE };

static const struct option options[] = {
    {"json", no_argument, NULL, 'j'},
    {"older", required_argument, NULL, OPTION_OLDER},
    {"limit", required_argument, NULL, OPTION_LIMIT},
    {"type", required_argument, NULL, 't'},
    {"error", required_argument, NULL, 'x'},
    {"all", no_argument, NULL, 'a'},
    {"dry-run", no_argument, NULL, 'n'},
    {"canary", required_argument, NULL, OPTION_CANARY},
    {"watch", required_argument, NULL, OPTION_WATCH},
    {"rate", required_argument, NULL, OPTION_RATE},
    {"env-file", required_argument, NULL, 'e'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static bool take_number_option(struct program *program, int option, const char *text) {
  switch (option) {
  case OPTION_OLDER:
    return take_number("older", text, 0, 100000000, &program->older_s);
  case OPTION_LIMIT:
    return take_number("limit", text, 1, 10000, &program->limit);
  case OPTION_CANARY:
    return take_number("canary", text, 0, 1000, &program->canary);
  case OPTION_WATCH:
    return take_number("watch", text, 1, 3600, &program->watch_s);
  case OPTION_RATE:
    return take_number("rate", text, 1, 10000, &program->rate);
  default:
    return false; /* getopt has printed the cause */
  }
}

/* -1: go on; else the status to exit with. */
static int take_option(struct program *program, int option) {
  switch (option) {
  case 'j':
    program->json = true;
    return -1;
  case 't':
    program->type = optarg;
    return -1;
  case 'x':
    program->error = optarg;
    return -1;
  case 'a':
    program->all = true;
    return -1;
  case 'n':
    program->dry_run = true;
    return -1;
  case 'e':
    program->env_file = optarg;
    return -1;
  case 'h':
    return print_help();
  case 'V':
    return puts("orderctl " ORDERBUS_VERSION) < 0 ? EXIT_TROUBLE : EXIT_FINE;
  default:
    return take_number_option(program, option, optarg) ? -1 : EXIT_TROUBLE;
  }
}

int main(int argc, char **argv) {
  struct program program = {
      .settings.broker = bus_operator_begin("orderctl"), .older_s = 60, .canary = 5, .watch_s = 15, .rate = 50};
  for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
    int status = take_option(&program, option);
    if (status >= 0)
      return status;
  }
  return run_verb(&program, argc - optind, argv + optind);
}
