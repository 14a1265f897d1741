/* pg/hosts.c: the same hosts, from another one on. */
#include "pg.h"

#include <test.h>

static void assert_hosts(const char *url, size_t first, const char *host, const char *port) {
  struct pg_hosts hosts;
  pg_hosts_from(url, first, &hosts);
  assert_string_equal(hosts.host, host);
  assert_string_equal(hosts.port, port);
  assert_string_equal(hosts.hostaddr, "");
}

TEST(several_hosts_are_rotated_with_their_ports)
{
  static const char url[] = "postgres://u:p@one:1,two:2,three:3/db";
  assert_hosts(url, 0, "one,two,three", "1,2,3");
  assert_hosts(url, 1, "two,three,one", "2,3,1");
  assert_hosts(url, 2, "three,one,two", "3,1,2");
  assert_hosts(url, 3, "one,two,three", "1,2,3");
}

TEST(a_port_for_all_stays)
{
  assert_hosts("host=one,two port=5 dbname=db", 1, "two,one", "5");
  assert_hosts("host=one,two dbname=db", 1, "two,one", "");
  assert_hosts("postgres://u:p@one,two:2/db", 1, "two,one", "2,");
}

/* The function then returns no list, and the URL itself is used. */
TEST(one_host_is_left_alone)
{
  assert_hosts("postgres://u:p@one:1/db", 1, "", "");
  assert_hosts("dbname=db", 1, "", "");
  assert_hosts("postgres://u:p@[::1/db", 1, "", "");
}

static void assert_records(size_t count, size_t first, const char *host, const char *port) {
  struct srv_records records = {.count = count};
  struct pg_hosts hosts;
  for (size_t i = 0; i < count; i++) {
    records.items[i] = (struct srv_record){.port = (uint16_t)(i + 1)};
    records.items[i].target[0] = (char)('a' + i);
  }
  pg_hosts_of_records(&records, first, &hosts);
  assert_string_equal(hosts.host, host);
  assert_string_equal(hosts.port, port);
  assert_string_equal(hosts.hostaddr, "");
}

TEST(records_of_a_service_are_hosts_too)
{
  assert_records(1, 0, "a", "1");
  assert_records(1, 7, "a", "1");
  assert_records(3, 0, "a,b,c", "1,2,3");
  assert_records(3, 2, "c,a,b", "3,1,2");
  assert_records(9, 0, "a,b,c,d,e,f,g,h", "1,2,3,4,5,6,7,8");
  assert_records(9, 8, "a,b,c,d,e,f,g,h", "1,2,3,4,5,6,7,8");
}

TEST(the_longest_records_fit)
{
  struct srv_records records = {.count = SRV_HOSTS_MAX};
  struct pg_hosts hosts;
  for (size_t i = 0; i < SRV_HOSTS_MAX; i++) {
    memset(records.items[i].target, 'a', SRV_NAME_MAX - 1);
    records.items[i].port = 65535;
  }
  pg_hosts_of_records(&records, 0, &hosts);
  assert_int_equal(strlen(hosts.host), SRV_HOSTS_MAX * SRV_NAME_MAX - 1);
  assert_int_equal(strlen(hosts.port), SRV_HOSTS_MAX * 6 - 1);
}

TEST(addresses_are_rotated_with_their_names)
{
  struct pg_hosts hosts;
  pg_hosts_from("hostaddr=10.0.0.1,10.0.0.2 host=a,b port=1,2", 1, &hosts);
  assert_string_equal(hosts.hostaddr, "10.0.0.2,10.0.0.1");
  assert_string_equal(hosts.host, "b,a");
  assert_string_equal(hosts.port, "2,1");
}
