/* core/consul_options.c: which agents and addresses are taken. */
#include <bus/consul_options.h>

#include <test.h>

static bool check(const char *url, const char *token, const char *address, const char *bind, struct bus_error *err) {
  return bus_consul_options_check(&(const struct bus_consul_options){url, token, address}, bind, err);
}

TEST(consul_is_off_without_a_url)
{
  struct bus_error err;
  assert_true(check("", "", "", "0.0.0.0", &err));
  assert_true(check(NULL, NULL, NULL, "0.0.0.0", &err));
  assert_false(bus_consul_options_is_on(&(const struct bus_consul_options){.url = ""}));
  assert_true(bus_consul_options_is_on(&(const struct bus_consul_options){.url = "http://h"}));
}

TEST(consul_options_that_fit)
{
  struct bus_error err;
  assert_true(check("http://127.0.0.1:8500", "", "", "10.0.0.11", &err));
  assert_true(check("https://consul.example/", "b1gs33cr3t", "edge-1.example", "0.0.0.0", &err));
  assert_true(check("http://[::1]:8500", NULL, "2001:db8::1", "::", &err));
}

TEST(consul_options_that_do_not_fit_are_named)
{
  static const struct {
    const char *url, *token, *address, *bind, *named;
  } wrong[] = {{"ftp://h", "", "", "127.0.0.1", "CONSUL_URL=ftp://h"},
               {"http://u:hunter2@h", "", "", "127.0.0.1", "CONSUL_URL=(not shown"},
               {"http://h?x", "", "", "127.0.0.1", "CONSUL_URL=http://h?x"},
               {"http://h", "hunter2\n", "", "127.0.0.1", "CONSUL_TOKEN"},
               {"http://h", "hunter 2", "", "127.0.0.1", "CONSUL_TOKEN"},
               {"http://h", "", "", "0.0.0.0", "BIND is 0.0.0.0"},
               {"http://h", "", "0.0.0.0", "127.0.0.1", "ADVERTISE_ADDRESS must"},
               {"http://h", "", "h:80", "127.0.0.1", "ADVERTISE_ADDRESS=h:80"},
               {"http://h", "", "[::1]", "127.0.0.1", "ADVERTISE_ADDRESS=[::1]"},
               {"http://h", "", "a/b", "127.0.0.1", "ADVERTISE_ADDRESS=a/b"}};
  for (size_t i = 0; i < BUS_COUNT(wrong); i++) {
    struct bus_error err = {.code = BUS_OK};
    assert_false(check(wrong[i].url, wrong[i].token, wrong[i].address, wrong[i].bind, &err));
    assert_int_equal(err.code, BUS_E_CONFIG);
    if (!strstr(err.text, wrong[i].named) || strstr(err.text, "hunter"))
      fail_msg("%s", err.text);
  }
}
