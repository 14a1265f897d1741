/* The model of a batch: the rows that its inputs name. */
#include "user_model.h"

#include "user_columns.h"

enum user_kind user_kind_of(const struct bus_message_type *type) {
  static const struct bus_message_type *const types[USER_KINDS] = {
      [USER_REGISTER] = &user_register_type, [USER_LOGIN] = &user_login_type,   [USER_REFRESH] = &user_refresh_type,
      [USER_LOGOUT] = &user_logout_type,     [USER_FORGOT] = &user_forgot_type, [USER_RESET] = &user_reset_type,
      [USER_PASSWORD] = &user_password_type, [USER_UPDATE] = &user_update_type, [USER_ERASE] = &user_erase_type,
  };
  int kind = 0;
  while (kind < USER_KINDS && types[kind] != type)
    kind++;
  return (enum user_kind)kind;
}

static struct bus_str text_of(const char *text) {
  return text[0] ? bus_str(text) : BUS_NO_STR;
}

static struct bus_str guard_key(struct bus_arena *arena, const char *kind, struct bus_str text) {
  char hash[BUS_SHA256_TEXT];
  bus_sha256_hex(text, hash);
  return bus_arena_printf(arena, "%s:%s", kind, hash);
}

/* Attempts on an account are counted by its address, or by its id where the user is known. */
static bool name_guards(struct user_ask *ask, struct bus_arena *arena) {
  char id[BUS_UUID_TEXT];
  bus_uuid_format(&ask->user_id, id);
  if (ask->kind == USER_LOGIN)
    ask->account_key = guard_key(arena, "account", ask->email);
  else if (ask->kind == USER_FORGOT)
    ask->account_key = guard_key(arena, "forgot", ask->email);
  else if (ask->kind == USER_PASSWORD)
    ask->account_key = guard_key(arena, "user", bus_str(id));
  else
    return true;
  if (ask->client.data)
    ask->client_key = guard_key(arena, "client", ask->client);
  return ask->account_key.data && (!ask->client.data || ask->client_key.data);
}

bool user_ask_of(const struct bus_input *input, struct bus_arena *arena, struct user_ask *ret) {
  *ret = (struct user_ask){.kind = USER_KINDS, .opened = true};
  if (input->kind == BUS_INPUT_COMPLETION) {
    const struct user_completion *done = input->body;
    *ret = (struct user_ask){.kind = done->kind,
                             .opened = true,
                             .completion = done,
                             .request_id = done->request_id,
                             .user_id = done->user_id,
                             .email = text_of(done->email),
                             .name = text_of(done->name),
                             .client = text_of(done->client),
                             .reply_key = text_of(done->reply_key),
                             .token_hash = text_of(done->token_hash)};
  } else if (input->type) {
    const struct user_request *request = input->body;
    *ret = (struct user_ask){.kind = user_kind_of(input->type),
                             .opened = true,
                             .request = request,
                             .request_id = request->request_id,
                             .user_id = request->user_id,
                             .email = request->email,
                             .name = request->name,
                             .client = request->client,
                             .reply_key = request->reply_key};
  }
  return name_guards(ret, arena);
}

static void name_rows(struct user_model *model, const struct user_ask *ask) {
  bus_set_add(&model->past_requests, &ask->request_id);
  if (!bus_uuid_is_nil(&ask->user_id))
    bus_set_add(&model->users, &ask->user_id);
  if (!bus_uuid_is_nil(&ask->session_id))
    bus_set_add(&model->sessions, &ask->session_id);
  if (ask->token_hash.data)
    bus_set_add(ask->kind == USER_RESET ? &model->reset_tokens : &model->refresh_tokens, &ask->token_hash);
  if (ask->fresh_hash.data)
    bus_set_add(ask->kind == USER_FORGOT ? &model->reset_tokens : &model->refresh_tokens, &ask->fresh_hash);
  if (ask->account_key.data)
    bus_set_add(&model->guards, &ask->account_key);
  if (ask->client_key.data)
    bus_set_add(&model->guards, &ask->client_key);
}

static struct bus_set *set_at(struct user_model *model, size_t index) {
  struct bus_set *const sets[] = {&model->past_requests,  &model->users,        &model->sessions,
                                  &model->refresh_tokens, &model->reset_tokens, &model->guards};
  return index < BUS_COUNT(sets) ? sets[index] : NULL;
}

bool user_model_new(const struct bus_input *inputs, struct user_ask *asks, size_t count, struct bus_arena *arena,
                    struct user_model **ret) {
  static const struct bus_table *const tables[] = {&past_request_columns,  &user_columns,        &session_columns,
                                                   &refresh_token_columns, &reset_token_columns, &guard_columns};
  struct user_model *model = bus_arena_alloc(arena, sizeof *model);
  if (!model)
    return false;
  *model = (struct user_model){.arena = arena, .inputs = inputs, .asks = asks, .count = count};
  for (size_t i = 0; i < BUS_COUNT(tables); i++)
    bus_set_init(set_at(model, i), tables[i], 0, arena);
  for (size_t i = 0; i < count; i++)
    name_rows(model, &asks[i]);
  *ret = model;
  for (size_t i = 0; i < BUS_COUNT(tables); i++)
    if (!bus_set_open(set_at(model, i)))
      return false;
  return true;
}

const struct user_ask *user_model_ask(const struct user_model *model, const struct bus_input *input) {
  return &model->asks[input - model->inputs];
}

/* The row that is stored, or was made in this batch. */
static void *existing(const struct bus_set *set, const void *key) {
  void *row = bus_set_find(set, key);
  return row && (bus_set_is_stored(set, row) || bus_set_is_changed(set, row)) ? row : NULL;
}

struct user *user_model_by_email(const struct user_model *model, struct bus_str email) {
  for (size_t i = 0; i < model->users.count; i++) {
    struct user *user = bus_set_at(&model->users, i);
    if (user->email.data && bus_str_equal(user->email, email))
      return user;
  }
  return NULL;
}

struct user *user_model_user(const struct user_model *model, const struct bus_uuid *user_id) {
  return existing(&model->users, user_id);
}

struct session *user_model_session(const struct user_model *model, const struct bus_uuid *session_id) {
  return existing(&model->sessions, session_id);
}

struct refresh_token *user_model_refresh_token(const struct user_model *model, struct bus_str hash) {
  return hash.data ? existing(&model->refresh_tokens, &hash) : NULL;
}

struct reset_token *user_model_reset_token(const struct user_model *model, struct bus_str hash) {
  return hash.data ? existing(&model->reset_tokens, &hash) : NULL;
}

struct guard *user_model_guard(const struct user_model *model, struct bus_str key) {
  struct guard *guard = key.data ? bus_set_find(&model->guards, &key) : NULL;
  if (guard && guard->failures < 0) /* no row: absent */
    guard->failures = 0;
  return guard;
}

int user_model_past(const struct user_model *model, const struct bus_uuid *request_id) {
  const struct past_request *past = existing(&model->past_requests, request_id);
  return past ? past->outcome : -1;
}

void user_model_remember(struct user_model *model, const struct bus_uuid *request_id, enum user_outcome outcome) {
  struct past_request *past = bus_set_find(&model->past_requests, request_id);
  if (past && !bus_set_is_stored(&model->past_requests, past)) {
    past->outcome = (int)outcome;
    bus_set_change(&model->past_requests, past);
  }
}
