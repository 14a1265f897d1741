/* The bus, the HTTP exchange and the clock as a script: what becomes of the next request and when, in virtual time. */
#ifndef EDGE_TESTS_FAKE_BUS_H
#define EDGE_TESTS_FAKE_BUS_H

#include "edge.h"

#define NEVER INT64_MAX
#define AT_MS(ms) ((int64_t)(ms)*BUS_MILLISECOND)

enum { FAKE_ANSWERS = 2, FAKE_HEADERS = 8 };

struct fake_answer {
  int64_t at; /* microseconds after the request began */
  const struct bus_message_type *type;
  const void *body; /* NULL: malformed */
};

/* Outcome of each request. Times count from its beginning; NEVER: it does not happen. */
struct fake_script {
  bool is_down, is_blocked, is_full, no_memory;
  bool by_type; /* answers[0] and answers[1] are for requests of different kinds */
  int64_t confirm_at, refused_at, unroutable_at, lost_at;
  struct fake_answer answers[FAKE_ANSWERS];
};

struct fake {
  struct fake_script script;
  int64_t now;                             /* bus_monotonic */
  int64_t hurried_at;                      /* bus_requester_hurry is called then; 0: never */
  bool no_place;                           /* bus_http_hold finds none */
  int begun;                               /* requests */
  int opened;                              /* connections of their own */
  int64_t ready;                           /* in each queue */
  const char *missing_queue;               /* NULL: all are there */
  int logged;                              /* lines */
  int breaker_changes[BUS_BREAKER_STATES]; /* to each state */
  struct bus_str sent;                     /* the last one's body, encoded */
  struct bus_uuid sent_id;                 /* its message id; nil: a new one */

  /* the exchange: request, then what was answered */
  struct bus_arena *arena;
  const struct bus_http_route *route;
  const void *request;                   /* decoded */
  const struct bus_token_claims *caller; /* NULL: no authentication */
  struct bus_str body, segment, idempotency_key, prefer;
  struct bus_str none_match; /* the tag in If-None-Match */
  struct bus_str match;      /* If-Match */
  struct bus_str last_event; /* Last-Event-ID */
  struct bus_str signature;  /* Stripe-Signature */
  struct bus_str origin, host, cookie;
  int waits;             /* of a stream, before its client goes */
  void (*on_wait)(void); /* what happens meanwhile; NULL: nothing does */
  const char *query;     /* "name=value", or NULL */
  int status;
  const char *media_type;
  struct bus_str json; /* the answer's body; of a problem its detail */
  struct bus_str names[FAKE_HEADERS], values[FAKE_HEADERS];
  size_t header_count;
  char notes[256]; /* "name=value " of each note for the access log */
};

extern struct fake fake;

/* Requests get only the events that a test names. */
extern const struct fake_script fake_silence;

/* An exchange of its own, in a clean arena. */
void fake_begin(const char *body);
void fake_end(void);
/* As the server does: decodes the request by its row, or answers it. */
bool fake_take(const struct bus_http_route *route) BUS_MUST_CHECK;
/* The response's header; absent if it has none of that name. */
struct bus_str fake_header(const char *name);

#endif
