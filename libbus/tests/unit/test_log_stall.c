/* A reader of stderr that stalls: no thread waits, what is lost is counted, and a process ends all the same. */
#include <bus/clock.h>
#include <bus/log.h>

#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

enum { HANG_S = 60, LINES = 20000 };

static int reader, saved_stderr;

/* From now on stderr is a pipe whose reader is this test. A hang ends the program. */
static void stall(void) {
  int ends[2];
  (void)alarm(HANG_S);
  assert_int_equal(pipe(ends), 0);
  saved_stderr = dup(STDERR_FILENO);
  assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
  close(ends[1]);
  reader = ends[0];
  bus_log_init("test", BUS_INFO);
}

static void fill_pipe(void) {
  static char blanks[4096];
  int flags = fcntl(STDERR_FILENO, F_GETFL);
  memset(blanks, '\n', sizeof blanks);
  fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK);
  while (write(STDERR_FILENO, blanks, sizeof blanks) > 0)
    continue;
  fcntl(STDERR_FILENO, F_SETFL, flags);
}

static void restore(void) {
  dup2(saved_stderr, STDERR_FILENO);
  close(saved_stderr);
}

struct seen {
  int64_t lines, torn, reported;
  char last[4096];
};

static int64_t number_after(const char *line, const char *name) {
  const char *at = strstr(line, name);
  return at ? strtoll(at + strlen(name), NULL, 10) : 0;
}

/* Reads to the end of the pipe, line by line; blank lines are the filling. */
static void *read_lines(void *context) {
  struct seen *seen = context;
  FILE *file = fdopen(reader, "r");
  char line[4096];
  while (file && fgets(line, sizeof line, file)) {
    size_t len = strlen(line);
    if (line[0] == '\n')
      continue;
    if (line[0] != '{' || len < 3 || line[len - 2] != '}')
      seen->torn++;
    else if (strstr(line, "log lines were dropped"))
      seen->reported += number_after(line, "\"dropped\":");
    else
      seen->lines++;
    memcpy(seen->last, line, sizeof seen->last);
  }
  if (file)
    fclose(file);
  return NULL;
}

static void log_many(int count) {
  for (int i = 0; i < count; i++)
    bus_log(BUS_INFO, "a line that nobody reads for a while", BUS_F_INT("n", i));
}

TEST(log_goes_on_while_nobody_reads_stderr)
{
  struct seen seen = {0};
  pthread_t thread;
  stall();
  log_many(LINES); /* more than the pipe and the ring hold */
  int64_t dropped = bus_log_dropped();
  assert_true(dropped > 0 && dropped < LINES);
  assert_false(bus_log_flush(1));
  assert_int_equal(pthread_create(&thread, NULL, read_lines, &seen), 0);
  assert_true(bus_log_flush(30000));
  restore(); /* closes the pipe's last writing end */
  pthread_join(thread, NULL);
  assert_int_equal(seen.torn, 0);
  assert_int_equal(seen.reported, dropped);
  assert_int_equal(seen.lines + dropped, LINES);
}

static void *log_from_thread(void *context) {
  (void)context;
  log_many(1000);
  return NULL;
}

TEST(log_of_many_threads_keeps_lines_whole_though_another_process_made_the_pipe_non_blocking)
{
  struct seen seen = {0};
  pthread_t thread, loggers[4];
  stall();
  fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK); /* as `ssh`, node and others do to a pipe that they share */
  for (size_t i = 0; i < BUS_COUNT(loggers); i++)
    assert_int_equal(pthread_create(&loggers[i], NULL, log_from_thread, NULL), 0);
  assert_int_equal(pthread_create(&thread, NULL, read_lines, &seen), 0);
  for (size_t i = 0; i < BUS_COUNT(loggers); i++)
    pthread_join(loggers[i], NULL);
  assert_true(bus_log_flush(30000));
  restore();
  pthread_join(thread, NULL);
  assert_int_equal(seen.torn, 0);
  assert_int_equal(seen.lines + bus_log_dropped(), 4000);
}

/* ---- processes that end ---- */

/* The child's wait status; it writes into the same pipe. */
static int in_child(void (*run)(void)) {
  int status = -1;
  pid_t child = fork();
  if (child == 0) {
    (void)alarm(HANG_S);
    run();
    _exit(0);
  }
  assert_true(child > 0);
  assert_int_equal(waitpid(child, &status, 0), child);
  return status;
}

static void log_and_exit(void) {
  log_many(10);
  exit(3);
}

TEST(log_of_a_forked_child_arrives_before_it_exits)
{
  struct seen seen = {0};
#ifdef __SANITIZE_THREAD__
  test_skip("the thread sanitizer ends a child of fork that starts a thread");
#endif
  stall();
  bus_log(BUS_INFO, "the parent's writer runs");
  assert_true(bus_log_flush(10000));
  int status = in_child(log_and_exit);
  restore();
  read_lines(&seen);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3);
  assert_int_equal(seen.lines, 11);
}

TEST(log_of_a_stalled_reader_does_not_keep_a_process_from_exiting)
{
  stall();
  fill_pipe();
  int64_t began = bus_monotonic();
  int status = in_child(log_and_exit);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3);
  assert_true(bus_monotonic() - began < 20 * BUS_SECOND);
  restore();
}

static void say_last_and_end(void) {
  bus_log(BUS_INFO, "before");
  bus_log_last(BUS_ERROR, "the last line");
  _exit(4);
}

TEST(log_last_line_comes_behind_those_before_it)
{
  struct seen seen = {0};
  stall();
  int status = in_child(say_last_and_end);
  restore();
  read_lines(&seen);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 4);
  assert_int_equal(seen.lines, 2);
  assert_non_null(strstr(seen.last, "the last line"));
}

TEST(log_last_line_does_not_wait_for_a_full_pipe)
{
  stall();
  fill_pipe();
  int status = in_child(say_last_and_end);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 4);
  restore();
}

#ifndef NDEBUG
/* The function that assert() calls; cmocka replaces assert() by its own. */
static void fail_an_assertion(void) {
  (void)signal(SIGABRT, SIG_DFL);
  __assert_fail("1 == 2", "file.c", 7, "function");
}

TEST(log_failed_assertion_ends_the_process_though_nobody_reads)
{
  struct seen seen = {0};
  stall();
  assert_true(WIFSIGNALED(in_child(fail_an_assertion)));
  fill_pipe();
  assert_true(WIFSIGNALED(in_child(fail_an_assertion)));
  restore();
  read_lines(&seen);
  assert_int_equal(seen.lines, 1);
  assert_non_null(strstr(seen.last, "\"assertion\":\"1 == 2\""));
}
#endif
