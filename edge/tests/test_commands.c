/* Commands over a scripted bus in virtual time: how long each waits, for what, and what it then answers. */
#include "api_fixture.h"
#include "test.h"

TEST(an_answer_in_time_is_the_answer)
{
  set_up();
  answer(0, 20, &says_accepted);
  assert_int_equal(post(), 20);
  assert_int_equal(fake.status, 202);
  assert_json_has("\"status\":\"PENDING\"");
  assert_int_equal(accepted_count(edge.accepted), 0);
  tear_down();
}

TEST(after_500_ms_the_confirm_is_enough)
{
  set_up();
  confirm_only(5);
  answer(0, 501, &says_accepted);
  assert_int_equal(post(), 500);
  assert_int_equal(fake.status, 202);
  assert_json_has("\"status\":\"ACCEPTED\"");
  assert_true(bus_str_is(fake_header("Retry-After"), "1"));
  assert_int_equal(accepted_count(edge.accepted), 1);
  tear_down();
}

TEST(a_late_confirm_is_enough_as_soon_as_it_comes)
{
  set_up();
  confirm_only(1234);
  assert_int_equal(post(), 1234);
  assert_int_equal(fake.status, 202);
  tear_down();
}

TEST(an_answer_that_comes_before_a_late_confirm_counts)
{
  set_up();
  confirm_only(1500);
  answer(0, 900, &says_accepted);
  assert_int_equal(post(), 900);
  assert_json_has("\"status\":\"PENDING\"");
  tear_down();
}

TEST(neither_in_2_s_is_503)
{
  set_up();
  assert_int_equal(post(), 2000);
  assert_int_equal(fake.status, 503);
  assert_non_null(fake_header("Retry-After").data);
  assert_int_equal(accepted_count(edge.accepted), 0);
  tear_down();
}

TEST(what_cannot_succeed_is_503_at_once)
{
  set_up();
  struct fake_script scripts[7];
  for (int i = 0; i < 7; i++)
    scripts[i] = fake_silence;
  scripts[0].is_down = scripts[1].is_blocked = scripts[2].is_full = scripts[3].no_memory = true;
  scripts[4].refused_at = scripts[5].unroutable_at = scripts[6].lost_at = AT_MS(3);
  for (int i = 0; i < 7; i++) {
    fake.script = scripts[i];
    assert_int_equal(post(), i < 4 ? 0 : 3);
    assert_int_equal(fake.status, 503);
    assert_non_null(fake_header("Retry-After").data);
  }
  assert_int_equal(accepted_count(edge.accepted), 0);
  tear_down();
}

TEST(an_answer_that_cannot_be_decoded_is_503)
{
  set_up();
  answer(0, 10, NULL);
  assert_int_equal(post(), 10);
  assert_int_equal(fake.status, 503);
  tear_down();
}

TEST(a_replay_is_200_and_another_body_422)
{
  set_up();
  answer(0, 10, &says_replayed);
  assert_int_equal(post(), 10);
  assert_int_equal(fake.status, 200);
  assert_true(bus_str_is(fake_header("Idempotent-Replayed"), "true"));
  answer(0, 10, &says_reused);
  assert_int_equal(post(), 10);
  assert_int_equal(fake.status, 422);
  tear_down();
}

TEST(a_wrong_body_sends_nothing)
{
  set_up();
  assert_int_equal(post_body("{}"), 0);
  assert_int_equal(fake.status, 400);
  assert_int_equal(fake.begun, 0);
  tear_down();
}

/* ---- what was accepted on a confirm alone ---- */
TEST(another_body_under_a_remembered_key_is_422_and_sends_nothing)
{
  set_up();
  confirm_only(5);
  post();
  int begun = fake.begun;
  assert_int_equal(post_body(FIXTURE_OTHER_BODY), 0);
  assert_int_equal(fake.status, 422);
  assert_int_equal(fake.begun, begun);
  tear_down();
}

TEST(a_remembered_order_is_202_again_until_it_is_answered)
{
  set_up();
  confirm_only(5);
  post();
  assert_int_equal(post(), 500);
  assert_int_equal(fake.status, 202);
  assert_int_equal(accepted_count(edge.accepted), 1);
  answer(0, 10, &says_replayed);
  post();
  assert_int_equal(fake.status, 200);
  assert_int_equal(accepted_count(edge.accepted), 0);
  tear_down();
}

TEST(of_two_bodies_that_were_both_confirmed_the_second_is_refused)
{
  set_up();
  struct bus_uuid id;
  order_id_of(BUS_STR("anonymous"), BUS_STR("k"), &id);
  confirm_only(5);
  post();
  char hash[] = "0123456789012345678901234567890123456789012345678901234567890123";
  accepted_forget(edge.accepted, &id);
  (void)accepted_remember(edge.accepted, &id, bus_str(hash), fake.now);
  post();
  assert_int_equal(fake.status, 422);
  tear_down();
}

TEST(a_202_on_the_confirm_repeats_nothing_of_its_body)
{
  set_up();
  confirm_only(5);
  post();
  assert_json_has("\"status\":\"ACCEPTED\"");
  assert_json_has("\"items\":null");
  assert_json_has("\"customer_id\":null");
  tear_down();
}

/* ---- the mode ---- */
TEST(after_five_timeouts_the_confirm_is_enough_at_once)
{
  set_up();
  confirm_only(5);
  for (int i = 0; i < 5; i++)
    assert_int_equal(post(), 500);
  assert_int_equal(post(), 500); /* the first probe */
  for (int i = 0; i < 10; i++) {
    assert_int_equal(post(), 5);
    assert_int_equal(fake.status, 202);
  }
  fake.now += BUS_SECOND;
  assert_int_equal(post(), 500); /* the next probe */
  assert_int_equal(post(), 5);
  tear_down();
}

TEST(a_probe_that_is_answered_ends_that)
{
  set_up();
  confirm_only(5);
  for (int i = 0; i < 6; i++)
    post();
  answer(0, 20, &says_accepted);
  assert_int_equal(post(), 5);
  fake.now += BUS_SECOND;
  assert_int_equal(post(), 20);
  assert_int_equal(post(), 20);
  tear_down();
}

TEST(other_commands_have_gates_of_their_own)
{
  set_up();
  confirm_only(5);
  for (int i = 0; i < 7; i++)
    post();
  point_to_order();
  fake.now += 10 * BUS_SECOND;
  assert_int_equal(post(), 500); /* a probe: the next ones will not wait */
  assert_int_equal(post(), 5);
  assert_true(accept_mode_is_confirm(&edge_sent_command(&edge, &order_place_type)->mode));
  assert_int_equal(call("POST /api/orders/{id}/cancel", "{}"), 500);
  assert_int_equal(call("POST /api/inventory/update", "{\"idempotency_key\":\"k\",\"product_id\":\"A\",\"on_hand\":1}"),
                   500);
  assert_false(accept_mode_is_confirm(&edge_sent_command(&edge, &order_cancel_type)->mode));
  tear_down();
}

TEST(a_broker_that_is_away_says_nothing_about_order_svc)
{
  set_up();
  fake.script.is_down = true;
  for (int i = 0; i < 10; i++)
    post();
  confirm_only(5);
  assert_int_equal(post(), 500);
  tear_down();
}

/* ---- too far behind ---- */
static void say_age(int64_t age_ms) {
  static struct order_pong pong;
  struct bus_arena *arena = bus_arena_new(1 << 16);
  pong = (struct order_pong){age_ms, BUS_NO_INT64, false};
  fake_begin("");
  fake.script = fake_silence;
  fake.script.answers[0] = (struct fake_answer){AT_MS(3), &order_pong_type, &pong};
  edge_watch_once(&edge, arena);
  bus_arena_free(arena);
}

TEST(new_orders_are_refused_while_old_messages_do_not_go_out)
{
  set_up();
  edge.backlog.limit = 30 * BUS_SECOND;
  say_age(30001);
  int begun = fake.begun;
  assert_int_equal(post(), 0);
  assert_int_equal(fake.status, 503);
  assert_true(bus_str_is(fake_header("Retry-After"), "5"));
  assert_int_equal(fake.begun, begun);
  say_age(29999);
  answer(0, 20, &says_accepted);
  post();
  assert_int_equal(fake.status, 202);
  tear_down();
}

TEST(what_is_no_new_order_goes_on_while_it_is_behind)
{
  set_up();
  edge.backlog.limit = 30 * BUS_SECOND;
  confirm_only(5);
  post(); /* accepted before */
  say_age(30001);
  confirm_only(5);
  post();
  assert_int_equal(fake.status, 202);
  point_to_order();
  (void)call("POST /api/orders/{id}/cancel", "{}");
  assert_int_equal(fake.status, 202);
  answer_read(10, &says_found);
  (void)call("GET /api/orders/{id}", "");
  assert_int_equal(fake.status, 200);
  tear_down();
}

static void say_closed(int64_t closed_ms) {
  static struct order_pong pong;
  struct bus_arena *arena = bus_arena_new(1 << 16);
  pong = (struct order_pong){BUS_NO_INT64, closed_ms, false};
  fake_begin("");
  fake.script = fake_silence;
  fake.script.answers[0] = (struct fake_answer){AT_MS(3), &order_pong_type, &pong};
  edge_watch_once(&edge, arena);
  bus_arena_free(arena);
}

/* They would only wait in the queue of an order-svc that takes none. */
TEST(new_orders_are_refused_after_five_seconds_of_a_closed_intake)
{
  set_up();
  say_closed(4999);
  confirm_only(5);
  post();
  assert_int_equal(fake.status, 202);
  say_closed(5000);
  assert_int_equal(post_body(FIXTURE_FRESH_BODY), 0);
  assert_int_equal(fake.status, 503);
  assert_true(bus_str_is(fake_header("Retry-After"), "5"));
  confirm_only(5);
  post(); /* accepted before */
  assert_int_equal(fake.status, 202);
  say_closed(0);
  confirm_only(5);
  (void)post_body(FIXTURE_FRESH_BODY);
  assert_int_equal(fake.status, 202);
  tear_down();
}

/* Silent, away, or too old a version to say: then nothing is known, and orders are taken. */
TEST(what_order_svc_does_not_say_refuses_nothing)
{
  set_up();
  edge.backlog.limit = 30 * BUS_SECOND;
  say_age(BUS_NO_INT64);
  confirm_only(5);
  post();
  assert_int_equal(fake.status, 202);
  say_age(30001);
  fake.now += 5 * BUS_SECOND;
  struct bus_arena *arena = bus_arena_new(1 << 16);
  fake.script = fake_silence;
  edge_watch_once(&edge, arena); /* waits a second, and keeps what it knows */
  assert_int_equal(post_body(FIXTURE_FRESH_BODY), 0);
  assert_int_equal(fake.status, 503);
  int begun = fake.begun;
  fake.script.is_down = true;
  edge_watch_once(&edge, arena);
  assert_int_equal(fake.begun, begun);
  bus_arena_free(arena);
  fake.now += 5 * BUS_SECOND;
  confirm_only(5);
  (void)post_body(FIXTURE_FRESH_BODY);
  assert_int_equal(fake.status, 202);
  tear_down();
}

/* ---- Prefer: wait ---- */
TEST(a_final_state_in_time_is_201)
{
  set_up();
  fake.prefer = BUS_STR("wait=10");
  answer(0, 20, &says_accepted);
  answer(1, 3000, &says_final);
  assert_int_equal(post(), 3000);
  assert_int_equal(fake.status, 201);
  assert_true(bus_str_is(fake_header("Preference-Applied"), "wait=10"));
  assert_non_null(strstr(fake.sent.data, "\"wait_ms\":10000"));
  tear_down();
}

TEST(a_final_state_without_a_first_answer_is_201)
{
  set_up();
  fake.prefer = BUS_STR("wait=10");
  confirm_only(5);
  answer(0, 3000, &says_final);
  assert_int_equal(post(), 3000);
  assert_int_equal(fake.status, 201);
  tear_down();
}

TEST(no_final_state_in_time_is_202)
{
  set_up();
  fake.prefer = BUS_STR("wait=10");
  answer(0, 20, &says_accepted);
  answer(1, 10001, &says_final);
  assert_int_equal(post(), 10000);
  assert_int_equal(fake.status, 202);
  assert_null(fake_header("Preference-Applied").data);
  tear_down();
}

TEST(no_answer_at_all_in_time_is_202_on_the_confirm)
{
  set_up();
  fake.prefer = BUS_STR("wait=10");
  confirm_only(5);
  assert_int_equal(post(), 10000);
  assert_json_has("\"status\":\"ACCEPTED\"");
  tear_down();
}

TEST(whoever_waits_long_hears_within_2_s_that_there_is_no_confirm)
{
  set_up();
  fake.prefer = BUS_STR("wait=30");
  assert_int_equal(post(), 2000);
  assert_int_equal(fake.status, 503);
  tear_down();
}

TEST(a_replay_does_not_wait)
{
  set_up();
  fake.prefer = BUS_STR("wait=10");
  answer(0, 20, &says_replayed);
  assert_int_equal(post(), 20);
  assert_int_equal(fake.status, 200);
  tear_down();
}

TEST(a_client_that_finds_no_place_to_wait_is_answered_at_once)
{
  set_up();
  fake.prefer = BUS_STR("wait=10");
  fake.no_place = true;
  answer(0, 20, &says_accepted);
  answer(1, 3000, &says_final);
  assert_int_equal(post(), 20);
  assert_int_equal(fake.status, 202);
  assert_non_null(strstr(fake.sent.data, "\"wait_ms\":0"));
  fake.no_place = false;
  assert_int_equal(post(), 3000);
  tear_down();
}

TEST(a_client_that_waits_gets_its_202_when_the_edge_stops)
{
  set_up();
  fake.prefer = BUS_STR("wait=10");
  fake.hurried_at = fake.now + AT_MS(1000);
  answer(0, 20, &says_accepted);
  answer(1, 3000, &says_final);
  assert_int_equal(post(), 1000);
  assert_int_equal(fake.status, 202);
  tear_down();
}

TEST(a_client_that_waits_on_a_confirm_alone_gets_its_202_when_the_edge_stops)
{
  set_up();
  fake.prefer = BUS_STR("wait=10");
  fake.script.confirm_at = AT_MS(5);
  fake.hurried_at = fake.now + AT_MS(1000);
  assert_int_equal(post(), 1000);
  assert_int_equal(fake.status, 202);
  tear_down();
}

/* The id and the customer of FIXTURE_BODY, the customer as 16 hexadecimal digits that another key changes. */
TEST(the_access_log_has_an_orders_id_and_its_customers_hash)
{
  char first[256], id[BUS_UUID_TEXT];
  struct bus_uuid uuid;
  set_up();
  answer(0, 20, &says_accepted);
  post();
  order_id_of(BUS_STR("anonymous"), BUS_STR("k"), &uuid);
  bus_uuid_format(&uuid, id);
  assert_non_null(strstr(fake.notes, "customer="));
  assert_int_equal(strspn(strstr(fake.notes, "customer=") + strlen("customer="), "0123456789abcdef"), 16);
  assert_memory_equal(fake.notes + strlen("order_id="), id, 36);
  assert_null(strstr(fake.notes, "anonymous"));
  snprintf(first, sizeof first, "%s", fake.notes);
  post();
  assert_string_equal(fake.notes, first);
  edge.customer_key[0]++;
  post();
  assert_string_not_equal(fake.notes, first);
  tear_down();
}
