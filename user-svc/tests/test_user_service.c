/* Requests decided over rows in memory. */
#include "user_service.h"

#include <test.h>

#include <stdlib.h>

#define NOW (1000 * BUS_SECOND)

static const struct user_policy policy = {.access_s = 900,
                                          .refresh_s = 3600,
                                          .reset_s = 1800,
                                          .grace_s = 10,
                                          .account_free = 2,
                                          .client_free = 50,
                                          .lock_max_s = 900};

/* One request over a model of its own. The rows that it finds are given. */
struct scene {
  struct bus_arena *arena;
  struct bus_uuid_source ids;
  struct user_request request;
  struct user_completion completion;
  struct bus_envelope envelope;
  struct bus_input input;
  struct user_ask ask;
  struct user_model *model;
  struct bus_effects effects;
  size_t room, issued;
};

static char fresh_token[] = "0123456789012345678901234567890123456789012";
static const char hash_a[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
static const char hash_b[] = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
static const struct bus_uuid user_id = {{7}}, session_id = {{8}};

static bool issue(void *context, const struct user *user, const struct user_ask *ask, bus_time now,
                  struct bus_arena *arena, struct bus_str *ret_sealed) {
  struct scene *scene = context;
  (void)user, (void)ask, (void)now, (void)arena;
  scene->issued++;
  *ret_sealed = BUS_STR("sealed");
  return true;
}

static void begin(struct scene *scene, const struct bus_message_type *type) {
  static const uint64_t seed[4] = {1, 2, 3, 4};
  *scene = (struct scene){.arena = bus_arena_new(1 << 20), .room = 1};
  bus_uuid_source_init(&scene->ids, seed);
  scene->request = (struct user_request){.request_id = {{1}},
                                         .email = BUS_STR("a@b"),
                                         .client = BUS_STR("0123456789abcdef0123456789abcdef"),
                                         .password = BUS_STR("sealed-password")};
  scene->envelope =
      (struct bus_envelope){.message_id = {{9}}, .reply_to = BUS_STR("edge.reply.1"), .deadline = NOW + BUS_SECOND};
  scene->input = (struct bus_input){
      .kind = BUS_INPUT_DELIVERY, .type = type, .envelope = &scene->envelope, .body = &scene->request};
}

static void complete(struct scene *scene, enum user_kind kind, bool verified) {
  begin(scene, NULL);
  scene->completion = (struct user_completion){.kind = kind,
                                               .request_id = {{1}},
                                               .message_id = {{9}},
                                               .deadline = NOW + BUS_SECOND,
                                               .email = "a@b",
                                               .client = "0123456789abcdef0123456789abcdef",
                                               .reply_to = "edge.reply.1",
                                               .verified = verified,
                                               .stored_hash = "argon",
                                               .password_hash = "new-argon"};
  scene->input = (struct bus_input){.kind = BUS_INPUT_COMPLETION, .body = &scene->completion};
}

static void open_model(struct scene *scene) {
  assert_true(user_ask_of(&scene->input, scene->arena, &scene->ask));
  if (scene->ask.kind == USER_REGISTER || scene->ask.kind == USER_PASSWORD)
    scene->ask.user_id = user_id;
  if (scene->ask.kind == USER_REFRESH || scene->ask.kind == USER_LOGOUT || scene->ask.kind == USER_RESET)
    scene->ask.token_hash = bus_str(hash_a);
  scene->ask.session_id = session_id;
  scene->ask.fresh_token = fresh_token;
  scene->ask.fresh_hash = bus_str(hash_b);
  assert_true(user_model_new(&scene->input, &scene->ask, 1, scene->arena, &scene->model));
  scene->model->policy = &policy;
  scene->model->room = scene->room;
  scene->model->issue = issue;
  scene->model->issue_context = scene;
}

/* A user whose row was found, though the request named no id. */
static struct user *add_user(struct scene *scene) {
  struct bus_set *users = &scene->model->users;
  struct bus_set with;
  bus_set_init(&with, users->table, 0, scene->arena);
  bus_set_add(&with, &user_id);
  assert_true(bus_set_open(&with));
  *users = with;
  struct user *user = bus_set_find(users, &user_id);
  user_evolve_registered(user, BUS_STR("a@b"), BUS_NO_STR, BUS_STR("argon"), NOW - BUS_HOUR);
  bus_set_keep(users, user);
  return user;
}

static enum user_outcome decide(struct scene *scene, struct user_answer *ret) {
  bus_effects_init(&scene->effects, scene->arena, &scene->ids, NOW, "user-svc");
  bus_effects_begin(&scene->effects, &scene->input);
  user_service_decide(scene->model, &scene->input, &scene->effects);
  assert_int_equal(bus_effects_end(&scene->effects), BUS_DONE);
  for (const struct bus_effect *effect = scene->effects.first; effect; effect = effect->next)
    if (effect->kind == BUS_EFFECT_ANSWER) {
      assert_true(bus_decode(&user_answer_schema, effect->body, BUS_REFUSE_UNKNOWN, scene->arena, ret, NULL));
      return (enum user_outcome)ret->outcome;
    }
  return (enum user_outcome) - 1;
}

static const struct user_action *action_of(const struct scene *scene) {
  for (const struct bus_effect *effect = scene->effects.first; effect; effect = effect->next)
    if (effect->kind == BUS_EFFECT_ACTION)
      return effect->action;
  return NULL;
}

static void end(struct scene *scene) {
  bus_arena_free(scene->arena);
}

TEST(a_login_has_its_password_compared_away_from_the_worker)
{
  struct scene scene;
  struct user_answer said;
  begin(&scene, &user_login_type);
  open_model(&scene);
  (void)add_user(&scene);
  assert_int_equal((int)decide(&scene, &said), -1);
  const struct user_job *job = action_of(&scene)->job;
  assert_string_equal(job->completion.stored_hash, "argon");
  assert_true(bus_str_is(job->password, "sealed-password"));
  assert_int_equal(scene.model->room, 0);
  end(&scene);
}

/* The same work for an address that nobody has. */
TEST(a_login_of_an_unknown_address_is_hashed_too)
{
  struct scene scene;
  struct user_answer said;
  begin(&scene, &user_login_type);
  open_model(&scene);
  assert_int_equal((int)decide(&scene, &said), -1);
  assert_string_equal(action_of(&scene)->job->completion.stored_hash, "");
  end(&scene);
  complete(&scene, USER_LOGIN, false);
  open_model(&scene);
  assert_int_equal(decide(&scene, &said), USER_REFUSED);
  end(&scene);
}

TEST(no_room_for_a_hash_is_answered_at_once)
{
  struct scene scene;
  struct user_answer said;
  begin(&scene, &user_login_type);
  scene.room = 0;
  open_model(&scene);
  assert_int_equal(decide(&scene, &said), USER_BUSY);
  assert_int_equal(said.retry_after_s, 1);
  assert_null(action_of(&scene));
  end(&scene);
}

TEST(a_right_password_begins_a_session)
{
  struct scene scene;
  struct user_answer said;
  complete(&scene, USER_LOGIN, true);
  open_model(&scene);
  (void)add_user(&scene);
  assert_int_equal(decide(&scene, &said), USER_DONE);
  assert_true(bus_str_is(said.tokens, "sealed"));
  assert_non_null(user_model_session(scene.model, &session_id));
  const struct refresh_token *token = user_model_refresh_token(scene.model, bus_str(hash_b));
  assert_true(token && token->expires_at == NOW + policy.refresh_s * BUS_SECOND);
  end(&scene);
}

/* Between comparing and deciding the password was changed. */
TEST(a_password_that_was_changed_meanwhile_is_refused)
{
  struct scene scene;
  struct user_answer said;
  complete(&scene, USER_LOGIN, true);
  open_model(&scene);
  user_evolve_password(add_user(&scene), BUS_STR("changed"), NOW);
  assert_int_equal(decide(&scene, &said), USER_REFUSED);
  assert_int_equal(scene.issued, 0);
  end(&scene);
}

TEST(a_wrong_password_counts_once_for_each_request)
{
  struct scene scene;
  struct user_answer said;
  complete(&scene, USER_LOGIN, false);
  open_model(&scene);
  (void)add_user(&scene);
  assert_int_equal(decide(&scene, &said), USER_REFUSED);
  const struct guard *guard = user_model_guard(scene.model, scene.ask.account_key);
  assert_int_equal(guard->failures, 1);
  assert_int_equal(decide(&scene, &said), USER_REFUSED); /* the same request again */
  assert_int_equal(guard->failures, 1);
  end(&scene);
}

/* Else one request id would be a licence to guess. */
TEST(a_refused_request_stays_refused_with_the_right_password)
{
  struct scene scene;
  struct user_answer said;
  complete(&scene, USER_LOGIN, true);
  open_model(&scene);
  (void)add_user(&scene);
  user_model_remember(scene.model, &scene.ask.request_id, USER_REFUSED);
  assert_int_equal(decide(&scene, &said), USER_REFUSED);
  assert_int_equal(scene.issued, 0);
  end(&scene);
}

TEST(a_locked_account_refuses_the_right_password_too)
{
  struct scene scene;
  struct user_answer said;
  complete(&scene, USER_LOGIN, true);
  open_model(&scene);
  (void)add_user(&scene);
  user_model_guard(scene.model, scene.ask.account_key)->blocked_until = NOW + 3 * BUS_SECOND;
  assert_int_equal(decide(&scene, &said), USER_LOCKED);
  assert_int_equal(said.retry_after_s, 3);
  assert_int_equal(scene.issued, 0);
  end(&scene);
}

/* Its answer takes as long as that of an open one. */
TEST(a_locked_account_costs_a_hash_and_a_locked_address_none)
{
  struct scene scene;
  struct user_answer said;
  begin(&scene, &user_login_type);
  open_model(&scene);
  (void)add_user(&scene);
  user_model_guard(scene.model, scene.ask.account_key)->blocked_until = NOW + 3 * BUS_SECOND;
  assert_int_equal((int)decide(&scene, &said), -1);
  assert_string_equal(action_of(&scene)->job->completion.stored_hash, "argon");
  end(&scene);
  begin(&scene, &user_login_type);
  open_model(&scene);
  user_model_guard(scene.model, scene.ask.client_key)->blocked_until = NOW + 3 * BUS_SECOND;
  assert_int_equal(decide(&scene, &said), USER_LOCKED);
  assert_null(action_of(&scene));
  end(&scene);
}

TEST(a_completion_past_its_deadline_changes_nothing)
{
  struct scene scene;
  struct user_answer said;
  complete(&scene, USER_REGISTER, false);
  scene.completion.deadline = NOW - 1;
  open_model(&scene);
  assert_int_equal((int)decide(&scene, &said), -1);
  assert_null(user_model_user(scene.model, &user_id));
  end(&scene);
}

TEST(a_registration_of_a_known_address_says_the_same_and_changes_nothing)
{
  struct scene scene;
  struct user_answer said;
  complete(&scene, USER_REGISTER, false);
  open_model(&scene);
  assert_int_equal(decide(&scene, &said), USER_DONE);
  const struct user *user = user_model_user(scene.model, &user_id);
  assert_true(user && bus_str_is(user->password_hash, "new-argon"));
  end(&scene);
  complete(&scene, USER_REGISTER, false);
  open_model(&scene);
  const struct user *known = add_user(&scene);
  assert_int_equal(decide(&scene, &said), USER_DONE);
  assert_true(bus_str_is(known->password_hash, "argon"));
  assert_false(bus_set_is_changed(&scene.model->users, known));
  end(&scene);
}

static struct refresh_token *add_token(struct scene *scene) {
  struct bus_str hash = bus_str(hash_a);
  struct session *session = bus_set_find(&scene->model->sessions, &session_id);
  struct refresh_token *token = bus_set_find(&scene->model->refresh_tokens, &hash);
  session->user_id = user_id;
  session->created_at = session->last_used_at = NOW - BUS_MINUTE;
  token->session_id = session_id;
  token->expires_at = NOW + BUS_HOUR;
  bus_set_keep(&scene->model->sessions, session);
  bus_set_keep(&scene->model->refresh_tokens, token);
  return token;
}

TEST(a_refresh_rotates_the_token_and_a_stolen_one_ends_the_session)
{
  struct scene scene;
  struct user_answer said;
  begin(&scene, &user_refresh_type);
  open_model(&scene);
  (void)add_user(&scene);
  struct refresh_token *token = add_token(&scene);
  assert_int_equal(decide(&scene, &said), USER_DONE);
  assert_true(token->rotated_at == NOW && bus_uuid_equal(&token->rotated_by, &scene.ask.request_id));
  assert_int_equal(scene.issued, 1);
  token->rotated_at = NOW - BUS_MINUTE;
  token->rotated_by = (struct bus_uuid){{0x33}};
  assert_int_equal(decide(&scene, &said), USER_INVALID);
  assert_true(user_model_session(scene.model, &session_id)->revoked_at == NOW);
  assert_int_equal(scene.issued, 1);
  end(&scene);
}

TEST(a_logout_ends_the_session_and_says_the_same_of_an_unknown_token)
{
  struct scene scene;
  struct user_answer said;
  begin(&scene, &user_logout_type);
  open_model(&scene);
  (void)add_token(&scene);
  assert_int_equal(decide(&scene, &said), USER_DONE);
  assert_true(user_model_session(scene.model, &session_id)->revoked_at == NOW);
  end(&scene);
  begin(&scene, &user_logout_type);
  open_model(&scene);
  assert_int_equal(decide(&scene, &said), USER_DONE);
  end(&scene);
}

TEST(a_forgotten_password_says_the_same_of_every_address)
{
  struct scene scene;
  struct user_answer said;
  begin(&scene, &user_forgot_type);
  open_model(&scene);
  assert_int_equal(decide(&scene, &said), USER_DONE);
  assert_null(action_of(&scene));
  end(&scene);
  begin(&scene, &user_forgot_type);
  scene.request.client = BUS_NO_STR;
  scene.ask.fresh_hash = bus_str(hash_b);
  open_model(&scene);
  (void)add_user(&scene);
  assert_int_equal(decide(&scene, &said), USER_DONE);
  assert_ptr_equal(action_of(&scene)->handover->token, fresh_token);
  const struct reset_token *reset = user_model_reset_token(scene.model, bus_str(hash_b));
  assert_true(reset && reset->expires_at == NOW + policy.reset_s * BUS_SECOND);
  end(&scene);
}

TEST(a_reset_token_sets_the_password_once)
{
  struct scene scene;
  struct user_answer said;
  struct bus_str hash = bus_str(hash_a);
  complete(&scene, USER_RESET, false);
  open_model(&scene);
  const struct user *user = add_user(&scene);
  struct reset_token *reset = bus_set_find(&scene.model->reset_tokens, &hash);
  reset->user_id = user_id;
  reset->expires_at = NOW + 1;
  bus_set_keep(&scene.model->reset_tokens, reset);
  assert_int_equal(decide(&scene, &said), USER_DONE);
  assert_true(bus_str_is(user->password_hash, "new-argon"));
  assert_true(user->sessions_from == NOW);
  assert_int_equal(decide(&scene, &said), USER_DONE); /* the same request */
  scene.completion.request_id = scene.ask.request_id = (struct bus_uuid){{0x44}};
  assert_int_equal(decide(&scene, &said), USER_INVALID);
  end(&scene);
}
