/* The options as a table: each names its member of struct program. */
#include "options.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

enum kind { FLAG, NUMBER, TEXT };

static const struct choice {
  const char *name;
  enum kind kind;
  size_t offset;
  int64_t fallback, least, most; /* NUMBER */
} choices[] = {
    {"json", FLAG, offsetof(struct program, json), 0, 0, 0},
    {"all", FLAG, offsetof(struct program, all), 0, 0, 0},
    {"dry-run", FLAG, offsetof(struct program, dry_run), 0, 0, 0},
    {"force", FLAG, offsetof(struct program, force), 0, 0, 0},
    {"repair", FLAG, offsetof(struct program, repair), 0, 0, 0},
    {"type", TEXT, offsetof(struct program, type), 0, 0, 0},
    {"error", TEXT, offsetof(struct program, error), 0, 0, 0},
    {"action", TEXT, offsetof(struct program, action), 0, 0, 0},
    {"order", TEXT, offsetof(struct program, order), 0, 0, 0},
    {"since", TEXT, offsetof(struct program, since), 0, 0, 0},
    {"until", TEXT, offsetof(struct program, until), 0, 0, 0},
    {"mix", TEXT, offsetof(struct program, mix), 0, 0, 0},
    {"env-file", TEXT, offsetof(struct program, env_file), 0, 0, 0},
    {"older", NUMBER, offsetof(struct program, older_s), 60, 0, 100000000},
    {"limit", NUMBER, offsetof(struct program, limit), 0, 1, 10000},
    {"canary", NUMBER, offsetof(struct program, canary), 5, 0, 1000},
    {"watch", NUMBER, offsetof(struct program, watch_s), 15, 1, 3600},
    {"rate", NUMBER, offsetof(struct program, rate), 50, 1, 10000},
    {"days", NUMBER, offsetof(struct program, days), 0, 0, 10000},
    {"seconds", NUMBER, offsetof(struct program, seconds), 10, 1, 86400},
};
enum { CHOICES = BUS_COUNT(choices), FIRST = 256, HELP = 'h', VERSION = 'V' };

static void *member_of(struct program *program, const struct choice *choice) {
  return (char *)program + choice->offset;
}

void options_set_defaults(struct program *program) {
  for (size_t i = 0; i < CHOICES; i++)
    if (choices[i].kind == NUMBER)
      *(int64_t *)member_of(program, &choices[i]) = choices[i].fallback;
}

static bool take_number(const struct choice *choice, const char *text, int64_t *ret) {
  if (bus_str_number(bus_str(text), 9, ret) && *ret >= choice->least && *ret <= choice->most)
    return true;
  (void)fprintf(stderr, "orderctl: --%s is a number from %" PRId64 " to %" PRId64 "\n", choice->name, choice->least,
                choice->most);
  return false;
}

static bool take(struct program *program, const struct choice *choice, const char *text) {
  void *member = member_of(program, choice);
  if (choice->kind == NUMBER)
    return take_number(choice, text, member);
  if (choice->kind == TEXT)
    *(const char **)member = text;
  else
    *(bool *)member = true;
  return true;
}

static void fill(struct option options[CHOICES + 3]) {
  for (int i = 0; i < CHOICES; i++)
    options[i] =
        (struct option){choices[i].name, choices[i].kind == FLAG ? no_argument : required_argument, NULL, FIRST + i};
  options[CHOICES] = (struct option){"help", no_argument, NULL, HELP};
  options[CHOICES + 1] = (struct option){"version", no_argument, NULL, VERSION};
  options[CHOICES + 2] = (struct option){NULL, 0, NULL, 0};
}

enum options_end options_take(struct program *program, int argc, char **argv) {
  struct option options[CHOICES + 3];
  fill(options);
  for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
    if (option == HELP)
      return OPTIONS_HELP;
    if (option == VERSION)
      return OPTIONS_VERSION;
    if (option < FIRST || !take(program, &choices[option - FIRST], optarg))
      return OPTIONS_WRONG; /* getopt, or take_number, has printed the cause */
  }
  return OPTIONS_TAKEN;
}
