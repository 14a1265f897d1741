/* orderctl dead: groups of dead letters by cause, single ones with their tries, and the choice of those to act on. */
#include "dead.h"

#include "dead_plan.h"
#include "story_print.h"

#include <bus/history.h>
#include <bus/timefmt.h>
#include <orderbus_topology.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- the choice ---- */

static bool names_id(const struct dead_choice *choice, const struct bus_uuid *id) {
  for (size_t i = 0; i < choice->id_count; i++)
    if (bus_uuid_equal(&choice->ids[i], id))
      return true;
  return false;
}

static bool fits(const struct program *program, struct bus_str type, struct bus_str error) {
  return (!program->type || bus_str_is(type, program->type)) && (!program->error || bus_str_is(error, program->error));
}

bool dead_is_chosen(const struct dead_choice *choice, const struct bus_envelope *envelope) {
  struct bus_failure last;
  if (choice->id_count > 0)
    return names_id(choice, &envelope->message_id);
  if (!bus_history_last(envelope->history, &last))
    last.error = BUS_STR("-");
  return fits(choice->program, envelope->type, last.error);
}

/* -1: go on */
static int choose(const struct program *program, int count, char **words, struct dead_choice *ret) {
  *ret = (struct dead_choice){.program = program};
  if (count > 0)
    ret->queue = bus_topology_queue(&orderbus_topology, words[0]);
  if (count > 0 && (!ret->queue || ret->queue->kind != BUS_QUEUE_WORK))
    return trouble("no such work queue; orderctl dead list names them");
  if (count - 1 > DEAD_IDS_MAX)
    return trouble("at most 100 ids at once");
  for (int i = 1; i < count; i++)
    if (!bus_uuid_parse(bus_str(words[i]), &ret->ids[ret->id_count++]))
      return trouble("an id is a UUID, as orderctl dead show prints it");
  return -1;
}

static bool has_filter(const struct program *program) {
  return program->type || program->error;
}

static int choose_to_act(const struct program *program, int count, char **words, struct dead_choice *ret) {
  int status = choose(program, count, words, ret);
  if (status >= 0)
    return status;
  if (!ret->queue)
    return trouble("name the queue; orderctl dead list shows all");
  if ((ret->id_count > 0) + has_filter(program) + program->all != 1)
    return trouble("name the messages by their ids, by --type and --error, or say --all");
  return -1;
}

/* ---- list and show ---- */

static void print_group(const struct dead_group *group) {
  char first[BUS_TIME_TEXT], last[BUS_TIME_TEXT], example[BUS_UUID_TEXT];
  bus_time_format(group->first, first);
  bus_time_format(group->last, last);
  bus_uuid_format(&group->example, example);
  (void)printf("%6" PRId64 "  %.*s  ", group->count, (int)group->queue.len, group->queue.data);
  story_print_text(group->type);
  (void)fputs("  ", stdout);
  story_print_text(group->error);
  (void)fputs("  ", stdout);
  story_print_text(bus_str(group->cause));
  (void)printf("\n        %s to %s, such as %s", first, last, example);
  if (group->forged > 0)
    (void)printf("; of %" PRId64 " the sender may not send them", group->forged);
  (void)putchar('\n');
}

static int print_groups(const struct story_dead *dead, size_t count, struct bus_arena *arena) {
  struct dead_group *groups = bus_arena_array(arena, count + 1, sizeof *groups);
  if (!groups)
    return trouble("out of memory for groups");
  size_t used = dead_groups(dead, count, groups);
  for (size_t i = 0; i < used; i++)
    print_group(&groups[i]);
  if (used == 0)
    (void)puts("no message lies dead");
  return fflush(stdout) == 0 ? EXIT_FINE : trouble("cannot write the standard output");
}

static bool is_meant(const struct dead_choice *choice, const struct story_dead *dead) {
  return (!choice->queue || bus_str_is(dead->queue, choice->queue->name)) &&
         (choice->id_count == 0 ? fits(choice->program, dead->type, dead->error) : names_id(choice, &dead->message_id));
}

/* Moves those that are meant to the front. */
static size_t keep_meant(const struct dead_choice *choice, struct story_dead *dead, size_t count) {
  size_t kept = 0;
  for (size_t i = 0; i < count; i++)
    if (is_meant(choice, &dead[i]))
      dead[kept++] = dead[i];
  return kept;
}

static int look(const struct program *program, int count, char **words, bool whole) {
  struct dead_choice choice;
  struct story_places places;
  struct bus_error err;
  int status = choose(program, count, words, &choice);
  if (status >= 0)
    return status;
  struct story_settings broker_alone = {.broker = program->settings.broker};
  if (!story_places_open(&broker_alone, NULL, &places, &err))
    return trouble(err.text);
  if (places.problems[STORY_BROKER].code != BUS_OK)
    status = trouble(places.problems[STORY_BROKER].text);
  else {
    size_t kept = keep_meant(&choice, places.dead, places.dead_count);
    for (size_t i = 0; whole && i < kept; i++)
      story_print_dead(&places.dead[i]);
    status = whole ? (fflush(stdout) == 0 ? EXIT_FINE : EXIT_TROUBLE) : print_groups(places.dead, kept, places.arena);
  }
  story_places_close(&places);
  return status;
}

/* ---- the verbs ---- */

static int undo(const struct program *program, int count, char **words) {
  struct bus_uuid run;
  if (count != 1 || !bus_uuid_parse(bus_str(words[0]), &run))
    return trouble("dead undo takes the id of a run, a UUID, as orderctl audit prints it");
  return dead_undo(program, &run);
}

int run_dead(const struct program *program, int count, char **words) {
  struct dead_choice choice;
  const char *verb = count > 0 ? words[0] : "";
  if (strcmp(verb, "list") == 0 || strcmp(verb, "show") == 0)
    return look(program, count - 1, words + 1, strcmp(verb, "show") == 0);
  if (strcmp(verb, "undo") == 0)
    return undo(program, count - 1, words + 1);
  bool retries = strcmp(verb, "retry") == 0;
  if (!retries && strcmp(verb, "drop") != 0)
    return trouble("dead list, show, retry, undo or drop; see --help");
  int status = choose_to_act(program, count - 1, words + 1, &choice);
  if (status >= 0)
    return status;
  return retries ? dead_retry(&choice) : dead_drop(&choice);
}
