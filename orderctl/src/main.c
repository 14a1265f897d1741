/* orderctl: an operator's command over the whole system. */
#include "settings.h"
#include "story_print.h"
#include "verdict.h"

#include <bus/operator.h>

#include <stdio.h>
#include <stdlib.h>

enum { EXIT_FINE, EXIT_ACT, EXIT_TROUBLE, EXIT_NOT_FOUND };
enum { ARENA_LIMIT = 64 << 20 };

struct program {
  struct story_settings settings;
  const char *env_file;
  bool json;
};

static const char help[] =
    "usage: orderctl [OPTION…] order ID\n"
    "Says where an order stands, what it waits for, and what to do.\n"
    "\n"
    "  order ID   the story of one order: its messages and calls with times, where messages of it lie, and one "
    "sentence\n"
    "             that says what it waits for. It only reads. Messages that lie in dead queues are looked at and stay\n"
    "\n"
    "  --json            one JSON object instead of text\n"
    "  --env-file FILE   variables as lines NAME=value; those of the environment come first\n"
    "  --help, --version\n"
    "\n"
    "A database or broker that is away, or has no URL, is named in the story.\n"
    "\n"
    "Status: 0 nothing is to be done; 1 somebody must act; 2 trouble; 3 no place knows the order.\n"
    "\n";

static int trouble(const char *text) {
  (void)fprintf(stderr, "orderctl: %s\n", text);
  return EXIT_TROUBLE;
}

static int status_of(const struct story_verdict *verdict) {
  if (verdict->code == STORY_UNKNOWN)
    return EXIT_NOT_FOUND;
  return verdict_needs_action(verdict) ? EXIT_ACT : EXIT_FINE;
}

static bool print_json(const struct story *story, struct bus_arena *arena) {
  struct bus_str text;
  return story_encode(story, arena, &text) && fwrite(text.data, 1, text.len, stdout) == text.len &&
         putchar('\n') != EOF;
}

static int tell(const struct program *program, const struct bus_uuid *order_id, struct bus_arena *arena) {
  struct story_places places;
  struct story story;
  struct bus_error err;
  if (!story_places_open(&program->settings, order_id, &places, &err))
    return trouble(err.text);
  bool good = story_read(&places, order_id, arena, &story, &err);
  int status = good ? status_of(&story.verdict) : trouble(err.text);
  if (good && (!(program->json ? print_json(&story, arena) : story_print(&story)) || fflush(stdout) != 0))
    status = trouble("cannot write the standard output");
  story_places_close(&places);
  return status;
}

static int run_order(const struct program *program, int count, char **words) {
  struct bus_uuid order_id;
  if (count != 1 || !bus_uuid_parse(bus_str(words[0]), &order_id))
    return trouble("order takes one id, a UUID; see --help");
  struct bus_arena *arena = bus_arena_new(ARENA_LIMIT);
  int status = arena ? tell(program, &order_id, arena) : trouble("out of memory");
  bus_arena_free(arena);
  return status;
}

static const struct verb {
  const char *name;
  int (*run)(const struct program *program, int count, char **words);
} verbs[] = {{"order", run_order}};

static int run_verb(struct program *program, int count, char **words) {
  for (size_t i = 0; count > 0 && i < BUS_COUNT(verbs); i++) {
    if (strcmp(words[0], verbs[i].name) != 0)
      continue;
    int status = settings_read(program->env_file, &program->settings);
    if (status < 0)
      status = verbs[i].run(program, count - 1, words + 1);
    settings_done();
    return status;
  }
  return trouble("a verb is needed: order; see --help");
}

static int print_help(void) {
  (void)fputs(help, stdout);
  settings_print();
  return fflush(stdout) == 0 ? EXIT_FINE : EXIT_TROUBLE;
}

int main(int argc, char **argv) {
  static const struct option options[] = {
      {"json", no_argument, NULL, 'j'},
      {"env-file", required_argument, NULL, 'e'},
      {"help", no_argument, NULL, 'h'},
      {"version", no_argument, NULL, 'V'},
      {NULL, 0, NULL, 0},
  };
  struct program program = {.settings.broker = bus_operator_begin("orderctl")};
  for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;)
    switch (option) {
    case 'j':
      program.json = true;
      break;
    case 'e':
      program.env_file = optarg;
      break;
    case 'h':
      return print_help();
    case 'V':
      return puts("orderctl " ORDERBUS_VERSION) < 0 ? EXIT_TROUBLE : EXIT_FINE;
    default:
      return EXIT_TROUBLE; /* getopt has printed the cause */
    }
  return run_verb(&program, argc - optind, argv + optind);
}
