/* How malloc keeps and returns memory, in processes of their own, counted by malloc: for builds without a sanitizer. */
#include <bus/process.h>

#include "process_memory.h"

#include <malloc.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

enum { RED = 3, MIB = 1 << 20 };

static void needs_malloc(void) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  test_skip("the sanitizer's malloc does not count like that");
#endif
}

static int in_child(int (*run)(void)) {
  int status = -1;
  pid_t child = fork();
  if (child == 0)
    _exit(run());
  assert_true(child > 0);
  assert_int_equal(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void *touched(size_t size) {
  void *block = malloc(size);
  if (!block)
    _exit(RED);
  return memset(block, 1, size);
}

/* A large block is freed while a small one lies above it. */
static int free_large_blocks_in_turn(void) {
  process_bound_memory();
  for (int i = 0; i < 4; i++) {
    void *large = touched((size_t)(4 - i) * MIB), *pin = touched(100);
    free(large);
    (void)pin;
  }
  return mallinfo2().fordblks < MIB ? 0 : 1;
}

TEST(large_blocks_go_back_whatever_was_freed_before)
{
  needs_malloc();
  assert_int_equal(in_child(free_large_blocks_in_turn), 0);
}

static long anonymous_kib(void) {
  static const char name[] = "RssAnon:";
  long kib = -1;
  char line[256];
  FILE *file = fopen("/proc/self/status", "re");
  while (file && kib < 0 && fgets(line, sizeof line, file))
    if (strncmp(line, name, sizeof name - 1) == 0)
      kib = strtol(line + sizeof name - 1, NULL, 10);
  if (file)
    (void)fclose(file);
  return kib;
}

enum { BLOCKS = 4096, BLOCK_BYTES = 8192, SAMPLE = 64 };

/* One block in 64 of 32 MiB stays. */
static int free_most_small_blocks(void) {
  static void *blocks[BLOCKS];
  for (int i = 0; i < BLOCKS; i++)
    blocks[i] = touched(BLOCK_BYTES);
  for (int i = 0; i < BLOCKS; i++)
    if (i % SAMPLE != 0)
      free(blocks[i]);
  long before = anonymous_kib();
  process_return_memory();
  return before - anonymous_kib() > BLOCKS / 2 * (BLOCK_BYTES / 1024) ? 0 : 1;
}

TEST(free_blocks_between_kept_ones_go_back)
{
  needs_malloc();
  assert_int_equal(in_child(free_most_small_blocks), 0);
}

/* Started anew, the program comes here with the variable set. */
TEST(a_program_that_starts_anew_has_no_thread_caches)
{
  needs_malloc();
  enum { SMALL = 64 };
  char *argv[] = {(char[]){"anew"}, (char[]){"a_program_that_starts_anew_has_no_thread_caches"}, NULL};
  bus_process_without_thread_caches(argv);
  assert_string_equal(getenv("GLIBC_TUNABLES"), "glibc.malloc.tcache_count=0");
  size_t before = mallinfo2().fsmblks;
  free(touched(SMALL));
  assert_true(mallinfo2().fsmblks > before);
}
