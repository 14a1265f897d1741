/* bus/failpoint.h: which hit is the one, what each fault does, and what is refused at the start. */
#include <bus/failpoint.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

static char log_path[] = "/tmp/failpoint-test-XXXXXX";

static const char *environment(void *context, const char *name) {
  (void)context;
  return getenv(name);
}

static void switch_on(const char *text) {
  struct bus_error err = {.code = BUS_OK};
  int fd = mkstemp(log_path);
  assert_true(fd >= 0);
  close(fd);
  setenv("BUS_FAILPOINTS_LOG", log_path, 1);
  setenv("BUS_FAILPOINTS", text, 1);
  if (!bus_failpoints_read(environment, NULL, &err))
    fail_msg("%s", err.text);
}

static const char *logged(void) {
  static char text[512];
  int fd = open(log_path, O_RDONLY | O_CLOEXEC);
  ssize_t len = read(fd, text, sizeof text - 1);
  close(fd);
  unlink(log_path);
  text[len < 0 ? 0 : len] = '\0';
  return text;
}

static enum bus_fault step(void) {
  return BUS_FAILPOINT("test.step");
}

/* The same step at another place. */
static enum bus_fault same_step(void) {
  return BUS_FAILPOINT("test.step");
}

static void hurt(void) {
  BUS_CRASH_POINT("test.crash");
}

static bool breaks(void) {
  return BUS_ERROR_POINT("test.error");
}

static void cut(int fd) {
  BUS_CUT_POINT("test.cut", fd);
}

static bool fails(int fd) {
  return BUS_FAIL_POINT("test.both", fd);
}

TEST(failpoint_is_silent_unless_switched_on)
{
  struct bus_error err;
  unsetenv("BUS_FAILPOINTS");
  unsetenv("BUS_FAILPOINTS_LOG");
  assert_true(bus_failpoints_read(environment, NULL, &err));
  hurt();
  assert_int_equal(step(), BUS_FAULT_NONE);
  assert_false(breaks());
}

TEST(failpoint_acts_at_the_first_hit_alone)
{
  char expected[64];
  switch_on("test.step=error");
  assert_int_equal(step(), BUS_FAULT_ERROR);
  assert_int_equal(step(), BUS_FAULT_NONE);
  (void)snprintf(expected, sizeof expected, "test.step error %d\n", (int)getpid());
  assert_string_equal(logged(), expected);
}

TEST(failpoint_acts_at_the_hit_that_is_named)
{
  switch_on("test.step=disconnect@3");
  assert_int_equal(step(), BUS_FAULT_NONE);
  assert_int_equal(step(), BUS_FAULT_NONE);
  assert_int_equal(step(), BUS_FAULT_DISCONNECT);
  assert_int_equal(step(), BUS_FAULT_NONE);
  unlink(log_path);
}

TEST(failpoint_acts_in_a_range_of_hits)
{
  switch_on("test.step=error@2..3,test.error=error@2..");
  const enum bus_fault expected[] = {BUS_FAULT_NONE, BUS_FAULT_ERROR, BUS_FAULT_ERROR, BUS_FAULT_NONE};
  for (size_t i = 0; i < BUS_COUNT(expected); i++) {
    assert_int_equal(step(), expected[i]);
    assert_int_equal(breaks(), i >= 1);
  }
  unlink(log_path);
}

TEST(failpoint_counts_hits_of_all_places_together)
{
  switch_on("test.step=error@2");
  assert_int_equal(step(), BUS_FAULT_NONE);
  assert_int_equal(same_step(), BUS_FAULT_ERROR);
  assert_int_equal(step(), BUS_FAULT_NONE);
  unlink(log_path);
}

TEST(failpoint_can_have_several_faults)
{
  switch_on("test.step=error@1,test.step=disconnect@2");
  assert_int_equal(step(), BUS_FAULT_ERROR);
  assert_int_equal(step(), BUS_FAULT_DISCONNECT);
  assert_int_equal(step(), BUS_FAULT_NONE);
  unlink(log_path);
}

TEST(failpoint_kills_the_process_and_says_so_before)
{
  char expected[64];
  int status = 0;
  switch_on("test.crash=crash@2");
  pid_t child = fork();
  if (child == 0) {
    hurt();
    hurt();
    _exit(0); /* it should not come so far */
  }
  assert_true(child > 0);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  (void)snprintf(expected, sizeof expected, "test.crash crash %d\n", (int)child);
  assert_string_equal(logged(), expected);
}

TEST(failpoint_delays_and_goes_on)
{
  struct timespec before, after;
  switch_on("test.crash=delay:60");
  clock_gettime(CLOCK_MONOTONIC, &before);
  hurt();
  clock_gettime(CLOCK_MONOTONIC, &after);
  int64_t ms = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
  assert_true(ms >= 59);
  assert_memory_equal(logged(), "test.crash delay:60 ", 20);
}

TEST(failpoint_shuts_the_socket_down)
{
  int pair[2];
  char byte;
  switch_on("test.cut=disconnect@2");
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  cut(pair[0]);
  assert_int_equal(recv(pair[1], &byte, 1, MSG_DONTWAIT), -1);
  cut(pair[0]);
  assert_int_equal(recv(pair[1], &byte, 1, MSG_DONTWAIT), 0);
  cut(-1); /* there is none: nothing happens */
  close(pair[0]);
  close(pair[1]);
  unlink(log_path);
}

TEST(failpoint_fails_or_cuts)
{
  int pair[2];
  char byte;
  switch_on("test.both=error@1,test.both=disconnect@2");
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  assert_true(fails(pair[0]));
  assert_int_equal(recv(pair[1], &byte, 1, MSG_DONTWAIT), -1);
  assert_false(fails(pair[0]));
  assert_int_equal(recv(pair[1], &byte, 1, MSG_DONTWAIT), 0);
  close(pair[0]);
  close(pair[1]);
  unlink(log_path);
}

static void *hit_often(void *context) {
  int *count = context;
  for (int i = 0; i < 1000; i++)
    *count += breaks();
  return NULL;
}

TEST(failpoint_has_one_nth_hit_over_all_threads)
{
  pthread_t threads[4];
  int counts[4] = {0}, sum = 0;
  switch_on("test.error=error@2500");
  for (size_t i = 0; i < 4; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, hit_often, &counts[i]), 0);
  for (size_t i = 0; i < 4; i++) {
    assert_int_equal(pthread_join(threads[i], NULL), 0);
    sum += counts[i];
  }
  assert_int_equal(sum, 1);
  unlink(log_path);
}

TEST(failpoint_refuses_what_makes_no_sense)
{
  static const struct {
    const char *text, *says;
  } cases[] = {
      {"test.nowhere=crash", "no point test.nowhere"},
      {"test.crash=error", "test.crash takes no error"},
      {"test.error=disconnect", "test.error takes no disconnect"},
      {"test.step", "\"test.step\" is not"},
      {"=crash", "\"=crash\" is not"},
      {"test.step=", "\"test.step=\" is not"},
      {"test.step=burn", "\"test.step=burn\" is not"},
      {"test.step=crash@0", "\"test.step=crash@0\" is not"},
      {"test.step=crash@", "\"test.step=crash@\" is not"},
      {"test.step=crash@3..2", "\"test.step=crash@3..2\" is not"},
      {"test.step=crash@1.", "\"test.step=crash@1.\" is not"},
      {"test.step=crash@1x", "\"test.step=crash@1x\" is not"},
      {"test.step=crash:5", "\"test.step=crash:5\" is not"},
      {"test.step=delay", "\"test.step=delay\" is not"},
      {"test.step=delay:", "\"test.step=delay:\" is not"},
      {"test.step=delay:60001", "up to 60000"},
      {"test.step=delay:-1", "\"test.step=delay:-1\" is not"},
      {"test.step=error,", "\"\" is not"},
  };
  unsetenv("BUS_FAILPOINTS_LOG");
  for (size_t i = 0; i < BUS_COUNT(cases); i++) {
    struct bus_error err = {.code = BUS_OK};
    setenv("BUS_FAILPOINTS", cases[i].text, 1);
    assert_false(bus_failpoints_read(environment, NULL, &err));
    assert_int_equal(err.code, BUS_E_CONFIG);
    assert_memory_equal(err.text, "BUS_FAILPOINTS: ", 16);
    if (!strstr(err.text, cases[i].says))
      fail_msg("%s: %s", cases[i].text, err.text);
  }
}

TEST(failpoint_refuses_a_log_that_cannot_be_written)
{
  struct bus_error err = {.code = BUS_OK};
  setenv("BUS_FAILPOINTS_LOG", "/nowhere/at/all", 1);
  unsetenv("BUS_FAILPOINTS");
  assert_false(bus_failpoints_read(environment, NULL, &err));
  assert_non_null(strstr(err.text, "BUS_FAILPOINTS_LOG: /nowhere/at/all: "));
}

TEST(failpoint_refuses_more_than_it_can_keep)
{
  struct bus_error err = {.code = BUS_OK};
  char text[17 * 16] = "test.step=error";
  for (int i = 0; i < 16; i++)
    (void)snprintf(text + strlen(text), sizeof text - strlen(text), ",test.step=error");
  unsetenv("BUS_FAILPOINTS_LOG");
  setenv("BUS_FAILPOINTS", text, 1);
  assert_false(bus_failpoints_read(environment, NULL, &err));
  assert_non_null(strstr(err.text, "at most 16 entries"));
}

static void collect(void *context, const char *text) {
  char *all = context;
  assert_true(strlen(all) + strlen(text) < 1024);
  (void)snprintf(all + strlen(all), 1024 - strlen(all), "%s", text);
}

TEST(failpoints_are_listed_once_with_what_they_take)
{
  char text[1024] = "";
  bus_failpoints_print(text, collect);
  assert_non_null(strstr(text, "test.step crash delay:MS error disconnect\n"));
  assert_non_null(strstr(text, "test.crash crash delay:MS\n"));
  assert_non_null(strstr(text, "test.error crash delay:MS error\n"));
  assert_non_null(strstr(text, "test.cut crash delay:MS disconnect\n"));
  const char *first = strstr(text, "test.step ");
  assert_null(strstr(first + 1, "test.step "));
}
