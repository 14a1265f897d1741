/* The functions of caller_rig.h. */
#include "caller_rig.h"

#include <payment_metrics.h>
#include <test.h>

struct payment_settings settings;
struct payment_caller *caller;

void turn(void) {
  struct bus_poll_source source = payment_caller_source(caller);
  source.dispatch(source.context, NULL, 0);
}

int timeout_ms(void) {
  struct bus_poll_source source = payment_caller_source(caller);
  int found = -1;
  (void)source.prepare(source.context, NULL, 0, &found);
  return found;
}

/* No result waits for another. */
static void turn_late(void) {
  doubles.now += BUS_SECOND;
  turn();
  doubles.now -= BUS_SECOND;
}

void begin(int64_t concurrency, int64_t queue) {
  struct bus_error err;
  doubles_reset();
  payment_metrics_register();
  settings = (struct payment_settings){.psp_url = "http://127.0.0.1:8090",
                                       .psp_key = "sk_test_12345",
                                       .psp_ca_file = "",
                                       .concurrency = concurrency,
                                       .queue = queue,
                                       .total_timeout_ms = 7000,
                                       .lease_ms = 30000,
                                       .breaker = {5, 50, 10000, 1000, 30000, 2}};
  doubles.answered = turn_late;
  doubles.client_timeout_ms = -1;
  assert_true(payment_caller_new(&settings, NULL, &caller, &err));
}

void finish(void) {
  payment_caller_free(caller);
  caller = NULL;
}

struct payment_call call_of(uint8_t number) {
  struct payment payment = sample_payment(PAYMENT_NONE);
  payment.order_id.bytes[15] = number;
  return decide_kind(&payment, PAYMENT_ON_CHARGE, NOW).call;
}

void take(uint8_t number) {
  struct payment_call call = call_of(number);
  payment_caller_take(caller, &call);
}

void take_again(uint8_t number) {
  struct payment_call call = call_of(number);
  call.attempt = 2;
  payment_caller_take(caller, &call);
}

size_t room(void) {
  return payment_caller_room(caller, BUS_BREAKER_FRESH);
}

size_t room_again(void) {
  return payment_caller_room(caller, BUS_BREAKER_FAILED);
}

const struct payment_result *last_pushed(void) {
  assert_true(doubles.pushed_count > 0);
  return &doubles.pushed[doubles.pushed_count - 1];
}
