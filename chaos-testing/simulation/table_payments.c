/* The payments database: what payment-svc's statements do to payments.payments and payments.ledger. */
#include "table_payments.h"

#include <payment_statements.h>

enum { DUE_ROWS = 128 }; /* more than a seed has payments */

static const uint8_t selected[Y_COLUMNS] = {Y_ORDER,     Y_STATE,     Y_AMOUNT,  Y_CURRENCY, Y_TOKEN,      Y_PSP_ID,
                                            Y_REFUND_ID, Y_REASON,    Y_REFUNDS, Y_REFUNDED, Y_ATTEMPTS,   Y_FIRST,
                                            Y_NEXT,      Y_REQUESTED, Y_TRACE,   Y_CAUSE,    Y_TRACESTATE, Y_VERSION};
#define FROM_STATE                                                                                                     \
  Y_STATE, Y_TOKEN, Y_PSP_ID, Y_REFUND_ID, Y_REASON, Y_REFUNDS, Y_REFUNDED, Y_ATTEMPTS, Y_FIRST, Y_NEXT, Y_REQUESTED,  \
      Y_TRACE, Y_CAUSE, Y_TRACESTATE, Y_VERSION
static const uint8_t inserted[] = {Y_ORDER, Y_AMOUNT, Y_CURRENCY, FROM_STATE};
static const uint8_t updated[] = {Y_ORDER, FROM_STATE};
static const uint8_t booked[L_COLUMNS] = {L_ORDER, L_ENTRY, L_AMOUNT, L_CURRENCY, L_PSP_ID};

static bool implies(bool premise, bool conclusion) {
  return !premise || conclusion;
}

/* The CHECKs of the migrations payments.sql and read_back.sql. */
static bool is_valid_payment(const struct value *c) {
  struct bus_str state = c[Y_STATE].text;
  bool processing = bus_str_is(state, "processing"), refunding = bus_str_is(state, "refunding");
  bool refunded = bus_str_is(state, "refunded"), unknown = bus_str_is(state, "unknown");
  bool voided = bus_str_is(state, "voided"), has_token = !c[Y_TOKEN].null;
  bool captured = bus_str_is(state, "captured") || refunding || refunded;
  bool explained = bus_str_is(state, "declined") || bus_str_is(state, "failed") || voided || unknown;
  return c[Y_AMOUNT].number >= 0 && c[Y_VERSION].number >= 1 && c[Y_ATTEMPTS].number >= 0 &&
         implies(processing || refunding, !c[Y_NEXT].null) && (unknown || processing == has_token) &&
         c[Y_REFUNDED].number == (refunded ? c[Y_AMOUNT].number : 0) &&
         implies(refunding, c[Y_REQUESTED].number && c[Y_REFUNDS].number > 0) &&
         implies(captured, c[Y_AMOUNT].number == 0 || !c[Y_PSP_ID].null) && (voided || !c[Y_CURRENCY].null) &&
         implies(explained, !c[Y_REASON].null) && implies(!c[Y_REFUND_ID].null, refunding);
}

static void init(struct database *database) {
  table_init(&database->tables[PAYMENTS], Y_COLUMNS, 1, is_valid_payment);
  table_init(&database->tables[PAYMENT_LEDGER], L_COLUMNS, 2, NULL);
}

static void read(struct reading *reading, const struct bus_args *args, struct bus_rows *ret) {
  for (size_t i = 0; i < memory_args_rows(args); i++) {
    struct row *row = table_find(&reading->database->tables[PAYMENTS], memory_args_row(args, i));
    if (row && row_lock(reading, row))
      row_read(ret, row, selected, BUS_COUNT(selected), reading->arena);
  }
}

static enum commit write_row(struct world *world, struct table *tables, size_t statement, const struct value *values) {
  if (statement == INSERT_PAYMENTS)
    return table_insert(world, &tables[PAYMENTS], values, inserted, BUS_COUNT(inserted));
  if (statement == UPDATE_PAYMENTS)
    return table_update(world, &tables[PAYMENTS], values, updated, BUS_COUNT(updated));
  return table_insert(world, &tables[PAYMENT_LEDGER], values, booked, BUS_COUNT(booked));
}

static enum commit write(struct world *world, struct database *database, const struct bus_args *args) {
  for (size_t i = 0; i < memory_args_rows(args); i++) {
    enum commit outcome = write_row(world, database->tables, args->statement, memory_args_row(args, i));
    if (outcome != COMMIT_DONE)
      return outcome;
  }
  return COMMIT_DONE;
}

static bus_time due_at(const struct database *database) {
  bus_time first = INT64_MAX;
  for (const struct row *row = database->tables[PAYMENTS].rows; row; row = row->next)
    if (!row->cells[Y_NEXT].null && row->cells[Y_NEXT].number < first)
      first = row->cells[Y_NEXT].number;
  return first;
}

static int64_t failures_of(const struct row *row, struct due_room room) {
  int64_t attempts = row->cells[Y_ATTEMPTS].number;
  if (room.oldest_first)
    return 0;
  return attempts < 3 ? attempts : 3;
}

static bool goes_before(const struct row *a, const struct row *b, struct due_room room) {
  int64_t of_a = failures_of(a, room), of_b = failures_of(b, room);
  return of_a != of_b ? of_a < of_b : a->cells[Y_NEXT].number < b->cells[Y_NEXT].number;
}

/* FIND_DUE: what failed least comes first, and of that what is due the longest. */
static size_t find_due(const struct database *database, bus_time now, struct due_room room, struct bus_uuid *ret) {
  const struct row *sorted[DUE_ROWS];
  size_t count = 0, kept = 0, first = 0;
  for (const struct row *row = database->tables[PAYMENTS].rows; row && count < DUE_ROWS; row = row->next) {
    size_t place = count;
    if (row->cells[Y_NEXT].null || row->cells[Y_NEXT].number > now)
      continue;
    for (count++; place > 0 && goes_before(row, sorted[place - 1], room); place--)
      sorted[place] = sorted[place - 1];
    sorted[place] = row;
  }
  for (size_t i = 0; i < count; i++) {
    bool repeated = failures_of(sorted[i], room) > 0;
    first += !repeated;
    if (repeated ? i - first < room.repeated : first <= room.most)
      ret[kept++] = sorted[i]->cells[Y_ORDER].uuid;
  }
  return kept;
}

const struct store payments_store = {payment_statements, init, read, write, due_at, find_due};
