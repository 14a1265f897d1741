/* The writer thread and its queue. */
#include "ledger.h"

#include <bus/log.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "ledger_read.h"

enum { BATCH_MAX = 256 };

struct pending {
  struct pending *next;
  struct bus_str line;
  bool is_durable;
};

struct psp_ledger {
  int fd;
  pthread_t writer;
  pthread_mutex_t lock;
  pthread_cond_t work, durable;
  struct pending *first, **end; /* in order of arrival */
  bool stopping;
  int64_t size; /* on disk */
  int64_t lines, syncs;
};

_Noreturn static void die(const char *what) {
  bus_log_last(BUS_ERROR, "the ledger cannot be written; ending, so that nothing is answered that is not in it",
               BUS_F_STR("call", what), BUS_F_STR("error", strerror(errno)));
  _exit(EXIT_FAILURE);
}

static void write_lines(int fd, const struct iovec *lines, int count, size_t total) {
  ssize_t written = writev(fd, lines, count);
  if (written != (ssize_t)total) /* short writes to a file mean a full disk: the rest would be a torn line */
    die("writev");
  if (fdatasync(fd) != 0)
    die("fdatasync");
}

/* Takes what has arrived, up to a batch; the last of it, or NULL. */
static struct pending *take_batch(struct psp_ledger *ledger, struct iovec lines[BATCH_MAX], int *ret_count,
                                  size_t *ret_total) {
  struct pending *last = NULL;
  int count = 0;
  *ret_total = 0;
  for (struct pending *item = ledger->first; item && count < BATCH_MAX; item = item->next) {
    lines[count++] = (struct iovec){(void *)item->line.data, item->line.len};
    *ret_total += item->line.len;
    last = item;
  }
  *ret_count = count;
  return last;
}

/* Everything up to `last` is on disk: an item's owner may return as soon as it is marked, so `next` is read before. */
static void mark_durable(struct psp_ledger *ledger, struct pending *last, int count, size_t total) {
  struct pending *rest = last->next, *next;
  for (struct pending *item = ledger->first; item != rest; item = next) {
    next = item->next;
    item->is_durable = true;
  }
  ledger->first = rest;
  if (rest == NULL)
    ledger->end = &ledger->first;
  ledger->size += (int64_t)total;
  ledger->lines += count;
  ledger->syncs++;
  pthread_cond_broadcast(&ledger->durable);
}

static void *write_loop(void *context) {
  struct psp_ledger *ledger = context;
  struct iovec lines[BATCH_MAX];
  pthread_mutex_lock(&ledger->lock);
  for (;;) {
    int count;
    size_t total;
    struct pending *last = take_batch(ledger, lines, &count, &total);
    if (last == NULL && ledger->stopping)
      break;
    if (last == NULL) {
      pthread_cond_wait(&ledger->work, &ledger->lock);
      continue;
    }
    pthread_mutex_unlock(&ledger->lock);
    write_lines(ledger->fd, lines, count, total);
    pthread_mutex_lock(&ledger->lock);
    mark_durable(ledger, last, count, total);
  }
  pthread_mutex_unlock(&ledger->lock);
  return NULL;
}

void psp_ledger_append(struct psp_ledger *ledger, struct bus_str line) {
  struct pending item = {.line = line};
  pthread_mutex_lock(&ledger->lock);
  *ledger->end = &item;
  ledger->end = &item.next;
  pthread_cond_signal(&ledger->work);
  while (!item.is_durable)
    pthread_cond_wait(&ledger->durable, &ledger->lock);
  pthread_mutex_unlock(&ledger->lock);
}

int64_t psp_ledger_size(struct psp_ledger *ledger) {
  pthread_mutex_lock(&ledger->lock);
  int64_t size = ledger->size;
  pthread_mutex_unlock(&ledger->lock);
  return size;
}

int64_t psp_ledger_read(struct psp_ledger *ledger, int64_t offset, char *data, size_t size) {
  return pread(ledger->fd, data, size, offset);
}

void psp_ledger_counts(struct psp_ledger *ledger, int64_t *ret_lines, int64_t *ret_syncs) {
  pthread_mutex_lock(&ledger->lock);
  *ret_lines = ledger->lines;
  *ret_syncs = ledger->syncs;
  pthread_mutex_unlock(&ledger->lock);
}

/* ---- open ---- */
/* A new file is durable only when its name is, too. */
static bool sync_folder(const char *path, struct bus_error *err) {
  const char *slash = strrchr(path, '/');
  char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
  int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  bool synced = fd >= 0 && fsync(fd) == 0;
  if (!synced)
    bus_fail(err, BUS_E_SYSTEM, "LEDGER_FILE %s: its folder cannot be synced: %s", path, strerror(errno));
  if (fd >= 0)
    close(fd);
  free(folder);
  return synced;
}

static int open_file(const char *path, struct bus_error *err) {
  int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    bus_fail(err, BUS_E_CONFIG, "LEDGER_FILE %s: %s", path, strerror(errno));
    return -1;
  }
  if (flock(fd, LOCK_EX | LOCK_NB) == 0 && sync_folder(path, err))
    return fd;
  if (errno == EWOULDBLOCK)
    bus_fail(err, BUS_E_CONFIG, "LEDGER_FILE %s: another process has it", path);
  close(fd);
  return -1;
}

static void ledger_init(struct psp_ledger *ledger) {
  ledger->end = &ledger->first;
  pthread_mutex_init(&ledger->lock, NULL);
  pthread_cond_init(&ledger->work, NULL);
  pthread_cond_init(&ledger->durable, NULL);
}

static void ledger_free(struct psp_ledger *ledger) {
  if (ledger->fd >= 0)
    close(ledger->fd);
  pthread_cond_destroy(&ledger->durable);
  pthread_cond_destroy(&ledger->work);
  pthread_mutex_destroy(&ledger->lock);
  free(ledger);
}

static bool cut_torn_line(struct psp_ledger *ledger, const char *path, int64_t good, struct bus_error *err) {
  struct stat stat;
  if (fstat(ledger->fd, &stat) != 0)
    return bus_fail(err, BUS_E_SYSTEM, "LEDGER_FILE %s: %s", path, strerror(errno));
  if (stat.st_size == good)
    return true;
  bus_log(BUS_WARN, "the ledger's last line was torn by a crash and is cut off", BUS_F_STR("file", path),
          BUS_F_INT("bytes", stat.st_size - good));
  if (ftruncate(ledger->fd, good) != 0 || fdatasync(ledger->fd) != 0)
    return bus_fail(err, BUS_E_SYSTEM, "LEDGER_FILE %s: %s", path, strerror(errno));
  return true;
}

bool psp_ledger_open(const char *path, bool (*replay)(void *context, const struct psp_entry *entry), void *context,
                     struct psp_ledger **ret, struct bus_error *err) {
  struct psp_ledger *ledger = calloc(1, sizeof *ledger);
  if (ledger == NULL)
    return bus_fail(err, BUS_E_NOMEM, "ledger");
  ledger_init(ledger);
  ledger->fd = open_file(path, err);
  if (ledger->fd < 0 || !psp_ledger_replay(ledger->fd, path, replay, context, &ledger->size, err) ||
      !cut_torn_line(ledger, path, ledger->size, err)) {
    ledger_free(ledger);
    return false;
  }
  if (pthread_create(&ledger->writer, NULL, write_loop, ledger) != 0) {
    ledger_free(ledger);
    return bus_fail(err, BUS_E_SYSTEM, "ledger: no thread");
  }
  *ret = ledger;
  return true;
}

void psp_ledger_close(struct psp_ledger *ledger) {
  if (ledger == NULL)
    return;
  pthread_mutex_lock(&ledger->lock);
  ledger->stopping = true;
  pthread_cond_signal(&ledger->work);
  pthread_mutex_unlock(&ledger->lock);
  pthread_join(ledger->writer, NULL);
  ledger_free(ledger);
}
