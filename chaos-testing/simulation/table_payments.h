/* The tables of the payments database, for who looks at the rows: of struct payment, struct refund and struct
 * payment_booking. */
#ifndef SIM_TABLE_PAYMENTS_H
#define SIM_TABLE_PAYMENTS_H

#include "database.h"

#include <payment_service.h>

enum { PAYMENTS, REFUNDS, PAYMENT_LEDGER };

#endif
