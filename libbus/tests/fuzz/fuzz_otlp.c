/* Fuzzes what the exporter of spans reads: the headers that an operator sets, and a collector's answers. The first byte
 * chooses. */
#include "fuzz.h"

#include <bus/error.h>
#include <bus/span.h>
#include <bus/trace_options.h>

enum { SENT = 256, ARENA_LIMIT = 1 << 20 };

/* A line is a name and printable text. */
static void headers(struct bus_str text) {
  struct bus_trace_headers cut;
  struct bus_error err;
  char *copy = fuzz_text(text);
  size_t count = 0;
  if (bus_trace_headers_cut(copy, &cut, &err)) {
    for (; cut.lines[count]; count++) {
      const char *colon = strchr(cut.lines[count], ':');
      FUZZ_CHECK(colon && colon > cut.lines[count] && colon[1] == ' ');
      for (const char *at = cut.lines[count]; *at; at++)
        FUZZ_CHECK(*at >= 0x20 && *at <= 0x7E);
    }
    FUZZ_CHECK(count <= BUS_TRACE_HEADERS_MAX);
  } else {
    FUZZ_CHECK(err.code == BUS_E_CONFIG && cut.lines[0] == NULL);
  }
  free(copy);
}

static void answer(struct bus_str text) {
  struct bus_arena *arena = bus_arena_new(ARENA_LIMIT);
  FUZZ_CHECK(arena != NULL);
  FUZZ_CHECK(bus_spans_rejected(text, SENT, arena) <= SENT);
  bus_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static void (*const modes[])(struct bus_str) = {headers, answer};
  struct bus_str rest = fuzz_input(data, size);
  uint8_t mode = fuzz_byte(&rest);
  char *exact = fuzz_exact(rest);
  modes[mode % BUS_COUNT(modes)]((struct bus_str){exact, rest.len});
  free(exact);
  return 0;
}
