/* POST /webhooks/psp: a signed event of the payment provider becomes a command to payment-svc, which reads the object
 * that the event names from the provider; of a dispute it records what the event says. */
#include "edge.h"
#include "psp_event.h"

#include <bus/clock.h>

static void refuse(struct edge *edge, struct bus_http_exchange *exchange, const char *detail) {
  const struct response response = {.status = 400, .detail = detail};
  edge_respond(edge, exchange, &response);
}

/* The provider sends an event again until the broker has confirmed its command. */
static void pass_on(struct edge *edge, struct bus_http_exchange *exchange, const struct psp_event *event) {
  bool disputes = event->news == PSP_NEWS_DISPUTE;
  const struct edge_command command = {.type = disputes ? &payment_dispute_type : &payment_check_type,
                                       .correlation_id = disputes ? NULL : &event->check.order_id,
                                       .message_id = &event->message_id,
                                       .body = disputes ? (const void *)&event->dispute : &event->check};
  struct response refusal;
  if (edge_send(edge, exchange, &command, &refusal))
    bus_http_reply(exchange, 204, NULL, BUS_NO_STR);
  else
    edge_respond(edge, exchange, &refusal);
}

void edge_webhook_psp(void *context, struct bus_http_exchange *exchange) {
  struct edge *edge = context;
  struct bus_str secret = bus_str(edge->settings->psp_webhook_secret), body = bus_http_body(exchange);
  struct psp_event event;
  if (secret.len == 0) {
    const struct response response = {.status = 503, .detail = "PSP_WEBHOOK_SECRET is not set"};
    edge_respond(edge, exchange, &response);
    return;
  }
  enum psp_signature signature =
      psp_signature_check(bus_http_header(exchange, "Stripe-Signature"), body, secret, bus_wall_clock());
  if (signature != PSP_SIGNED) {
    bus_http_note(exchange, "signature", bus_str(psp_signature_names[signature]));
    refuse(edge, exchange, "Stripe-Signature is not valid for this body and time");
  } else if (!psp_event_read(body, bus_http_arena(exchange), &event)) {
    refuse(edge, exchange, "the body is not an event");
  } else if (event.news == PSP_NEWS_NONE) {
    bus_http_reply(exchange, 204, NULL, BUS_NO_STR);
  } else {
    pass_on(edge, exchange, &event);
  }
}
