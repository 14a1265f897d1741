/* HTTPS: what is spoken, what is refused, and certificates that are replaced under a running server. */
#include <bus/clock.h>
#include <bus/metrics.h>
#include <bus/probe.h>
#include <bus/tls.h>

#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "certificates.h"
#include "fixture.h"
#include "test.h"
#include "tls_client.h"

#define ITEM "GET /item/7 HTTP/1.1\r\nHost: a\r\n\r\n"

struct secure {
  struct bus_tls *tls;
  struct fixture fixture;
};

static struct secure start(struct bus_http_settings settings) {
  struct secure secure;
  struct bus_error err;
  certificates_use("first");
  const struct bus_tls_files files = {.cert = certificates_path("pair.pem"), .key = certificates_path("pair.key")};
  if (!bus_tls_new(&files, &secure.tls, &err))
    fail_msg("%s", err.text);
  settings.tls = secure.tls;
  secure.fixture = fixture_start(settings);
  return secure;
}

static void stop(struct secure *secure) {
  fixture_stop(&secure->fixture);
  bus_tls_free(secure->tls);
}

static void assert_item(struct tls_client *client) {
  tls_client_send(client, ITEM, strlen(ITEM));
  const char *answer = tls_client_answer(client);
  if (strncmp(answer, "HTTP/1.1 200 OK\r\n", 17) != 0 || strcmp(answer + strlen(answer) - 5, "\r\n\r\n7") != 0)
    fail_msg("not the item: %s", answer);
}

TEST(tls_E16_a_connection_is_kept_and_answers_carry_hsts)
{
  struct secure secure = start((struct bus_http_settings){0});
  struct tls_client *client = tls_client_open(secure.fixture.port);
  assert_string_equal(tls_client_version(client), "TLSv1.3");
  assert_string_equal(tls_client_name(client), "first");
  for (int i = 0; i < 3; i++)
    assert_item(client);
  tls_client_send(client, ITEM, strlen(ITEM));
  assert_non_null(strstr(tls_client_answer(client), "\r\nStrict-Transport-Security: max-age=31536000\r\n"));
  tls_client_close(client);
  stop(&secure);
}

TEST(tls_E16_plain_http_has_no_hsts)
{
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  const struct raw_answer *answer =
      raw_talk(fixture.port, "GET /item/7 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 5000);
  assert_int_equal(raw_status(answer), 200);
  assert_null(strstr(answer->text, "Strict-Transport-Security"));
  fixture_stop(&fixture);
}

TEST(tls_plain_http_gets_no_answer)
{
  struct secure secure = start((struct bus_http_settings){0});
  int before = fixture_handled();
  const struct raw_answer *answer = raw_talk(secure.fixture.port, ITEM, 5000);
  assert_int_equal(raw_count(answer), 0);
  assert_true(answer->closed);
  assert_int_equal(fixture_handled(), before);
  stop(&secure);
}

TEST(tls_1_2_is_spoken_and_1_1_is_not)
{
  struct secure secure = start((struct bus_http_settings){0});
  struct tls_client *client = tls_client_try(secure.fixture.port, (struct tls_wishes){.max_version = TLS1_2_VERSION});
  assert_non_null(client);
  assert_string_equal(tls_client_version(client), "TLSv1.2");
  assert_item(client);
  tls_client_close(client);
  assert_null(tls_client_try(secure.fixture.port, (struct tls_wishes){.max_version = TLS1_1_VERSION}));
  stop(&secure);
}

TEST(tls_alpn_is_http_1_1_alone)
{
  struct secure secure = start((struct bus_http_settings){0});
  struct tls_client *client = tls_client_try(secure.fixture.port, (struct tls_wishes){.alpn = "\x02h2\x08http/1.1"});
  assert_non_null(client);
  assert_string_equal(tls_client_protocol(client), "http/1.1");
  tls_client_close(client);
  assert_null(tls_client_try(secure.fixture.port, (struct tls_wishes){.alpn = "\x02h2"}));
  stop(&secure);
}

/* Sends `parts` each in a record of its own, the last of which ends with NULL, and expects this body. */
static void assert_echo(const char *const *parts, const char *body) {
  struct secure secure = start((struct bus_http_settings){0});
  struct tls_client *client = tls_client_open(secure.fixture.port);
  for (; *parts; parts++) {
    tls_client_send(client, *parts, strlen(*parts));
    usleep(20000);
  }
  const char *answer = tls_client_answer(client), *end = strstr(answer, "\r\n\r\n");
  if (end == NULL || strcmp(end + 4, body) != 0)
    fail_msg("wanted %s, got\n%s", body, answer);
  tls_client_close(client);
  stop(&secure);
}

#define ECHO "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"

TEST(tls_bodies_come_in_any_records)
{
  assert_echo((const char *const[]){ECHO "Content-Length: 12\r\n\r\nabcdefghijkl", NULL}, "abcdefghijkl");
  assert_echo((const char *const[]){ECHO "Content-Length: 12\r\n\r\n", "abcdefghijkl", NULL}, "abcdefghijkl");
  assert_echo((const char *const[]){ECHO "Content-Length: 12\r\n\r\nabc", "d", "efghij", "kl", NULL}, "abcdefghijkl");
}

TEST(tls_chunks_come_in_any_records)
{
  assert_echo((const char *const[]){ECHO "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n", NULL}, "abcde");
  assert_echo((const char *const[]){ECHO "Transfer-Encoding: chunked\r\n\r\n", "5\r\nab", "cde\r", "\n0\r\n\r\n", NULL},
              "abcde");
}

TEST(tls_a_body_that_is_too_slow_gets_408)
{
  struct secure secure = start((struct bus_http_settings){.body_deadline_ms = 500});
  struct tls_client *client = tls_client_open(secure.fixture.port);
  static const char head[] = ECHO "Content-Length: 12\r\n\r\nabc";
  tls_client_send(client, head, sizeof head - 1);
  int64_t began = bus_monotonic();
  assert_int_equal(strncmp(tls_client_answer(client), "HTTP/1.1 408 ", 13), 0);
  assert_true(bus_monotonic() - began < 3 * BUS_SECOND);
  tls_client_close(client);
  stop(&secure);
}

/* The answer and the close both arrive, though the body is never read. */
TEST(tls_E1_a_refused_body_has_its_answer)
{
  struct secure secure = start((struct bus_http_settings){0});
  struct tls_client *client = tls_client_open(secure.fixture.port);
  static const char head[] = ECHO "Content-Length: 99999\r\n\r\nabc";
  tls_client_send(client, head, sizeof head - 1);
  assert_int_equal(strncmp(tls_client_answer(client), "HTTP/1.1 413 ", 13), 0);
  assert_true(tls_client_is_closed(client));
  tls_client_close(client);
  stop(&secure);
}

/* Silent ones, of which some have made their handshake and some not, hold no thread that another wants. */
TEST(tls_E14_silent_clients_hold_up_nobody)
{
  enum { THREADS = 8, SILENT = 24 };
  struct secure secure = start((struct bus_http_settings){.threads = THREADS});
  int silent[SILENT];
  for (int i = 0; i < SILENT; i++) {
    silent[i] = raw_connect(secure.fixture.port);
    if (i % 2 == 0)
      raw_send(silent[i], "\x16\x03\x01", 3); /* the begin of a record */
  }
  usleep(50000);
  int64_t began = bus_monotonic();
  struct tls_client *client = tls_client_open(secure.fixture.port);
  assert_item(client);
  assert_true(bus_monotonic() - began < 4 * BUS_SECOND);
  tls_client_close(client);
  for (int i = 0; i < SILENT; i++)
    close(silent[i]);
  stop(&secure);
}

/* A handshake that fails gives its place back: many more than there are threads. */
TEST(tls_failed_handshakes_leave_no_trace)
{
  struct secure secure = start((struct bus_http_settings){.threads = 4});
  for (int i = 0; i < 20; i++)
    (void)raw_talk(secure.fixture.port, "no handshake\r\n\r\n", 5000);
  for (int i = 0; i < 8; i++) {
    struct tls_client *client = tls_client_open(secure.fixture.port);
    assert_item(client);
    assert_item(client);
    tls_client_close(client);
  }
  stop(&secure);
}

/* ---- certificates that are replaced ---- */

TEST(tls_a_reload_is_for_later_handshakes_and_keeps_connections)
{
  struct secure secure = start((struct bus_http_settings){0});
  struct bus_error err;
  struct tls_client *before = tls_client_open(secure.fixture.port);
  assert_item(before);
  certificates_use("second");
  assert_true(bus_tls_reload(secure.tls, &err));
  struct tls_client *after = tls_client_open(secure.fixture.port);
  assert_string_equal(tls_client_name(before), "first");
  assert_string_equal(tls_client_name(after), "second");
  assert_item(before);
  assert_item(after);
  tls_client_close(before);
  tls_client_close(after);
  stop(&secure);
}

TEST(tls_a_pair_that_does_not_fit_changes_nothing)
{
  struct secure secure = start((struct bus_http_settings){0});
  struct bus_error err;
  certificates_use_half("second");
  assert_false(bus_tls_reload(secure.tls, &err));
  assert_int_equal(err.code, BUS_E_CONFIG);
  assert_non_null(strstr(err.text, "pair.key"));
  struct tls_client *client = tls_client_open(secure.fixture.port);
  assert_string_equal(tls_client_name(client), "first");
  assert_item(client);
  tls_client_close(client);
  stop(&secure);
}

/* ---- the ends of certificates ---- */

struct page {
  char text[16384];
  size_t len;
};

static void append(void *context, struct bus_str text) {
  struct page *page = context;
  assert_true(page->len + text.len < sizeof page->text);
  memcpy(page->text + page->len, text.data, text.len);
  page->len += text.len;
}

/* The value of the metric; -1: it has no series. */
static int64_t shown(const char *metric) {
  struct page page = {.len = 0};
  char line[80];
  bus_metrics_print(BUS_METRICS_TEXT, append, &page);
  (void)snprintf(line, sizeof line, "\n%s ", metric);
  const char *found = strstr(page.text, line);
  return found ? strtoll(found + strlen(line), NULL, 10) : -1;
}

static void assert_two_days(int64_t end) {
  int64_t left = end - bus_wall_clock() / BUS_SECOND;
  assert_in_range(left, 2 * 86400 - 120, 2 * 86400);
}

TEST(tls_the_end_of_the_listeners_certificate_is_shown)
{
  struct secure secure = start((struct bus_http_settings){0});
  assert_two_days(shown("tls_certificate_not_after_seconds"));
  assert_int_equal(shown("tls_client_certificate_not_after_seconds"), -1);
  stop(&secure);
}

TEST(tls_the_end_of_a_client_certificate_is_that_of_its_file)
{
  static const char metric[] = "tls_client_certificate_not_after_seconds";
  static struct bus_tls_files none, files;
  certificates_use("first");
  bus_tls_show_client(&none);
  assert_int_equal(shown(metric), -1);
  files.cert = certificates_path("pair.pem");
  bus_tls_show_client(&files);
  assert_two_days(shown(metric));
  FILE *file = fopen(files.cert, "we");
  assert_non_null(file);
  assert_true(fputs("no certificate\n", file) > 0 && fclose(file) == 0);
  assert_int_equal(shown(metric), 0);
  assert_int_equal(unlink(files.cert), 0);
  assert_int_equal(shown(metric), 0);
  certificates_use("second");
  assert_two_days(shown(metric));
}

/* ---- replaced under load ---- */

struct load {
  int port;
  bool keeps; /* one connection for all requests */
  pthread_t thread;
  atomic_bool *ends;
  int answered;
};

static void *ask(void *context) {
  struct load *load = context;
  struct tls_client *client = NULL;
  while (!atomic_load(load->ends)) {
    if (client == NULL)
      client = tls_client_open(load->port);
    assert_item(client);
    load->answered++;
    if (!load->keeps) {
      tls_client_close(client);
      client = NULL;
    }
  }
  tls_client_close(client);
  return NULL;
}

/* assert_item ends the test at the first request that is lost. */
TEST(tls_reloads_under_load_lose_no_request)
{
  enum { CLIENTS = 6, RELOADS = 40 };
  static struct load loads[CLIENTS];
  atomic_bool ends = false;
  struct secure secure = start((struct bus_http_settings){.threads = 16});
  struct bus_error err;
  for (int i = 0; i < CLIENTS; i++) {
    loads[i] = (struct load){.port = secure.fixture.port, .keeps = i % 2 == 0, .ends = &ends};
    assert_int_equal(pthread_create(&loads[i].thread, NULL, ask, &loads[i]), 0);
  }
  for (int i = 0; i < RELOADS; i++) {
    certificates_use(i % 2 == 0 ? "second" : "first");
    assert_true(bus_tls_reload(secure.tls, &err));
    usleep(20000);
  }
  atomic_store(&ends, true);
  for (int i = 0; i < CLIENTS; i++) {
    pthread_join(loads[i].thread, NULL);
    assert_true(loads[i].answered > 0);
  }
  stop(&secure);
}

/* ---- files, and the health check ---- */

static void refused(struct bus_tls_files files, const char *named) {
  struct bus_tls *tls;
  struct bus_error err;
  assert_false(bus_tls_new(&files, &tls, &err));
  assert_null(tls);
  assert_int_equal(err.code, BUS_E_CONFIG);
  if (strstr(err.text, named) == NULL)
    fail_msg("the error does not name %s: %s", named, err.text);
}

TEST(tls_files_that_are_none_are_named)
{
  struct bus_tls *tls;
  struct bus_error err;
  assert_true(bus_tls_new(&(struct bus_tls_files){.cert = "", .key = ""}, &tls, &err));
  assert_null(tls);
  const char *cert = certificates_path("first.pem");
  refused((struct bus_tls_files){.cert = cert}, "TLS_KEY_FILE");
  refused((struct bus_tls_files){.cert = "/no/cert", .key = "/no/key"}, "/no/cert");
  refused((struct bus_tls_files){.cert = cert, .key = "/no/key"}, "/no/key");
  refused((struct bus_tls_files){.cert = cert, .key = certificates_path("second.key")}, "second.key");
}

TEST(tls_a_health_check_speaks_it)
{
  struct secure secure = start((struct bus_http_settings){0});
  assert_int_equal(bus_probe_main("edge", "127.0.0.1", secure.fixture.port, true, "/probe"), 0);
  assert_int_equal(bus_probe_main("edge", "127.0.0.1", secure.fixture.port, true, "/none"), 1);
  assert_int_equal(bus_probe_main("edge", "127.0.0.1", secure.fixture.port, false, "/probe"), 1);
  stop(&secure);
}
