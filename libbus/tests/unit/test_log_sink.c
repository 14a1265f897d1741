/* bus/log.h, the sink: levels, whole lines, errno kept. */
#include <bus/clock.h>
#include <bus/log.h>

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

/* The process's clock stands still here. */
bus_time bus_wall_clock(void) {
  return 0;
}

int64_t bus_monotonic(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * BUS_SECOND + now.tv_nsec / 1000;
}

static int pipe_ends[2], saved_stderr;

static void capture(void) {
  assert_int_equal(pipe2(pipe_ends, O_NONBLOCK), 0);
  saved_stderr = dup(STDERR_FILENO);
  assert_true(dup2(pipe_ends[1], STDERR_FILENO) >= 0);
}

static ssize_t captured(char *text, size_t size) {
  assert_true(bus_log_flush(10000));
  dup2(saved_stderr, STDERR_FILENO);
  ssize_t len = read(pipe_ends[0], text, size - 1);
  close(pipe_ends[0]);
  close(pipe_ends[1]);
  close(saved_stderr);
  text[len < 0 ? 0 : len] = '\0';
  return len;
}

TEST(log_sink_writes_lines_of_its_level)
{
  char text[4096];
  bus_log_init("test", BUS_WARN);
  capture();
  bus_log(BUS_INFO, "no");
  bus_log(BUS_WARN, "yes", BUS_F_INT("n", 1), BUS_F_STR("s", "t"));
  bus_log(BUS_ERROR, "and");
  captured(text, sizeof text);
  assert_string_equal(
      text, "{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"warn\",\"service\":\"test\",\"msg\":\"yes\","
            "\"n\":1,\"s\":\"t\"}\n"
            "{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"error\",\"service\":\"test\",\"msg\":\"and\"}\n");
}

TEST(log_sink_enabled)
{
  bus_log_init("test", BUS_INFO);
  assert_false(bus_log_enabled(BUS_DEBUG));
  assert_true(bus_log_enabled(BUS_INFO));
  assert_true(bus_log_enabled(BUS_ERROR));
}

TEST(log_sink_keeps_errno)
{
  char text[64];
  bus_log_init("test", BUS_INFO);
  capture();
  close(STDERR_FILENO);
  errno = ENOENT;
  bus_log(BUS_ERROR, "into nothing");
  assert_int_equal(errno, ENOENT);
  assert_true(bus_log_flush(10000));
  assert_int_equal(bus_log_dropped(), 1);
  assert_true(captured(text, sizeof text) < 0);
}
