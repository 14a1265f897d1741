/* orderctl: an operator's command over the whole system. */
#include "options.h"
#include "settings.h"
#include "simulate_plan.h"

#include <bus/operator.h>
#include <orderbus_topology.h>

#include <stdio.h>
#include <stdlib.h>

static const char help[] =
    "usage: orderctl [OPTION…] order ID\n"
    "       orderctl [OPTION…] stuck\n"
    "       orderctl [OPTION…] outbox [SERVICE…]\n"
    "       orderctl [OPTION…] broker probe\n"
    "       orderctl [OPTION…] topology diff\n"
    "       orderctl [OPTION…] dead list|show [QUEUE [ID…]]\n"
    "       orderctl [OPTION…] dead retry|drop QUEUE ID…|--type T|--error E|--all\n"
    "       orderctl [OPTION…] dead undo RUN\n"
    "       orderctl [OPTION…] audit [RUN]\n"
    "       orderctl [OPTION…] replay QUEUE --order ID|--since TIME\n"
    "       orderctl [OPTION…] pay\n"
    "       orderctl [OPTION…] reconcile\n"
    "       orderctl [OPTION…] simulate\n"
    "Says where orders stand, what they wait for, and what to do.\n"
    "\n"
    "  order ID     the story of one order: its messages and calls with times, where messages of it lie, and one\n"
    "               sentence that says what it waits for. It only reads\n"
    "  stuck        the same sentence for open orders that nothing has changed for a while, grouped by what to do\n"
    "  outbox       what each service has still to publish, by type, and what it waits for\n"
    "  broker probe whether each node of the broker takes messages, and how fast: by a message that no queue takes\n"
    "  topology diff  exchanges, queues with their arguments, and bindings: which are missing, differ or are surplus\n"
    "  dead list    dead letters in groups: their number, queue, type, error and cause\n"
    "  dead show    each of them with its failed tries, without its body\n"
    "  dead retry   sends them again as new messages, as bus-dead replay does: a few first, which must be taken by "
    "their\n"
    "               service; then the rest at a rate, until one comes back\n"
    "  dead undo    what a run of dead retry has sent and nobody has taken goes back to the dead queue\n"
    "  dead drop    takes them away forever; bus-dead show prints their bodies before\n"
    "  replay       makes events again from the log of orders, for a queue that was not there when they were sent\n"
    "  pay          where the ledger and the payment provider's records differ\n"
    "  reconcile    where orders, stock, payments and the provider contradict each other, as after a restore, and "
    "with\n"
    "               --repair its end\n"
    "  simulate     places orders at the edge at a rate, for demonstrations: real orders, and real charges of "
    "EDGE_URL's\n"
    "               payment provider\n"
    "  audit        the record of actions: its runs, or the lines of one\n"
    "\n"
    "  --json            order: one JSON object; stuck, outbox, broker probe, topology diff,\n"
    "                    audit: one a line\n"
    "  --older SECONDS   stuck, reconcile: nothing has changed for so long (60)\n"
    "  --limit N         stuck: at most N orders (100); retry: at most N messages; audit: the last N runs (20)\n"
    "  --type T, --error E   dead letters (replay: events) of this type, with this error, such as BUS_E_DB_DATA\n"
    "  --action A        audit: runs of this verb, such as dead.retry\n"
    "  --order ID, --since TIME, --until TIME   replay: events of one order, or of a time like 2026-03-01T12:00:00Z\n"
    "  --force           replay: also to a service that has had them\n"
    "  --repair          reconcile: repair what needs no person\n"
    "  --all             every message that lies in the queue now\n"
    "  --dry-run         say how many it would be, and do nothing\n"
    "  --canary N        retry: so many first (5); 0: none\n"
    "  --watch SECONDS   retry: how long those may take (15); probe: how long an answer may take\n"
    "  --rate N          retry, replay: messages a second; simulate: orders a second (50)\n"
    "  --days N          pay: money that moved in the last N days; reconcile: orders; 0: all (0)\n"
    "  --seconds N       simulate: how long (10)\n"
    "  --mix KIND=WEIGHT,…   simulate: " SIMULATE_MIX "\n"
    "  --env-file FILE   variables as lines NAME=value; those of the environment come first\n"
    "  --help, --version\n"
    "\n"
    "A database or broker that is away, or has no URL, is named in the story. retry, undo and drop write a line of "
    "JSON\n"
    "for each message to the audit file before they act, and for their begin and end also to stderr.\n"
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
} verbs[] = {{"order", run_order},         {"stuck", run_stuck},       {"outbox", run_outbox},
             {"broker", run_broker},       {"topology", run_topology}, {"dead", run_dead},
             {"audit", run_audit},         {"replay", run_replay},     {"pay", run_pay},
             {"reconcile", run_reconcile}, {"simulate", run_simulate}};

static int run_verb(struct program *program, int count, char **words) {
  for (size_t i = 0; count > 0 && i < BUS_COUNT(verbs); i++) {
    if (strcmp(words[0], verbs[i].name) != 0)
      continue;
    int status = settings_read(program);
    if (status < 0)
      status = verbs[i].run(program, count - 1, words + 1);
    settings_done();
    return status;
  }
  return trouble("a verb is needed; see --help");
}

static int print_help(void) {
  (void)fputs(help, stdout);
  settings_print();
  return fflush(stdout) == 0 ? EXIT_FINE : EXIT_TROUBLE;
}

int main(int argc, char **argv) {
  struct program program = {.settings.broker = bus_operator_begin("orderctl", ORDERBUS_VERSION)};
  options_set_defaults(&program);
  if (!bus_operator_shards(&orderbus_topology, &program.settings.broker))
    return EXIT_TROUBLE;
  switch (options_take(&program, argc, argv)) {
  case OPTIONS_HELP:
    return print_help();
  case OPTIONS_VERSION:
    return puts("orderctl " ORDERBUS_VERSION) < 0 ? EXIT_TROUBLE : EXIT_FINE;
  case OPTIONS_WRONG:
    return EXIT_TROUBLE;
  case OPTIONS_TAKEN:
    break;
  }
  return run_verb(&program, argc - optind, argv + optind);
}
