/* Sheds load: while as many requests are in progress as the settings allow and these take too long on average, a new
 * one is refused at once. Probes and requests that wait for their client (bus_http_hold) do not count. */
#include "internal.h"

#include <bus/clock.h>

void http_work_init(struct http_work *work) {
  *work = (struct http_work){0};
  pthread_mutex_init(&work->lock, NULL);
}

void http_work_done(struct http_work *work) {
  pthread_mutex_destroy(&work->lock);
}

/* With the lock held. */
static bool is_over(const struct http_work *work, const struct bus_http_settings *settings, int64_t now) {
  return settings->work_max > 0 && work->count >= settings->work_max &&
         work->count * now - work->began_sum > work->count * settings->work_age_ms * BUS_MILLISECOND;
}

bool http_work_begin(struct bus_http_exchange *exchange) {
  struct bus_http_server *server = exchange->server;
  struct http_work *work = &server->work;
  int64_t now = bus_monotonic();
  if (exchange->match.route->is_probe)
    return true;
  pthread_mutex_lock(&work->lock);
  bool over = is_over(work, &server->settings, now);
  if (!over) {
    work->count++;
    work->began_sum += now;
    exchange->work_began = now;
  }
  pthread_mutex_unlock(&work->lock);
  if (!over)
    return true;
  bus_http_add_header(exchange, "Retry-After", BUS_STR("1"));
  bus_http_problem(exchange, 503, "too many requests are in progress; repeating is safe");
  return false;
}

void http_work_end(struct bus_http_exchange *exchange) {
  struct http_work *work = &exchange->server->work;
  if (exchange->work_began == 0)
    return;
  pthread_mutex_lock(&work->lock);
  work->count--;
  work->began_sum -= exchange->work_began;
  pthread_mutex_unlock(&work->lock);
  exchange->work_began = 0;
}
