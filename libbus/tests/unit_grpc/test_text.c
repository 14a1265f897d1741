/* The texts of gRPC over HTTP/2, and the budget of frames. */
#include "../../src/grpc/text.h"

#include "../../src/grpc/flood.h"
#include "test.h"

static void assert_timeout(const char *text, int64_t wanted) {
  int64_t got = -1;
  assert_true(grpc_timeout_parse(bus_str(text), &got));
  assert_int_equal(got, wanted);
}

TEST(timeouts_of_every_unit)
{
  assert_timeout("2H", 2 * BUS_HOUR);
  assert_timeout("3M", 3 * BUS_MINUTE);
  assert_timeout("1S", BUS_SECOND);
  assert_timeout("250m", 250 * BUS_MILLISECOND);
  assert_timeout("7u", 7);
  assert_timeout("1n", 1);
  assert_timeout("1000n", 1);
  assert_timeout("1001n", 2);
  assert_timeout("0S", 0);
  assert_timeout("99999999H", INT64_C(99999999) * BUS_HOUR);
}

TEST(timeouts_that_are_none)
{
  static const char *const wrong[] = {"",    "S",    "1",          "1s",  "-1S", "+1S",
                                      "1 S", "1.5S", "123456789S", "1SS", "1h",  " 1S"};
  int64_t unused;
  for (size_t i = 0; i < BUS_COUNT(wrong); i++)
    if (grpc_timeout_parse(bus_str(wrong[i]), &unused))
      fail_msg("\"%s\" was taken", wrong[i]);
}

static void assert_encoded(struct bus_str text, size_t room, const char *wanted) {
  char out[128];
  size_t len = grpc_percent_encode(text, out, room);
  assert_int_equal(len, strlen(wanted));
  assert_memory_equal(out, wanted, len);
}

TEST(messages_are_percent_encoded)
{
  assert_encoded(BUS_STR("no such order"), 128, "no such order");
  assert_encoded(BUS_STR("100% \x7f\n\0"), 128, "100%25 %7F%0A%00");
  assert_encoded(BUS_STR("gr\xC3\xBC n"), 128, "gr%C3%BC n");
}

TEST(an_escape_is_never_cut)
{
  assert_encoded(BUS_STR("a\n\n"), 4, "a%0A");
  assert_encoded(BUS_STR("a\n\n"), 6, "a%0A");
  assert_encoded(BUS_STR("a\n"), 3, "a");
  assert_encoded(BUS_STR("abc"), 2, "ab");
}

static void assert_base64(struct bus_str bytes, const char *wanted) {
  char out[64];
  assert_int_equal(grpc_base64_size(bytes.len), strlen(wanted));
  grpc_base64_encode(bytes, out);
  assert_memory_equal(out, wanted, strlen(wanted));
}

TEST(binary_metadata_is_base64_without_padding)
{
  assert_base64(BUS_STR(""), "");
  assert_base64(BUS_STR("f"), "Zg");
  assert_base64(BUS_STR("fo"), "Zm8");
  assert_base64(BUS_STR("foo"), "Zm9v");
  assert_base64(BUS_STR("\xFF\xFE\xFD\x00"), "//79AA");
}

TEST(media_types)
{
  static const char *const right[] = {"application/grpc", "application/grpc+proto", "application/grpc; charset=utf-8"};
  static const char *const wrong[] = {
      "", "application/grpc+json", "application/grpc-web", "application/json", "application/grpcx", "application/grp"};
  for (size_t i = 0; i < BUS_COUNT(right); i++)
    assert_true(grpc_media_type_is_right(bus_str(right[i])));
  for (size_t i = 0; i < BUS_COUNT(wrong); i++)
    assert_false(grpc_media_type_is_right(bus_str(wrong[i])));
}

static int take_all(struct grpc_budget *budget, int64_t now) {
  int taken = 0;
  while (taken < 1000 && grpc_budget_take(budget, now))
    taken++;
  return taken;
}

TEST(a_budget_is_filled_at_its_rate_up_to_its_burst)
{
  struct grpc_budget budget = {.rate = 50, .burst = 100, .at = BUS_SECOND};
  assert_int_equal(take_all(&budget, BUS_SECOND), 100);
  assert_int_equal(take_all(&budget, BUS_SECOND), 0);
  assert_int_equal(take_all(&budget, BUS_SECOND + BUS_SECOND / 10), 5);
  assert_int_equal(take_all(&budget, 3 * BUS_SECOND + BUS_SECOND / 10), 100);
  assert_int_equal(take_all(&budget, 1000 * BUS_HOUR), 100);
  grpc_budget_give(&budget, 3);
  assert_int_equal(take_all(&budget, 1000 * BUS_HOUR), 3);
  grpc_budget_give(&budget, 500);
  assert_int_equal(take_all(&budget, 1000 * BUS_HOUR), 100);
}
