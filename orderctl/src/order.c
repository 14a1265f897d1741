/* orderctl order: one story. */
#include "program.h"
#include "story_print.h"
#include "verdict.h"

#include <stdio.h>

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

int run_order(const struct program *program, int count, char **words) {
  struct bus_uuid order_id;
  if (count != 1 || !bus_uuid_parse(bus_str(words[0]), &order_id))
    return trouble("order takes one id, a UUID; see --help");
  struct bus_arena *arena = bus_arena_new(ARENA_LIMIT);
  int status = arena ? tell(program, &order_id, arena) : trouble("out of memory");
  bus_arena_free(arena);
  return status;
}
