/* The columns of payments.payments and payments.ledger, for who looks at the rows. */
#ifndef SIM_TABLE_PAYMENTS_H
#define SIM_TABLE_PAYMENTS_H

#include "database.h"

enum { PAYMENTS, PAYMENT_LEDGER };

enum payment_column {
  Y_ORDER,
  Y_STATE,
  Y_AMOUNT,
  Y_CURRENCY,
  Y_TOKEN,
  Y_PSP_ID,
  Y_REFUND_ID,
  Y_REASON,
  Y_REFUNDS,
  Y_REFUNDED,
  Y_ATTEMPTS,
  Y_FIRST,
  Y_NEXT,
  Y_REQUESTED,
  Y_TRACE,
  Y_CAUSE,
  Y_TRACESTATE,
  Y_VERSION,
  Y_COLUMNS,
};

enum ledger_column { L_ORDER, L_ENTRY, L_AMOUNT, L_CURRENCY, L_PSP_ID, L_COLUMNS };

#endif
