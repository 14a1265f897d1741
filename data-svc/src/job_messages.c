/* The messages of jobs: field tables and types. */
#include "data_messages.h"

#include <stdio.h>

const char *const job_kind_names[] = {"export-orders", "rebuild-sums", NULL};
const char *const job_status_names[] = {"QUEUED", "RUNNING", "DONE", "FAILED", "CANCELLED", NULL};
const char *const job_outcome_names[] = {"found", "created", "repeated", "key_reused", "not_found", "unfit", NULL};

#define J struct job
#define JOB_ID(S) BUS_FIELD_UUID(S, job_id, BUS_REQUIRED, "the job")
#define COUNT(member, needed, text) BUS_FIELD_INT64(J, member, 0, REPORT_SUM_MAX, needed, text)
#define CURSOR(S) BUS_FIELD_STRING(S, cursor, BUS_TOKEN, 1, ORDER_CURSOR_TEXT - 1, BUS_OPTIONAL, "begin behind it")
#define LIMIT(S, most) BUS_FIELD_INT64(S, limit, 1, most, BUS_REQUIRED, "how many at most")
#define NEXT(S)                                                                                                        \
  BUS_FIELD_STRING(S, next_cursor, BUS_TOKEN, 1, ORDER_CURSOR_TEXT - 1, BUS_OPTIONAL,                                  \
                   "where the next page begins; null at the end")
/* The task of a job. */
#define TASK                                                                                                           \
  JOB_ID(J), BUS_FIELD_ENUM(J, kind, job_kind_names, BUS_REQUIRED, "what it does"),                                    \
      BUS_FIELD_STRING(J, owner, BUS_VISIBLE, 1, JOB_OWNER_MAX, BUS_REQUIRED, "who asked for it"),                     \
      BUS_FIELD_TIME(J, from, BUS_REQUIRED, "of orders that were placed from then on"),                                \
      BUS_FIELD_TIME(J, to, BUS_REQUIRED, "of orders that were placed before"),                                        \
      BUS_FIELD_ENUM(J, order_status, report_status_names, BUS_OPTIONAL, "only orders in this status"),                \
      BUS_FIELD_STRING(J, customer_id, BUS_VISIBLE, 1, ORDER_CUSTOMER_MAX, BUS_OPTIONAL,                               \
                       "only orders of this customer"),                                                                \
      BUS_FIELD_STRING(J, product_id, BUS_TOKEN, 1, BUS_ID_MAX, BUS_OPTIONAL, "only orders with this product"),        \
      BUS_FIELD_INT64(J, min_total, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL, "least total, in minor units"),                 \
      BUS_FIELD_INT64(J, max_total, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL, "highest total, in minor units")

static const struct bus_field create_fields[] = {TASK};
static const struct bus_schema create_schema = BUS_SCHEMA("job.create", J, create_fields);

static const struct bus_field job_fields[] = {
    TASK,
    BUS_FIELD_ENUM(J, status, job_status_names, BUS_REQUIRED,
                   "QUEUED until its first step; a FAILED job can be retried"),
    COUNT(done, BUS_REQUIRED, "orders that were walked, or hours of sums that were made"),
    COUNT(total, BUS_OPTIONAL, "of how many, about; null before the first step"),
    COUNT(found, BUS_REQUIRED, "orders that the export has"),
    COUNT(attempts, BUS_REQUIRED, "1, and one more for each retry"),
    BUS_FIELD_STRING(J, error, BUS_TEXT, 1, JOB_ERROR_MAX, BUS_OPTIONAL, "why it failed; null: it did not"),
    BUS_FIELD_TIME(J, created_at, BUS_REQUIRED, "when it was asked for"),
    BUS_FIELD_TIME(J, started_at, BUS_OPTIONAL, "when its first step was done; null: QUEUED"),
    BUS_FIELD_TIME(J, finished_at, BUS_OPTIONAL,
                   "when it was done, failed or cancelled; it is deleted some days later"),
};
const struct bus_schema job_schema = BUS_SCHEMA("job", J, job_fields);

static const struct bus_field name_fields[] = {JOB_ID(struct job_name)};
static const struct bus_schema name_schema = BUS_SCHEMA("job.name", struct job_name, name_fields);

static const struct bus_field list_fields[] = {
    BUS_FIELD_ENUM(struct job_list, status, job_status_names, BUS_OPTIONAL, "only jobs in this status"),
    BUS_FIELD_ENUM(struct job_list, kind, job_kind_names, BUS_OPTIONAL, "only jobs of this kind"),
    CURSOR(struct job_list),
    LIMIT(struct job_list, JOB_PAGE_MAX),
};
static const struct bus_schema list_schema = BUS_SCHEMA("job.list", struct job_list, list_fields);

static const struct bus_field result_get_fields[] = {
    JOB_ID(struct job_result_get),
    CURSOR(struct job_result_get),
    LIMIT(struct job_result_get, REPORT_PAGE_MAX),
};
static const struct bus_schema result_get_schema =
    BUS_SCHEMA("job.result-get", struct job_result_get, result_get_fields);

static const struct bus_field answer_fields[] = {
    BUS_FIELD_ENUM(struct job_answer, outcome, job_outcome_names, BUS_REQUIRED, "what became of the request"),
    BUS_FIELD_OBJECT(struct job_answer, job, J, &job_schema, BUS_OPTIONAL, "the job"),
};
static const struct bus_schema answer_schema = BUS_SCHEMA("job.answer", struct job_answer, answer_fields);

static const struct bus_field page_fields[] = {
    BUS_FIELD_ARRAY(struct job_page, items, item_count, J, &job_schema, 0, JOB_PAGE_MAX, BUS_REQUIRED,
                    "jobs, newest first"),
    NEXT(struct job_page),
};
const struct bus_schema job_page_schema = BUS_SCHEMA("jobs", struct job_page, page_fields);

static const struct bus_field result_fields[] = {
    BUS_FIELD_ENUM(struct job_result, outcome, job_outcome_names, BUS_REQUIRED, "found, not_found or unfit"),
    BUS_FIELD_EMBED(struct job_result, page, struct report_orders, &report_orders_schema),
};
static const struct bus_schema result_schema = BUS_SCHEMA("job.result", struct job_result, result_fields);

const struct bus_message_type job_create_type = BUS_REQUEST("job.create.v1", &create_schema, "edge");
const struct bus_message_type job_cancel_type = BUS_REQUEST("job.cancel.v1", &name_schema, "edge");
const struct bus_message_type job_retry_type = BUS_REQUEST("job.retry.v1", &name_schema, "edge");
const struct bus_message_type job_get_type = BUS_QUERY("job.get.v1", &name_schema, "edge");
const struct bus_message_type job_list_type = BUS_QUERY("job.list.v1", &list_schema, "edge");
const struct bus_message_type job_result_get_type = BUS_QUERY("job.result-get.v1", &result_get_schema, "edge");
const struct bus_message_type job_answer_type = BUS_ANSWER("job.answer.v1", &answer_schema);
const struct bus_message_type job_page_type = BUS_ANSWER("job.page.v1", &job_page_schema);
const struct bus_message_type job_result_type = BUS_ANSWER("job.result.v1", &result_schema);

/* The namespace of the ids of jobs; a constant forever. */
static const struct bus_uuid job_namespace = {
    {0x72, 0x65, 0x70, 0x6f, 0x72, 0x74, 0x4a, 0x6f, 0x9b, 0x73, 0x69, 0x64, 0x73, 0x2e, 0x76, 0x31}};

void job_id_of(struct bus_str owner, struct bus_str key, struct bus_uuid *ret) {
  char name[JOB_OWNER_MAX + 255 + 2];
  (void)snprintf(name, sizeof name, "%.*s\n%.*s", (int)owner.len, owner.data, (int)key.len, key.data);
  bus_uuid_v5(&job_namespace, bus_str(name), ret);
}
