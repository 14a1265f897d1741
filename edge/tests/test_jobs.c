/* Requests for jobs over a scripted bus: what is asked, what the client gets, and which requests are refused by the
 * name of their field. */
#include "api_fixture.h"
#include "jobs.h"
#include "test.h"

#define JOB "5f6e5a34-5c0e-5d4b-8a53-0c8f3f0e8a11"
#define SPAN "\"from\":\"2026-11-01T00:00:00Z\",\"to\":\"2026-11-02T00:00:00Z\""
#define EXPORT(more) "{\"idempotency_key\":\"k\",\"kind\":\"export-orders\"," SPAN more "}"

static void assert_sent(const char *text) {
  if (!fake.sent.data || !strstr(fake.sent.data, text))
    fail_msg("%s is not in %s", text, fake.sent.data ? fake.sent.data : "nothing");
}

static void say(enum job_outcome outcome, enum job_status status) {
  static struct job job;
  static struct job_answer said;
  job = (struct job){.job_id = {{1}},
                     .owner = BUS_STR("op"),
                     .order_status = -1,
                     .min_total = BUS_NO_INT64,
                     .max_total = BUS_NO_INT64,
                     .status = (int)status,
                     .total = BUS_NO_INT64,
                     .started_at = BUS_NO_TIME,
                     .finished_at = BUS_NO_TIME};
  said = (struct job_answer){(int)outcome, outcome == JOB_KEY_REUSED || outcome == JOB_NOT_FOUND ? NULL : &job};
  fake.script.answers[0] = (struct fake_answer){AT_MS(10), &job_answer_type, &said};
}

TEST(a_job_is_accepted_and_the_same_request_shows_it)
{
  set_up();
  say(JOB_CREATED, JOB_QUEUED);
  (void)call("POST /api/jobs", EXPORT(",\"order_status\":\"CANCELLED\",\"min_total\":5"));
  assert_int_equal(fake.status, 202);
  assert_sent("\"kind\":\"export-orders\",\"owner\":\"anonymous\",\"from\":\"2026-11-01T00:00:00.000Z\"");
  assert_sent("\"order_status\":\"CANCELLED\",\"min_total\":5}");
  assert_json_has("\"status\":\"QUEUED\"");
  say(JOB_REPEATED, JOB_RUNNING);
  (void)call("POST /api/jobs", EXPORT(""));
  assert_int_equal(fake.status, 200);
  assert_json_has("\"status\":\"RUNNING\"");
  say(JOB_KEY_REUSED, JOB_QUEUED);
  (void)call("POST /api/jobs", EXPORT(""));
  assert_int_equal(fake.status, 422);
  tear_down();
}

TEST(a_job_that_is_not_there_or_has_ended_says_so)
{
  static const struct {
    const char *route, *sent, *text;
  } cases[] = {
      {"GET /api/jobs/{job}", "{\"job_id\":\"" JOB "\"}", "the job is DONE"},
      {"POST /api/jobs/{job}/cancel", "{\"job_id\":\"" JOB "\"}", "it is DONE"},
      {"POST /api/jobs/{job}/retry", "{\"job_id\":\"" JOB "\"}", "only FAILED jobs can be retried: it is DONE"}};
  set_up();
  fake.segment = BUS_STR(JOB);
  for (size_t i = 0; i < BUS_COUNT(cases); i++) {
    say(JOB_FOUND, JOB_RUNNING);
    (void)call(cases[i].route, "");
    assert_int_equal(fake.status, 200);
    assert_sent(cases[i].sent);
    say(JOB_NOT_FOUND, JOB_QUEUED);
    (void)call(cases[i].route, "");
    assert_int_equal(fake.status, 404);
    say(JOB_UNFIT, JOB_DONE);
    (void)call(cases[i].route, "");
    assert_int_equal(fake.status, 409);
    assert_json_has(cases[i].text);
  }
  tear_down();
}

TEST(a_result_is_a_page_of_a_job_that_is_done)
{
  static struct job_result said = {.outcome = JOB_FOUND, .page = {.next_cursor = {"9.0", 3}}};
  set_up();
  fake.segment = BUS_STR(JOB);
  fake.script.answers[0] = (struct fake_answer){AT_MS(10), &job_result_type, &said};
  (void)call("GET /api/jobs/{job}/result", "");
  assert_int_equal(fake.status, 200);
  assert_sent("{\"job_id\":\"" JOB "\",\"limit\":20}");
  assert_json_has("{\"items\":[],\"next_cursor\":\"9.0\"}");
  said.outcome = JOB_UNFIT;
  (void)call("GET /api/jobs/{job}/result", "");
  assert_int_equal(fake.status, 409);
  said.outcome = JOB_NOT_FOUND;
  (void)call("GET /api/jobs/{job}/result", "");
  assert_int_equal(fake.status, 404);
  tear_down();
}

TEST(a_wrong_request_for_a_job_names_the_field)
{
#define REBUILD(more) "{\"idempotency_key\":\"k\",\"kind\":\"rebuild-sums\"," SPAN more "}"
#define FROM_TO(kind, from, to)                                                                                        \
  "{\"idempotency_key\":\"k\",\"kind\":\"" kind "\",\"from\":\"" from "\",\"to\":\"" to "\"}"
  static const struct {
    const char *body, *field;
  } cases[] = {
      {"{\"kind\":\"export-orders\"," SPAN "}", "idempotency_key"},
      {"{\"idempotency_key\":\"k\"," SPAN "}", "kind"},
      {"{\"idempotency_key\":\"k\",\"kind\":\"import\"," SPAN "}", "kind"},
      {"{\"idempotency_key\":\"k\",\"kind\":\"export-orders\",\"to\":\"2026-11-02T00:00:00Z\"}", "from"},
      {FROM_TO("export-orders", "2026-11-02T00:00:00Z", "2026-11-02T00:00:00Z"), "to"},
      {FROM_TO("export-orders", "2024-11-02T00:00:00Z", "2026-11-02T00:00:01Z"), "to"},
      {FROM_TO("rebuild-sums", "2026-10-01T00:00:00Z", "2026-11-01T00:00:01Z"), "to"},
      {REBUILD(",\"order_status\":\"OPEN\""), "order_status"},
      {REBUILD(",\"customer_id\":\"ann\""), "customer_id"},
      {REBUILD(",\"product_id\":\"A\""), "product_id"},
      {REBUILD(",\"min_total\":0"), "min_total"},
      {REBUILD(",\"max_total\":0"), "max_total"},
      {EXPORT(",\"min_total\":5,\"max_total\":4"), "max_total"},
      {EXPORT(",\"order_status\":\"PENDING\""), "order_status"},
      {EXPORT(",\"owner\":\"ann\""), "owner"},
  };
  set_up();
  for (size_t i = 0; i < BUS_COUNT(cases); i++) {
    (void)call("POST /api/jobs", cases[i].body);
    if (fake.status != 400)
      fail_msg("%s: %d", cases[i].body, fake.status);
    assert_int_equal(fake.begun, 0);
    assert_json_has(cases[i].field);
  }
  fake.query = "cursor=7";
  (void)call("GET /api/jobs", "");
  assert_int_equal(fake.status, 400);
  assert_json_has("cursor");
  tear_down();
}
