/* The sentence first, then the timeline, then where messages lie. */
#include "story_print.h"

#include "verdict.h"

#include <bus/timefmt.h>

#include <inttypes.h>
#include <stdio.h>

/* A cause may quote a stranger's message, and this goes to a terminal. */
void story_print_text(struct bus_str text) {
  for (size_t i = 0; i < text.len; i++) {
    unsigned char c = (unsigned char)text.data[i];
    (void)putchar(c >= 0x20 && c != 0x7F ? c : '?');
  }
}

void story_print_verdict(const struct story_verdict *verdict) {
  story_print_text(bus_str(verdict->text));
  (void)putchar('\n');
  if (verdict_needs_action(verdict)) {
    (void)fputs("  -> ", stdout);
    story_print_text(bus_str(verdict->action));
    (void)putchar('\n');
  }
}

static void print_time(bus_time at) {
  char text[BUS_TIME_TEXT];
  bus_time_format(at, text);
  (void)fputs(text, stdout);
}

static void print_head(const struct story *story) {
  const struct story_order *order = story->order;
  char id[BUS_UUID_TEXT];
  bus_uuid_format(&story->order_id, id);
  (void)printf("order %s ", id);
  story_print_text(order ? order->status : BUS_STR("is not in the database"));
  if (order && order->total != BUS_NO_INT64)
    (void)printf(", total %" PRId64 ", captured %" PRId64 ", refunded %" PRId64 " %.*s", order->total, order->captured,
                 order->refunded, (int)order->currency.len, order->currency.data);
  (void)fputs("\n  ", stdout);
  story_print_verdict(&story->verdict);
}

static void print_after(int64_t after) {
  if (after == BUS_NO_INT64)
    (void)printf("%11s", "");
  else if (after < BUS_SECOND)
    (void)printf(" +%6.1f ms", (double)after / BUS_MILLISECOND);
  else
    (void)printf(" +%7.1f s", (double)after / BUS_SECOND);
}

static void print_steps(const struct story *story) {
  if (story->step_count > 0)
    (void)fputs("\ntimeline\n", stdout);
  for (size_t i = 0; i < story->step_count; i++) {
    const struct story_step *step = &story->steps[i];
    (void)fputs("  ", stdout);
    print_time(step->at);
    print_after(step->after);
    (void)printf("  %-10.*s", (int)step->place.len, step->place.data);
    story_print_text(step->what);
    (void)putchar('\n');
  }
}

static void print_history(struct bus_str history) {
  while (history.len > 0) {
    (void)fputs("    try ", stdout);
    story_print_text(bus_str_cut(&history, '\n'));
    (void)putchar('\n');
  }
}

void story_print_dead(const struct story_dead *dead) {
  char id[BUS_UUID_TEXT];
  bus_uuid_format(&dead->message_id, id);
  (void)printf("\nlies in %.*s.dead: %s ", (int)dead->queue.len, dead->queue.data, id);
  story_print_text(dead->type);
  (void)printf("%s%s\n", dead->bundle ? " (a bundle)" : "", dead->forged ? " (its sender may not send it)" : "");
  print_history(dead->history);
}

static bool is_idle(const struct story_queue *queue) {
  return queue->ready == 0 && queue->retrying == 0 && queue->dead == 0 && queue->consumers > 0;
}

static void print_queue(const struct story_queue *queue) {
  (void)printf("  %-16.*s %" PRId64 " ready, %" PRId64 " consumers, %" PRId64 " between tries, %" PRId64 " dead%s\n",
               (int)queue->name.len, queue->name.data, queue->ready, queue->consumers, queue->retrying, queue->dead,
               is_idle(queue) ? "" : "  <-");
}

static void print_problems(const struct story *story) {
  for (int i = 0; i < STORY_PLACES; i++)
    if (story->sources[i].problem.data) {
      (void)printf("\n%s%s: not reachable: ", story_place_names[i], i == STORY_BROKER ? "" : " database");
      story_print_text(story->sources[i].problem);
      (void)putchar('\n');
    }
}

bool story_print(const struct story *story) {
  print_head(story);
  print_steps(story);
  for (size_t i = 0; i < story->dead_count; i++)
    story_print_dead(&story->dead[i]);
  if (story->queue_count > 0)
    (void)fputs("\nqueues, of all orders\n", stdout);
  for (size_t i = 0; i < story->queue_count; i++)
    print_queue(&story->queues[i]);
  print_problems(story);
  return ferror(stdout) == 0;
}
