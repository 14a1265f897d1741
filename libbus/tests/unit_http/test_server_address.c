/* A crowd at one address: it has so many threads and no more, and proxies are no crowd. */
#include <bus/network.h>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"
#include "test.h"

enum { THREADS = 16, OF_AN_ADDRESS = 3 };

static const char get[] = "GET /item/7 HTTP/1.1\r\nHost: a\r\n\r\n";
static const char slow_head[] = "GET /item/7 HTTP/1.1\r\nHo";
static const char probe[] = "GET /probe HTTP/1.1\r\nHost: a\r\n\r\n";

static int connect_from(const char *from, int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in own = {.sin_family = AF_INET}, server = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  assert_int_equal(inet_pton(AF_INET, from, &own.sin_addr), 1);
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  assert_int_equal(bind(fd, (const struct sockaddr *)&own, sizeof own), 0);
  assert_int_equal(connect(fd, (const struct sockaddr *)&server, sizeof server), 0);
  return fd;
}

static const struct raw_answer *ask(int fd, const char *request) {
  static struct raw_answer answer;
  raw_send(fd, request, strlen(request));
  raw_read_one(fd, 5000, false, &answer);
  return &answer;
}

static struct fixture crowded(const struct bus_networks *trusted, int crowd[OF_AN_ADDRESS]) {
  struct fixture fixture = fixture_start(
      (struct bus_http_settings){.threads = THREADS, .address_connections = OF_AN_ADDRESS, .trusted_proxies = trusted});
  for (int i = 0; i < OF_AN_ADDRESS; i++) {
    crowd[i] = connect_from("127.0.0.2", fixture.port);
    assert_int_equal(raw_status(ask(crowd[i], get)), 200);
  }
  return fixture;
}

static void leave(struct fixture *fixture, const int crowd[OF_AN_ADDRESS]) {
  for (int i = 0; i < OF_AN_ADDRESS; i++)
    close(crowd[i]);
  fixture_stop(fixture);
}

TEST(E15_one_connection_too_many_of_an_address_is_503_and_closed)
{
  int crowd[OF_AN_ADDRESS];
  struct fixture fixture = crowded(NULL, crowd);
  int fd = connect_from("127.0.0.2", fixture.port);
  const struct raw_answer *answer = ask(fd, get);
  assert_int_equal(raw_status(answer), 503);
  assert_true(raw_has_line(answer, "Retry-After: 1") && raw_has_line(answer, "Connection: close"));
  close(fd);
  for (int i = 0; i < OF_AN_ADDRESS; i++)
    assert_int_equal(raw_status(ask(crowd[i], get)), 200);
  leave(&fixture, crowd);
}

TEST(E15_one_too_many_that_sends_no_whole_head_loses_its_connection)
{
  static struct raw_answer answer;
  int crowd[OF_AN_ADDRESS];
  struct fixture fixture = crowded(NULL, crowd);
  int fd = connect_from("127.0.0.2", fixture.port);
  raw_send(fd, slow_head, sizeof slow_head - 1);
  raw_read_to_end(fd, 2000, &answer);
  assert_true(answer.closed && answer.duration < 1000000);
  close(fd);
  leave(&fixture, crowd);
}

TEST(E15_other_addresses_and_probes_are_answered_beside_a_crowd)
{
  int crowd[OF_AN_ADDRESS];
  struct fixture fixture = crowded(NULL, crowd);
  int other = connect_from("127.0.0.3", fixture.port), checker = connect_from("127.0.0.2", fixture.port);
  assert_int_equal(raw_status(ask(other, get)), 200);
  assert_int_equal(raw_status(ask(checker, probe)), 200);
  close(other);
  close(checker);
  leave(&fixture, crowd);
}

TEST(E15_a_place_is_free_again_when_a_connection_has_ended)
{
  int crowd[OF_AN_ADDRESS], status = 503;
  struct fixture fixture = crowded(NULL, crowd);
  shutdown(crowd[0], SHUT_RDWR);
  for (int i = 0; i < 100 && status == 503; i++) {
    usleep(10000);
    int fd = connect_from("127.0.0.2", fixture.port);
    status = raw_status(ask(fd, get));
    close(fd);
  }
  assert_int_equal(status, 200);
  leave(&fixture, crowd);
}

TEST(E15_a_trusted_proxy_has_any_number_of_connections)
{
  int crowd[OF_AN_ADDRESS];
  struct bus_networks trusted;
  assert_true(bus_networks_parse("127.0.0.2", &trusted, NULL));
  struct fixture fixture = crowded(&trusted, crowd);
  int fd = connect_from("127.0.0.2", fixture.port);
  assert_int_equal(raw_status(ask(fd, get)), 200);
  close(fd);
  leave(&fixture, crowd);
}
