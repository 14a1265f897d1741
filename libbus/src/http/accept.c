/* Which of two media types a client would rather have, by the Accept of its request (RFC 9110, 12.5.1). */
#include "accept.h"

#include "internal.h"

#include "../core/ascii.h"

enum { WHOLE = 1000 };

/* Thousandths; 0 for a text that is no weight. */
static int weight_of(struct bus_str text) {
  int found = 0, place = WHOLE;
  for (size_t i = 0; i < text.len; i++) {
    char c = text.data[i];
    if (i == 1 ? c != '.' : !ascii_is_digit(c) || place == 0)
      return 0;
    if (i == 1)
      continue;
    found += (c - '0') * place;
    place /= 10;
  }
  return found <= WHOLE ? found : 0;
}

/* A range without a weight has all of it; its other parameters are not looked at. */
static int weight_among(struct bus_str parameters) {
  while (parameters.len > 0) {
    struct bus_str one = ascii_trim(bus_str_cut(&parameters, ';'), " \t");
    if (one.len > 2 && (one.data[0] == 'q' || one.data[0] == 'Q') && one.data[1] == '=')
      return weight_of((struct bus_str){one.data + 2, one.len - 2});
  }
  return WHOLE;
}

/* The highest weight of a range that names exactly this type; 0: none does. */
static int weight_in(struct bus_str accept, const char *type) {
  int best = 0;
  while (accept.len > 0) {
    struct bus_str range = http_list_next(&accept);
    struct bus_str name = ascii_trim(bus_str_cut(&range, ';'), " \t");
    int weight = http_text_is(name, type) ? weight_among(range) : 0;
    best = weight > best ? weight : best;
  }
  return best;
}

bool http_accept_prefers(struct bus_str accept, const char *type, const char *usual) {
  int weight = weight_in(accept, type);
  return weight > 0 && weight >= weight_in(accept, usual);
}

bool bus_http_prefers(const struct bus_http_exchange *exchange, const char *type, const char *usual) {
  return http_accept_prefers(bus_http_header(exchange, "accept"), type, usual);
}
