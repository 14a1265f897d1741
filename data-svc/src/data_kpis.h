/* Sums of sums: the figures of a span of time. Pure. */
#pragma once

#include "data.h"
#include "data_messages.h"

/* Days that lie whole in the span, and the hours before and behind them; each from <= to. */
struct report_span {
  bus_time from, to, day_from, day_to;
};
struct report_span report_span_of(bus_time from, bus_time to);

/* A row of the sums: of a currency, status, reason and bucket. */
extern const struct bus_table report_sum_columns;
/* Into ret, with its lists in the arena; rows may come in any order. False: out of memory. */
bool report_kpis_of(const struct share *rows, size_t count, const struct report_span *span, struct bus_arena *arena,
                    struct report_kpis *ret) BUS_MUST_CHECK;
