/* Broker URLs: what is taken, what is refused, and that no error holds the password. */
#include "url.h"

#include <bus/amqp.h>

#include "test.h"

#include <stdio.h>
#include <unistd.h>

TEST(url_takes_all_parts)
{
  struct broker_url url;
  assert_true(url_parse("amqps://order-svc:s%40cret@broker.example:5999/order%2Fbus", 0, &url, NULL));
  assert_string_equal(url.info.user, "order-svc");
  assert_string_equal(url.info.password, "s@cret");
  assert_string_equal(url.info.host, "broker.example");
  assert_int_equal(url.info.port, 5999);
  assert_string_equal(url.info.vhost, "order/bus");
  assert_true(url.info.ssl);
}

TEST(url_has_the_usual_defaults)
{
  struct broker_url url;
  assert_true(url_parse("amqp://u:p@h", 0, &url, NULL));
  assert_int_equal(url.info.port, 5672);
  assert_string_equal(url.info.vhost, "/");
  assert_false(url.info.ssl);
  assert_true(url_parse("amqps://u:p@h", 0, &url, NULL));
  assert_int_equal(url.info.port, 5671);
}

TEST(url_has_a_vhost)
{
  char text[10];
  struct bus_error err;
  assert_true(bus_amqp_url_vhost("amqp://u:p@h/order%2Fbus", text, sizeof text, &err));
  assert_string_equal(text, "order/bus");
  assert_true(bus_amqp_url_vhost("amqp://u:p@h", text, sizeof text, &err));
  assert_string_equal(text, "/");
  assert_false(bus_amqp_url_vhost("amqp://u:p@h/orders/bus2", text, sizeof text, &err));
  assert_false(bus_amqp_url_vhost("amqp://u:p@h/ten-bytes-", text, sizeof text, &err));
  assert_false(bus_amqp_url_vhost("http://u:p@h", text, sizeof text, &err));
  assert_null(strstr(err.text, "u:p"));
}

TEST(url_takes_an_ipv6_host)
{
  struct broker_url url;
  assert_true(url_parse("amqp://u:p@[::1]:5672/v", 0, &url, NULL));
  assert_string_equal(url.info.host, "::1");
}

static void assert_place(const char *url, size_t host, const char *name, int port) {
  struct broker_url parsed;
  assert_true(url_parse(url, host, &parsed, NULL));
  assert_string_equal(parsed.info.user, "u");
  assert_string_equal(parsed.info.password, "p,q");
  assert_string_equal(parsed.info.host, name);
  assert_int_equal(parsed.info.port, port);
  assert_string_equal(parsed.info.vhost, "v");
}

TEST(url_takes_several_hosts_in_turn)
{
  static const char url[] = "amqp://u:p,q@one:5999,[::1]:6000,three/v";
  assert_int_equal(bus_amqp_url_hosts(url), 3);
  assert_place(url, 0, "one", 5999);
  assert_place(url, 1, "::1", 6000);
  assert_place(url, 2, "three", 5672);
  assert_place(url, 3, "one", 5999);
  assert_true(bus_amqp_url_check(url, NULL));
  assert_int_equal(bus_amqp_url_hosts("amqps://u:p@a,b"), 2);
  assert_int_equal(bus_amqp_url_hosts("amqp://u:p@a/v,w"), 1);
  assert_int_equal(bus_amqp_url_hosts("nonsense,more"), 1);
}

TEST(url_of_several_hosts_has_the_usual_vhost)
{
  struct broker_url url;
  assert_true(url_parse("amqps://u:p@a,b", 1, &url, NULL));
  assert_string_equal(url.info.host, "b");
  assert_string_equal(url.info.vhost, "/");
  assert_int_equal(url.info.port, 5671);
  assert_true(url.info.ssl);
}

TEST(url_refuses_what_would_be_guessed)
{
  static const char *const refused[] = {
      "",
      "amqp",
      "amqp://",
      "http://u:p@h/",
      "AMQP://u:p@h/",
      "amqp://h/v",   /* guest would be guessed */
      "amqp://u@h/v", /* the password */
      "amqp://u:@h/v",
      "amqp://:p@h/v",
      "amqp://u:p@/v", /* localhost */
      "amqp://u:p@:5672/v",
      "amqp://u:p@h:/v", /* the port */
      "amqp://u:p@h:0/v",
      "amqp://u:p@h:65536/v",
      "amqp://u:p@h:56x/v",
      "amqp://u:p@h:5672/", /* an empty vhost */
      "amqp://u:p@h:5672/v/w",
      "amqp://u:p@h/v?heartbeat=5",
      "amqp://u:p@h/v#x",
      "amqp://u:p@h/%zz",
      "amqp://u:p@h/a%00b",
      "amqp://u:p@h/a b",
      "amqp://u:p\n@h/a",
      "amqp://u:p@q@h/v",
      "amqp://u:p@h,/v", /* another host */
      "amqp://u:p@,h/v",
      "amqp://u:p@h,,g/v",
      "amqp://u:p@h,:5672/v",
      "amqp://u:p@h,g:/v",
      "amqp://u:p@h,g:0/v",
      "amqp://u:p@h,u:p@g/v",
  };
  for (size_t i = 0; i < BUS_COUNT(refused); i++) {
    struct bus_error err = {.code = BUS_OK};
    if (bus_amqp_url_check(refused[i], &err))
      fail_msg("taken: %s", refused[i]);
    assert_int_equal(err.code, BUS_E_CONFIG);
  }
  assert_false(bus_amqp_url_check(NULL, NULL));
}

TEST(url_error_never_holds_the_password)
{
  static const char *const wrong[] = {"amqp://user:hunter2@host:99999/v",
                                      "amqp://user:hunter2@/v",
                                      "amqp://user:hunter2@h/%zz",
                                      "amqp://hunter2@h/v",
                                      "hunter2",
                                      "amqp://user:/hunter2@h/v",
                                      "amqp://user:12/hunter2@h/v",
                                      "amqp://user:x@hunter2@h/v"};
  for (size_t i = 0; i < BUS_COUNT(wrong); i++) {
    struct bus_error err;
    assert_false(bus_amqp_url_check(wrong[i], &err));
    assert_null(strstr(err.text, "hunter2"));
  }
}

TEST(url_of_a_service)
{
  static const struct {
    const char *url, *service;
  } urls[] = {{"amqp+srv://order-svc:s%40cret@mq.example/order%2Fbus", "_amqp._tcp.mq.example"},
              {"amqps+srv://order-svc:s%40cret@mq.example/order%2Fbus", "_amqps._tcp.mq.example"}};
  for (size_t i = 0; i < BUS_COUNT(urls); i++) {
    struct broker_url url;
    char text[BUS_NAME_MAX];
    assert_true(bus_amqp_url_check(urls[i].url, NULL));
    assert_int_equal(bus_amqp_url_hosts(urls[i].url), 1);
    assert_true(bus_amqp_url_user(urls[i].url, text, NULL));
    assert_string_equal(text, "order-svc");
    assert_true(bus_amqp_url_vhost(urls[i].url, text, sizeof text, NULL));
    assert_string_equal(text, "order/bus");
    assert_true(url_parse(urls[i].url, 5, &url, NULL));
    assert_string_equal(url.service, urls[i].service);
    assert_string_equal(url.info.password, "s@cret");
    assert_int_equal(url.info.ssl, i);
  }
  struct broker_url url = {.service = "of another URL"};
  assert_true(url_parse("amqp://u:p@h/v", 0, &url, NULL));
  assert_string_equal(url.service, "");
}

TEST(url_of_a_service_that_is_refused)
{
  static const char *const refused[] = {"amqp+srv://u:hunter2@h:5672/v", "amqp+srv://u:hunter2@h,g/v",
                                        "amqps+srv://u:hunter2@/v",      "amqp+srv://u@h/v",
                                        "amqp+srv://u:hunter2@h/",       "amqp+srv://u:hunter2@h/v?x",
                                        "amqp+srv://u:hun/ter2@h/v",     "postgres+srv://u:hunter2@h/v"};
  for (size_t i = 0; i < BUS_COUNT(refused); i++) {
    struct bus_error err = {.code = BUS_OK};
    if (bus_amqp_url_check(refused[i], &err))
      fail_msg("taken: %s", refused[i]);
    assert_int_equal(err.code, BUS_E_CONFIG);
    assert_null(strstr(err.text, "ter2"));
  }
}

TEST(url_refuses_what_is_too_long)
{
  char url[2048] = "amqp://user:";
  memset(url + 12, 'p', 1500);
  memcpy(url + 1512, "@h/v", 5);
  assert_false(bus_amqp_url_check(url, NULL));
  char name[128] = "amqp://";
  memset(name + 7, 'u', 70);
  memcpy(name + 77, ":p@h/v", 7);
  assert_false(bus_amqp_url_check(name, NULL));
}

TEST(url_is_forgotten)
{
  struct broker_url url;
  assert_true(url_parse("amqp://user:hunter2@host/v", 0, &url, NULL));
  url_forget(&url);
  assert_null(memmem(&url, sizeof url, "hunter2", 7));
}

/* ---- URLs in files that change ---- */

static const char started[] = "amqp://user:hunter1@host/v";

static const char *file_with(const char *text) {
  static char path[32];
  (void)snprintf(path, sizeof path, "/tmp/url-XXXXXX");
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
  (void)close(fd);
  return path;
}

TEST(url_of_a_file_is_what_it_holds_now)
{
  struct broker_url url;
  const char *file = file_with("amqp://user:hunter2@one,two/v\n");
  assert_true(url_read(started, file, 1, &url, NULL));
  assert_string_equal(url.info.password, "hunter2");
  assert_string_equal(url.info.host, "two");
  (void)unlink(file);
}

TEST(url_of_a_file_may_become_one_of_a_service)
{
  struct broker_url url;
  const char *file = file_with("amqp+srv://user:hunter2@mq.example/v\n");
  assert_true(url_read(started, file, 1, &url, NULL));
  assert_string_equal(url.service, "_amqp._tcp.mq.example");
  (void)unlink(file);
}

/* A lost connection is what callers try again after; each of these may be mended meanwhile. */
static void assert_not_now(const char *text, const char *problem) {
  struct broker_url url;
  struct bus_error err = {.code = BUS_OK};
  const char *file = file_with(text);
  assert_false(url_read(started, file, 0, &url, &err));
  (void)unlink(file);
  assert_int_equal(err.code, BUS_E_AMQP_CONNECTION);
  if (!strstr(err.text, file) || !strstr(err.text, problem) || strstr(err.text, "hunter"))
    fail_msg("%s", err.text);
}

TEST(url_of_a_file_that_cannot_be_used_may_be_mended)
{
  assert_not_now("", "it must begin with amqp://");
  assert_not_now("amqp://user:hunter2", "expected amqp://user:password@host");
  assert_not_now("amqp://other:hunter2@host/v", "names the user \"other\", but a running program stays \"user\"");
  struct broker_url url;
  struct bus_error err = {.code = BUS_OK};
  assert_false(url_read(started, "/nonexistent/url", 0, &url, &err));
  assert_int_equal(err.code, BUS_E_AMQP_CONNECTION);
  assert_string_equal(err.text, "/nonexistent/url: No such file or directory");
}
