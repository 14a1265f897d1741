/* A program as a child: its input from a file, both its streams into one text. */
#include "amqp_program.h"

#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void collect_output(struct output *ret, pid_t child, int fd) {
  size_t len = 0;
  ssize_t got;
  while (len < OUTPUT_MAX - 1 && (got = read(fd, ret->text + len, OUTPUT_MAX - 1 - len)) > 0)
    len += (size_t)got;
  ret->text[len] = '\0';
  close(fd);
  assert_int_equal(waitpid(child, &ret->status, 0), child);
  ret->status = WIFEXITED(ret->status) ? WEXITSTATUS(ret->status) : -1;
}

static void become(const char *path, const char *const *words, const char *url, int in, int out) {
  dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  if (url)
    setenv("RABBITMQ_URL", url, 1);
  else
    unsetenv("RABBITMQ_URL");
  execv(path, (char *const *)words);
  _exit(127);
}

void run_program(struct output *ret, const char *path, const char *const *words, const char *url, const char *input) {
  char file[] = "/tmp/bus-program-XXXXXX";
  int in = mkstemp(file), ends[2] = {-1, -1};
  assert_true(in >= 0 && unlink(file) == 0 && pipe(ends) == 0);
  assert_int_equal(write(in, input, strlen(input)), strlen(input));
  assert_int_equal(lseek(in, 0, SEEK_SET), 0);
  pid_t child = fork();
  if (child == 0)
    become(path, words, url, in, ends[1]);
  close(in);
  close(ends[1]);
  collect_output(ret, child, ends[0]);
}

void assert_says(const struct output *output, const char *text) {
  if (strstr(output->text, text) == NULL)
    fail_msg("\"%s\" is not in: %s", text, output->text);
}
