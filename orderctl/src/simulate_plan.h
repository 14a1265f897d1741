/* Demonstration traffic: which kind of order comes next, its requests, and the count of answers. Pure. */
#ifndef SIMULATE_PLAN_H
#define SIMULATE_PLAN_H

#include <bus/error.h>
#include <bus/field.h>

enum simulate_kind {
  SIMULATE_HAPPY,     /* it is confirmed */
  SIMULATE_DECLINED,  /* its card is declined */
  SIMULATE_CANCELLED, /* its customer cancels it at once: too late, if it is paid by then */
  SIMULATE_LATER,     /* it is paid by a second request */
  SIMULATE_KINDS,
};
extern const char *const simulate_names[SIMULATE_KINDS + 1];

#define SIMULATE_MIX "happy=70,declined=10,cancelled=10,pay-later=10"

struct simulate_mix {
  int64_t weights[SIMULATE_KINDS], total;
  int64_t given[SIMULATE_KINDS];
};

/* "happy=3,declined=1": weights from 0 to 1000, each kind once; those left out are 0. The error names the wrong part.
 */
bool simulate_mix_parse(const char *text, struct simulate_mix *ret, struct bus_error *err) BUS_MUST_CHECK;
/* The kind that has come too seldom so far: any hundred orders in a row have the shares of the weights. */
enum simulate_kind simulate_mix_next(struct simulate_mix *mix);

/* ---- requests; absent when out of memory ---- */

struct bus_str simulate_order(enum simulate_kind kind, struct bus_str product_id, struct bus_str key,
                              struct bus_arena *arena);
/* The request that follows an order that was accepted; none: kinds without one. */
bool simulate_follows(enum simulate_kind kind);
struct bus_str simulate_follow_path(enum simulate_kind kind, const struct bus_uuid *order_id, struct bus_arena *arena);
struct bus_str simulate_follow_body(enum simulate_kind kind, const struct bus_uuid *order_id, struct bus_str key,
                                    struct bus_arena *arena);
/* The id of the order in an answer. False: there is none. */
bool simulate_order_id(struct bus_str json, struct bus_arena *arena, struct bus_uuid *ret) BUS_MUST_CHECK;

/* The products of an answer that have stock; at most SIMULATE_PRODUCTS. False: it is no page of products. */
enum { SIMULATE_PRODUCTS = 50 };
bool simulate_products(struct bus_str json, struct bus_arena *arena, struct bus_str *products,
                       size_t *ret_count) BUS_MUST_CHECK;

/* ---- counts ---- */

enum { SIMULATE_STATUSES = 16 };

struct simulate_count {
  int kind;
  int64_t sent, accepted, followed; /* followed: the second request got a 2xx */
};
struct simulate_status {
  int64_t status, count; /* 0: no answer */
};

struct simulate_tally {
  struct simulate_count counts[SIMULATE_KINDS];
  struct simulate_status refused[SIMULATE_STATUSES]; /* the last stands for all further ones */
  size_t refused_count;
  int64_t sent, accepted;
  int64_t late; /* not sent, because too many were under way */
};

struct simulate_tally simulate_tally_begin(void);
/* An answer to an order (not follows), or to what follows it. True: it was a 2xx. */
bool simulate_tally_answer(struct simulate_tally *tally, enum simulate_kind kind, bool follows, int status);
/* One line for people; and one JSON object, false: out of memory. */
void simulate_tally_text(const struct simulate_tally *tally, char *text, size_t size);
bool simulate_tally_encode(const struct simulate_tally *tally, struct bus_arena *arena,
                           struct bus_str *ret) BUS_MUST_CHECK;

#endif
