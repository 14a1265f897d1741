/* Line by line with getline(3); only the last line may be bad. */
#include "ledger_read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ARENA_LIMIT = 1024 * 1024 };

struct reader {
  FILE *file;
  struct bus_arena *arena;
  char *line;
  size_t size;
  int64_t number; /* of the line, from 1 */
};

static bool reader_open(int fd, const char *path, struct reader *ret, struct bus_error *err) {
  int copy = dup(fd);
  *ret = (struct reader){.file = copy >= 0 ? fdopen(copy, "r") : NULL, .arena = bus_arena_new(ARENA_LIMIT)};
  if (ret->file == NULL && copy >= 0)
    close(copy);
  if (ret->file && ret->arena && fseeko(ret->file, 0, SEEK_SET) == 0)
    return true;
  return bus_fail(err, BUS_E_SYSTEM, "LEDGER_FILE %s: cannot be read: %s", path, strerror(errno));
}

static void reader_close(struct reader *reader) {
  if (reader->file)
    fclose(reader->file);
  bus_arena_free(reader->arena);
  free(reader->line);
}

static bool is_at_end(struct reader *reader) {
  int c = getc(reader->file);
  if (c != EOF)
    ungetc(c, reader->file);
  return c == EOF;
}

static bool no_memory(const char *path, int64_t line, struct bus_error *err) {
  return bus_fail(err, BUS_E_NOMEM, "LEDGER_FILE %s line %lld: out of memory", path, (long long)line);
}

/* One line that was read; *ret_torn: it is the last one, and a crash cut it off. */
static bool take_line(struct reader *reader, const char *path, ssize_t len,
                      bool (*replay)(void *context, const struct psp_entry *entry), void *context, bool *ret_torn,
                      struct bus_error *err) {
  struct psp_entry entry;
  struct bus_problems problems = {0};
  char text[160];
  bool is_whole = reader->line[len - 1] == '\n';
  bus_arena_reset(reader->arena);
  *ret_torn = false;
  if (is_whole && psp_entry_parse((struct bus_str){reader->line, (size_t)len - 1}, reader->arena, &entry, &problems)) {
    return replay(context, &entry) || no_memory(path, reader->number, err);
  }
  if (bus_problems_no_memory(&problems)) /* it may be a good line: not to be cut off */
    return no_memory(path, reader->number, err);
  *ret_torn = is_at_end(reader);
  if (*ret_torn)
    return true;
  bus_problems_text(&problems, text, sizeof text);
  return bus_fail(err, BUS_E_DECODE, "LEDGER_FILE %s line %lld: %s", path, (long long)reader->number, text);
}

static bool read_all(struct reader *reader, const char *path,
                     bool (*replay)(void *context, const struct psp_entry *entry), void *context, int64_t *ret_good,
                     struct bus_error *err) {
  ssize_t len;
  int64_t good = 0;
  while ((len = getline(&reader->line, &reader->size, reader->file)) > 0) {
    bool torn;
    reader->number++;
    if (!take_line(reader, path, len, replay, context, &torn, err))
      return false;
    if (!torn)
      good += len;
  }
  if (!feof(reader->file)) /* getline says it for a line that finds no memory, too, and sets no error then */
    return bus_fail(err, BUS_E_SYSTEM, "LEDGER_FILE %s: cannot be read: %s", path, strerror(errno));
  *ret_good = good;
  return true;
}

bool psp_ledger_replay(int fd, const char *path, bool (*replay)(void *context, const struct psp_entry *entry),
                       void *context, int64_t *ret_good, struct bus_error *err) {
  struct reader reader;
  bool done = reader_open(fd, path, &reader, err) && read_all(&reader, path, replay, context, ret_good, err);
  reader_close(&reader);
  return done;
}
