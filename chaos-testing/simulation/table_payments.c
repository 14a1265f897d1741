/* The payments database: what payment-svc's statements do to payments, refunds and the ledger. */
#include "table_payments.h"

#include "worker.h"

#include <payment_columns.h>
#include <payment_statements.h>

enum { DUE_ROWS = 128 }; /* more than a seed has payments */

/* The CHECKs of the migration refunds.sql. */
static bool are_refunds_valid(const struct payment *p) {
  bool refunding = p->state == PAYMENT_REFUNDING, unknown = p->state == PAYMENT_UNKNOWN;
  bool captured = p->state == PAYMENT_CAPTURED || refunding, refunded = p->state == PAYMENT_REFUNDED;
  bool of_operator = !bus_uuid_is_nil(&p->refund_id);
  return p->refunded_amount >= 0 && p->refund_amount >= 0 && p->refunded_amount + p->refund_amount <= p->amount &&
         p->promised_amount >= 0 && p->promised_amount <= p->amount && of_operator == (p->refund_amount > 0) &&
         bus_implies(refunded, p->refunded_amount == p->amount) &&
         bus_implies(captured, p->refunded_amount < p->amount || p->amount == 0) &&
         bus_implies(!captured && !refunded && !unknown, p->refunded_amount == 0 && p->promised_amount == 0) &&
         bus_implies(of_operator, refunding || unknown) &&
         bus_implies(refunding, (p->refund_requested || of_operator) && p->refunds > 0);
}

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
         (unknown || processing == has_token) && are_refunds_valid(p) &&
         bus_implies(captured, p->amount == 0 || p->psp_id[0]) && (voided || p->currency[0]) &&
         bus_implies(explained, p->reason[0] != '\0') && bus_implies(p->psp_refund_id[0] != '\0', refunding);
}

static void init(struct database *database) {
  bus_memory_table_init(&database->tables[PAYMENTS], &payment_columns, is_valid_payment);
  bus_memory_table_init(&database->tables[REFUNDS], &refund_columns, NULL);
  bus_memory_table_init(&database->tables[PAYMENT_LEDGER], &booking_columns, NULL);
}

/* Open and of one of the orders, or named. */
static bool is_wanted(const struct refund *refund, const struct bus_args *args) {
  for (size_t i = 0; i < bus_memory_arg_rows(args); i++) {
    const struct bus_memory_value *values = bus_memory_arg_row(args, i);
    bool of_order = !values[0].null && bus_uuid_equal(&values[0].uuid, &refund->order_id);
    if ((of_order && refund->state == REFUND_OPEN) ||
        (!values[1].null && bus_uuid_equal(&values[1].uuid, &refund->refund_id)))
      return true;
  }
  return false;
}

/* The rows of payments are locked. */
static void read_refunds(struct reading *reading, const struct bus_args *args, struct bus_rows *ret) {
  const struct bus_memory_table *refunds = &reading->database->tables[REFUNDS];
  for (struct bus_memory_row *row = refunds->rows; row; row = row->next)
    if (is_wanted(row->record, args))
      bus_memory_read(ret, refunds, row, reading->arena);
}

static const struct payment *payment_in(const struct bus_memory_row *row) {
  return row->record;
}

static int64_t failures_of(const struct bus_memory_row *row, bool oldest_first) {
  int64_t attempts = payment_in(row)->attempts;
  if (oldest_first)
    return 0;
  return attempts < 3 ? attempts : 3;
}

static bool goes_before(const struct bus_memory_row *a, const struct bus_memory_row *b, bool oldest_first) {
  int64_t of_a = failures_of(a, oldest_first), of_b = failures_of(b, oldest_first);
  return of_a != of_b ? of_a < of_b : payment_in(a)->next_attempt_at < payment_in(b)->next_attempt_at;
}

enum { PAYMENT_GAUGES = 4 };

/* FIND_DUE: what failed least comes first, and of that what is due the longest. */
static void find_due(struct reading *reading, const struct bus_args *args, struct bus_rows *ret) {
  const struct bus_memory_row *sorted[DUE_ROWS];
  int64_t most = args->values[0].number, repeated_most = args->values[1].number;
  bool oldest_first = has_bug(reading->world, BUG_PROBE_ANY);
  int64_t first = 0;
  size_t count = 0;
  for (const struct bus_memory_row *row = reading->database->tables[PAYMENTS].rows; row && count < DUE_ROWS;
       row = row->next) {
    size_t place = count;
    if (payment_in(row)->next_attempt_at == BUS_NO_TIME || payment_in(row)->next_attempt_at > reading->now)
      continue;
    for (count++; place > 0 && goes_before(row, sorted[place - 1], oldest_first); place--)
      sorted[place] = sorted[place - 1];
    sorted[place] = row;
  }
  for (size_t i = 0; i < count; i++) {
    bool repeated = failures_of(sorted[i], oldest_first) > 0;
    first += !repeated;
    if (repeated ? (int64_t)i - first < repeated_most : first <= most)
      database_found(reading, ret, &payment_in(sorted[i])->order_id);
  }
}

/* Due later than anything can be: set before the clock was set back. */
static void find_put_off(struct reading *reading, const struct bus_args *args, struct bus_rows *ret) {
  for (const struct bus_memory_row *row = reading->database->tables[PAYMENTS].rows; row; row = row->next)
    if (payment_in(row)->next_attempt_at != BUS_NO_TIME &&
        payment_in(row)->next_attempt_at > reading->now + args->values[1].number &&
        (int64_t)ret->count < args->values[0].number)
      database_found(reading, ret, &payment_in(row)->order_id);
}

static void read(struct reading *reading, const struct bus_args *args, struct bus_rows *ret) {
  if (args->statement == READ_REFUNDS)
    read_refunds(reading, args, ret);
  else if (args->statement == FIND_DUE)
    find_due(reading, args, ret);
  else if (args->statement == FIND_PUT_OFF)
    find_put_off(reading, args, ret);
  else if (args->statement == LOOK_AFTER)
    (void)bus_memory_rows_add(ret, PAYMENT_GAUGES, reading->arena);
  else
    database_lock(reading, &reading->database->tables[PAYMENTS], args, ret);
}

static enum bus_memory_outcome write(struct world *world, struct database *database, const struct bus_args *args) {
  struct bus_memory_table *tables = database->tables;
  switch (args->statement) {
  case INSERT_PAYMENTS:
    return bus_memory_insert(&tables[PAYMENTS], args, world_keep(world));
  case UPDATE_PAYMENTS:
    return bus_memory_update(&tables[PAYMENTS], args, world_keep(world));
  case INSERT_REFUNDS:
    return bus_memory_insert(&tables[REFUNDS], args, world_keep(world));
  case UPDATE_REFUNDS:
    return bus_memory_update(&tables[REFUNDS], args, world_keep(world));
  default:
    return bus_memory_insert(&tables[PAYMENT_LEDGER], args, world_keep(world));
  }
}

static bus_time due_at(const struct database *database, bus_time now) {
  bus_time first = INT64_MAX;
  for (const struct bus_memory_row *row = database->tables[PAYMENTS].rows; row; row = row->next) {
    bus_time due = payment_in(row)->next_attempt_at;
    if (due == BUS_NO_TIME)
      continue;
    if (due > now + payment_longest_wait(services_payment_policy()))
      due = now;
    first = due < first ? due : first;
  }
  return first;
}

const struct store payments_store = {FIND_DUE, payment_statements_make, init, read, write, due_at};
