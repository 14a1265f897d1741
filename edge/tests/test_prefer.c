/* The header Prefer: what waits, and what is ignored. */
#include "prefer.h"
#include "test.h"

static const struct {
  const char *value;
  int64_t seconds;
} cases[] = {
    {NULL, 0},
    {"", 0},
    {"wait=10", 10},
    {"wait=0", 0},
    {"wait=1", 1},
    {"wait=30", 30},
    {"wait=31", 30},
    {"wait=99999999999999999999999999", 30},
    {"WAIT=10", 10},
    {"Wait=10", 10},
    {" wait = 10 ", 10},
    {"\twait\t=\t10", 10},
    {"wait=\"10\"", 10},
    {"wait=010", 10},
    {"respond-async, wait=10", 10},
    {"wait=10, respond-async", 10},
    {"respond-async,wait=10,return=minimal", 10},
    {"return=representation; foo=\"a,b;c\", wait=7", 7},
    {"foo=\"wait=3, \", wait=7", 7},
    {"foo=\"\\\", wait=3\", wait=7", 7},
    {"wait=10; urgent", 10},
    {"wait=10;wait=20", 10},
    {"wait=5, wait=20", 5}, /* RFC 7240, 2: the first counts */
    {",, wait=4", 4},
    {";x, wait=4", 4},
    {"wait", 0},
    {"wait=", 0},
    {"wait=\"\"", 0},
    {"wait=-1", 0},
    {"wait=+1", 0},
    {"wait=1.5", 0},
    {"wait=1s", 0},
    {"wait=0x10", 0},
    {"wait=ten", 0},
    {"wait=1 0", 0},
    {"wait=\"10", 0},
    {"waits=10", 0},
    {"wai=10", 0},
    {"await=10", 0},
    {"wait-10", 0},
    {"respond-async", 0},
    {"foo=\"wait=10", 0},
    {"\"wait\"=10", 0},
    {"=10", 0},
    {"foo=\"\\", 0},
};

TEST(each_value_gives_its_seconds)
{
  for (size_t i = 0; i < BUS_COUNT(cases); i++) {
    int64_t seconds = prefer_wait(bus_str(cases[i].value), 30);
    if (seconds != cases[i].seconds)
      fail_msg("%s: %d seconds, expected %d", cases[i].value ? cases[i].value : "(absent)", (int)seconds,
               (int)cases[i].seconds);
  }
}

TEST(a_maximum_of_nothing_means_no_waiting)
{ assert_int_equal(prefer_wait(BUS_STR("wait=10"), 0), 0); }

/* Views are not NUL-terminated: nothing behind the end is read (ASan watches), nothing behind it counts. */
TEST(only_the_view_is_read)
{
  static const char text[] = "wait=12345";
  for (size_t len = 0; len <= sizeof text - 1; len++) {
    char *exact = test_malloc(len + 1);
    memcpy(exact, text, len);
    int64_t expected[] = {0, 0, 0, 0, 0, 0, 1, 12, 99, 99, 99};
    assert_int_equal(prefer_wait((struct bus_str){exact, len}, 99), expected[len]);
    test_free(exact);
  }
}
