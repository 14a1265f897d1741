/* bus/probe.h against a listener that answers with given bytes. */
#include <bus/probe.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"

struct listener {
  int fd, family;
  int port;
  const char *answer; /* NULL: the connection is closed unanswered */
  char asked[256];
  pthread_t thread;
};

static void *answer_one(void *context) {
  struct listener *listener = context;
  int fd = accept(listener->fd, NULL, NULL);
  ssize_t got = recv(fd, listener->asked, sizeof listener->asked - 1, 0);
  listener->asked[got > 0 ? got : 0] = '\0';
  if (listener->answer)
    (void)!write(fd, listener->answer, strlen(listener->answer));
  close(fd);
  return NULL;
}

static void listen_on(struct listener *listener, int family, const char *answer) {
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  struct sockaddr *address = family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
  socklen_t size = family == AF_INET ? sizeof v4 : sizeof v6;
  *listener = (struct listener){.fd = socket(family, SOCK_STREAM, 0), .family = family, .answer = answer};
  assert_int_equal(bind(listener->fd, address, size), 0);
  assert_int_equal(listen(listener->fd, 1), 0);
  assert_int_equal(getsockname(listener->fd, address, &size), 0);
  listener->port = ntohs(family == AF_INET ? v4.sin_port : v6.sin6_port);
  assert_int_equal(pthread_create(&listener->thread, NULL, answer_one, listener), 0);
}

static int probe(const char *bind, int family, const char *answer) {
  struct listener listener;
  listen_on(&listener, family, answer);
  int status = bus_probe_main("order-svc", bind, listener.port, false, "/health/ready");
  pthread_join(listener.thread, NULL);
  close(listener.fd);
  assert_string_equal(listener.asked, "GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  return status;
}

TEST(C1_a_ready_program_is_healthy)
{
  assert_int_equal(probe("127.0.0.1", AF_INET, "HTTP/1.1 200 OK\r\n\r\n"), 0);
  assert_int_equal(probe("0.0.0.0", AF_INET, "HTTP/1.1 200 OK\r\n\r\n"), 0);
}

TEST(C1_a_ready_program_on_ipv6_is_healthy)
{
  assert_int_equal(probe("[::1]", AF_INET6, "HTTP/1.1 200 OK\r\n\r\n"), 0);
  assert_int_equal(probe("[::]", AF_INET6, "HTTP/1.1 200 OK\r\n\r\n"), 0);
}

TEST(C1_a_program_that_is_not_ready_is_unhealthy)
{
  assert_int_equal(probe("127.0.0.1", AF_INET, "HTTP/1.1 503 Service Unavailable\r\n\r\n"), 1);
  assert_int_equal(probe("127.0.0.1", AF_INET, "SMTP"), 1);
  assert_int_equal(probe("127.0.0.1", AF_INET, NULL), 1);
}

TEST(C1_a_program_that_does_not_listen_or_answer_is_unhealthy)
{
  struct listener listener;
  listen_on(&listener, AF_INET, NULL);
  assert_int_equal(bus_probe_main("order-svc", "127.0.0.1", listener.port, false, "/"), 1);
  pthread_join(listener.thread, NULL);
  close(listener.fd);
  assert_int_equal(bus_probe_main("order-svc", "127.0.0.1", listener.port, false, "/"), 1);
  assert_int_equal(bus_probe_main("order-svc", "no.address", listener.port, false, "/"), 1);
}
