/* The ledger's file: what is appended is read again, torn lines are cut off, corruption is refused. */
#include "ledger.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test.h"

#define FINGERPRINT "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct seen {
  int count;
  char last_id[64];
  int64_t sum;
  bool refuse;
};

static bool see(void *context, const struct psp_entry *entry) {
  struct seen *seen = context;
  snprintf(seen->last_id, sizeof seen->last_id, "%.*s", (int)entry->id.len, entry->id.data);
  seen->sum += entry->amount;
  seen->count++;
  return !seen->refuse;
}

static const char *new_path(void) {
  static char path[64];
  snprintf(path, sizeof path, "/tmp/psp-ledger-test-XXXXXX");
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  close(fd);
  return path;
}

static struct psp_ledger *open_ledger(const char *path, struct seen *seen) {
  struct psp_ledger *ledger = NULL;
  struct bus_error err;
  *seen = (struct seen){0};
  if (!psp_ledger_open(path, see, seen, &ledger, &err))
    fail_msg("%s", err.text);
  return ledger;
}

static void append(struct psp_ledger *ledger, const char *id, int64_t amount) {
  struct bus_arena *arena = bus_arena_new(1 << 20);
  struct bus_str line;
  const struct psp_entry entry = {.type = PSP_CAPTURED,
                                  .id = bus_str(id),
                                  .idempotency_key = BUS_STR("key \"quoted\" \\ é"),
                                  .fingerprint = BUS_STR(FINGERPRINT),
                                  .amount = amount,
                                  .currency = BUS_STR("eur"),
                                  .status = 200,
                                  .answer = BUS_STR("{\"id\":\"x\",\"list\":[1,null,{\"a\":\"\\u001f\"}]}"),
                                  .at = INT64_C(1700000000123000)};
  assert_true(psp_entry_format(&entry, arena, &line));
  psp_ledger_append(ledger, line);
  bus_arena_free(arena);
}

static void append_raw(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_APPEND);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, strlen(text)), strlen(text));
  close(fd);
}

static int64_t size_of(const char *path) {
  struct stat stat_of_file;
  assert_int_equal(stat(path, &stat_of_file), 0);
  return stat_of_file.st_size;
}

TEST(an_entry_survives_its_line)
{
  struct bus_arena *arena = bus_arena_new(1 << 20);
  struct bus_problems problems = {0};
  struct bus_str line;
  struct psp_entry again;
  const struct psp_entry entry = {.type = PSP_REFUNDED,
                                  .id = BUS_STR("re_1234"),
                                  .amount = 7,
                                  .currency = BUS_STR("eur"),
                                  .payment_intent = BUS_STR("pi_1234"),
                                  .order_id = BUS_STR("o-1"),
                                  .status = 200,
                                  .answer = BUS_STR("{\"a\":[1,2]}"),
                                  .at = INT64_C(1700000000123000)};
  assert_true(psp_entry_format(&entry, arena, &line));
  assert_int_equal(line.data[line.len - 1], '\n');
  assert_true(psp_entry_parse((struct bus_str){line.data, line.len - 1}, arena, &again, &problems));
  assert_int_equal(again.type, PSP_REFUNDED);
  assert_true(bus_str_is(again.answer, "{\"a\":[1,2]}"));
  assert_null(again.idempotency_key.data);
  assert_true(again.at == entry.at);
  bus_arena_free(arena);
}

TEST(what_was_appended_is_read_again)
{
  const char *path = new_path();
  struct seen seen;
  struct psp_ledger *ledger = open_ledger(path, &seen);
  assert_int_equal(seen.count, 0);
  append(ledger, "pi_1111", 5);
  append(ledger, "pi_2222", 6);
  assert_true(psp_ledger_size(ledger) == size_of(path));
  psp_ledger_close(ledger);
  ledger = open_ledger(path, &seen);
  assert_int_equal(seen.count, 2);
  assert_int_equal(seen.sum, 11);
  assert_string_equal(seen.last_id, "pi_2222");
  append(ledger, "pi_3333", 7);
  psp_ledger_close(ledger);
  ledger = open_ledger(path, &seen);
  assert_int_equal(seen.count, 3);
  psp_ledger_close(ledger);
  unlink(path);
}

static void cut_off(const char *torn) {
  const char *path = new_path();
  struct seen seen;
  struct psp_ledger *ledger = open_ledger(path, &seen);
  append(ledger, "pi_1111", 5);
  psp_ledger_close(ledger);
  int64_t good = size_of(path);
  append_raw(path, torn);
  ledger = open_ledger(path, &seen);
  assert_int_equal(seen.count, 1);
  assert_true(size_of(path) == good);
  append(ledger, "pi_2222", 6);
  psp_ledger_close(ledger);
  ledger = open_ledger(path, &seen);
  assert_int_equal(seen.count, 2);
  psp_ledger_close(ledger);
  unlink(path);
}

TEST(a_torn_last_line_is_cut_off)
{
  cut_off("{\"type\":\"captured\",\"id\":\"pi_2");
  cut_off("x");
  cut_off("{}\n");
  cut_off("\n");
}

TEST(corruption_before_the_end_is_refused_with_its_line)
{
  const char *path = new_path();
  struct seen seen;
  struct bus_error err;
  struct psp_ledger *ledger = open_ledger(path, &seen), *none = NULL;
  append(ledger, "pi_1111", 5);
  psp_ledger_close(ledger);
  append_raw(path, "garbage\n{}\n");
  int64_t size = size_of(path);
  assert_false(psp_ledger_open(path, see, &seen, &none, &err));
  assert_null(none);
  assert_non_null(strstr(err.text, "line 2"));
  assert_true(size_of(path) == size);
  unlink(path);
}

TEST(a_ledger_has_one_owner)
{
  const char *path = new_path();
  struct seen seen;
  struct bus_error err;
  struct psp_ledger *ledger = open_ledger(path, &seen), *none = NULL;
  assert_false(psp_ledger_open(path, see, &seen, &none, &err));
  assert_non_null(strstr(err.text, "another process"));
  psp_ledger_close(ledger);
  psp_ledger_close(NULL);
  unlink(path);
}

TEST(a_file_that_cannot_be_had_is_named)
{
  struct seen seen = {0};
  struct bus_error err;
  struct psp_ledger *none = NULL;
  assert_false(psp_ledger_open("/nowhere/ledger", see, &seen, &none, &err));
  assert_int_equal(err.code, BUS_E_CONFIG);
  assert_non_null(strstr(err.text, "/nowhere/ledger"));
}

TEST(a_replay_that_fails_fails_the_open)
{
  const char *path = new_path();
  struct seen seen;
  struct bus_error err;
  struct psp_ledger *ledger = open_ledger(path, &seen);
  append(ledger, "pi_1111", 5);
  psp_ledger_close(ledger);
  seen.refuse = true;
  assert_false(psp_ledger_open(path, see, &seen, &ledger, &err));
  unlink(path);
}

enum { THREADS = 16, LINES = 20, SYNC_MS = 20 };
static bool is_slow;

/* In the C library's place: a disk that is slow enough for every thread to have come again, on a busy machine too. */
int fdatasync(int fd) {
  if (is_slow)
    usleep(SYNC_MS * 1000);
  return (int)syscall(SYS_fdatasync, fd);
}

static void *append_many(void *context) {
  for (int i = 0; i < LINES; i++)
    append(context, "pi_many", 1);
  return NULL;
}

TEST(appends_at_the_same_time_share_their_syncs)
{
  const char *path = new_path();
  struct seen seen;
  pthread_t threads[THREADS];
  int64_t lines, syncs;
  struct psp_ledger *ledger = open_ledger(path, &seen);
  is_slow = true;
  for (int i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, append_many, ledger), 0);
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  psp_ledger_counts(ledger, &lines, &syncs);
  psp_ledger_close(ledger);
  ledger = open_ledger(path, &seen);
  psp_ledger_close(ledger);
  assert_int_equal(seen.count, THREADS * LINES);
  assert_int_equal(lines, THREADS * LINES);
  assert_true(syncs < lines / 2);
  unlink(path);
}
