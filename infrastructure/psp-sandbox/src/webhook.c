/* The thread that delivers events, one after the other: first those that are due first. */
#include "webhook.h"

#include <bus/clock.h>
#include <bus/http_client.h>
#include <bus/log.h>

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { ATTEMPTS = 6, WAITING_MAX = 10000, CONNECT_MS = 1000, TOTAL_MS = 3000, ARENA_LIMIT = 64 * 1024 };
#define FIRST_WAIT (500 * BUS_MILLISECOND) /* doubled after each attempt: 15.5 s in all */

struct waiting {
  struct waiting *next;
  bus_time due;
  int attempts;
  size_t len;
  char body[];
};

struct psp_webhooks {
  const char *url, *secret;
  struct bus_http_client *client;
  pthread_t thread;
  pthread_mutex_t lock; /* all that follows */
  pthread_cond_t changed;
  struct waiting *first; /* by due */
  size_t count;
  bool stopping;
};

/* ---- the queue; with the lock held ---- */

static void enqueue(struct psp_webhooks *webhooks, struct waiting *waiting) {
  struct waiting **link = &webhooks->first;
  while (*link && (*link)->due <= waiting->due)
    link = &(*link)->next;
  waiting->next = *link;
  *link = waiting;
  webhooks->count++;
  (void)pthread_cond_signal(&webhooks->changed);
}

/* NULL: it is to stop. */
static struct waiting *next_due(struct psp_webhooks *webhooks) {
  while (!webhooks->stopping) {
    struct waiting *first = webhooks->first;
    if (first == NULL) {
      (void)pthread_cond_wait(&webhooks->changed, &webhooks->lock);
    } else if (first->due > bus_wall_clock()) {
      const struct timespec until = {.tv_sec = first->due / BUS_SECOND, .tv_nsec = first->due % BUS_SECOND * 1000};
      (void)pthread_cond_timedwait(&webhooks->changed, &webhooks->lock, &until); /* late or early: it looks again */
    } else {
      webhooks->first = first->next;
      webhooks->count--;
      return first;
    }
  }
  return NULL;
}

/* ---- one delivery ---- */

static void note_status(void *context, const struct bus_http_result *result) {
  int *status = context;
  *status = result->outcome == BUS_HTTP_ANSWERED ? result->status : 0;
}

/* → the response's status; 0: none. */
static int post(struct psp_webhooks *webhooks, const struct waiting *waiting) {
  char signature[PSP_SIGNATURE_SIZE];
  const struct bus_str body = {waiting->body, waiting->len};
  int status = 0;
  struct bus_error err;
  psp_sign(bus_str(webhooks->secret), body, bus_wall_clock(), signature);
  const struct bus_http_call call = {
      .method = "POST",
      .url = webhooks->url,
      .body = body,
      .headers = (const char *const[]){"Content-Type: application/json; charset=utf-8", signature, NULL}};
  if (bus_http_client_start(webhooks->client, &call, note_status, &status, &err))
    bus_http_client_finish(webhooks->client);
  return status;
}

/* True: it is done with. */
static bool deliver(struct psp_webhooks *webhooks, struct waiting *waiting) {
  int status = post(webhooks, waiting);
  bool taken = status >= 200 && status < 300, given_up = !taken && ++waiting->attempts >= ATTEMPTS;
  bus_log(given_up ? BUS_WARN : BUS_DEBUG, given_up ? "event was not taken: given up" : "event",
          BUS_F_INT("status", status), BUS_F_INT("attempts", waiting->attempts));
  waiting->due = bus_wall_clock() + (FIRST_WAIT << waiting->attempts) / 2;
  return taken || given_up;
}

static void *run(void *context) {
  struct psp_webhooks *webhooks = context;
  struct waiting *waiting;
  pthread_mutex_lock(&webhooks->lock);
  while ((waiting = next_due(webhooks)) != NULL) {
    pthread_mutex_unlock(&webhooks->lock);
    bool done = deliver(webhooks, waiting);
    if (done)
      free(waiting);
    pthread_mutex_lock(&webhooks->lock);
    if (!done)
      enqueue(webhooks, waiting);
  }
  pthread_mutex_unlock(&webhooks->lock);
  return NULL;
}

/* ---- from the other threads ---- */

typedef struct bus_str event_maker(const struct psp_entry *entry, struct bus_arena *arena);

static struct waiting *make_waiting(const struct psp_entry *entry, event_maker *make) {
  struct bus_arena *arena = bus_arena_new(ARENA_LIMIT);
  struct bus_str body = arena ? make(entry, arena) : BUS_NO_STR;
  struct waiting *waiting = body.data ? calloc(1, sizeof *waiting + body.len) : NULL;
  if (waiting) {
    waiting->len = body.len;
    memcpy(waiting->body, body.data, body.len);
  }
  bus_arena_free(arena);
  return waiting;
}

static void tell(struct psp_webhooks *webhooks, const struct psp_entry *entry, event_maker *make) {
  if (webhooks == NULL)
    return;
  struct waiting *waiting = make_waiting(entry, make);
  pthread_mutex_lock(&webhooks->lock);
  bool has_room = waiting && webhooks->count < WAITING_MAX;
  if (has_room)
    enqueue(webhooks, waiting);
  pthread_mutex_unlock(&webhooks->lock);
  if (has_room)
    return;
  free(waiting);
  bus_log(BUS_WARN, "event dropped: too many wait, or out of memory");
}

void psp_webhooks_tell(struct psp_webhooks *webhooks, const struct psp_entry *entry) {
  tell(webhooks, entry, psp_event_of);
}

void psp_webhooks_dispute(struct psp_webhooks *webhooks, const struct psp_entry *intent) {
  tell(webhooks, intent, psp_dispute_event_of);
}

/* ---- start and stop ---- */

static void free_webhooks(struct psp_webhooks *webhooks) {
  while (webhooks->first) {
    struct waiting *next = webhooks->first->next;
    free(webhooks->first);
    webhooks->first = next;
  }
  bus_http_client_free(webhooks->client);
  pthread_cond_destroy(&webhooks->changed);
  pthread_mutex_destroy(&webhooks->lock);
  free(webhooks);
}

bool psp_webhooks_start(const struct psp_webhook_target *target, struct psp_webhooks **ret, struct bus_error *err) {
  const struct bus_http_client_settings http = {.connect_timeout_ms = CONNECT_MS,
                                                .read_timeout_ms = TOTAL_MS,
                                                .total_timeout_ms = TOTAL_MS,
                                                .max_connections = 1,
                                                .user_agent = "psp-sandbox",
                                                .ca_file = target->ca_file,
                                                .allow_plain = true};
  *ret = NULL;
  if (target->url == NULL || *target->url == '\0')
    return true;
  struct psp_webhooks *webhooks = calloc(1, sizeof *webhooks);
  if (webhooks == NULL)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for webhooks");
  webhooks->url = target->url;
  webhooks->secret = target->secret;
  pthread_mutex_init(&webhooks->lock, NULL);
  pthread_cond_init(&webhooks->changed, NULL);
  bool started = bus_http_client_new(&http, &webhooks->client, err) &&
                 (pthread_create(&webhooks->thread, NULL, run, webhooks) == 0 ||
                  bus_fail(err, BUS_E_SYSTEM, "cannot start the thread that delivers events"));
  if (started)
    *ret = webhooks;
  else
    free_webhooks(webhooks);
  return started;
}

void psp_webhooks_stop(struct psp_webhooks *webhooks) {
  if (webhooks == NULL)
    return;
  pthread_mutex_lock(&webhooks->lock);
  webhooks->stopping = true;
  (void)pthread_cond_signal(&webhooks->changed);
  pthread_mutex_unlock(&webhooks->lock);
  (void)pthread_join(webhooks->thread, NULL);
  free_webhooks(webhooks);
}
