/* The rows of routes.c about webhooks. */
#ifndef EDGE_WEBHOOK_ROWS_H
#define EDGE_WEBHOOK_ROWS_H

#include "webhooks.h"

#define NO_WEBHOOK                                                                                                     \
  { 404, "no such webhook", NULL }
#define OF_WEBHOOK .access = BUS_ROUTE_CUSTOMER, .handler = edge_webhooks_named

#define WEBHOOK_ROUTES                                                                                                 \
  {.method = "POST",                                                                                                   \
   .path = "/api/webhooks",                                                                                            \
   .access = BUS_ROUTE_CUSTOMER,                                                                                       \
   .input = &webhook_create_input,                                                                                     \
   .handler = edge_webhooks_post,                                                                                      \
   .body_limit = BODY_LIMIT,                                                                                           \
   QUERY(webhook_create_type, webhook_answer_type, NULL),                                                              \
   .summary =                                                                                                          \
       "Adds a webhook: events of the customer's orders are posted to its URL. The secret is shown here alone. "       \
       "With a mailto: URL they are mailed, once the address is confirmed by the code in its first mail",              \
   ANSWERS({201, "added", &webhook_shown_schema},                                                                      \
           {200, "the same request again (Idempotent-Replayed)", &webhook_shown_schema}, WRONG,                        \
           {403, "customer_id is another customer, which needs the scope orders:on-behalf", NULL},                     \
           {409, "the customer has ten webhooks", NULL}, REUSED, UNAVAILABLE)},                                        \
      {.method = "GET",                                                                                                \
       .path = "/api/webhooks",                                                                                        \
       .access = BUS_ROUTE_CUSTOMER,                                                                                   \
       .input = &webhook_list_input,                                                                                   \
       .handler = edge_webhooks_list,                                                                                  \
       QUERY(webhook_list_type, webhook_page_type, NULL),                                                              \
       .summary = "All webhooks of a customer, oldest first",                                                          \
       ANSWERS({200, "the webhooks", &webhook_page_schema}, WRONG, UNAVAILABLE)},                                      \
      {.method = "POST",                                                                                               \
       .path = "/api/webhooks/{webhook}/rotate",                                                                       \
       .access = BUS_ROUTE_CUSTOMER,                                                                                   \
       .input = &webhook_rotate_input,                                                                                 \
       .handler = edge_webhooks_rotate,                                                                                \
       QUERY(webhook_rotate_type, webhook_answer_type, NULL),                                                          \
       .summary = "Gives a webhook a new secret; for a day the one before signs, too",                                 \
       ANSWERS({200, "the webhook with its new secret", &webhook_shown_schema}, NO_WEBHOOK,                            \
               {409, "an address has no secret", NULL}, UNAVAILABLE)},                                                 \
      {.method = "POST",                                                                                               \
       .path = "/api/webhooks/{webhook}/confirm",                                                                      \
       .access = BUS_ROUTE_CUSTOMER,                                                                                   \
       .input = &webhook_confirm_input,                                                                                \
       .handler = edge_webhooks_confirm,                                                                               \
       .body_limit = BODY_LIMIT,                                                                                       \
       QUERY(webhook_confirm_type, webhook_answer_type, NULL),                                                         \
       .summary = "Confirms an address by the code in the mail to it; from then on events are mailed",                 \
       ANSWERS({200, "the webhook", &webhook_view_schema},                                                             \
               {400, "the request is not valid, or it is not the code", NULL}, NO_WEBHOOK,                             \
               {409, "it is no address", NULL}, UNAVAILABLE)},                                                         \
      {.method = "POST",                                                                                               \
       .path = "/api/webhooks/{webhook}/enable",                                                                       \
       .input = &webhook_input,                                                                                        \
       OF_WEBHOOK,                                                                                                     \
       QUERY(webhook_enable_type, webhook_answer_type, response_webhook),                                              \
       .summary = "Enables a webhook that was disabled; what waits for it goes on",                                    \
       ANSWERS({200, "the webhook", &webhook_view_schema}, NO_WEBHOOK, {409, "the address is not confirmed", NULL},    \
               UNAVAILABLE)},                                                                                          \
      {.method = "GET",                                                                                                \
       .path = "/api/webhooks/{webhook}/deliveries",                                                                   \
       .input = &webhook_deliveries_input,                                                                             \
       OF_WEBHOOK,                                                                                                     \
       QUERY(webhook_deliveries_get_type, webhook_deliveries_type, response_webhook_deliveries),                       \
       .summary = "Deliveries to a webhook, newest first, with their last ten attempts",                               \
       ANSWERS({200, "a page", &webhook_delivery_page_schema}, WRONG, NO_WEBHOOK, UNAVAILABLE)},                       \
      {.method = "POST",                                                                                               \
       .path = "/api/webhooks/{webhook}/replay",                                                                       \
       .input = &webhook_replay_input,                                                                                 \
       OF_WEBHOOK,                                                                                                     \
       .body_limit = BODY_LIMIT,                                                                                       \
       QUERY(webhook_replay_type, webhook_answer_type, response_webhook_replay),                                       \
       .summary = "Sends a delivery again, or those since a time, under their own ids: failed ones, and on request "   \
                  "delivered ones; at most 10,000",                                                                    \
       ANSWERS({202, "they are due now", &webhook_status_schema}, WRONG,                                               \
               {404, "no such webhook, or no such delivery of it", NULL},                                              \
               {409, "the webhook is disabled: enable it first", NULL}, UNAVAILABLE)},                                 \
      {.method = "GET",                                                                                                \
       .path = "/api/webhooks/{webhook}",                                                                              \
       .input = &webhook_input,                                                                                        \
       OF_WEBHOOK,                                                                                                     \
       QUERY(webhook_get_type, webhook_answer_type, response_webhook),                                                 \
       .summary = "A webhook",                                                                                         \
       ANSWERS({200, "the webhook", &webhook_view_schema}, NO_WEBHOOK, UNAVAILABLE)},                                  \
  {                                                                                                                    \
    .method = "DELETE", .path = "/api/webhooks/{webhook}", .input = &webhook_input, OF_WEBHOOK,                        \
    QUERY(webhook_delete_type, webhook_answer_type, response_webhook_done),                                            \
    .summary = "Deletes a webhook and its deliveries",                                                                 \
    ANSWERS({200, "it is deleted", &webhook_status_schema}, NO_WEBHOOK, UNAVAILABLE)                                   \
  }

#endif
