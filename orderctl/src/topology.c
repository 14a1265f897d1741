/* orderctl topology diff: the broker's exchanges, queues and bindings beside the declared ones. */
#include "listing.h"
#include "management.h"
#include "program.h"
#include "story_print.h"

#include <orderbus_topology.h>

#include <stdio.h>

static bool read_listing(struct management *management, struct bus_arena *arena, struct listing *ret,
                         struct bus_error *err) {
  struct bus_str queues, exchanges, bindings;
  *ret = (struct listing){0};
  return management_list(management, "queues", LISTING_QUEUES, arena, &queues, err) &&
         management_list(management, "exchanges", LISTING_EXCHANGES, arena, &exchanges, err) &&
         management_list(management, "bindings", LISTING_BINDINGS, arena, &bindings, err) &&
         listing_take_queues(ret, queues, arena, err) && listing_take_exchanges(ret, exchanges, arena, err) &&
         listing_take_bindings(ret, bindings, arena, err);
}

struct printing {
  bool json, failed;
  struct bus_arena *arena;
  size_t counts[DIFFERENCE_KINDS];
};

static void print_difference(void *context, const struct difference *difference) {
  struct printing *printing = context;
  struct bus_str text;
  printing->counts[difference->kind]++;
  if (printing->json) {
    printing->failed = !difference_encode(difference, printing->arena, &text) ||
                       printf("%.*s\n", (int)text.len, text.data) < 0 || printing->failed;
    return;
  }
  (void)printf("%s: ", difference_names[difference->kind]);
  story_print_text(bus_str(difference->name));
  if (difference->detail[0]) {
    (void)fputs(": ", stdout);
    story_print_text(bus_str(difference->detail));
  }
  (void)putchar('\n');
}

static void print_advice(const struct printing *printing) {
  if (printing->counts[DIFFERENCE_MISSING] > 0)
    (void)puts("-> bus-topology apply, as an administrator, declares what is missing");
  if (printing->counts[DIFFERENCE_CHANGED] > 0)
    (void)puts(
        "-> a queue with other arguments cannot be changed: drain and delete it, then bus-topology apply; or give "
        "it a new name");
  if (printing->counts[DIFFERENCE_SURPLUS] > 0)
    (void)puts("-> delete what is surplus, if no other system on this virtual host needs it");
}

static int diff(const struct program *program, struct bus_arena *arena) {
  struct management *management = NULL;
  struct listing listing;
  struct bus_error err;
  struct printing printing = {.json = program->json, .arena = arena};
  bool good = management_open(program, &management, &err) && read_listing(management, arena, &listing, &err);
  management_close(management);
  if (!good)
    return trouble(err.text);
  listing_compare(&listing, &orderbus_topology, print_difference, &printing);
  size_t count =
      printing.counts[DIFFERENCE_MISSING] + printing.counts[DIFFERENCE_CHANGED] + printing.counts[DIFFERENCE_SURPLUS];
  if (!program->json && count == 0)
    (void)puts("no difference");
  if (!program->json)
    print_advice(&printing);
  if (printing.failed || fflush(stdout) != 0)
    return trouble("cannot write the standard output");
  return count > 0 ? EXIT_ACT : EXIT_FINE;
}

int run_topology(const struct program *program, int count, char **words) {
  if (count != 1 || strcmp(words[0], "diff") != 0)
    return trouble("topology diff; see --help");
  if (!program->management_url[0])
    return trouble("RABBITMQ_MANAGEMENT_URL must name the broker's management API");
  struct bus_arena *arena = bus_arena_new(ARENA_LIMIT);
  int status = arena ? diff(program, arena) : trouble("out of memory");
  bus_arena_free(arena);
  return status;
}
