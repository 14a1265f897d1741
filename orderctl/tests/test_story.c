/* story.c: the timeline and the JSON of a story. */
#include "story.h"

#include <stdio.h>
#include <test.h>

#define T0 (INT64_C(1772366400000) * BUS_MILLISECOND) /* 2026-03-01T12:00:00Z */
#define MS(number) (T0 + (number)*BUS_MILLISECOND)

static struct bus_uuid v7(int64_t ms) {
  struct bus_uuid id;
  struct bus_uuid_source source;
  static const uint64_t seed[4] = {1, 2, 3, 4};
  bus_uuid_source_init(&source, seed);
  bus_uuid_v7(&source, MS(ms), &id);
  return id;
}

TEST(the_time_of_a_message_is_that_of_its_id)
{
  struct bus_uuid id = v7(17);
  assert_int_equal(story_time_of(&id), MS(17));
  id.bytes[6] = 0x40;
  assert_int_equal(story_time_of(&id), BUS_NO_TIME);
}

static struct story captured(void) {
  static struct story_order order;
  static struct story_event events[] = {{.seq = 1, .type = {"order.created", 13}, .at = MS(10)},
                                        {.seq = 2, .type = {"order.reserved", 14}, .at = MS(30)},
                                        {.seq = 3, .type = {"order.confirmed", 15}, .at = MS(2300)}};
  static struct story_taken taken;
  static struct story_reservation stock;
  static struct story_payment payment;
  static struct story_movement moved;
  order = (struct story_order){
      .status = BUS_STR("CONFIRMED"), .total = 999, .currency = BUS_STR("EUR"), .causation_id = v7(0)};
  order.deadline = BUS_NO_TIME;
  taken = (struct story_taken){STORY_ORDERS, order.causation_id, BUS_STR("order.place"), MS(10)};
  stock = (struct story_reservation){.state = BUS_STR("RESERVED"), .created_at = MS(20), .updated_at = MS(20)};
  payment = (struct story_payment){.state = BUS_STR("captured"),
                                   .amount = 999,
                                   .currency = BUS_STR("EUR"),
                                   .first_attempt_at = BUS_NO_TIME,
                                   .created_at = MS(40),
                                   .updated_at = MS(2200)};
  moved = (struct story_movement){.entry = BUS_STR("captured"),
                                  .amount = 999,
                                  .currency = BUS_STR("EUR"),
                                  .psp_id = BUS_STR("pi_1"),
                                  .at = MS(2200)};
  return (struct story){.order_id = {{9}},
                        .now = MS(5000),
                        .cancel_first_at = BUS_NO_TIME,
                        .order = &order,
                        .reservation = &stock,
                        .events = events,
                        .event_count = 3,
                        .taken = &taken,
                        .taken_count = 1,
                        .payments = &payment,
                        .payment_count = 1,
                        .movements = &moved,
                        .movement_count = 1};
}

TEST(the_timeline_is_in_the_order_of_time)
{
  static const char *const expected[] = {"edge +- sent order.place",
                                         "orders +10000 took order.place",
                                         "orders +0 event 1: order.created",
                                         "inventory +10000 answered inventory.reserve",
                                         "orders +10000 event 2: order.reserved",
                                         "payments +10000 payment 0 is made: 999 EUR",
                                         "payments +2160000 payment 0 is captured, after 0 calls",
                                         "provider +0 captured 999 EUR (pi_1)",
                                         "orders +100000 event 3: order.confirmed"};
  struct bus_arena *arena = bus_arena_new(1 << 20);
  struct story story = captured();
  assert_true(story_make_steps(&story, arena));
  assert_int_equal(story.step_count, BUS_COUNT(expected));
  for (size_t i = 0; i < BUS_COUNT(expected); i++) {
    char text[256], after[32] = "-";
    const struct story_step *step = &story.steps[i];
    if (step->after != BUS_NO_INT64)
      (void)snprintf(after, sizeof after, "%lld", (long long)step->after);
    (void)snprintf(text, sizeof text, "%.*s +%s %.*s", (int)step->place.len, step->place.data, after,
                   (int)step->what.len, step->what.data);
    text[strlen(expected[i])] = '\0'; /* ids follow */
    assert_string_equal(text, expected[i]);
  }
  bus_arena_free(arena);
}

TEST(a_story_is_one_json_object)
{
  struct bus_arena *arena = bus_arena_new(1 << 20);
  struct story story = captured();
  struct bus_str text;
  story.sources[STORY_PAYMENTS] = (struct story_source){STORY_PAYMENTS, BUS_STR("refused")};
  story.verdict = (struct story_verdict){.code = STORY_DONE, .text = "ended", .action = ""};
  assert_true(story_make_steps(&story, arena));
  assert_true(story_encode(&story, arena, &text));
  assert_non_null(strstr(text.data, "{\"verdict\":{\"code\":\"done\",\"text\":\"ended\",\"action\":\"\"}"));
  assert_non_null(strstr(text.data, "{\"place\":\"payments\",\"problem\":\"refused\"}"));
  assert_non_null(strstr(text.data, "\"status\":\"CONFIRMED\""));
  assert_non_null(strstr(text.data, "{\"seq\":3,\"type\":\"order.confirmed\",\"at\":\"2026-03-01T12:00:02.300Z\"}"));
  assert_non_null(strstr(text.data, "\"after\":10000"));
  bus_arena_free(arena);
}

TEST(a_story_without_memory_says_so)
{
  struct bus_arena *arena = bus_arena_new(1);
  struct story story = captured();
  assert_false(story_make_steps(&story, arena));
  bus_arena_free(arena);
}
