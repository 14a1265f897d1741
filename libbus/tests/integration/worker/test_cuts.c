/* Connections that are cut at any time, and servers that come later: nothing is lost or doubled. */
#include "toy.h"

#include <proxy.h>
#include <test.h>

/* Every phase of a batch loses its database sooner or later. */
TEST(survives_a_database_connection_that_is_cut_at_any_time)
{
  struct toy toy;
  struct toy_run run;
  char url[512];
  toy_setup(&toy);
  struct proxy *proxy = proxy_for_url(toy.database_url, url);
  assert_non_null(proxy);
  toy.settings.database_url = url;
  toy.settings.batch_max = 20;
  toy.settings.outbox_grace_ms = 500;
  toy.settings.outbox_lease_ms = 2000; /* what was swept into a cut connection is swept again */
  toy_start(&toy, &run);
  for (unsigned i = 0; i < 6000; i++) {
    (void)toy_publish(&toy, i % 50, 1);
    if (i % 300 == 299) {
      toy_flush(&toy);
      toy_sleep_ms(40 + (int)(bus_uuid_source_random(&toy.ids) % 80));
      proxy_cut(proxy);
    }
  }
  toy_flush(&toy);
  toy_await(&toy, SUM, 6000, 40);
  toy_await(&toy, OUTBOX, 0, 20);
  toy_stop(&run);
  assert_int_equal(toy_number(&toy, INBOX), 6000);
  assert_int_equal(toy_number(&toy, PARKED), 0);
  proxy_stop(proxy);
  toy_teardown(&toy);
}

TEST(survives_broker_connections_that_are_cut_at_any_time)
{
  struct toy toy;
  struct toy_run run;
  char url[512];
  toy_setup(&toy);
  struct proxy *proxy = proxy_for_url(toy.amqp_url, url);
  assert_non_null(proxy);
  toy.settings.amqp_url = url;
  toy.settings.batch_max = 20;
  toy.settings.outbox_grace_ms = 500;
  toy.settings.outbox_lease_ms = 2000; /* what was swept into a cut connection is swept again */
  toy_start(&toy, &run);
  for (unsigned i = 0; i < 4000; i++) {
    (void)toy_publish(&toy, i % 50, 1);
    if (i % 400 == 399) {
      toy_flush(&toy);
      toy_sleep_ms(100 + (int)(bus_uuid_source_random(&toy.ids) % 200));
      proxy_cut(proxy);
    }
  }
  toy_flush(&toy);
  toy_await(&toy, SUM, 4000, 60);
  toy_await(&toy, OUTBOX, 0, 20);
  toy_stop(&run);
  assert_int_equal(toy_number(&toy, INBOX), 4000);
  assert_int_equal(toy_number(&toy, PARKED), 0);
  proxy_stop(proxy);
  toy_teardown(&toy);
}

TEST(waits_for_servers_that_come_later)
{
  struct toy toy;
  struct toy_run run;
  char pg[512], amqp[512];
  toy_setup(&toy);
  struct proxy *pg_proxy = proxy_for_url(toy.database_url, pg), *amqp_proxy = proxy_for_url(toy.amqp_url, amqp);
  proxy_refuse(pg_proxy, true);
  proxy_refuse(amqp_proxy, true);
  toy.settings.database_url = pg;
  toy.settings.amqp_url = amqp;
  (void)toy_publish(&toy, 1, 3);
  toy_flush(&toy);
  toy_start(&toy, &run);
  toy_sleep_ms(500);
  assert_false(bus_worker_status(run.worker).consuming);
  assert_int_equal(bus_worker_probe(run.worker, 300).database, BUS_LINK_DOWN);
  proxy_refuse(pg_proxy, false);
  toy_sleep_ms(500);
  proxy_refuse(amqp_proxy, false);
  toy_await(&toy, SUM, 3, 15);
  struct bus_worker_status probed = bus_worker_probe(run.worker, 2000);
  assert_true(probed.consuming && probed.database == BUS_LINK_UP && probed.broker == BUS_LINK_UP);
  toy_stop(&run);
  proxy_stop(pg_proxy);
  proxy_stop(amqp_proxy);
  toy_teardown(&toy);
}
