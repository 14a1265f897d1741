/* The figures of a span of time, from its sums. */
#include "data_kpis.h"

#define S struct share
static const struct bus_column sums[] = {
    BUS_COLUMN_TEXT(S, currency, 0, ORDER_CURRENCY_LEN, BUS_VIEW),
    BUS_COLUMN_NAME(S, status, int, report_status_names, BUS_VIEW),
    BUS_COLUMN_TEXT(S, reason, 0, REPORT_REASON_MAX, BUS_VIEW),
    BUS_COLUMN_INT64(S, bucket, -1, 255, BUS_VIEW),
    BUS_COLUMN_INT64(S, orders, INT64_MIN, INT64_MAX, BUS_VIEW),
    BUS_COLUMN_INT64(S, amount, INT64_MIN, INT64_MAX, BUS_VIEW),
    BUS_COLUMN_INT64(S, refunded, INT64_MIN, INT64_MAX, BUS_VIEW),
};
const struct bus_table report_sum_columns = BUS_COLUMN_TABLE("a sum of orders", S, sums);

struct report_span report_span_of(bus_time from, bus_time to) {
  struct report_span span = {.from = report_slot_of(from, REPORT_HOUR), .to = report_slot_end(to, REPORT_HOUR)};
  span.day_from = report_slot_end(span.from, REPORT_DAY);
  span.day_to = report_slot_of(span.to, REPORT_DAY);
  if (span.day_from >= span.day_to)
    span.day_from = span.day_to = span.to;
  return span;
}

/* ---- lists ---- */

static struct report_outcome *outcome_of(struct report_kpis *kpis, const struct share *row) {
  struct bus_str reason = row->reason.len > 0 ? row->reason : BUS_NO_STR;
  for (size_t i = 0; i < kpis->outcome_count; i++)
    if (kpis->outcomes[i].status == row->status && bus_str_equal(kpis->outcomes[i].reason, reason))
      return &kpis->outcomes[i];
  if (kpis->outcome_count == REPORT_OUTCOMES_MAX) /* never with the reasons of order-svc */
    return &kpis->outcomes[REPORT_OUTCOMES_MAX - 1];
  kpis->outcomes[kpis->outcome_count] = (struct report_outcome){.status = row->status, .reason = reason};
  return &kpis->outcomes[kpis->outcome_count++];
}

static struct report_currency *currency_of(struct report_kpis *kpis, struct bus_str currency) {
  for (size_t i = 0; i < kpis->currency_count; i++)
    if (bus_str_equal(kpis->currencies[i].currency, currency))
      return &kpis->currencies[i];
  if (currency.len == 0 || kpis->currency_count == REPORT_CURRENCIES_MAX)
    return NULL;
  kpis->currencies[kpis->currency_count] = (struct report_currency){.currency = currency};
  return &kpis->currencies[kpis->currency_count++];
}

static void add_confirmed(struct report_kpis *kpis, const struct share *row) {
  struct report_currency *currency = currency_of(kpis, row->currency);
  kpis->confirmed += row->orders;
  if (!currency)
    return;
  currency->orders += row->orders;
  currency->revenue += row->amount;
  currency->refunded += row->refunded;
}

/* ---- figures ---- */

/* The share is rounded down; amounts may be as large as sums get. */
static int64_t per_mille(int64_t part, int64_t whole) {
  int64_t share = whole <= 0 ? 0 : (int64_t)((double)part * 1000 / (double)whole);
  return share < 0 ? 0 : share > 1000 ? 1000 : share;
}

/* Within its bucket the order is where it would be if they were spread evenly. */
static int64_t percentile(const int64_t buckets[REPORT_BUCKETS], int64_t finished, int64_t percent) {
  int64_t rank = (finished * percent + 99) / 100, before = 0;
  size_t i = 0;
  if (finished <= 0)
    return BUS_NO_INT64;
  while (i + 1 < REPORT_BUCKETS && before + buckets[i] < rank)
    before += buckets[i++];
  int64_t begin = report_bucket_begin((int64_t)i), width = report_bucket_begin((int64_t)i + 1) - begin;
  return begin + (buckets[i] > 0 ? width * (rank - before) / buckets[i] : 0);
}

bool report_kpis_of(const struct share *rows, size_t count, const struct report_span *span, struct bus_arena *arena,
                    struct report_kpis *ret) {
  int64_t buckets[REPORT_BUCKETS] = {0};
  *ret = (struct report_kpis){.from = span->from, .to = span->to, .conversion_per_mille = BUS_NO_INT64};
  ret->outcomes = bus_arena_array(arena, REPORT_OUTCOMES_MAX, sizeof *ret->outcomes);
  ret->currencies = bus_arena_array(arena, REPORT_CURRENCIES_MAX, sizeof *ret->currencies);
  if (!ret->outcomes || !ret->currencies)
    return false;
  for (size_t i = 0; i < count; i++) {
    const struct share *row = &rows[i];
    outcome_of(ret, row)->orders += row->orders;
    ret->orders += row->orders;
    if (row->bucket >= 0 && row->bucket < REPORT_BUCKETS) {
      ret->finished += row->orders;
      buckets[row->bucket] += row->orders;
    }
    if (row->status == REPORT_CONFIRMED)
      add_confirmed(ret, row);
  }
  for (size_t i = 0; i < ret->currency_count; i++) {
    struct report_currency *currency = &ret->currencies[i];
    currency->average = currency->orders > 0 ? currency->revenue / currency->orders : 0;
    currency->refunded_per_mille = per_mille(currency->refunded, currency->revenue);
  }
  if (ret->finished > 0)
    ret->conversion_per_mille = per_mille(ret->confirmed, ret->finished);
  ret->time_to_final_p50_ms = percentile(buckets, ret->finished, 50);
  ret->time_to_final_p95_ms = percentile(buckets, ret->finished, 95);
  return true;
}
