/* notify-svc's metrics. */
#pragma once

#include "notify_messages.h"

void notify_metrics_register(void);
void notify_metrics_attempt(int64_t duration);
/* outcome: "delivered", "retried" or "failed". */
void notify_metrics_delivery(const char *outcome, bool is_mail);
void notify_metrics_disabled(enum webhook_cause cause);
/* Deliveries that wait, the age of the oldest in microseconds, and how long one has been due. */
struct notify_gauges {
  int64_t waiting, oldest_age, webhook_overdue, mail_overdue;
};
void notify_metrics_gauges(const struct notify_gauges *gauges);
