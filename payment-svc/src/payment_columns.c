/* The tables of the payments database, column by column. */
#include "payment_columns.h"

#include "payment_service.h"

static bool is_valid(const void *row) {
  return payment_is_valid(row);
}

#define P struct payment
static const struct bus_column payments[] = {
    BUS_COLUMN_UUID(P, order_id, BUS_KEY),
    BUS_COLUMN_UUID(P, attempt_of, BUS_FIXED | BUS_NULL),
    BUS_COLUMN_INT64(P, pay_attempt, 0, PAYMENT_ATTEMPTS_MAX, BUS_FIXED),
    BUS_COLUMN_NAME(P, state, enum payment_state, payment_state_names, BUS_CHANGING),
    BUS_COLUMN_INT64(P, amount, 0, BUS_JSON_INT_MAX, BUS_FIXED),
    BUS_COLUMN_CHARS(P, currency, PAYMENT_CURRENCY_LEN, BUS_FIXED | BUS_NULL),
    BUS_COLUMN_CHARS(P, token, 1, BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_CHARS(P, psp_id, 1, BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_CHARS(P, psp_refund_id, 1, BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_CHARS(P, reason, 1, BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_INT64(P, refunds, 0, INT64_MAX, BUS_CHANGING),
    BUS_COLUMN_INT64(P, refunded_amount, 0, INT64_MAX, BUS_CHANGING),
    BUS_COLUMN_INT64(P, promised_amount, 0, INT64_MAX, BUS_CHANGING),
    BUS_COLUMN_UUID(P, refund_id, BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_INT64(P, refund_amount, 0, INT64_MAX, BUS_CHANGING),
    BUS_COLUMN_INT64(P, attempts, 0, INT64_MAX, BUS_CHANGING),
    BUS_COLUMN_TIME(P, first_attempt_at, BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_TIME(P, next_attempt_at, BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_BOOL(P, refund_requested, BUS_CHANGING),
    BUS_COLUMNS_CAUSE(P, cause, BUS_CHANGING),
    BUS_COLUMN_INT64(P, version, 1, INT64_MAX, BUS_CHANGING),
    BUS_COLUMN_NOW("updated_at"),
};
const struct bus_table payment_columns = {.name = "payments.payments",
                                          .size = sizeof(P),
                                          .columns = payments,
                                          .column_count = BUS_COUNT(payments),
                                          .is_valid = is_valid};

#define R struct refund
static const struct bus_column refunds[] = {
    BUS_COLUMN_UUID(R, refund_id, BUS_KEY),
    BUS_COLUMN_UUID(R, order_id, BUS_FIXED),
    BUS_COLUMN_NAME(R, state, enum refund_state, refund_state_names, BUS_CHANGING),
    BUS_COLUMN_INT64(R, number, 1, INT64_MAX, BUS_FIXED),
    BUS_COLUMN_INT64(R, amount, 1, BUS_JSON_INT_MAX, BUS_FIXED),
    BUS_COLUMN_BOOL(R, whole, BUS_FIXED),
    BUS_COLUMN_TEXT(R, reason, 1, PAYMENT_REFUND_REASON_MAX, BUS_FIXED | BUS_NULL),
    BUS_COLUMN_BOOL(R, restock, BUS_FIXED),
    BUS_COLUMN_TEXT(R, psp_id, 1, PAYMENT_PSP_ID_MAX, BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_TIME(R, created_at, BUS_FIXED),
    BUS_COLUMN_NOW("updated_at"),
};
const struct bus_table refund_columns = BUS_COLUMN_TABLE("payments.refunds", R, refunds);

#define B struct payment_booking
static const struct bus_column bookings[] = {
    BUS_COLUMN_UUID(B, order_id, BUS_KEY),
    BUS_COLUMN_NAME(B, entry, enum payment_money, payment_money_names, BUS_KEY),
    BUS_COLUMN_INT64(B, refund, 0, INT64_MAX, BUS_KEY),
    BUS_COLUMN_INT64(B, amount, 1, BUS_JSON_INT_MAX, BUS_FIXED),
    BUS_COLUMN_TEXT(B, currency, PAYMENT_CURRENCY_LEN, PAYMENT_CURRENCY_LEN, BUS_FIXED),
    BUS_COLUMN_TEXT(B, psp_id, 1, PAYMENT_PSP_ID_MAX, BUS_FIXED),
};
const struct bus_table booking_columns = BUS_COLUMN_TABLE("payments.ledger", B, bookings);

#define D struct payment_dispute_news
static const struct bus_column disputes[] = {
    BUS_COLUMN_UUID(D, event_id, BUS_KEY),
    BUS_COLUMN_TEXT(D, dispute_id, 1, PAYMENT_PSP_ID_MAX, BUS_FIXED),
    BUS_COLUMN_TEXT(D, psp_id, 1, PAYMENT_PSP_ID_MAX, BUS_FIXED),
    BUS_COLUMN_INT64(D, amount, 0, BUS_JSON_INT_MAX, BUS_FIXED),
    BUS_COLUMN_TEXT(D, currency, PAYMENT_CURRENCY_LEN, PAYMENT_CURRENCY_LEN, BUS_FIXED),
    BUS_COLUMN_TEXT(D, reason, 1, PAYMENT_DISPUTE_WORD_MAX, BUS_FIXED),
    BUS_COLUMN_TEXT(D, status, 1, PAYMENT_DISPUTE_WORD_MAX, BUS_FIXED),
    BUS_COLUMN_TIME(D, at, BUS_FIXED),
};
const struct bus_table dispute_columns = BUS_COLUMN_TABLE("payments.dispute_events", D, disputes);
