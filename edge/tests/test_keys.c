/* Key sets that come from a source of the test: readings by time and by unknown keys, failures, and the file. */
#include "keys.h"

#include <bus/clock.h>

#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys_file.h"
#include "test.h"

/* The key set that the source has now, signers of its keys, and how often it was read. */
static struct {
  pthread_mutex_t mutex;
  struct bus_str jwks; /* absent: the source fails */
  atomic_int readings;
} source = {.mutex = PTHREAD_MUTEX_INITIALIZER};
static struct bus_arena *arena;
static struct bus_error err;
static char path[64];

static bool read_source(void *context, struct bus_arena *into, struct bus_str *ret, struct bus_error *error) {
  (void)context;
  (void)pthread_mutex_lock(&source.mutex);
  bool up = source.jwks.data != NULL;
  if (up)
    *ret = bus_arena_copy(into, source.jwks);
  (void)pthread_mutex_unlock(&source.mutex);
  atomic_fetch_add(&source.readings, 1);
  return up || bus_fail(error, BUS_E_TIMEOUT, "the source is away");
}

static struct bus_token_signer *new_signer(const char *kid) {
  struct bus_token_signer *signer = NULL;
  struct bus_str pem;
  assert_true(bus_token_key_generate(arena, &pem, &err) && bus_token_signer_new(pem, kid, &signer, &err));
  return signer;
}

/* The source has this signer's key; NULL: it fails. */
static void serve(const struct bus_token_signer *signer) {
  struct bus_str jwks = BUS_NO_STR;
  struct bus_jwk jwk;
  if (signer) {
    assert_true(bus_token_signer_jwk(signer, arena, &jwk));
    assert_true(bus_encode(&bus_jwks_schema, &(struct bus_jwks){&jwk, 1}, arena, &jwks));
  }
  (void)pthread_mutex_lock(&source.mutex);
  source.jwks = jwks;
  (void)pthread_mutex_unlock(&source.mutex);
}

static struct bus_str token_of(const struct bus_token_signer *signer) {
  struct bus_token_claims claims = {.sub = "c-1", .iss = "i", .iat = bus_wall_clock()};
  struct bus_str token;
  claims.exp = claims.iat + BUS_MINUTE;
  assert_true(bus_token_sign(signer, &claims, "a", BUS_NO_STR, arena, &token, &err));
  return token;
}

static enum bus_token_verdict check(struct edge_keys *keys, struct bus_str token, bool *ret_ready) {
  struct bus_token_claims claims;
  return edge_keys_check(keys, token, arena, &claims, ret_ready);
}

static struct edge_keys *open_keys(const char *iss, int64_t refresh) {
  struct edge_keys *keys;
  const struct edge_issuer issuer = {.issuer = {.iss = iss, .aud = "a", .algs = BUS_TOKEN_ES256, .max_age = BUS_HOUR},
                                     .source = {.name = "test", .read = read_source},
                                     .refresh = refresh,
                                     .file = path};
  assert_true(edge_keys_open(&issuer, 1, &keys, &err));
  return keys;
}

static void set_up(void) {
  arena = bus_arena_new((size_t)16 << 20);
  (void)snprintf(path, sizeof path, "/tmp/orderbus-keys-%d", (int)getpid());
  (void)unlink(path);
  atomic_store(&source.readings, 0);
}

static void tear_down(void) {
  (void)unlink(path);
  bus_arena_free(arena);
}

static void wait_readings(int count) {
  for (int i = 0; i < 1000 && atomic_load(&source.readings) < count; i++)
    (void)usleep(10000);
  assert_true(atomic_load(&source.readings) >= count);
}

static void wait_accepted(struct edge_keys *keys, struct bus_str token) {
  bool ready;
  for (int i = 0; i < 1000 && check(keys, token, &ready) != BUS_TOKEN_OK; i++)
    (void)usleep(10000);
  assert_int_equal(check(keys, token, &ready), BUS_TOKEN_OK);
}

TEST(A13_a_set_is_read_again_by_time)
{
  bool ready;
  set_up();
  struct bus_token_signer *first = new_signer("first"), *next = new_signer("next");
  serve(first);
  struct edge_keys *keys = open_keys("i", 50 * BUS_MILLISECOND);
  wait_readings(2);
  struct bus_str token = token_of(first);
  assert_int_equal(check(keys, token, &ready), BUS_TOKEN_OK);
  serve(next);
  wait_readings(atomic_load(&source.readings) + 2);
  assert_int_equal(check(keys, token, &ready), BUS_TOKEN_KEY);
  assert_int_equal(check(keys, token_of(next), &ready), BUS_TOKEN_OK);
  serve(NULL); /* the last set stays */
  wait_readings(atomic_load(&source.readings) + 2);
  assert_int_equal(check(keys, token_of(next), &ready), BUS_TOKEN_OK);
  edge_keys_close(keys);
  bus_token_signer_free(first);
  bus_token_signer_free(next);
  tear_down();
}

TEST(unknown_keys_ask_for_one_reading_in_five_seconds)
{
  bool ready;
  set_up();
  struct bus_token_signer *first = new_signer("first"), *other = new_signer("other");
  serve(first);
  struct edge_keys *keys = open_keys("i", BUS_MINUTE);
  wait_accepted(keys, token_of(first));
  struct bus_str unknown = token_of(other);
  for (int i = 0; i < 20; i++)
    assert_int_equal(check(keys, unknown, &ready), BUS_TOKEN_KEY);
  assert_true(ready);
  assert_in_range(atomic_load(&source.readings), 1, 2);
  edge_keys_close(keys);
  bus_token_signer_free(first);
  bus_token_signer_free(other);
  tear_down();
}

/* When the file was written, in nanoseconds. */
static int64_t stored_at(void) {
  struct stat status;
  assert_int_equal(stat(path, &status), 0);
  return (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
}

TEST(a_set_is_stored_when_it_has_changed_and_not_at_each_reading)
{
  set_up();
  struct bus_token_signer *first = new_signer("first"), *next = new_signer("next");
  serve(first);
  struct edge_keys *keys = open_keys("i", 20 * BUS_MILLISECOND);
  wait_readings(2);
  int64_t written = stored_at();
  wait_readings(atomic_load(&source.readings) + 5);
  assert_int_equal(stored_at(), written);
  edge_keys_close(keys);
  keys = open_keys("i", 20 * BUS_MILLISECOND); /* what the file has is known after a start */
  wait_readings(atomic_load(&source.readings) + 2);
  assert_int_equal(stored_at(), written);
  serve(next);
  wait_readings(atomic_load(&source.readings) + 3);
  assert_int_not_equal(stored_at(), written);
  edge_keys_close(keys);
  bus_token_signer_free(first);
  bus_token_signer_free(next);
  tear_down();
}

TEST(a_stored_set_serves_while_the_source_is_away)
{
  bool ready;
  struct stat status;
  set_up();
  struct bus_token_signer *first = new_signer("first");
  serve(first);
  struct edge_keys *keys = open_keys("i", BUS_MINUTE);
  wait_readings(1);
  edge_keys_close(keys); /* after the reading, and what it stores */
  assert_int_equal(stat(path, &status), 0);
  assert_int_equal(status.st_mode & 0777, 0600);
  serve(NULL);
  keys = open_keys("i", BUS_MINUTE);
  assert_int_equal(check(keys, token_of(first), &ready), BUS_TOKEN_OK);
  edge_keys_close(keys);
  keys = open_keys("another", BUS_MINUTE); /* whose keys these are not */
  struct bus_str jwks;
  assert_false(keys_file_read(path, "another", arena, &jwks));
  edge_keys_close(keys);
  (void)unlink(path);
  keys = open_keys("i", BUS_MINUTE);
  assert_int_equal(check(keys, token_of(first), &ready), BUS_TOKEN_KEY);
  assert_false(ready);
  edge_keys_close(keys);
  bus_token_signer_free(first);
  tear_down();
}
