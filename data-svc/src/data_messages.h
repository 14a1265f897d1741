/* The messages that data-svc answers: structs, bounds and types. Pure. */
#pragma once

#include <bus/field.h>
#include <bus/message.h>
#include <bus/pong.h>
#include <order_messages.h>

enum {
  REPORT_REASON_MAX = 32,
  REPORT_HOURS_MAX = 31 * 24, /* slots of one answer */
  REPORT_DAYS_MAX = 731,
  REPORT_SLOTS_MAX = REPORT_HOURS_MAX,
  REPORT_OUTCOMES_MAX = 200,
  REPORT_CURRENCIES_MAX = 200,
  REPORT_PAGE_MAX = 100,
};
#define REPORT_SUM_MAX INT64_C(9007199254740991) /* what numbers of JSON are exact to */

/* OPEN: no final event was taken yet. */
enum report_status { REPORT_OPEN, REPORT_CONFIRMED, REPORT_REJECTED, REPORT_CANCELLED };
extern const char *const report_status_names[];
enum report_grain { REPORT_HOUR, REPORT_DAY, REPORT_GRAINS };
extern const char *const report_grain_names[];

/* report.revenue-get.v1: of confirmed orders, by the slot of their placement. from and to are widened to whole slots.
 */
struct report_revenue_get {
  bus_time from, to;
  struct bus_str currency;
  int by; /* enum report_grain; -1: hour */
};
struct report_slot {
  bus_time slot;
  int64_t orders, revenue, refunded; /* minor units */
};
struct report_revenue {
  bus_time from, to;
  struct bus_str currency;
  int by;
  struct report_slot *items; /* oldest first, without those that have no order */
  size_t item_count;
};

/* report.kpis-get.v1: of all orders that were placed from the hour of `from` to the end of the hour before `to`. */
struct report_kpis_get {
  bus_time from, to;
};
struct report_outcome {
  int status;
  struct bus_str reason; /* absent: none */
  int64_t orders;
};
struct report_currency {
  struct bus_str currency;
  int64_t orders, revenue, average, refunded, refunded_per_mille;
};
struct report_kpis {
  bus_time from, to;
  int64_t orders, finished, confirmed;
  int64_t conversion_per_mille; /* confirmed of the finished ones; BUS_NO_INT64: none has finished */
  int64_t time_to_final_p50_ms, time_to_final_p95_ms; /* BUS_NO_INT64: none has finished */
  struct report_outcome *outcomes;
  size_t outcome_count;
  struct report_currency *currencies; /* of confirmed orders */
  size_t currency_count;
};

/* report.orders-get.v1: newest first. A search with filters that finds little walks so many orders and no more, so that
 * a page may be short, or empty, and have a next one. Orders of a customer or product lie on a page of the disk each.
 */
enum { REPORT_SCAN_MAX = 2000, REPORT_SCAN_EACH_MAX = 500 };
struct report_orders_get {
  int status; /* -1: any; and so are all others that are absent */
  struct bus_str customer_id, product_id;
  bus_time from, to; /* placed */
  int64_t min_total, max_total;
  struct bus_str cursor; /* from order_cursor_format */
  int64_t limit;
};
struct report_order {
  struct bus_uuid order_id;
  struct bus_str customer_id;
  int status;
  struct bus_str reason;
  int64_t total;
  struct bus_str currency;
  int64_t refunded;
  bus_time placed_at, finished_at;
  struct order_item *items;
  size_t item_count;
};
struct report_orders {
  struct report_order *items;
  size_t item_count;
  struct bus_str next_cursor; /* absent: the end */
};

/* ---- jobs: work that takes many transactions ---- */

enum {
  JOB_OWNER_MAX = 128,
  JOB_ERROR_MAX = 200,
  JOB_PAGE_MAX = 100,
  JOB_EXPORT_DAYS_MAX = 730,
  JOB_REBUILD_DAYS_MAX = 31,
};
/* export-orders keeps a copy of the orders that were placed from `from` until `to` and fit the filters; rebuild-sums
 * makes the sums of those days again from their orders. */
enum job_kind { JOB_EXPORT_ORDERS, JOB_REBUILD_SUMS, JOB_KINDS };
extern const char *const job_kind_names[];
enum job_status { JOB_QUEUED, JOB_RUNNING, JOB_DONE, JOB_FAILED, JOB_CANCELLED, JOB_STATUSES };
extern const char *const job_status_names[];

/* job.create.v1 has the members up to max_total; the others are the job's state. Also a row of reports.jobs. */
struct job {
  struct bus_uuid job_id;
  int kind;             /* enum job_kind */
  struct bus_str owner; /* who asked for it */
  bus_time from, to;
  int order_status; /* enum report_status; -1: any; this filter and those that follow are of exports */
  struct bus_str customer_id, product_id;
  int64_t min_total, max_total;
  int status;           /* enum job_status */
  int64_t done, total;  /* orders or hours; total: BUS_NO_INT64 until the first step, of exports about so many */
  int64_t found;        /* orders that fit */
  int64_t attempts;     /* one, and one for each retry */
  struct bus_str error; /* of the attempt that failed; absent: it did not fail */
  bus_time created_at, started_at, finished_at;
  bus_time place_at;        /* where the next step begins: an export walks the orders before it, newest first */
  struct bus_uuid place_id; /* of an export, with place_at */
};
/* job.cancel.v1, job.retry.v1, job.get.v1 */
struct job_name {
  struct bus_uuid job_id;
};
/* job.list.v1: newest first. */
struct job_list {
  int status, kind;      /* -1: any */
  struct bus_str cursor; /* from order_cursor_format */
  int64_t limit;
};
/* job.result-get.v1: orders of an export, newest first. */
struct job_result_get {
  struct bus_uuid job_id;
  struct bus_str cursor;
  int64_t limit;
};
enum job_outcome {
  JOB_FOUND,
  JOB_CREATED,
  JOB_REPEATED,   /* it was created before, by the same request */
  JOB_KEY_REUSED, /* it was created before, by another request */
  JOB_NOT_FOUND,
  JOB_UNFIT, /* its status does not allow what was asked for */
};
extern const char *const job_outcome_names[];
struct job_answer {
  int outcome;
  struct job *job; /* NULL: key_reused, not_found */
};
struct job_page {
  struct job *items;
  size_t item_count;
  struct bus_str next_cursor; /* absent: the end */
};
struct job_result {
  int outcome; /* found, not_found, unfit */
  struct report_orders page;
};
/* The id of the job that the owner's request of that key makes. */
void job_id_of(struct bus_str owner, struct bus_str key, struct bus_uuid *ret);

struct data_ping {
  bool deep; /* reserved */
};

extern const struct bus_schema report_revenue_schema, report_kpis_schema, report_orders_schema, job_schema,
    job_page_schema;
extern const struct bus_message_type job_create_type, job_cancel_type,
    job_retry_type; /* queries that write, from edge */
extern const struct bus_message_type job_get_type, job_list_type, job_result_get_type; /* queries, from edge */
extern const struct bus_message_type job_answer_type, job_page_type, job_result_type;  /* answers */
extern const struct bus_message_type report_revenue_get_type, report_kpis_get_type, report_orders_get_type,
    data_ping_type, data_trail_type; /* queries, from edge */
extern const struct bus_message_type report_revenue_type, report_kpis_type, report_orders_type,
    data_pong_type; /* answers */
