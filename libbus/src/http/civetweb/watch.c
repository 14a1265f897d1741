/* Keeps civetweb from calling accept() in a busy loop while no descriptor is free: its listening socket is exchanged
 * for a descriptor without events. */
#include "parts.h"

#include <bus/clock.h>
#include <bus/log.h>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  CALM_MS = 500,
  SHORT_MS = 200, /* so long the socket stays out of civetweb's sight */
  TRIAL_MS = 20,  /* after it came back: one descriptor may have been free for a single connection */
};

/* As accept() would find it. */
static bool has_descriptor(void) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return false;
  close(fd);
  return true;
}

static void hide(struct http_watch *watch) {
  watch->hides = dup3(watch->silent, watch->shown, O_CLOEXEC) >= 0;
  if (watch->hides && !watch->said)
    bus_log(BUS_ERROR, "out of file descriptors: new connections wait", BUS_F_INT("listener", watch->port));
  watch->said = true;
}

static void show(struct http_watch *watch) {
  watch->hides = dup3(watch->listener, watch->shown, O_CLOEXEC) < 0;
}

/* One look; → milliseconds until the next. */
static int64_t look(struct http_watch *watch) {
  bool has = has_descriptor();
  if (watch->hides) {
    if (has)
      show(watch);
    return has ? TRIAL_MS : SHORT_MS;
  }
  if (!has && http_listener_waiting(watch->listener) > 0) {
    hide(watch);
    return SHORT_MS;
  }
  if (watch->said && has) {
    watch->said = false;
    bus_log(BUS_INFO, "new connections are accepted again", BUS_F_INT("listener", watch->port));
  }
  return CALM_MS;
}

static void *watch_descriptors(void *context) {
  struct http_watch *watch = context;
  pthread_mutex_lock(&watch->lock);
  while (!watch->ends) {
    int64_t until = bus_monotonic() + look(watch) * BUS_MILLISECOND;
    (void)bus_cond_wait(&watch->end, &watch->lock, until);
  }
  pthread_mutex_unlock(&watch->lock);
  return NULL;
}

static bool start_thread(struct http_watch *watch) {
  pthread_mutex_init(&watch->lock, NULL);
  bus_cond_init(&watch->end);
  watch->runs = pthread_create(&watch->thread, NULL, watch_descriptors, watch) == 0;
  return watch->runs;
}

bool http_watch_start(struct http_watch *watch, int port) {
  int shown = http_sockets_listener(port);
  *watch = (struct http_watch){.port = port, .shown = shown, .listener = -1, .silent = -1};
  if (shown < 0)
    return false;
  watch->listener = fcntl(shown, F_DUPFD_CLOEXEC, 0);
  watch->silent = eventfd(0, EFD_CLOEXEC);
  return watch->listener >= 0 && watch->silent >= 0 && start_thread(watch);
}

void http_watch_stop(struct http_watch *watch) {
  if (!watch->runs)
    return;
  pthread_mutex_lock(&watch->lock);
  watch->ends = true;
  pthread_cond_signal(&watch->end);
  pthread_mutex_unlock(&watch->lock);
  pthread_join(watch->thread, NULL);
  watch->runs = false;
  pthread_cond_destroy(&watch->end);
  pthread_mutex_destroy(&watch->lock);
  if (watch->hides)
    show(watch);
}

void http_watch_done(struct http_watch *watch) {
  if (watch->listener >= 0)
    close(watch->listener);
  if (watch->silent >= 0)
    close(watch->silent);
  watch->listener = watch->silent = -1;
}
