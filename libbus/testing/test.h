/* cmocka with one line per case: TEST(name) { … } registers itself, and the program runs all cases or the one it is
 * told by its first argument, so that CTest has an entry for each. A case that cannot run here calls test_skip(). */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* Ends the program with what CTest takes for "skipped": cmocka's own skip() would count as passed. */
__attribute__((noreturn)) static inline void test_skip(const char *why) {
  fprintf(stderr, "skipped: %s\n", why);
  exit(77);
}

void test_register(const char *name, void (*run)(void **state));

/* Must stand at the start of a line: the build finds the cases by it. */
#define TEST(name)                                                                                                     \
  static void name(void **state);                                                                                      \
  __attribute__((constructor)) static void register_##name(void) {                                                     \
    test_register(#name, name);                                                                                        \
  }                                                                                                                    \
  static void name(__attribute__((unused)) void **state)
