/* civetweb's frames touch some 20 KiB of a thread's stack with the first request, and the pages stay resident: with
 * hundreds of threads that is most of the process's memory. A thread whose connection has ended returns the pages below
 * its frame. */
#include "parts.h"

#include <sys/mman.h>
#include <unistd.h>

void *http_stack_lowest(void) {
  pthread_attr_t attributes;
  void *lowest = NULL;
  size_t size;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0)
    return NULL;
  if (pthread_attr_getstack(&attributes, &lowest, &size) != 0)
    lowest = NULL;
  pthread_attr_destroy(&attributes);
  return lowest;
}

enum { CALL_BYTES = 1024 }; /* this function's own, and of the call that it makes; what lies below is dead */

__attribute__((noinline)) void http_stack_trim(void *lowest) {
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  uintptr_t end = ((uintptr_t)__builtin_frame_address(0) - CALL_BYTES) & ~(page - 1);
  uintptr_t start = ((uintptr_t)lowest + page - 1) & ~(page - 1);
  if (lowest != NULL && end > start)
    (void)madvise((void *)start, end - start, MADV_DONTNEED); /* only costs memory where it fails */
}
