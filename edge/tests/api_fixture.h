/* One edge over the scripted bus, and the calls that tests make on it. */
#ifndef EDGE_TESTS_API_FIXTURE_H
#define EDGE_TESTS_API_FIXTURE_H

#include "fake_bus.h"

#define FIXTURE_BODY "{\"idempotency_key\":\"k\",\"items\":[{\"product_id\":\"A\",\"quantity\":2}]}"
#define FIXTURE_OTHER_BODY "{\"idempotency_key\":\"k\",\"items\":[{\"product_id\":\"A\",\"quantity\":3}]}"
#define FIXTURE_FRESH_BODY "{\"idempotency_key\":\"fresh\",\"items\":[{\"product_id\":\"A\",\"quantity\":2}]}"

extern struct edge edge;
/* Answers of order-svc about an order. */
extern const struct order_answer says_accepted, says_final, says_replayed, says_reused, says_found, says_not_found;

void set_up(void);
void tear_down(void);

/* Each returns how many milliseconds it took. post: FIXTURE_BODY to POST /api/orders. route: "GET /api/orders/{id}",
 * whose segment is fake.segment. */
int post(void);
int post_body(const char *body);
int call(const char *route, const char *body);

/* Adds an answer to the script. */
void answer(int index, int at_ms, const void *body);
/* Answer of order-svc to a read of one order (point_to_order). */
void answer_read(int at_ms, const struct order_answer *said);
/* A new script: nothing but the broker's confirm. */
void confirm_only(int at_ms);
/* Points the path's segment to the order of FIXTURE_BODY. */
void point_to_order(void);
void assert_json_has(const char *text);

#endif
