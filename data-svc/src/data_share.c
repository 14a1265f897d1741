/* The sums that an order is part of: by hour and day, currency, status, reason, and how long it took. */
#include "data.h"

#include <stdlib.h>

/* ---- buckets: four in each doubling, so that the bounds of one are at most a quarter apart ---- */

enum { PARTS = 4, PARTS_LOG = 2 };

int64_t report_bucket(int64_t duration_ms) {
  int octave = 0;
  if (duration_ms < PARTS)
    return duration_ms > 0 ? duration_ms : 0;
  while (duration_ms >> (octave + PARTS_LOG + 1) > 0)
    octave++;
  int64_t bucket = (octave + 1) * PARTS + (duration_ms >> octave) - PARTS;
  return bucket < REPORT_BUCKETS ? bucket : REPORT_BUCKETS - 1;
}

int64_t report_bucket_begin(int64_t bucket) {
  if (bucket < PARTS)
    return bucket;
  return (PARTS + bucket % PARTS) << (bucket / PARTS - 1);
}

/* ---- shares ---- */

static bus_time length_of(enum report_grain grain) {
  return grain == REPORT_HOUR ? BUS_HOUR : 24 * BUS_HOUR;
}

bus_time report_slot_of(bus_time at, enum report_grain grain) {
  bus_time rest = at % length_of(grain);
  return at - (rest < 0 ? rest + length_of(grain) : rest);
}

bus_time report_slot_end(bus_time at, enum report_grain grain) {
  return report_slot_of(at + length_of(grain) - 1, grain);
}

void report_share(const struct report *report, enum report_grain grain, int sign, struct share *ret) {
  bool is_open = report->status == REPORT_OPEN;
  int64_t duration = is_open ? 0 : (report->finished_at - report->placed_at) / BUS_MILLISECOND;
  duration = duration > 0 ? duration : 0;
  *ret = (struct share){.grain = (int)grain,
                        .slot = report_slot_of(report->placed_at, grain),
                        .currency = report->currency.data ? report->currency : BUS_STR(""),
                        .reason = report->reason.data ? report->reason : BUS_STR(""),
                        .status = report->status,
                        .bucket = is_open ? -1 : report_bucket(duration),
                        .orders = sign,
                        .amount = report->total == BUS_NO_INT64 ? 0 : sign * report->total,
                        .refunded = sign * report->refunded,
                        .duration_ms = sign * duration};
}

static int compare_text(struct bus_str a, struct bus_str b) {
  size_t len = a.len < b.len ? a.len : b.len;
  int order = len > 0 ? memcmp(a.data, b.data, len) : 0;
  return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_number(int64_t a, int64_t b) {
  return (a > b) - (a < b);
}

static int compare(const void *left, const void *right) {
  const struct share *a = left, *b = right;
  const int orders[] = {compare_number(a->grain, b->grain),     compare_number(a->slot, b->slot),
                        compare_text(a->currency, b->currency), compare_number(a->status, b->status),
                        compare_text(a->reason, b->reason),     compare_number(a->bucket, b->bucket)};
  for (size_t i = 0; i < BUS_COUNT(orders); i++)
    if (orders[i] != 0)
      return orders[i];
  return 0;
}

static bool is_zero(const struct share *share) {
  return share->orders == 0 && share->amount == 0 && share->refunded == 0 && share->duration_ms == 0;
}

size_t report_shares_merge(struct share *shares, size_t count) {
  size_t kept = 0;
  if (count > 0)
    qsort(shares, count, sizeof *shares, compare);
  for (size_t i = 0; i < count;) {
    struct share sum = shares[i];
    for (i++; i < count && compare(&sum, &shares[i]) == 0; i++) {
      sum.orders += shares[i].orders;
      sum.amount += shares[i].amount;
      sum.refunded += shares[i].refunded;
      sum.duration_ms += shares[i].duration_ms;
    }
    if (!is_zero(&sum))
      shares[kept++] = sum;
  }
  return kept;
}
