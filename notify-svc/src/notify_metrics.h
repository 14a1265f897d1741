/* notify-svc's metrics. */
#pragma once

#include "notify_messages.h"

void notify_metrics_register(void);
void notify_metrics_attempt(int64_t duration);
/* outcome: "delivered", "retried" or "failed". */
void notify_metrics_delivery(const char *outcome);
void notify_metrics_disabled(enum webhook_cause cause);
/* Deliveries that wait, and the age of the oldest in microseconds. */
void notify_metrics_gauges(int64_t waiting, int64_t oldest_age);
