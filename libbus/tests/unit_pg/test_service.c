/* pg/start.c: a database that DNS names. */
#include "pg.h"

#include <test.h>

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "fake_dns.h"

static const char url[] = "postgresql+srv://user:hunter2@db.example/orders";
static const char name[] = "_postgresql._tcp.db.example";

static struct pg *connect_by(const struct fake_dns *dns, size_t first) {
  const struct pg_settings settings = {
      .url = url, .dns_server = fake_dns_address(dns), .application_name = "unit", .first_host = first};
  struct pg *pg = NULL;
  struct bus_error err;
  assert_true(pg_new(&settings, &pg, &err));
  for (int i = 0; i < 100 && pg_state(pg) == PG_CONNECTING; i++) {
    struct pollfd fd = {.fd = pg_fd(pg), .events = pg_events(pg)};
    (void)poll(&fd, 1, 100);
    if (fd.revents)
      pg_advance(pg);
  }
  return pg;
}

static void assert_dead(struct pg *pg, const char *text) {
  struct bus_error err;
  assert_int_equal(pg_state(pg), PG_DEAD);
  pg_error(pg, &err);
  assert_int_equal(err.code, BUS_E_DB_CONNECTION);
  if (!strstr(err.text, text) || strstr(err.text, "hunter2"))
    fail_msg("%s", err.text);
  pg_free(pg);
}

TEST(service_of_a_database_is_asked_for_each_connection)
{
  struct dns_answer answer;
  char asked[SRV_NAME_MAX];
  dns_answer_begin(&answer, name, 3);
  struct fake_dns *dns = fake_dns_start(&answer);
  assert_dead(connect_by(dns, 0), "_postgresql._tcp.db.example at 127.0.0.1:");
  assert_string_equal(fake_dns_asked(dns, asked), name);
  dns_answer_begin(&answer, name, 0);
  dns_answer_add(&answer, 1, 0, 1, "localhost");
  dns_answer_add(&answer, 2, 0, 2, "localhost");
  fake_dns_answer(dns, &answer);
  assert_dead(connect_by(dns, 0), "port 1 failed");
  assert_dead(connect_by(dns, 1), "port 2 failed");
  fake_dns_stop(dns);
}
