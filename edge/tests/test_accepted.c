/* The memory of accepted orders: what it knows, for how long, how much of it, and under many threads. */
#include "accepted.h"
#include "test.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifdef SANITIZED
size_t __sanitizer_get_current_allocated_bytes(void); /* gcc brings no header for it */
#endif

static const char hash_a[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
static const char hash_b[] = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

static struct bus_uuid id_of(uint32_t n) {
  char name[16];
  struct bus_uuid id, space = {{1}};
  (void)snprintf(name, sizeof name, "%u", n);
  bus_uuid_v5(&space, bus_str(name), &id);
  return id;
}

static enum accepted_verdict remember(struct accepted *accepted, uint32_t n, const char *hash, int64_t now) {
  struct bus_uuid id = id_of(n);
  return accepted_remember(accepted, &id, bus_str(hash), now);
}

static enum accepted_verdict check(struct accepted *accepted, uint32_t n, const char *hash, int64_t now) {
  struct bus_uuid id = id_of(n);
  return accepted_check(accepted, &id, bus_str(hash), now);
}

TEST(it_knows_what_it_was_told_and_nothing_else)
{
  struct accepted *accepted = accepted_new(10);
  assert_int_equal(check(accepted, 1, hash_a, 0), ACCEPTED_UNKNOWN);
  assert_int_equal(remember(accepted, 1, hash_a, 0), ACCEPTED_UNKNOWN);
  assert_int_equal(check(accepted, 1, hash_a, 1), ACCEPTED_SAME);
  assert_int_equal(check(accepted, 1, hash_b, 1), ACCEPTED_OTHER);
  assert_int_equal(check(accepted, 2, hash_a, 1), ACCEPTED_UNKNOWN);
  accepted_free(accepted);
}

TEST(the_first_body_stays)
{
  struct accepted *accepted = accepted_new(10);
  (void)remember(accepted, 1, hash_a, 0);
  assert_int_equal(remember(accepted, 1, hash_b, 1), ACCEPTED_OTHER);
  assert_int_equal(remember(accepted, 1, hash_a, 1), ACCEPTED_SAME);
  assert_int_equal(check(accepted, 1, hash_a, 2), ACCEPTED_SAME);
  assert_int_equal(accepted_count(accepted), 1);
  accepted_free(accepted);
}

/* The memory keeps 64 bits of the hash; a change of any of their digits is noticed. */
TEST(each_of_the_first_digits_of_a_hash_tells)
{
  static const char digits[] = "0123456789abcdef";
  struct accepted *accepted = accepted_new(10);
  char hash[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  (void)remember(accepted, 1, hash, 0);
  for (int place = 0; place < 16; place++)
    for (int digit = 0; digit < 16; digit++) {
      hash[place] = digits[digit];
      assert_int_equal(check(accepted, 1, hash, 1), digit == place ? ACCEPTED_SAME : ACCEPTED_OTHER);
      hash[place] = digits[place];
    }
  accepted_free(accepted);
}

TEST(it_knows_an_order_whatever_its_hash)
{
  struct accepted *accepted = accepted_new(10);
  struct bus_uuid id = id_of(1), other = id_of(2);
  assert_false(accepted_knows(accepted, &id, 0));
  (void)remember(accepted, 1, hash_a, 0);
  assert_true(accepted_knows(accepted, &id, 10 * BUS_MINUTE - 1));
  assert_false(accepted_knows(accepted, &other, 1));
  assert_false(accepted_knows(accepted, &id, 10 * BUS_MINUTE));
  accepted_free(accepted);
}

TEST(it_forgets_when_told)
{
  struct accepted *accepted = accepted_new(10);
  struct bus_uuid one = id_of(1), two = id_of(2);
  (void)remember(accepted, 1, hash_a, 0);
  (void)remember(accepted, 2, hash_a, 0);
  (void)remember(accepted, 3, hash_a, 0);
  accepted_forget(accepted, &two);
  accepted_forget(accepted, &two);
  assert_int_equal(check(accepted, 2, hash_a, 1), ACCEPTED_UNKNOWN);
  accepted_forget(accepted, &one);
  assert_int_equal(check(accepted, 3, hash_a, 1), ACCEPTED_SAME);
  assert_int_equal(accepted_count(accepted), 1);
  accepted_free(accepted);
}

TEST(it_forgets_after_ten_minutes)
{
  struct accepted *accepted = accepted_new(10);
  (void)remember(accepted, 1, hash_a, 0);
  (void)remember(accepted, 2, hash_a, BUS_MINUTE);
  assert_int_equal(check(accepted, 1, hash_a, 10 * BUS_MINUTE - 1), ACCEPTED_SAME);
  assert_int_equal(check(accepted, 1, hash_a, 10 * BUS_MINUTE), ACCEPTED_UNKNOWN);
  assert_int_equal(check(accepted, 2, hash_a, 10 * BUS_MINUTE), ACCEPTED_SAME);
  assert_int_equal(accepted_count(accepted), 1);
  assert_int_equal(check(accepted, 2, hash_a, 20 * BUS_MINUTE), ACCEPTED_UNKNOWN);
  assert_int_equal(accepted_count(accepted), 0);
  accepted_free(accepted);
}

TEST(it_forgets_with_the_next_full_second)
{
  struct accepted *accepted = accepted_new(10);
  (void)remember(accepted, 1, hash_a, 1);
  assert_int_equal(check(accepted, 1, hash_a, 10 * BUS_MINUTE + BUS_SECOND - 1), ACCEPTED_SAME);
  assert_int_equal(check(accepted, 1, hash_a, 10 * BUS_MINUTE + BUS_SECOND), ACCEPTED_UNKNOWN);
  accepted_free(accepted);
}

/* A century of bus_monotonic. */
TEST(it_forgets_on_a_machine_that_was_never_switched_off)
{
  struct accepted *accepted = accepted_new(10);
  int64_t now = 100 * 365 * 24 * 60 * BUS_MINUTE;
  (void)remember(accepted, 1, hash_a, now);
  assert_int_equal(check(accepted, 1, hash_a, now + 10 * BUS_MINUTE - 1), ACCEPTED_SAME);
  assert_int_equal(check(accepted, 1, hash_a, now + 10 * BUS_MINUTE), ACCEPTED_UNKNOWN);
  accepted_free(accepted);
}

TEST(an_expired_key_is_free_for_another_body)
{
  struct accepted *accepted = accepted_new(10);
  (void)remember(accepted, 1, hash_a, 0);
  assert_int_equal(remember(accepted, 1, hash_b, 11 * BUS_MINUTE), ACCEPTED_UNKNOWN);
  assert_int_equal(check(accepted, 1, hash_b, 11 * BUS_MINUTE), ACCEPTED_SAME);
  accepted_free(accepted);
}

TEST(beyond_the_limit_the_oldest_goes_first)
{
  struct accepted *accepted = accepted_new(100);
  for (uint32_t i = 0; i < 250; i++)
    (void)remember(accepted, i, hash_a, i);
  assert_int_equal(accepted_count(accepted), 100);
  for (uint32_t i = 0; i < 250; i++)
    assert_int_equal(check(accepted, i, hash_a, 250), i < 150 ? ACCEPTED_UNKNOWN : ACCEPTED_SAME);
  accepted_free(accepted);
}

TEST(a_hundred_thousand_fit_and_all_are_found)
{
  struct accepted *accepted = accepted_new(ACCEPTED_MAX);
  for (uint32_t i = 0; i < ACCEPTED_MAX + 10; i++)
    (void)remember(accepted, i, hash_a, 0);
  assert_int_equal(accepted_count(accepted), ACCEPTED_MAX);
  for (uint32_t i = 10; i < ACCEPTED_MAX + 10; i++)
    assert_int_equal(check(accepted, i, hash_a, 1), ACCEPTED_SAME);
  accepted_free(accepted);
}

/* Heap of the process. Under a sanitizer its own allocator is asked, because glibc's is unused then. */
static size_t heap_bytes(void) {
#ifdef SANITIZED
  return __sanitizer_get_current_allocated_bytes();
#else
  struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
#endif
}

enum { SLACK = 4096 }; /* what printing and the C library may keep */

TEST(a_hundred_thousand_take_48_bytes_each_and_none_when_they_are_gone)
{
  size_t before = heap_bytes();
  struct accepted *accepted = accepted_new(ACCEPTED_MAX);
  size_t empty = heap_bytes();
  assert_in_range(empty - before, 0, SLACK);
  (void)remember(accepted, 0, hash_a, 0);
  assert_in_range(heap_bytes() - empty, 1, 4097 * 48); /* one slab */
  for (uint32_t i = 1; i < ACCEPTED_MAX; i++)
    (void)remember(accepted, i, hash_a, 0);
  assert_int_equal(accepted_count(accepted), ACCEPTED_MAX);
  size_t full = heap_bytes() - empty;
  print_message("%zu bytes for %d\n", full, ACCEPTED_MAX);
  assert_in_range(full, ACCEPTED_MAX * sizeof(struct bus_uuid), ACCEPTED_MAX * 48);
  assert_int_equal(check(accepted, 1, hash_a, 10 * BUS_MINUTE), ACCEPTED_UNKNOWN);
  assert_in_range(heap_bytes(), 0, empty + SLACK);
  (void)remember(accepted, 1, hash_a, 0);
  assert_int_equal(check(accepted, 1, hash_a, 1), ACCEPTED_SAME);
  accepted_free(accepted);
  assert_in_range(heap_bytes(), 0, before + SLACK);
}

TEST(a_limit_of_none_remembers_nothing)
{
  struct accepted *accepted = accepted_new(0);
  assert_int_equal(remember(accepted, 1, hash_a, 0), ACCEPTED_UNKNOWN);
  assert_int_equal(check(accepted, 1, hash_a, 0), ACCEPTED_UNKNOWN);
  accepted_free(accepted);
  accepted_free(NULL);
}

/* A model that is too simple to be wrong, and the same random steps on both. */
enum { MODEL_IDS = 64, MODEL_LIMIT = 20, MODEL_STEPS = 50000 };
struct model {
  int64_t at[MODEL_IDS];
  uint64_t order[MODEL_IDS]; /* 0: not there */
  uint64_t next;
};

static void model_expire(struct model *model, int64_t now) {
  for (int i = 0; i < MODEL_IDS; i++)
    if (model->order[i] && (model->at[i] + ACCEPTED_LIFETIME + BUS_SECOND - 1) / BUS_SECOND <= now / BUS_SECOND)
      model->order[i] = 0;
}

static void model_remember(struct model *model, int n, int64_t now) {
  int count = 0, oldest = -1;
  for (int i = 0; i < MODEL_IDS; i++) {
    if (model->order[i] == 0)
      continue;
    count++;
    if (oldest < 0 || model->order[i] < model->order[oldest])
      oldest = i;
  }
  if (model->order[n])
    return;
  if (count == MODEL_LIMIT)
    model->order[oldest] = 0;
  model->order[n] = ++model->next;
  model->at[n] = now;
}

TEST(it_behaves_as_a_simple_model_does)
{
  struct accepted *accepted = accepted_new(MODEL_LIMIT);
  struct model model = {.next = 0};
  struct bus_uuid_source source;
  bus_uuid_source_init(&source, (const uint64_t[4]){1, 2, 3, 4});
  int64_t now = 0;
  for (int step = 0; step < MODEL_STEPS; step++) {
    uint64_t random = bus_uuid_source_random(&source);
    uint32_t n = (uint32_t)(random >> 8) % MODEL_IDS;
    struct bus_uuid id = id_of(n);
    now += (int64_t)(random >> 40) % (BUS_MINUTE / 2);
    model_expire(&model, now);
    if (random % 4 == 0) {
      accepted_forget(accepted, &id);
      model.order[n] = 0;
    } else if (random % 4 == 1) {
      assert_int_equal(check(accepted, n, hash_a, now), model.order[n] ? ACCEPTED_SAME : ACCEPTED_UNKNOWN);
    } else {
      (void)remember(accepted, n, hash_a, now);
      model_remember(&model, (int)n, now);
    }
  }
  for (uint32_t i = 0; i < MODEL_IDS; i++)
    assert_int_equal(check(accepted, i, hash_a, now), model.order[i] ? ACCEPTED_SAME : ACCEPTED_UNKNOWN);
  accepted_free(accepted);
}

enum { THREADS = 4, PER_THREAD = 5000 };
struct worker {
  struct accepted *accepted;
  uint32_t first;
  atomic_int *first_bodies;
};

/* All threads fight over the shared ids with two bodies; each has ids of its own besides. */
static void *work(void *argument) {
  struct worker *worker = argument;
  const char *hash = worker->first % 2 ? hash_a : hash_b;
  for (uint32_t i = 0; i < PER_THREAD; i++) {
    uint32_t own = 1000000 * (worker->first + 1) + i;
    (void)remember(worker->accepted, own, hash, 0);
    if (check(worker->accepted, own, hash, 0) != ACCEPTED_SAME)
      return "an own id was not found";
    if (remember(worker->accepted, i, hash, 0) == ACCEPTED_UNKNOWN)
      atomic_fetch_add(worker->first_bodies, 1);
    struct bus_uuid id = id_of(own);
    accepted_forget(worker->accepted, &id);
  }
  return NULL;
}

TEST(of_many_threads_one_is_first_for_each_key)
{
  struct accepted *accepted = accepted_new(ACCEPTED_MAX);
  atomic_int first_bodies = 0;
  pthread_t threads[THREADS];
  struct worker workers[THREADS];
  for (uint32_t i = 0; i < THREADS; i++) {
    workers[i] = (struct worker){accepted, i, &first_bodies};
    assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
  }
  for (int i = 0; i < THREADS; i++) {
    void *problem = NULL;
    assert_int_equal(pthread_join(threads[i], &problem), 0);
    assert_null(problem);
  }
  assert_int_equal(atomic_load(&first_bodies), PER_THREAD);
  assert_int_equal(accepted_count(accepted), PER_THREAD);
  accepted_free(accepted);
}
