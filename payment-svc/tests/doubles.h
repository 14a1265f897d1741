/* Doubles of what payment_caller calls: an HTTP client whose answers the test gives, a worker that keeps what is
 * pushed, a clock that the test moves. */
#ifndef PAYMENT_DOUBLES_H
#define PAYMENT_DOUBLES_H

#include <bus/http_client.h>
#include <bus/worker.h>
#include <payment.h>

enum { DOUBLE_CALLS = 64, DOUBLE_PUSHED = 64 };

struct double_call {
  char url[300], body[1300], headers[8][320];
  char traceparent[BUS_TRACEPARENT_TEXT], tracestate[16], route[64];
  int64_t resend;
  char order[4]; /* the last byte of the order's id, as a number */
  void (*done)(void *context, const struct bus_http_result *result);
  void *context;
};

struct doubles {
  int64_t now;
  struct double_call calls[DOUBLE_CALLS]; /* under way, oldest first */
  size_t call_count, started;
  struct payment_result pushed[DOUBLE_PUSHED];
  size_t pushed_count;
  size_t warned; /* lines of the log, from warnings on */
  bool refuse_start, refuse_push, refuse_client;
  int client_timeout_ms;  /* the HTTP client's next deadline */
  void (*answered)(void); /* after each answer; NULL: nothing */
};
extern struct doubles doubles;

void doubles_reset(void);
/* Ends the oldest call under way; _last: the newest. */
void doubles_answer(int status, const char *body);
void doubles_answer_last(int status, const char *body);
void doubles_fail(enum bus_http_outcome outcome);

#endif
