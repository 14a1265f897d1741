/* The tables of the payments database, column by column. */
#ifndef PAYMENT_COLUMNS_H
#define PAYMENT_COLUMNS_H

#include <bus/column.h>

extern const struct bus_table payment_columns; /* payments.payments, a struct payment */
extern const struct bus_table refund_columns;  /* payments.refunds, a struct refund */
extern const struct bus_table booking_columns; /* payments.ledger, a struct payment_booking */
extern const struct bus_table dispute_columns; /* payments.dispute_events, a struct payment_dispute_news */

#endif
