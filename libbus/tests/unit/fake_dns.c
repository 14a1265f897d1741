/* Answers each datagram, and notes the name that it asks for. */
#include "fake_dns.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEADER = 12 };

struct fake_dns {
  int fd;
  char address[32], asked[SRV_NAME_MAX];
  struct dns_answer answer;
  pthread_mutex_t lock;
  pthread_t thread;
};

static void note_name(struct fake_dns *dns, const uint8_t *question, size_t len) {
  size_t at = HEADER, out = 0;
  while (at < len && question[at] > 0 && at + question[at] < len && out + question[at] + 2 < SRV_NAME_MAX) {
    memcpy(dns->asked + out, question + at + 1, question[at]);
    out += question[at];
    dns->asked[out++] = '.';
    at += 1 + question[at];
  }
  dns->asked[out > 0 ? out - 1 : 0] = '\0';
}

static void *serve(void *context) {
  struct fake_dns *dns = context;
  uint8_t question[512];
  struct sockaddr_in from;
  for (;;) {
    socklen_t size = sizeof from;
    ssize_t len = recvfrom(dns->fd, question, sizeof question, 0, (struct sockaddr *)&from, &size);
    if (len < HEADER) /* shut down */
      return NULL;
    pthread_mutex_lock(&dns->lock);
    note_name(dns, question, (size_t)len);
    memcpy(dns->answer.bytes, question, 2); /* the id */
    if (dns->answer.len > 0)
      (void)sendto(dns->fd, dns->answer.bytes, dns->answer.len, 0, (const struct sockaddr *)&from, size);
    pthread_mutex_unlock(&dns->lock);
  }
}

struct fake_dns *fake_dns_start(const struct dns_answer *answer) {
  struct fake_dns *dns = calloc(1, sizeof *dns);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  if (answer)
    dns->answer = *answer;
  pthread_mutex_init(&dns->lock, NULL);
  dns->fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (bind(dns->fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
      getsockname(dns->fd, (struct sockaddr *)&address, &size) != 0 ||
      pthread_create(&dns->thread, NULL, serve, dns) != 0)
    abort();
  (void)snprintf(dns->address, sizeof dns->address, "127.0.0.1:%d", ntohs(address.sin_port));
  return dns;
}

void fake_dns_answer(struct fake_dns *dns, const struct dns_answer *answer) {
  pthread_mutex_lock(&dns->lock);
  dns->answer = *answer;
  pthread_mutex_unlock(&dns->lock);
}

const char *fake_dns_address(const struct fake_dns *dns) {
  return dns->address;
}

const char *fake_dns_asked(struct fake_dns *dns, char name[SRV_NAME_MAX]) {
  pthread_mutex_lock(&dns->lock);
  memcpy(name, dns->asked, SRV_NAME_MAX);
  pthread_mutex_unlock(&dns->lock);
  return name;
}

void fake_dns_stop(struct fake_dns *dns) {
  (void)shutdown(dns->fd, SHUT_RDWR);
  pthread_join(dns->thread, NULL);
  (void)close(dns->fd);
  pthread_mutex_destroy(&dns->lock);
  free(dns);
}
