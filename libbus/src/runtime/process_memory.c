/* How malloc keeps and returns memory in every program. */
#include "process_memory.h"

#include <bus/process.h>

#include <limits.h>
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

enum { ARENAS = 2, LARGE_BYTES = 128 * 1024, FREE_BYTES_KEPT = 1 << 20 };

/* An arena a thread would cost more memory than contention costs time. The bounds are malloc's own at the start; said
 * here, they stay: it would raise them at each large block that is freed (mallopt(3)), and keep a burst's memory. */
void process_bound_memory(void) {
  (void)mallopt(M_ARENA_MAX, ARENAS);
  (void)mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
  (void)mallopt(M_TRIM_THRESHOLD, LARGE_BYTES);
}

/* Free blocks between kept ones go back only when malloc is told so. */
void process_return_memory(void) {
  if (mallinfo2().fordblks > FREE_BYTES_KEPT)
    (void)malloc_trim(0);
}

void bus_process_without_thread_caches(char **argv) {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  char path[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
  if (length <= 0 || getenv("GLIBC_TUNABLES") || setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 0) != 0)
    return;
  path[length] = '\0'; /* the file's own path: the process keeps its name */
  (void)execv(path, argv);
#else
  (void)argv;
#endif
}
