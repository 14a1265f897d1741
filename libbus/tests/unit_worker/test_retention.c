/* worker_retention.c: a start is refused where the inbox forgets a message that may still come back. */
#include "worker_internal.h"

#include <test.h>

#include <string.h>

static const struct bus_topology topology = {.tiers = bus_default_tiers, .tier_count = 3};

static bool is_enough(int64_t keep_h, int64_t give_up_ms, int64_t parking_h, struct bus_error *err) {
  struct bus_worker_settings settings = {BUS_WORKER_DEFAULTS};
  settings.inbox_keep_h = keep_h;
  settings.give_up_ms = give_up_ms;
  settings.parking_h = parking_h;
  *err = (struct bus_error){.code = BUS_OK};
  return retention_is_enough(&settings, &topology, err);
}

TEST(the_defaults_are_enough)
{
  struct bus_error err;
  assert_true(retention_is_enough(&(const struct bus_worker_settings){BUS_WORKER_DEFAULTS}, &topology, &err));
}

/* 24 h until it is given up, three times 1 s and 30 s and 10 minutes in the tiers: a begun 25th hour. */
TEST(the_longest_path_and_the_parking_count)
{
  struct bus_error err;
  assert_true(is_enough(25, 86400000, 0, &err));
  assert_false(is_enough(24, 86400000, 0, &err));
  assert_true(is_enough(97, 86400000, 72, &err));
  assert_false(is_enough(96, 86400000, 72, &err));
  assert_false(is_enough(168, 604800000, 0, &err));
  assert_true(is_enough(1, 1000, 0, &err)); /* the tiers alone */
  assert_false(is_enough(1, 3600000, 0, &err));
}

TEST(a_refusal_names_what_must_change)
{
  static const char *const texts[] = {"INBOX_KEEP_H is 48", "RETRY_GIVE_UP_MS 86400000", "693000 ms", "PARKING_H 72",
                                      "at least 97"};
  struct bus_error err;
  assert_false(is_enough(48, 86400000, 72, &err));
  assert_int_equal(err.code, BUS_E_CONFIG);
  for (size_t i = 0; i < BUS_COUNT(texts); i++)
    if (!strstr(err.text, texts[i]))
      fail_msg("\"%s\" is not in: %s", texts[i], err.text);
}

TEST(without_tiers_the_waiting_alone_counts)
{
  static const struct bus_topology none = {.tier_count = 0};
  struct bus_worker_settings settings = {BUS_WORKER_DEFAULTS};
  struct bus_error err;
  settings.inbox_keep_h = 24;
  settings.parking_h = 0;
  assert_true(retention_is_enough(&settings, &none, &err));
}
