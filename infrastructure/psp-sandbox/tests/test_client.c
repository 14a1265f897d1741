/* libbus's HTTP client against the sandbox itself, in one process: what payment-svc will meet. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client_driver.h"
#include "sandbox.h"
#include "test.h"

static const char key[] = "sk_test_key";

struct rig {
  char path[64], url[128];
  struct psp_settings settings;
  struct psp_sandbox sandbox;
  struct bus_http_server *server;
  struct bus_http_client *client;
};

static void rig_up_with(struct rig *rig, int64_t read_timeout_ms) {
  struct bus_error err = {0};
  const struct bus_http_client_settings client = {
      .read_timeout_ms = read_timeout_ms, .total_timeout_ms = 2 * read_timeout_ms, .allow_plain = true};
  *rig = (struct rig){.path = "/tmp/psp-client-test-XXXXXX"};
  close(mkstemp(rig->path));
  rig->settings = (struct psp_settings){.bind = "127.0.0.1",
                                        .psp_key = key,
                                        .ledger_file = rig->path,
                                        .threads = 40,
                                        .timeout_ms = 3000,
                                        .hang_ms = 3000};
  const struct bus_http_settings http = {.bind = "127.0.0.1", .threads = 40};
  if (!psp_sandbox_open(&rig->sandbox, &rig->settings, &err) ||
      !bus_http_server_start(&http, psp_routes, psp_route_count, &rig->sandbox, &rig->server, &err) ||
      !bus_http_client_new(&client, &rig->client, &err))
    fail_msg("%s", err.text);
  snprintf(rig->url, sizeof rig->url, "http://127.0.0.1:%d/v1/payment_intents", bus_http_server_port(rig->server));
}

static void rig_up(struct rig *rig) {
  rig_up_with(rig, 10000);
}

static void rig_down(struct rig *rig) {
  bus_http_client_free(rig->client);
  bus_http_server_stop(rig->server);
  psp_sandbox_close(&rig->sandbox);
  unlink(rig->path);
}

static void start_charge(struct rig *rig, const char *token, const char *idempotency_key, struct driven *driven) {
  char body[256], key_line[128], secret_line[128];
  struct bus_error err;
  snprintf(body, sizeof body, "amount=100&currency=eur&confirm=true&payment_method=%s", token);
  snprintf(key_line, sizeof key_line, "Idempotency-Key: %s", idempotency_key);
  snprintf(secret_line, sizeof secret_line, "Authorization: Bearer %s", key);
  const char *const headers[] = {key_line, secret_line, NULL};
  const struct bus_http_call call = {.method = "POST", .url = rig->url, .body = bus_str(body), .headers = headers};
  *driven = (struct driven){0};
  assert_true(bus_http_client_start(rig->client, &call, driven_done, driven, &err));
}

static struct driven *charge(struct rig *rig, const char *token, const char *idempotency_key) {
  static struct driven driven;
  start_charge(rig, token, idempotency_key, &driven);
  drive(rig->client, DRIVE_ROOM, 8000);
  assert_int_equal(driven.done, 1);
  return &driven;
}

static int64_t captured(struct rig *rig) {
  int64_t lines, syncs;
  psp_ledger_counts(rig->sandbox.ledger, &lines, &syncs);
  return lines;
}

TEST(answers_and_declines_are_told_apart)
{
  static struct rig rig;
  rig_up(&rig);
  assert_int_equal(charge(&rig, "pm_card_visa", "charge-1")->status, 200);
  assert_int_equal(charge(&rig, "pm_card_visa_chargeDeclined", "charge-2")->status, 402);
  assert_int_equal(charge(&rig, "pm_sandbox_error", "charge-3")->status, 500);
  struct driven *limited = charge(&rig, "pm_sandbox_429_once", "charge-4");
  assert_int_equal(limited->status, 429);
  assert_int_equal(limited->retry_after_s, 1);
  assert_int_equal(captured(&rig), 2);
  rig_down(&rig);
}

TEST(a_timeout_is_unknown_and_its_repeat_finds_the_capture)
{
  static struct rig rig;
  rig_up_with(&rig, 500);
  assert_int_equal(charge(&rig, "pm_sandbox_timeout", "charge-1")->outcome, BUS_HTTP_UNKNOWN);
  assert_int_equal(captured(&rig), 1);
  struct driven *again = charge(&rig, "pm_sandbox_timeout", "charge-1");
  assert_int_equal(again->outcome, BUS_HTTP_ANSWERED);
  assert_int_equal(again->status, 200);
  assert_int_equal(captured(&rig), 1);
  rig_down(&rig);
}

TEST(a_hang_is_unknown_and_captures_nothing)
{
  static struct rig rig;
  rig_up_with(&rig, 500);
  assert_int_equal(charge(&rig, "pm_sandbox_hang", "charge-1")->outcome, BUS_HTTP_UNKNOWN);
  assert_int_equal(captured(&rig), 0);
  rig_down(&rig);
}

TEST(fifty_equal_keys_at_once_are_one_capture)
{
  static struct rig rig;
  static struct driven driven[50];
  int succeeded = 0;
  rig_up(&rig);
  for (size_t i = 0; i < BUS_COUNT(driven); i++)
    start_charge(&rig, "pm_card_visa", "charge-1", &driven[i]);
  drive(rig.client, DRIVE_ROOM, 30000);
  for (size_t i = 0; i < BUS_COUNT(driven); i++) {
    assert_int_equal(driven[i].outcome, BUS_HTTP_ANSWERED);
    assert_true(driven[i].status == 200 || driven[i].status == 409);
    succeeded += driven[i].status == 200;
  }
  assert_true(succeeded >= 1);
  assert_int_equal(captured(&rig), 1);
  rig_down(&rig);
}

TEST(many_charges_share_connections_and_syncs)
{
  static struct rig rig;
  static struct driven driven[200];
  char name[32];
  int64_t lines, syncs;
  rig_up(&rig);
  for (size_t i = 0; i < BUS_COUNT(driven); i++) {
    snprintf(name, sizeof name, "charge-%zu", i);
    start_charge(&rig, "pm_card_visa", name, &driven[i]);
  }
  drive(rig.client, DRIVE_ROOM, 30000);
  for (size_t i = 0; i < BUS_COUNT(driven); i++)
    assert_int_equal(driven[i].status, 200);
  psp_ledger_counts(rig.sandbox.ledger, &lines, &syncs);
  assert_int_equal(lines, BUS_COUNT(driven));
  assert_true(syncs < lines);
  rig_down(&rig);
}
