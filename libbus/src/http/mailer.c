/* Threads that send mails, each over a connection of its own, and the descriptor that brings results to a worker. */
#include "mail_internal.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct queue {
  struct mail *first, **end;
};

struct bus_mailer {
  struct bus_mailer_settings settings;
  void (*done)(void *context, const struct bus_http_result *result);
  int event;
  atomic_bool stopping;
  pthread_mutex_t lock;
  pthread_cond_t added;
  struct queue waiting, finished; /* under the lock */
  size_t thread_count;
  pthread_t threads[BUS_MAILER_THREADS_MAX];
};

static void queue_init(struct queue *queue) {
  queue->first = NULL;
  queue->end = &queue->first;
}

static void queue_put(struct queue *queue, struct mail *mail) {
  mail->next = NULL;
  *queue->end = mail;
  queue->end = &mail->next;
}

static struct mail *queue_get(struct queue *queue) {
  struct mail *mail = queue->first;
  if (mail)
    queue->first = mail->next;
  if (!queue->first)
    queue->end = &queue->first;
  return mail;
}

static void queue_free(struct queue *queue) {
  for (struct mail *mail; (mail = queue_get(queue));)
    free(mail);
}

/* ---- threads ---- */

/* The next mail, once there is one; NULL: the mailer ends. */
static struct mail *wait_mail(struct bus_mailer *mailer) {
  pthread_mutex_lock(&mailer->lock);
  while (!mailer->waiting.first && !atomic_load(&mailer->stopping))
    pthread_cond_wait(&mailer->added, &mailer->lock);
  struct mail *mail = atomic_load(&mailer->stopping) ? NULL : queue_get(&mailer->waiting);
  pthread_mutex_unlock(&mailer->lock);
  return mail;
}

static void hand_back(struct bus_mailer *mailer, struct mail *mail) {
  static const uint64_t one = 1;
  pthread_mutex_lock(&mailer->lock);
  queue_put(&mailer->finished, mail);
  pthread_mutex_unlock(&mailer->lock);
  (void)!write(mailer->event, &one, sizeof one); /* the counter cannot overflow */
}

static void fail(struct mail *mail) {
  mail->result = (struct bus_http_result){
      .outcome = BUS_HTTP_NOT_SENT, .retry_after_s = -1, .error = "out of memory for a connection"};
}

static void *send_all(void *context) {
  struct bus_mailer *mailer = context;
  CURL *easy = NULL;
  for (struct mail *mail; (mail = wait_mail(mailer));) {
    easy = easy ? easy : curl_easy_init();
    if (easy)
      mail_transfer(easy, &mailer->settings, &mailer->stopping, mail);
    else
      fail(mail);
    hand_back(mailer, mail);
  }
  curl_easy_cleanup(easy);
  return NULL;
}

/* ---- the poll source ---- */

static size_t prepare(void *context, struct pollfd *fds, size_t room, int *timeout_ms) {
  const struct bus_mailer *mailer = context;
  (void)timeout_ms;
  if (room > 0)
    *fds = (struct pollfd){.fd = mailer->event, .events = POLLIN};
  return room > 0;
}

static void dispatch(void *context, const struct pollfd *fds, size_t count) {
  struct bus_mailer *mailer = context;
  struct queue finished;
  uint64_t events;
  if (count == 0 || fds->revents == 0)
    return;
  queue_init(&finished);
  (void)!read(mailer->event, &events, sizeof events);
  pthread_mutex_lock(&mailer->lock);
  for (struct mail *mail; (mail = queue_get(&mailer->finished));)
    queue_put(&finished, mail);
  pthread_mutex_unlock(&mailer->lock);
  for (struct mail *mail; (mail = queue_get(&finished)); free(mail))
    mailer->done(mail->context, &mail->result);
}

struct bus_poll_source bus_mailer_source(struct bus_mailer *mailer) {
  return (struct bus_poll_source){.context = mailer, .prepare = prepare, .dispatch = dispatch};
}

/* ---- the mailer ---- */

static void init_library(void) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool check(const struct bus_mailer_settings *settings, struct bus_error *err) {
  if (http_has_line_break(settings->url))
    return bus_fail(err, BUS_E_INVALID, "mail: line break in the URL");
  if (settings->plain && settings->user)
    return bus_fail(err, BUS_E_INVALID, "mail: a password is not sent without TLS");
  if (settings->threads < 1 || settings->threads > BUS_MAILER_THREADS_MAX)
    return bus_fail(err, BUS_E_INVALID, "mail: threads is %zu: it must be from 1 to %d", settings->threads,
                    BUS_MAILER_THREADS_MAX);
  return mail_check_address(settings->from, err);
}

static bool start(struct bus_mailer *mailer) {
  mailer->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  while (mailer->event >= 0 && mailer->thread_count < mailer->settings.threads &&
         pthread_create(&mailer->threads[mailer->thread_count], NULL, send_all, mailer) == 0)
    mailer->thread_count++;
  return mailer->thread_count == mailer->settings.threads;
}

bool bus_mailer_new(const struct bus_mailer_settings *settings,
                    void (*done)(void *context, const struct bus_http_result *result), struct bus_mailer **ret,
                    struct bus_error *err) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  if (!check(settings, err))
    return false;
  pthread_once(&once, init_library);
  struct bus_mailer *mailer = calloc(1, sizeof *mailer);
  if (!mailer)
    return bus_fail(err, BUS_E_NOMEM, "mailer");
  mailer->settings = *settings;
  mailer->done = done;
  queue_init(&mailer->waiting);
  queue_init(&mailer->finished);
  pthread_mutex_init(&mailer->lock, NULL);
  pthread_cond_init(&mailer->added, NULL);
  if (!start(mailer)) {
    bus_mailer_free(mailer);
    return bus_fail(err, BUS_E_SYSTEM, "cannot start the threads of the mailer");
  }
  *ret = mailer;
  return true;
}

void bus_mailer_free(struct bus_mailer *mailer) {
  if (!mailer)
    return;
  pthread_mutex_lock(&mailer->lock);
  atomic_store(&mailer->stopping, true);
  pthread_cond_broadcast(&mailer->added);
  pthread_mutex_unlock(&mailer->lock);
  for (size_t i = 0; i < mailer->thread_count; i++)
    pthread_join(mailer->threads[i], NULL);
  queue_free(&mailer->waiting);
  queue_free(&mailer->finished);
  pthread_mutex_destroy(&mailer->lock);
  pthread_cond_destroy(&mailer->added);
  if (mailer->event >= 0)
    close(mailer->event);
  free(mailer);
}

bool bus_mailer_send(struct bus_mailer *mailer, const char *to, struct bus_str message, void *context,
                     struct bus_error *err) {
  struct mail *mail = mail_new(to, message, context, err);
  if (!mail)
    return false;
  pthread_mutex_lock(&mailer->lock);
  queue_put(&mailer->waiting, mail);
  pthread_cond_signal(&mailer->added);
  pthread_mutex_unlock(&mailer->lock);
  return true;
}
