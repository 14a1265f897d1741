/* bus/process.h: closed standard descriptors, and the signals that end a program after a drain. */
#include <bus/process.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

enum { HANG_S = 60 };

static int in_child(int (*run)(void)) {
  int status = -1;
  pid_t child = fork();
  if (child == 0) {
    (void)alarm(HANG_S);
    _exit(run());
  }
  assert_true(child > 0);
  assert_int_equal(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static bool is_dev_null(int fd) {
  struct stat file, null;
  return fstat(fd, &file) == 0 && stat("/dev/null", &null) == 0 && file.st_rdev == null.st_rdev;
}

/* The number that the next file gets where all three were closed; 100 where one of them is not /dev/null. */
static int open_without_standard_files(void) {
  for (int fd = 0; fd <= 2; fd++)
    close(fd);
  bus_process_standard_files();
  int next = open("/dev/zero", O_RDONLY | O_CLOEXEC);
  return is_dev_null(0) && is_dev_null(1) && is_dev_null(2) ? next : 100;
}

TEST(process_opens_closed_standard_descriptors_to_dev_null)
{
  assert_true(in_child(open_without_standard_files) >= 3);
  assert_true(in_child(open_without_standard_files) < 100);
}

static int keep_stderr(void) {
  struct stat before, after;
  close(STDIN_FILENO);
  (void)fstat(STDERR_FILENO, &before);
  bus_process_standard_files();
  (void)fstat(STDERR_FILENO, &after);
  return is_dev_null(STDIN_FILENO) && before.st_ino == after.st_ino && before.st_dev == after.st_dev ? 0 : 1;
}

TEST(process_leaves_open_standard_descriptors_alone)
{ assert_int_equal(in_child(keep_stderr), 0); }

static int wait_for(int signal_number) {
  bus_process_init();
  (void)kill(getpid(), signal_number);
  return bus_process_wait(0);
}

static int hang_up(void) {
  return wait_for(SIGHUP);
}

static int terminate(void) {
  return wait_for(SIGTERM);
}

TEST(process_drains_on_sighup_as_on_sigterm)
{
  assert_int_equal(in_child(terminate), SIGTERM);
  assert_int_equal(in_child(hang_up), SIGHUP);
}

static int hang_up_under_nohup(void) {
  (void)signal(SIGHUP, SIG_IGN);
  bus_process_init();
  (void)kill(getpid(), SIGHUP);
  (void)kill(getpid(), SIGTERM);
  return bus_process_wait(0);
}

TEST(process_under_nohup_goes_on_at_sighup)
{ assert_int_equal(in_child(hang_up_under_nohup), SIGTERM); }

static int reloads;

static void reload(void *context) {
  (void)context;
  reloads++;
  (void)kill(getpid(), reloads < 2 ? SIGHUP : SIGTERM);
}

static int hang_up_twice(void) {
  bus_process_init();
  bus_process_on_hangup(reload, NULL);
  (void)kill(getpid(), SIGHUP);
  int ended_by = bus_process_wait(0);
  (void)raise(SIGHUP); /* during the drain it is ignored */
  return ended_by == SIGTERM ? reloads : 100;
}

TEST(process_reloads_on_sighup_where_there_is_something_to_reload)
{ assert_int_equal(in_child(hang_up_twice), 2); }

static int hang_up_twice_under_nohup(void) {
  (void)signal(SIGHUP, SIG_IGN);
  return hang_up_twice();
}

TEST(process_reloads_on_sighup_also_under_nohup)
{ assert_int_equal(in_child(hang_up_twice_under_nohup), 2); }

static int user_signals(void) {
  bus_process_init();
  (void)kill(getpid(), SIGUSR1);
  (void)kill(getpid(), SIGUSR2);
  (void)kill(getpid(), SIGPIPE);
  return 7;
}

TEST(process_does_not_end_at_signals_without_a_meaning)
{ assert_int_equal(in_child(user_signals), 7); }

static int second_signal(void) {
  (void)close(STDERR_FILENO);
  (void)terminate();
  (void)raise(SIGHUP);
  return 7;
}

TEST(process_exits_at_once_at_the_second_signal)
{ assert_int_equal(in_child(second_signal), 130); }
