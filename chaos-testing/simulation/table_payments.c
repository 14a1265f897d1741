/* The payments database: what payment-svc's statements do to payments.payments and payments.ledger. */
#include "table_payments.h"

#include "records.h"

#include <payment_columns.h>
#include <payment_statements.h>

enum { DUE_ROWS = 128 }; /* more than a seed has payments */

/* The CHECKs of the migrations payments.sql and read_back.sql. */
static bool is_valid_payment(const void *record) {
  const struct payment *p = record;
  bool processing = p->state == PAYMENT_PROCESSING, refunding = p->state == PAYMENT_REFUNDING;
  bool refunded = p->state == PAYMENT_REFUNDED, unknown = p->state == PAYMENT_UNKNOWN;
  bool voided = p->state == PAYMENT_VOIDED, has_token = p->token[0] != '\0';
  bool captured = p->state == PAYMENT_CAPTURED || refunding || refunded;
  bool explained = p->state == PAYMENT_DECLINED || p->state == PAYMENT_FAILED || voided || unknown;
  return p->amount >= 0 && p->version >= 1 && p->attempts >= 0 &&
         bus_implies(processing || refunding, p->next_attempt_at != BUS_NO_TIME) &&
         (unknown || processing == has_token) && p->refunded_amount == (refunded ? p->amount : 0) &&
         bus_implies(refunding, p->refund_requested && p->refunds > 0) &&
         bus_implies(captured, p->amount == 0 || p->psp_id[0]) && (voided || p->currency[0]) &&
         bus_implies(explained, p->reason[0] != '\0') && bus_implies(p->psp_refund_id[0] != '\0', refunding);
}

static void init(struct database *database) {
  records_init(&database->tables[PAYMENTS], &payment_columns, is_valid_payment);
  records_init(&database->tables[PAYMENT_LEDGER], &booking_columns, NULL);
}

static void read(struct reading *reading, const struct bus_args *args, struct bus_rows *ret) {
  records_lock(reading, &reading->database->tables[PAYMENTS], args, ret);
}

static enum commit write(struct world *world, struct database *database, const struct bus_args *args) {
  if (args->statement == UPDATE_PAYMENTS)
    return records_update(world, &database->tables[PAYMENTS], args);
  return records_insert(world, &database->tables[args->statement == INSERT_PAYMENTS ? PAYMENTS : PAYMENT_LEDGER], args);
}

static const struct payment *payment_in(const struct row *row) {
  return row->record;
}

static bus_time due_at(const struct database *database) {
  bus_time first = INT64_MAX;
  for (const struct row *row = database->tables[PAYMENTS].rows; row; row = row->next)
    if (payment_in(row)->next_attempt_at != BUS_NO_TIME && payment_in(row)->next_attempt_at < first)
      first = payment_in(row)->next_attempt_at;
  return first;
}

static int64_t failures_of(const struct row *row, struct due_room room) {
  int64_t attempts = payment_in(row)->attempts;
  if (room.oldest_first)
    return 0;
  return attempts < 3 ? attempts : 3;
}

static bool goes_before(const struct row *a, const struct row *b, struct due_room room) {
  int64_t of_a = failures_of(a, room), of_b = failures_of(b, room);
  return of_a != of_b ? of_a < of_b : payment_in(a)->next_attempt_at < payment_in(b)->next_attempt_at;
}

/* FIND_DUE: what failed least comes first, and of that what is due the longest. */
static size_t find_due(const struct database *database, bus_time now, struct due_room room, struct bus_uuid *ret) {
  const struct row *sorted[DUE_ROWS];
  size_t count = 0, kept = 0, first = 0;
  for (const struct row *row = database->tables[PAYMENTS].rows; row && count < DUE_ROWS; row = row->next) {
    size_t place = count;
    if (payment_in(row)->next_attempt_at == BUS_NO_TIME || payment_in(row)->next_attempt_at > now)
      continue;
    for (count++; place > 0 && goes_before(row, sorted[place - 1], room); place--)
      sorted[place] = sorted[place - 1];
    sorted[place] = row;
  }
  for (size_t i = 0; i < count; i++) {
    bool repeated = failures_of(sorted[i], room) > 0;
    first += !repeated;
    if (repeated ? i - first < room.repeated : first <= room.most)
      ret[kept++] = payment_in(sorted[i])->order_id;
  }
  return kept;
}

const struct store payments_store = {payment_statements, payment_statements_make, init, read, write, due_at, find_due};
