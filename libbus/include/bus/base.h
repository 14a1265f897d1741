/* Basic types of all other headers: text views, times, attributes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Around the declarations of each header, for callers in C++. */
#ifdef __cplusplus
#define BUS_C_BEGIN extern "C" {
#define BUS_C_END }
#else
#define BUS_C_BEGIN
#define BUS_C_END
#endif

BUS_C_BEGIN

/* The caller must use the result; ignore it only with (void) and a reason. */
#define BUS_MUST_CHECK __attribute__((warn_unused_result))
#define BUS_PRINTF(text, first) __attribute__((format(printf, text, first)))

#define BUS_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A view: not owned, not NUL-terminated. data == NULL means "absent", which is not the same as empty. */
struct bus_str {
  const char *data;
  size_t len;
};

#define BUS_STR(literal) ((struct bus_str){(literal), sizeof(literal) - 1})
#define BUS_NO_STR ((struct bus_str){NULL, 0})

/* The view of a NUL-terminated text; NULL: absent. */
static inline struct bus_str bus_str(const char *text) {
  return (struct bus_str){text, text ? strlen(text) : 0};
}

/* Are the bytes the same? Absent and empty are equal. */
static inline bool bus_str_equal(struct bus_str a, struct bus_str b) {
  return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Is it that text? False where it is absent. */
static inline bool bus_str_is(struct bus_str a, const char *text) {
  return a.data != NULL && bus_str_equal(a, bus_str(text));
}

/* names: NULL-terminated. */
static inline bool bus_str_is_one_of(struct bus_str a, const char *const *names) {
  while (*names && !bus_str_is(a, *names))
    names++;
  return *names != NULL;
}

/* Reads 1 to `most` digits, at most 18, and nothing else. */
static inline bool bus_str_number(struct bus_str text, size_t most, int64_t *ret) {
  int64_t number = 0;
  if (text.len < 1 || text.len > most)
    return false;
  for (size_t i = 0; i < text.len; i++) {
    if (text.data[i] < '0' || text.data[i] > '9')
      return false;
    number = number * 10 + (text.data[i] - '0');
  }
  *ret = number;
  return true;
}

/* Cuts off *rest the text before the next `end`, and `end` itself; all of it where there is none. */
static inline struct bus_str bus_str_cut(struct bus_str *rest, char end) {
  if (rest->len == 0)
    return *rest;
  const char *at = (const char *)memchr(rest->data, end, rest->len);
  struct bus_str text = {rest->data, at ? (size_t)(at - rest->data) : rest->len};
  rest->data += text.len + (at != NULL);
  rest->len -= text.len + (at != NULL);
  return text;
}

/* Cuts `start` off the front of *rest; false where it begins otherwise. */
static inline bool bus_str_cut_start(struct bus_str *rest, const char *start) {
  size_t len = strlen(start);
  if (rest->len < len || memcmp(rest->data, start, len) != 0)
    return false;
  rest->data += len;
  rest->len -= len;
  return true;
}

/* False only where the premise holds and the conclusion does not. */
static inline bool bus_implies(bool premise, bool conclusion) {
  return !premise || conclusion;
}

/* Microseconds since 1970-01-01T00:00:00Z, as Postgres keeps them. */
typedef int64_t bus_time;

#define BUS_MILLISECOND INT64_C(1000)
#define BUS_SECOND INT64_C(1000000)
#define BUS_MINUTE (60 * BUS_SECOND)
#define BUS_HOUR (60 * BUS_MINUTE)

/* Stands for an absent integer or time. */
#define BUS_NO_INT64 INT64_MIN
#define BUS_NO_TIME INT64_MIN

BUS_C_END
