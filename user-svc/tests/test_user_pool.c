/* Threads that hash and keys that issue, without a worker: a password goes in sealed and comes back as a completion,
 * and tokens come out sealed to the asker. */
#include "user_keys.h"
#include "user_pool.h"

#include <bus/clock.h>
#include <test.h>

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- the worker ---- */

static struct bus_poll_source source;
static struct user_completion pushed[4];
static size_t pushed_count;

bool bus_worker_add_source(struct bus_worker *worker, struct bus_poll_source added) {
  (void)worker;
  source = added;
  return true;
}

bool bus_worker_push(struct bus_worker *worker, enum bus_input_kind kind, const void *body, size_t size) {
  (void)worker;
  assert_int_equal(kind, BUS_INPUT_COMPLETION);
  assert_int_equal(size, sizeof pushed[0]);
  assert_true(pushed_count < BUS_COUNT(pushed));
  memcpy(&pushed[pushed_count++], body, size);
  return true;
}

static void await(size_t count) {
  int64_t until = bus_monotonic() + 60 * BUS_SECOND;
  while (pushed_count < count && bus_monotonic() < until) {
    struct pollfd fd;
    int timeout_ms = 100;
    size_t fds = source.prepare(source.context, &fd, 1, &timeout_ms);
    (void)poll(&fd, 1, 100);
    source.dispatch(source.context, &fd, fds);
  }
  assert_int_equal(pushed_count, count);
}

/* ---- the pool ---- */

static struct bus_seal_pair pair;
static struct bus_arena *arena;
static struct user_pool *pool;
static struct user_pool_client *client;

static void set_up(size_t threads, size_t queue) {
  struct bus_error err;
  pushed_count = 0;
  arena = bus_arena_new(1 << 20);
  assert_true(bus_secret_init(&err));
  bus_seal_pair_new(&pair);
  const struct user_pool_settings settings = {.threads = threads, .queue = queue, .cost = {2, 65536}, .seal = &pair};
  assert_true(user_pool_new(&settings, &pool, &err) && user_pool_join(pool, NULL, &client, &err));
}

static void tear_down(void) {
  user_pool_leave(client);
  user_pool_free(pool);
  bus_arena_free(arena);
}

static struct bus_str sealed(const char *password) {
  struct bus_str text;
  assert_true(bus_seal(&pair.public_key, bus_str(password), arena, &text));
  return text;
}

static struct user_job job_of(const char *password, const char *new_password, const char *stored_hash) {
  struct user_job job = {.completion = {.kind = USER_LOGIN, .deadline = bus_wall_clock() + BUS_HOUR}};
  if (password)
    job.password = sealed(password);
  if (new_password)
    job.new_password = sealed(new_password);
  (void)snprintf(job.completion.stored_hash, sizeof job.completion.stored_hash, "%s", stored_hash);
  return job;
}

TEST(a_password_is_hashed_and_compared)
{
  set_up(2, 8);
  struct user_job job = job_of(NULL, "correct horse", "");
  user_pool_add(client, &job);
  await(1);
  char hash[USER_PASSWORD_HASH_MAX + 1];
  memcpy(hash, pushed[0].password_hash, sizeof hash);
  assert_non_null(strstr(hash, "$argon2id$"));
  job = job_of("correct horse", "another horse", hash);
  user_pool_add(client, &job);
  await(2);
  assert_true(pushed[1].verified && strstr(pushed[1].password_hash, "$argon2id$"));
  job = job_of("wrong horse", "another horse", hash);
  user_pool_add(client, &job);
  await(3);
  assert_false(pushed[2].verified || pushed[2].password_hash[0]);
  job = job_of("correct horse", NULL, "");
  user_pool_add(client, &job);
  await(4);
  assert_false(pushed[3].verified);
  tear_down();
}

TEST(a_job_past_its_deadline_is_not_hashed_and_a_short_password_has_no_hash)
{
  set_up(1, 8);
  struct user_job job = job_of(NULL, "correct horse", "");
  job.completion.deadline = bus_wall_clock() - BUS_SECOND;
  user_pool_add(client, &job);
  await(1);
  assert_string_equal(pushed[0].password_hash, "");
  job = job_of(NULL, "short", "");
  user_pool_add(client, &job);
  await(2);
  assert_string_equal(pushed[1].password_hash, "");
  tear_down();
}

TEST(a_full_pool_has_no_room_and_drops_what_comes_nevertheless)
{
  set_up(1, 1);
  struct user_job job = job_of(NULL, "correct horse", "");
  assert_int_equal(user_pool_room(pool), 2);
  for (int i = 0; i < 5; i++)
    user_pool_add(client, &job);
  assert_true(user_pool_room(pool) <= 1);
  await(2);
  assert_int_equal(user_pool_room(pool), 2);
  tear_down();
}

TEST(a_client_that_leaves_waits_for_its_hash)
{
  set_up(1, 8);
  struct user_job job = job_of(NULL, "correct horse", "");
  for (int i = 0; i < 4; i++)
    user_pool_add(client, &job);
  tear_down();
  assert_int_equal(pushed_count, 0);
}

/* ---- keys ---- */

static void write_file(const char *path, struct bus_str text, mode_t mode) {
  (void)unlink(path);
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
  assert_true(fd >= 0 && write(fd, text.data, text.len) == (ssize_t)text.len);
  (void)close(fd);
}

TEST(tokens_are_signed_and_sealed_to_the_asker)
{
  char folder[] = "/tmp/user-keys-XXXXXX", seal[64], signing[64], reply[BUS_SEAL_KEY_TEXT + 1], text[4096];
  struct user_key_ring ring;
  struct user_settings settings = {.issuer = "http://issuer", .audience = "orderbus", .access_s = 900};
  struct bus_error err;
  struct bus_seal_pair asker;
  struct bus_str pem, tokens;
  struct user_tokens made;
  size_t len;
  arena = bus_arena_new(1 << 20);
  assert_true(bus_secret_init(&err) && mkdtemp(folder));
  (void)snprintf(seal, sizeof seal, "%s/seal", folder);
  (void)snprintf(signing, sizeof signing, "%s/signing", folder);
  bus_seal_pair_new(&pair);
  bus_seal_key_format(&pair.secret_key, text);
  write_file(seal, bus_str(text), 0400);
  assert_true(bus_token_key_generate(arena, &pem, &err));
  write_file(signing, pem, 0444);
  settings.seal_key_file = seal;
  settings.signing_key_file = signing;
  assert_false(user_keys_open(&settings, &ring, &err));
  assert_non_null(strstr(err.text, "0400"));
  write_file(signing, pem, 0400);
  assert_true(user_keys_open(&settings, &ring, &err));
  assert_int_equal(ring.published.jwks.key_count, 1);

  struct user_completion done = {.kind = USER_LOGIN};
  struct user_ask ask = {.kind = USER_LOGIN, .completion = &done};
  assert_true(user_keys_prepare(&ring, &ask, arena));
  bus_seal_pair_new(&asker);
  bus_seal_key_format(&asker.public_key, reply);
  ask.reply_key = bus_str(reply);
  const struct user user = {.user_id = {{7}}, .role = USER_ADMIN};
  assert_true(user_keys_issue(&ring, &user, &ask, bus_wall_clock(), arena, &tokens));
  assert_string_equal(ask.fresh_token, ""); /* erased */
  assert_true(bus_unseal(&asker, tokens, text, sizeof text, &len));
  assert_true(bus_decode(&user_tokens_schema, (struct bus_str){text, len}, BUS_REFUSE_UNKNOWN, arena, &made, NULL));

  struct bus_str jwks;
  struct bus_token_keys *keys;
  struct bus_token_claims claims;
  assert_true(bus_encode(&bus_jwks_schema, &ring.published.jwks, arena, &jwks));
  assert_true(bus_token_keys_parse(jwks, BUS_TOKEN_ES256, arena, &keys, &err));
  const struct bus_token_issuer issuer = {.iss = "http://issuer",
                                          .aud = "orderbus",
                                          .algs = BUS_TOKEN_ES256,
                                          .max_age = BUS_HOUR,
                                          .strict_typ = true,
                                          .keys = keys};
  assert_int_equal(bus_token_check(&issuer, 1, made.access_token, bus_wall_clock(), arena, &claims), BUS_TOKEN_OK);
  assert_int_equal(claims.role, BUS_ROLE_ADMIN);
  bus_token_keys_free(keys);
  user_keys_close(&ring);
  bus_arena_free(arena);
  (void)unlink(seal);
  (void)unlink(signing);
  (void)rmdir(folder);
}
