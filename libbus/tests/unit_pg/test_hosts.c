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

TEST(addresses_are_rotated_with_their_names)
{
  struct pg_hosts hosts;
  pg_hosts_from("hostaddr=10.0.0.1,10.0.0.2 host=a,b port=1,2", 1, &hosts);
  assert_string_equal(hosts.hostaddr, "10.0.0.2,10.0.0.1");
  assert_string_equal(hosts.host, "b,a");
  assert_string_equal(hosts.port, "2,1");
}
