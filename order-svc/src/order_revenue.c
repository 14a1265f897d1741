/* Counts revenue in one series for each of the first currencies that it meets. */
#include "order_revenue.h"

#include <bus/metrics.h>
#include <pthread.h>
#include <string.h>

enum { CODE = 3 };

static const struct bus_metric_spec spec = {
    .name = "orders_revenue_minor_units_total",
    .help = "Captured and not refunded when the order became CONFIRMED, in minor units (cents) of the currency.",
    .kind = BUS_COUNTER,
    .labels = {"currency"}};

struct earning {
  char currency[CODE + 1];
  struct bus_series *series;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* a plain mutex does not fail */
static struct earning earnings[ORDER_REVENUE_CURRENCIES]; /* under it */
static size_t earning_count;                              /* under it */

static struct bus_series *series_of(const char *label) {
  return bus_metric_series(bus_metric_register(&spec), &label);
}

static bool is_code(const char *currency) {
  return strlen(currency) == CODE && strspn(currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == CODE;
}

/* Under the mutex. NULL: there is no room for another currency. */
static struct bus_series *find_or_add(const char *currency) {
  for (size_t i = 0; i < earning_count; i++)
    if (strcmp(earnings[i].currency, currency) == 0)
      return earnings[i].series;
  if (earning_count == ORDER_REVENUE_CURRENCIES)
    return NULL;
  struct earning *earning = &earnings[earning_count++];
  memcpy(earning->currency, currency, sizeof earning->currency);
  earning->series = series_of(currency);
  return earning->series;
}

void order_revenue_register(void) {
  (void)bus_metric_register(&spec);
}

void order_revenue_add(const char *currency, int64_t amount) {
  struct bus_series *series = NULL;
  if (is_code(currency)) {
    (void)pthread_mutex_lock(&mutex);
    series = find_or_add(currency);
    (void)pthread_mutex_unlock(&mutex);
  }
  bus_series_add(series ? series : series_of("other"), amount);
}
