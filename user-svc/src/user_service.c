/* Requests: what becomes of users, sessions and attempts, and the answer. A request with a password is decided twice:
 * when it comes, which only reads and has the password hashed, and when the hash is there. */
#include "user_service.h"

#include <stdio.h>

#include <assert.h>

enum { BUSY_RETRY_S = 1 };

/* ---- answers ---- */

static void answer(const struct user_ask *ask, struct bus_effects *effects, const struct user_answer *body) {
  if (!ask->completion) {
    bus_answer(effects, &user_answer_type, body);
    return;
  }
  const struct bus_asker asker = {.reply_to = bus_str(ask->completion->reply_to),
                                  .request_id = ask->completion->message_id};
  bus_answer_to(effects, &asker, &user_answer_type, body);
}

static void say(const struct user_ask *ask, struct bus_effects *effects, enum user_outcome outcome) {
  answer(ask, effects, &(struct user_answer){.outcome = (int)outcome, .retry_after_s = BUS_NO_INT64});
}

static void say_later(const struct user_ask *ask, struct bus_effects *effects, enum user_outcome outcome, int64_t s) {
  answer(ask, effects, &(struct user_answer){.outcome = (int)outcome, .retry_after_s = s > 0 ? s : 1});
}

/* ---- jobs ---- */

static void put(char *to, size_t size, struct bus_str text) {
  (void)snprintf(to, size, "%.*s", (int)text.len, text.len > 0 ? text.data : "");
}

static void fill_job(struct user_job *job, const struct user_ask *ask, const struct bus_input *input,
                     struct bus_str stored_hash) {
  struct user_completion *done = &job->completion;
  *done = (struct user_completion){.kind = ask->kind,
                                   .request_id = ask->request_id,
                                   .user_id = ask->user_id,
                                   .message_id = input->envelope->message_id,
                                   .deadline = input->envelope->deadline};
  put(done->email, sizeof done->email, ask->email);
  put(done->name, sizeof done->name, ask->name);
  put(done->client, sizeof done->client, ask->client);
  put(done->reply_key, sizeof done->reply_key, ask->reply_key);
  put(done->reply_to, sizeof done->reply_to, input->envelope->reply_to);
  put(done->token_hash, sizeof done->token_hash, ask->token_hash);
  put(done->stored_hash, sizeof done->stored_hash, stored_hash);
  job->password = ask->request->password;
  job->new_password = ask->request->new_password;
}

/* Hashes after COMMIT; the request comes back as a completion. */
static void hash(struct user_model *model, const struct user_ask *ask, const struct bus_input *input,
                 struct bus_str stored_hash, struct bus_effects *effects) {
  if (model->room == 0) {
    say_later(ask, effects, USER_BUSY, BUSY_RETRY_S);
    return;
  }
  struct user_job *job = bus_effects_array(effects, 1, sizeof *job);
  struct user_action *action = bus_effects_array(effects, 1, sizeof *action);
  if (!job || !action)
    return;
  model->room--;
  fill_job(job, ask, input, stored_hash);
  action->job = job;
  bus_act(effects, action);
}

/* ---- sessions ---- */

/* Adds the session's next refresh token and answers with it. */
static void issue(struct user_model *model, const struct user_ask *ask, const struct user *user,
                  const struct bus_uuid *session_id, struct bus_effects *effects) {
  struct user_answer body = {.outcome = USER_DONE, .retry_after_s = BUS_NO_INT64};
  struct refresh_token *fresh = bus_set_find(&model->refresh_tokens, &ask->fresh_hash);
  assert(fresh);
  if (!model->issue(model->issue_context, user, ask, effects->now, effects->arena, &body.tokens)) {
    say(ask, effects, USER_INVALID);
    return;
  }
  fresh->session_id = *session_id;
  fresh->expires_at = effects->now + model->policy->refresh_s * BUS_SECOND;
  fresh->rotated_at = BUS_NO_TIME;
  bus_set_change(&model->refresh_tokens, fresh);
  answer(ask, effects, &body);
}

static void begin_session(struct user_model *model, const struct user_ask *ask, const struct user *user,
                          struct bus_effects *effects) {
  struct session *session = bus_set_find(&model->sessions, &ask->session_id);
  assert(session);
  session->user_id = user->user_id;
  session->created_at = session->last_used_at = effects->now;
  session->revoked_at = BUS_NO_TIME;
  bus_set_change(&model->sessions, session);
  issue(model, ask, user, &session->session_id, effects);
}

static void end_session(struct user_model *model, struct session *session, bus_time now) {
  if (session->revoked_at != BUS_NO_TIME)
    return;
  session->revoked_at = now;
  bus_set_change(&model->sessions, session);
}

static void refresh(struct user_model *model, const struct user_ask *ask, struct bus_effects *effects) {
  struct refresh_token *token = user_model_refresh_token(model, ask->token_hash);
  struct session *session = token ? user_model_session(model, &token->session_id) : NULL;
  struct user *user = session ? user_model_user(model, &session->user_id) : NULL;
  enum rotation rotation = user_decide_rotation(token, session, user, &ask->request_id, model->policy, effects->now);
  assert(rotation == ROTATION_INVALID || (token && session && user));
  if (rotation == ROTATION_REUSE)
    end_session(model, session, effects->now);
  if (rotation == ROTATION_REUSE || rotation == ROTATION_INVALID) {
    say(ask, effects, USER_INVALID);
    return;
  }
  if (rotation == ROTATION_FIRST) {
    token->rotated_at = effects->now;
    token->rotated_by = ask->request_id;
    bus_set_change(&model->refresh_tokens, token);
  }
  session->last_used_at = effects->now;
  bus_set_change(&model->sessions, session);
  issue(model, ask, user, &session->session_id, effects);
}

static void logout(struct user_model *model, const struct user_ask *ask, struct bus_effects *effects) {
  const struct refresh_token *token = user_model_refresh_token(model, ask->token_hash);
  struct session *session = token ? user_model_session(model, &token->session_id) : NULL;
  if (session)
    end_session(model, session, effects->now);
  say(ask, effects, USER_DONE);
}

/* ---- attempts ---- */

/* The attempt that a request is: of a login by e-mail address, of a change by id. */
static struct attempt attempt_of(const struct user_model *model, const struct user_ask *ask) {
  bool logs_in = ask->kind == USER_LOGIN;
  return (struct attempt){.user =
                              logs_in ? user_model_by_email(model, ask->email) : user_model_user(model, &ask->user_id),
                          .account = user_model_guard(model, ask->account_key),
                          .client = user_model_guard(model, ask->client_key),
                          .past = user_model_past(model, &ask->request_id),
                          .once = !logs_in};
}

static void count_failure(struct user_model *model, struct bus_str key, int64_t free_failures, bus_time now) {
  struct guard *guard = user_model_guard(model, key);
  if (!guard)
    return;
  guard_evolve_failed(guard, free_failures, model->policy->lock_max_s, now);
  bus_set_change(&model->guards, guard);
}

static void refuse(struct user_model *model, const struct user_ask *ask, struct bus_effects *effects) {
  count_failure(model, ask->account_key, model->policy->account_free, effects->now);
  count_failure(model, ask->client_key, model->policy->client_free, effects->now);
  user_model_remember(model, &ask->request_id, USER_REFUSED);
  say(ask, effects, USER_REFUSED);
}

static void forgive(struct user_model *model, const struct user_ask *ask, bus_time now) {
  struct guard *guard = user_model_guard(model, ask->account_key);
  if (!guard || guard->failures == 0)
    return;
  guard_evolve_passed(guard, now);
  bus_set_change(&model->guards, guard);
}

/* True: it is answered. */
static bool ends(struct user_model *model, const struct user_ask *ask, const struct verdict *verdict,
                 struct bus_effects *effects) {
  if (verdict->kind == VERDICT_FAILS)
    refuse(model, ask, effects);
  else if (verdict->kind == VERDICT_SAYS && verdict->outcome == USER_LOCKED)
    say_later(ask, effects, USER_LOCKED, verdict->wait_s);
  else if (verdict->kind == VERDICT_SAYS)
    say(ask, effects, verdict->outcome);
  return verdict->kind != VERDICT_PASSES;
}

/* ---- resets ---- */

/* One answer for every address. */
static void forgot(struct user_model *model, const struct user_ask *ask, struct bus_effects *effects) {
  const struct user *user = user_model_by_email(model, ask->email);
  bool again = user_model_past(model, &ask->request_id) >= 0 ||
               guard_wait_s(user_model_guard(model, ask->account_key), effects->now) > 0 ||
               guard_wait_s(user_model_guard(model, ask->client_key), effects->now) > 0;
  say(ask, effects, USER_DONE);
  if (again)
    return;
  count_failure(model, ask->account_key, model->policy->account_free, effects->now);
  user_model_remember(model, &ask->request_id, USER_DONE);
  if (!user_exists(user))
    return;
  struct reset_token *reset = bus_set_find(&model->reset_tokens, &ask->fresh_hash);
  struct user_action *action = bus_effects_array(effects, 1, sizeof *action);
  struct user_handover *handover = bus_effects_array(effects, 1, sizeof *handover);
  if (!action || !handover)
    return;
  reset->user_id = user->user_id;
  reset->expires_at = effects->now + model->policy->reset_s * BUS_SECOND;
  bus_set_change(&model->reset_tokens, reset);
  *handover = (struct user_handover){user->user_id, ask->fresh_token};
  action->handover = handover;
  bus_act(effects, action);
}

static struct user *user_of_reset(const struct user_model *model, const struct user_ask *ask, bus_time now) {
  const struct reset_token *reset = user_model_reset_token(model, ask->token_hash);
  struct user *user = reset ? user_model_user(model, &reset->user_id) : NULL;
  return user_decide_reset(reset, user, now) ? user : NULL;
}

/* ---- users ---- */

static void show(const struct user_ask *ask, const struct user *user, struct bus_effects *effects) {
  struct user_view view;
  user_view_of(user, &view);
  answer(ask, effects, &(struct user_answer){.outcome = USER_DONE, .retry_after_s = BUS_NO_INT64, .user = &view});
}

static void change_user(struct user_model *model, const struct user_ask *ask, struct bus_effects *effects) {
  struct user *user = user_model_user(model, &ask->user_id);
  if (!user_exists(user)) {
    say(ask, effects, user && ask->kind == USER_ERASE ? USER_DONE : USER_NOT_FOUND);
    return;
  }
  if (ask->kind == USER_ERASE)
    user_evolve_erased(user, effects->now);
  else
    user_evolve_name(user, ask->name);
  bus_set_change(&model->users, user);
  show(ask, user, effects);
}

/* ---- requests as they come ---- */

static void decide_attempt(struct user_model *model, const struct user_ask *ask, const struct bus_input *input,
                           struct bus_effects *effects) {
  const struct attempt attempt = attempt_of(model, ask);
  const struct verdict verdict = user_decide_attempt(&attempt, effects->now);
  if (!ends(model, ask, &verdict, effects))
    hash(model, ask, input, user_exists(attempt.user) ? attempt.user->password_hash : BUS_NO_STR, effects);
}

static void decide_reset(struct user_model *model, const struct user_ask *ask, const struct bus_input *input,
                         struct bus_effects *effects) {
  if (user_model_past(model, &ask->request_id) == USER_DONE)
    say(ask, effects, USER_DONE);
  else if (!user_of_reset(model, ask, effects->now))
    say(ask, effects, USER_INVALID);
  else
    hash(model, ask, input, BUS_NO_STR, effects);
}

static void decide_request(struct user_model *model, const struct user_ask *ask, const struct bus_input *input,
                           struct bus_effects *effects) {
  switch (ask->kind) {
  case USER_REGISTER: /* also for an address that is registered: the answer takes as long */
    hash(model, ask, input, BUS_NO_STR, effects);
    break;
  case USER_LOGIN:
  case USER_PASSWORD:
    decide_attempt(model, ask, input, effects);
    break;
  case USER_RESET:
    decide_reset(model, ask, input, effects);
    break;
  case USER_REFRESH:
    refresh(model, ask, effects);
    break;
  case USER_LOGOUT:
    logout(model, ask, effects);
    break;
  case USER_FORGOT:
    forgot(model, ask, effects);
    break;
  case USER_UPDATE:
  case USER_ERASE:
    change_user(model, ask, effects);
    break;
  case USER_KINDS:
    bus_park(effects, "user-svc takes no such request");
    break;
  }
}

/* ---- requests whose passwords are hashed ---- */

static void finish_register(struct user_model *model, const struct user_ask *ask, struct bus_effects *effects) {
  const char *made = ask->completion->password_hash;
  if (!made[0]) {
    say_later(ask, effects, USER_BUSY, BUSY_RETRY_S);
    return;
  }
  struct user *user = bus_set_find(&model->users, &ask->user_id);
  if (!user_model_by_email(model, ask->email) && user) {
    user_evolve_registered(user, ask->email, ask->name, bus_str(made), effects->now);
    bus_set_change(&model->users, user);
  }
  say(ask, effects, USER_DONE); /* one answer for every address */
}

static void finish_login(struct user_model *model, const struct user_ask *ask, struct bus_effects *effects) {
  forgive(model, ask, effects->now);
  begin_session(model, ask, user_model_by_email(model, ask->email), effects);
}

static void set_password(struct user_model *model, const struct user_ask *ask, struct user *user,
                         struct bus_effects *effects) {
  user_evolve_password(user, bus_str(ask->completion->password_hash), effects->now);
  bus_set_change(&model->users, user);
  user_model_remember(model, &ask->request_id, USER_DONE);
  say(ask, effects, USER_DONE);
}

static void finish_password(struct user_model *model, const struct user_ask *ask, struct bus_effects *effects) {
  if (!ask->completion->password_hash[0]) {
    say_later(ask, effects, USER_BUSY, BUSY_RETRY_S);
    return;
  }
  forgive(model, ask, effects->now);
  set_password(model, ask, user_model_user(model, &ask->user_id), effects);
}

static void finish_attempt(struct user_model *model, const struct user_ask *ask, struct bus_effects *effects) {
  const struct user_completion *done = ask->completion;
  const struct attempt attempt = attempt_of(model, ask);
  const struct verdict verdict =
      user_decide_password(&attempt, done->verified, bus_str(done->stored_hash), effects->now);
  if (ends(model, ask, &verdict, effects))
    return;
  if (ask->kind == USER_LOGIN)
    finish_login(model, ask, effects);
  else
    finish_password(model, ask, effects);
}

static void finish_reset(struct user_model *model, const struct user_ask *ask, struct bus_effects *effects) {
  struct user *user = user_of_reset(model, ask, effects->now);
  if (user_model_past(model, &ask->request_id) == USER_DONE) {
    say(ask, effects, USER_DONE);
  } else if (!user) {
    say(ask, effects, USER_INVALID);
  } else if (!ask->completion->password_hash[0]) {
    say_later(ask, effects, USER_BUSY, BUSY_RETRY_S);
  } else {
    struct reset_token *reset = user_model_reset_token(model, ask->token_hash);
    reset->used_at = effects->now;
    bus_set_change(&model->reset_tokens, reset);
    set_password(model, ask, user, effects);
  }
}

static void decide_completion(struct user_model *model, const struct user_ask *ask, struct bus_effects *effects) {
  if (ask->completion->deadline < effects->now)
    return; /* the asker has given up */
  if (ask->kind == USER_REGISTER)
    finish_register(model, ask, effects);
  else if (ask->kind == USER_LOGIN || ask->kind == USER_PASSWORD)
    finish_attempt(model, ask, effects);
  else
    finish_reset(model, ask, effects);
}

void user_service_decide(void *context, const struct bus_input *input, struct bus_effects *effects) {
  struct user_model *model = context;
  const struct user_ask *ask = user_model_ask(model, input);
  if (ask->completion)
    decide_completion(model, ask, effects);
  else if (!ask->opened)
    say(ask, effects, USER_INVALID);
  else
    decide_request(model, ask, input, effects);
}
