/* Requests of customers about their webhooks, which notify-svc answers: tables, handlers and responses. */
#ifndef EDGE_WEBHOOKS_H
#define EDGE_WEBHOOKS_H

#include "edge.h"

#include <notify_messages.h>

extern const struct bus_http_input webhook_create_input, webhook_list_input, webhook_input, webhook_rotate_input,
    webhook_deliveries_input, webhook_replay_input, webhook_confirm_input;

/* A webhook and its secret, as the two routes show it that make one. */
extern const struct bus_schema webhook_shown_schema, webhook_status_schema;
/* A page of deliveries. */
extern const struct bus_schema webhook_delivery_page_schema;

/* POST /api/webhooks: the caller's, or with the scope for others' another customer's. */
void edge_webhooks_post(void *edge, struct bus_http_exchange *exchange);
/* GET /api/webhooks */
void edge_webhooks_list(void *edge, struct bus_http_exchange *exchange);
/* One webhook of the caller; route data: a struct edge_query_kind, whose view makes the response. */
void edge_webhooks_named(void *edge, struct bus_http_exchange *exchange);
/* POST /api/webhooks/{webhook}/rotate */
void edge_webhooks_rotate(void *edge, struct bus_http_exchange *exchange);
/* POST /api/webhooks/{webhook}/confirm */
void edge_webhooks_confirm(void *edge, struct bus_http_exchange *exchange);

/* Responses: of a struct webhook_answer; the webhook, or only that it is so. */
response_view response_webhook, response_webhook_done, response_webhook_replay;
/* The response to a struct webhook_deliveries. */
response_view response_webhook_deliveries;

#endif
