/* orderctl stuck: open orders that nothing has changed for a while, grouped by what is to be done. */
#include "program.h"
#include "story_fields.h"
#include "story_print.h"
#include "verdict.h"

#include <bus/timefmt.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { STUCK_LIMIT = 100 };

struct stuck {
  struct bus_uuid id;
  struct bus_str status;
  bus_time since;
  struct story_verdict verdict;
  bool printed;
};

static bool read_stuck(struct story_places *places, const struct bus_uuid *id, struct bus_arena *arena,
                       struct stuck *ret, struct bus_error *err) {
  struct story story;
  bus_arena_reset(arena);
  if (!story_read(places, id, arena, &story, err))
    return false;
  *ret = (struct stuck){.id = *id, .since = BUS_NO_TIME, .verdict = story.verdict};
  if (story.order) {
    ret->status = bus_arena_copy(places->arena, story.order->status);
    ret->since = story.order->updated_at;
  }
  return true;
}

static bool is_alike(const struct stuck *a, const struct stuck *b) {
  return a->verdict.code == b->verdict.code && strcmp(a->verdict.action, b->verdict.action) == 0;
}

static void print_one(const struct stuck *stuck) {
  char id[BUS_UUID_TEXT], since[BUS_TIME_TEXT] = "-";
  bus_uuid_format(&stuck->id, id);
  if (stuck->since != BUS_NO_TIME)
    bus_time_format(stuck->since, since);
  (void)printf("  %s %.*s since %s\n", id, (int)stuck->status.len, stuck->status.data ? stuck->status.data : "", since);
}

static void print_group(struct stuck *all, size_t count, size_t first) {
  size_t alike = 0;
  for (size_t i = first; i < count; i++)
    alike += is_alike(&all[i], &all[first]);
  (void)printf("%zu %s: ", alike, alike == 1 ? "order" : "orders");
  story_print_text(bus_str(all[first].verdict.text));
  (void)putchar('\n');
  if (verdict_needs_action(&all[first].verdict)) {
    (void)fputs("-> ", stdout);
    story_print_text(bus_str(all[first].verdict.action));
    (void)putchar('\n');
  }
  for (size_t i = first; i < count; i++)
    if (is_alike(&all[i], &all[first])) {
      print_one(&all[i]);
      all[i].printed = true;
    }
}

static bool print_json(const struct stuck *stuck, struct bus_arena *arena) {
  struct bus_str text;
  char id[BUS_UUID_TEXT], since[BUS_TIME_TEXT];
  struct story_sentence sentence = {stuck->verdict.code, bus_str(stuck->verdict.text), bus_str(stuck->verdict.action)};
  bus_uuid_format(&stuck->id, id);
  bus_time_format(stuck->since == BUS_NO_TIME ? 0 : stuck->since, since);
  bus_arena_reset(arena);
  return bus_encode(&story_sentence_schema, &sentence, arena, &text) &&
         printf("{\"order_id\":\"%s\",\"status\":\"%.*s\",\"since\":\"%s\",\"verdict\":%.*s}\n", id,
                (int)stuck->status.len, stuck->status.data ? stuck->status.data : "", since, (int)text.len,
                text.data) > 0;
}

static int print_all(const struct program *program, struct stuck *all, size_t count, struct bus_arena *arena) {
  int status = EXIT_FINE;
  bool good = true;
  for (size_t i = 0; i < count; i++) {
    if (verdict_needs_action(&all[i].verdict))
      status = EXIT_ACT;
    if (program->json)
      good = good && print_json(&all[i], arena);
    else if (!all[i].printed)
      print_group(all, count, i);
  }
  if (!program->json && count == 0)
    (void)printf("no open order stands still for %" PRId64 " s\n", program->older_s);
  return good && fflush(stdout) == 0 ? status : trouble("cannot write the standard output");
}

static int find_and_print(const struct program *program, struct story_places *places, struct bus_arena *arena) {
  struct bus_uuid *ids;
  struct bus_error err;
  size_t count;
  if (!story_find_stuck(places, program->older_s, program->limit > 0 ? program->limit : STUCK_LIMIT, &ids, &count,
                        &err))
    return trouble(err.text);
  struct stuck *all = bus_arena_array(places->arena, count + 1, sizeof *all);
  if (!all)
    return trouble("out of memory");
  for (size_t i = 0; i < count; i++)
    if (!read_stuck(places, &ids[i], arena, &all[i], &err))
      return trouble(err.text);
  return print_all(program, all, count, arena);
}

int run_stuck(const struct program *program, int count, char **words) {
  struct story_places places;
  struct bus_error err;
  (void)words;
  if (count != 0)
    return trouble("stuck takes options alone; see --help");
  struct bus_arena *arena = bus_arena_new(ARENA_LIMIT);
  if (!arena || !story_places_open(&program->settings, NULL, &places, &err)) {
    bus_arena_free(arena);
    return trouble(arena ? err.text : "out of memory");
  }
  int status = find_and_print(program, &places, arena);
  story_places_close(&places);
  bus_arena_free(arena);
  return status;
}
