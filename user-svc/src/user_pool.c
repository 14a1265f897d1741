/* Threads that hash passwords. */
#include "user_pool.h"

#include <bus/clock.h>

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { THREADS_MAX = 2, STACK_BYTES = 256 * 1024 };

struct job {
  struct user_completion completion;
  char password[USER_SEALED_MAX + 1], new_password[USER_SEALED_MAX + 1]; /* sealed; "": none */
  struct user_pool_client *client;
  struct job *next;
};

struct list {
  struct job *first, *last;
};

struct user_pool_client {
  struct user_pool *pool;
  struct bus_worker *worker;
  int wake_fd;
  size_t open;      /* jobs that are not in `done` yet */
  struct list done; /* under the pool's lock */
};

struct user_pool {
  struct user_pool_settings settings;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  struct list waiting;
  size_t taken; /* jobs that wait or are hashed */
  bool stopping;
  pthread_t threads[THREADS_MAX];
  size_t thread_count;
};

static void append(struct list *list, struct job *job) {
  job->next = NULL;
  if (list->last)
    list->last->next = job;
  else
    list->first = job;
  list->last = job;
}

static struct job *take(struct list *list) {
  struct job *job = list->first;
  if (job && !(list->first = job->next))
    list->last = NULL;
  return job;
}

static void free_job(struct job *job) {
  bus_erase(job, sizeof *job);
  free(job);
}

/* ---- hashing ---- */

static void verify(const struct user_pool_settings *settings, struct job *job) {
  struct user_completion *done = &job->completion;
  char password[USER_PASSWORD_MAX + 1];
  size_t len;
  if (bus_unseal(settings->seal, bus_str(job->password), password, sizeof password, &len))
    done->verified = bus_password_verify((struct bus_str){password, len},
                                         done->stored_hash[0] ? done->stored_hash : NULL, &settings->cost);
  bus_erase(password, sizeof password);
}

static void hash(const struct user_pool_settings *settings, struct job *job) {
  struct user_completion *done = &job->completion;
  char password[USER_PASSWORD_MAX + 1];
  size_t len;
  if (!bus_unseal(settings->seal, bus_str(job->new_password), password, sizeof password, &len) ||
      len < USER_PASSWORD_MIN ||
      !bus_password_hash((struct bus_str){password, len}, &settings->cost, done->password_hash))
    done->password_hash[0] = '\0';
  bus_erase(password, sizeof password);
}

/* A job whose asker has given up is not worth a hash. */
static void work(const struct user_pool_settings *settings, struct job *job) {
  if (job->completion.deadline < bus_wall_clock())
    return;
  if (job->password[0])
    verify(settings, job);
  if (job->new_password[0] && (!job->password[0] || job->completion.verified))
    hash(settings, job);
}

static void finish(struct user_pool *pool, struct job *job) {
  const uint64_t one = 1;
  struct user_pool_client *client = job->client;
  pool->taken--;
  append(&client->done, job);
  client->open--;
  (void)!write(client->wake_fd, &one, sizeof one); /* the counter cannot overflow */
  (void)pthread_cond_broadcast(&pool->changed);
}

static void *run(void *context) {
  struct user_pool *pool = context;
  (void)pthread_mutex_lock(&pool->lock);
  for (;;) {
    struct job *job;
    while (!(job = take(&pool->waiting)) && !pool->stopping)
      (void)pthread_cond_wait(&pool->changed, &pool->lock);
    if (!job)
      break;
    (void)pthread_mutex_unlock(&pool->lock);
    work(&pool->settings, job);
    (void)pthread_mutex_lock(&pool->lock);
    finish(pool, job);
  }
  (void)pthread_mutex_unlock(&pool->lock);
  return NULL;
}

/* ---- the pool ---- */

static bool start_threads(struct user_pool *pool) {
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0)
    return false;
  (void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
  while (pool->thread_count < pool->settings.threads && pool->thread_count < THREADS_MAX &&
         pthread_create(&pool->threads[pool->thread_count], &attributes, run, pool) == 0)
    pool->thread_count++;
  (void)pthread_attr_destroy(&attributes);
  return pool->thread_count == pool->settings.threads;
}

bool user_pool_new(const struct user_pool_settings *settings, struct user_pool **ret, struct bus_error *err) {
  struct user_pool *pool = calloc(1, sizeof *pool);
  if (!pool)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for the threads that hash");
  pool->settings = *settings;
  (void)pthread_mutex_init(&pool->lock, NULL);
  (void)pthread_cond_init(&pool->changed, NULL);
  if (!start_threads(pool)) {
    user_pool_free(pool);
    return bus_fail(err, BUS_E_SYSTEM, "cannot start a thread that hashes");
  }
  *ret = pool;
  return true;
}

void user_pool_free(struct user_pool *pool) {
  if (!pool)
    return;
  (void)pthread_mutex_lock(&pool->lock);
  pool->stopping = true;
  (void)pthread_cond_broadcast(&pool->changed);
  (void)pthread_mutex_unlock(&pool->lock);
  for (size_t i = 0; i < pool->thread_count; i++)
    (void)pthread_join(pool->threads[i], NULL);
  (void)pthread_mutex_destroy(&pool->lock);
  (void)pthread_cond_destroy(&pool->changed);
  free(pool);
}

size_t user_pool_room(struct user_pool *pool) {
  (void)pthread_mutex_lock(&pool->lock);
  size_t most = pool->settings.threads + pool->settings.queue;
  size_t room = pool->taken < most ? most - pool->taken : 0;
  (void)pthread_mutex_unlock(&pool->lock);
  return room;
}

/* ---- clients ---- */

static size_t prepare(void *context, struct pollfd *fds, size_t room, int *timeout_ms) {
  const struct user_pool_client *client = context;
  (void)timeout_ms;
  if (room == 0)
    return 0;
  fds[0] = (struct pollfd){.fd = client->wake_fd, .events = POLLIN};
  return 1;
}

static struct job *take_done(struct user_pool_client *client) {
  (void)pthread_mutex_lock(&client->pool->lock);
  struct job *job = take(&client->done);
  (void)pthread_mutex_unlock(&client->pool->lock);
  return job;
}

static void dispatch(void *context, const struct pollfd *fds, size_t count) {
  struct user_pool_client *client = context;
  uint64_t ignored;
  struct job *job;
  if (count == 0 || fds[0].revents == 0)
    return;
  (void)!read(client->wake_fd, &ignored, sizeof ignored);
  while ((job = take_done(client))) {
    /* An input that is not taken is an asker's time-out. */
    (void)bus_worker_push(client->worker, BUS_INPUT_COMPLETION, &job->completion, sizeof job->completion);
    free_job(job);
  }
}

bool user_pool_join(struct user_pool *pool, struct bus_worker *worker, struct user_pool_client **ret,
                    struct bus_error *err) {
  struct user_pool_client *client = calloc(1, sizeof *client);
  if (!client)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for a worker");
  *client =
      (struct user_pool_client){.pool = pool, .worker = worker, .wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  const struct bus_poll_source source = {.context = client, .prepare = prepare, .dispatch = dispatch};
  if (client->wake_fd < 0 || !bus_worker_add_source(worker, source)) {
    user_pool_leave(client);
    return bus_fail(err, BUS_E_SYSTEM, "cannot wake a worker");
  }
  *ret = client;
  return true;
}

/* Jobs of this client that no thread has taken yet. */
static void drop_waiting(struct user_pool_client *client) {
  struct list kept = {NULL, NULL};
  struct job *job;
  while ((job = take(&client->pool->waiting))) {
    if (job->client != client) {
      append(&kept, job);
      continue;
    }
    client->open--;
    client->pool->taken--;
    free_job(job);
  }
  client->pool->waiting = kept;
}

void user_pool_leave(struct user_pool_client *client) {
  struct job *job;
  if (!client)
    return;
  (void)pthread_mutex_lock(&client->pool->lock);
  drop_waiting(client);
  while (client->open > 0)
    (void)pthread_cond_wait(&client->pool->changed, &client->pool->lock);
  while ((job = take(&client->done)))
    free_job(job);
  (void)pthread_mutex_unlock(&client->pool->lock);
  if (client->wake_fd >= 0)
    (void)close(client->wake_fd);
  free(client);
}

static void copy_text(char *to, size_t size, struct bus_str text) {
  size_t len = text.data && text.len < size ? text.len : 0;
  if (len > 0)
    memcpy(to, text.data, len);
  to[len] = '\0';
}

void user_pool_add(struct user_pool_client *client, const struct user_job *job) {
  struct user_pool *pool = client->pool;
  struct job *copy = calloc(1, sizeof *copy);
  if (!copy)
    return;
  copy->completion = job->completion;
  copy->client = client;
  copy_text(copy->password, sizeof copy->password, job->password);
  copy_text(copy->new_password, sizeof copy->new_password, job->new_password);
  (void)pthread_mutex_lock(&pool->lock);
  bool room = pool->taken < pool->settings.threads + pool->settings.queue;
  if (room) {
    append(&pool->waiting, copy);
    pool->taken++;
    client->open++;
    (void)pthread_cond_broadcast(&pool->changed);
  }
  (void)pthread_mutex_unlock(&pool->lock);
  if (!room)
    free_job(copy);
}
