/* The counter orders_revenue_minor_units_total: what CONFIRMED orders earned, by currency. Thread-safe. */
#ifndef ORDER_REVENUE_H
#define ORDER_REVENUE_H

#include <bus/base.h>

/* Currencies come from the catalogue, by messages: the first so many have a series each, all others share the label
 * "other", as does a code that is not three capital letters. */
enum { ORDER_REVENUE_CURRENCIES = 16 };

void order_revenue_register(void);
/* amount: minor units, 0 or more; currency: ISO 4217. After order_revenue_register(). */
void order_revenue_add(const char *currency, int64_t amount);

#endif
