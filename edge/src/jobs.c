/* Handlers of /api/jobs. */
#include "jobs.h"

#include "requests.h"

#include <bus/token.h>

/* ---- what clients send ---- */

#define J struct job
#define JOB_EXAMPLE "8a753f68-fdb7-5d97-a7e6-2259bb32ad05" /* of the example of POST /api/jobs */
#define CURSOR "the next_cursor of an earlier page"
#define CURSOR_FIELD(S)                                                                                                \
  BUS_FIELD_STRING(S, cursor, BUS_TOKEN, 1, ORDER_CURSOR_TEXT - 1, BUS_OPTIONAL, CURSOR,                               \
                   .pattern = ORDER_CURSOR_PATTERN, .opaque = true)
#define LIMIT_FIELD(S, most)                                                                                           \
  BUS_FIELD_INT64(S, limit, 1, most, BUS_OPTIONAL, "how many at most", .fallback = "20", .example = "20")
#define BY_JOB(S)                                                                                                      \
  .path = BUS_TABLE(                                                                                                   \
      S, ((const struct bus_field[]){BUS_FIELD_UUID(S, job_id, BUS_REQUIRED, "the job", .example = JOB_EXAMPLE)})),    \
  .no_such = "no such job"

struct create_request {
  struct job job; /* first */
  struct bus_str idempotency_key;
};

static const struct bus_field create_fields[] = {
    BUS_FIELD_STRING(struct create_request, idempotency_key, BUS_VISIBLE, 1, 255, BUS_OPTIONAL,
                     "the same for every try of one request; or the header Idempotency-Key: one of both must be there",
                     .example = "example-1"),
    BUS_FIELD_ENUM(J, kind, job_kind_names, BUS_REQUIRED,
                   "export-orders keeps a copy of orders; rebuild-sums makes the sums of days again from their orders",
                   .example = "export-orders"),
    BUS_FIELD_TIME(J, from, BUS_REQUIRED, "of orders that were placed from then on", .example = "2026-11-01T00:00:00Z"),
    BUS_FIELD_TIME(J, to, BUS_REQUIRED, "of orders that were placed before", .example = "2026-11-02T00:00:00Z"),
    BUS_FIELD_ENUM(J, order_status, report_status_names, BUS_OPTIONAL, "export-orders: only orders in this status"),
    BUS_FIELD_STRING(J, customer_id, BUS_VISIBLE, 1, ORDER_CUSTOMER_MAX, BUS_OPTIONAL,
                     "export-orders: only orders of this customer"),
    BUS_FIELD_STRING(J, product_id, BUS_ID, 1, BUS_ID_MAX, BUS_OPTIONAL,
                     "export-orders: only orders with this product"),
    BUS_FIELD_INT64(J, min_total, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL, "export-orders: least total in minor units"),
    BUS_FIELD_INT64(J, max_total, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL, "export-orders: highest total in minor units"),
};

static void refuse_filters(const struct job *job, struct bus_problems *problems) {
  const struct {
    const char *name;
    bool is_set;
  } filters[] = {{"order_status", job->order_status >= 0},
                 {"customer_id", job->customer_id.data != NULL},
                 {"product_id", job->product_id.data != NULL},
                 {"min_total", job->min_total != BUS_NO_INT64},
                 {"max_total", job->max_total != BUS_NO_INT64}};
  for (size_t i = 0; i < BUS_COUNT(filters); i++)
    if (filters[i].is_set)
      bus_problem_add(problems, filters[i].name, "is for export-orders alone");
}

static void check_create(void *request, struct bus_problems *problems) {
  const struct job *job = request;
  int days = job->kind == JOB_REBUILD_SUMS ? JOB_REBUILD_DAYS_MAX : JOB_EXPORT_DAYS_MAX;
  if (job->to <= job->from)
    bus_problem_add(problems, "to", "must be later than from");
  else if (job->to - job->from > days * 24 * BUS_HOUR)
    bus_problem_add(problems, "to", "must be at most %d days later than from", days);
  if (job->kind == JOB_REBUILD_SUMS)
    refuse_filters(job, problems);
  else if (job->max_total != BUS_NO_INT64 && job->max_total < job->min_total)
    bus_problem_add(problems, "max_total", "must not be less than min_total");
}

const struct bus_http_input job_create_input = {.size = sizeof(struct create_request),
                                                .body = BUS_TABLE(struct create_request, create_fields),
                                                .key = &create_fields[0],
                                                .check = check_create};

static void check_cursor(struct bus_str cursor, struct bus_problems *problems) {
  struct bus_uuid id;
  bus_time at;
  if (cursor.data && !order_cursor_parse(cursor, &at, &id))
    bus_problem_add(problems, "cursor", "must be %s", CURSOR);
}

static void check_list(void *request, struct bus_problems *problems) {
  check_cursor(((const struct job_list *)request)->cursor, problems);
}

static void check_result(void *request, struct bus_problems *problems) {
  check_cursor(((const struct job_result_get *)request)->cursor, problems);
}

static const struct bus_field list_query[] = {
    LIMIT_FIELD(struct job_list, JOB_PAGE_MAX),
    CURSOR_FIELD(struct job_list),
    BUS_FIELD_ENUM(struct job_list, status, job_status_names, BUS_OPTIONAL, "only jobs in this status",
                   .example = "FAILED"),
    BUS_FIELD_ENUM(struct job_list, kind, job_kind_names, BUS_OPTIONAL, "only jobs of this kind"),
};
const struct bus_http_input job_list_input = {
    .size = sizeof(struct job_list), .query = BUS_TABLE(struct job_list, list_query), .check = check_list};

const struct bus_http_input job_input = {.size = sizeof(struct job_name), BY_JOB(struct job_name)};

/* Clients of JSON send {} where there is nothing to say. */
static const struct bus_schema nothing_schema = {.name = "nothing", .size = sizeof(struct job_name)};
const struct bus_http_input job_change_input = {
    .size = sizeof(struct job_name), BY_JOB(struct job_name), .body = &nothing_schema, .body_may_be_empty = true};

static const struct bus_field result_query[] = {
    LIMIT_FIELD(struct job_result_get, REPORT_PAGE_MAX),
    CURSOR_FIELD(struct job_result_get),
};
const struct bus_http_input job_result_input = {.size = sizeof(struct job_result_get),
                                                BY_JOB(struct job_result_get),
                                                .query = BUS_TABLE(struct job_result_get, result_query),
                                                .check = check_result};

/* ---- what they get ---- */

static struct response refuse(int status, const char *detail) {
  return (struct response){.status = status, .detail = detail};
}

/* unfit: a sentence that ends with the job's status. */
static struct response job_response(const struct job_answer *said, const char *unfit, struct bus_arena *arena) {
  if (said->outcome == JOB_NOT_FOUND)
    return refuse(404, "no such job");
  if (said->outcome == JOB_KEY_REUSED)
    return response_key_reused();
  if (!said->job)
    return response_refusal(REFUSAL_BAD_ANSWER);
  if (said->outcome != JOB_UNFIT)
    return response_found(&job_schema, said->job);
  struct bus_str detail = bus_arena_printf(arena, "%s%s", unfit, job_status_names[said->job->status]);
  return detail.data ? refuse(409, detail.data) : response_refusal(REFUSAL_NO_MEMORY);
}

struct response response_job(const void *said, struct bus_arena *arena) {
  return job_response(said, "the job is ", arena);
}

struct response response_job_cancelled(const void *said, struct bus_arena *arena) {
  return job_response(said, "the job has ended already: it is ", arena);
}

struct response response_job_retried(const void *said, struct bus_arena *arena) {
  return job_response(said, "only FAILED jobs can be retried: it is ", arena);
}

struct response response_job_result(const void *answer, struct bus_arena *arena) {
  const struct job_result *said = answer;
  (void)arena;
  if (said->outcome == JOB_NOT_FOUND)
    return refuse(404, "no such job");
  return said->outcome == JOB_FOUND ? response_found(&report_orders_schema, &said->page)
                                    : refuse(409, "only DONE jobs have a result");
}

/* ---- the handler ---- */

void edge_jobs_post(void *edge, struct bus_http_exchange *exchange) {
  const struct create_request *given = bus_http_request(exchange);
  const struct bus_token_claims *caller = bus_http_caller(exchange);
  struct job job = given->job;
  const void *said;
  struct response response;
  job.owner = caller ? bus_str(caller->sub) : BUS_STR(REQUEST_CUSTOMER_DEFAULT);
  job_id_of(job.owner, given->idempotency_key, &job.job_id);
  const struct edge_query query = {.kind = bus_http_route(exchange)->data, .correlation_id = &job.job_id, .body = &job};
  if (edge_ask(edge, exchange, &query, &said, &response)) {
    const struct job_answer *answer = said;
    response = response_job(answer, bus_http_arena(exchange));
    response.replayed = answer->outcome == JOB_REPEATED;
    if (response.schema) {
      response.status = response.replayed ? 200 : 202;
      response.location = job.job_id;
      response.location_under = "/api/jobs";
    }
  }
  edge_respond(edge, exchange, &response);
}
