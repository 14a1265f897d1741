/* Reads and writes the rows of a batch. Lock order: users, sessions, tokens, guards, each by key. */
#include "user_store.h"

#include "user_statements.h"

static void lock_users(const struct user_model *model, struct bus_sql *sql) {
  struct bus_args *args = bus_sql_add(sql, LOCK_USERS);
  for (size_t i = 0; i < model->count; i++) {
    const struct user_ask *ask = &model->asks[i];
    bus_args_uuid_or_null(args, &ask->user_id);
    bus_args_text_or_null(args, ask->email);
    bus_args_text_or_null(args, ask->token_hash);
  }
}

static void lock_sessions(const struct user_model *model, struct bus_sql *sql) {
  struct bus_args *args = bus_sql_add(sql, LOCK_SESSIONS);
  for (size_t i = 0; i < model->count; i++)
    if (model->asks[i].token_hash.data)
      bus_args_text(args, model->asks[i].token_hash);
}

static void lock_set(const struct bus_set *set, struct bus_sql *sql, size_t statement) {
  if (set->count > 0)
    bus_set_lock(set, sql, statement);
}

void user_store_lock(const struct user_model *model, struct bus_sql *sql) {
  lock_set(&model->past_requests, sql, READ_PAST_REQUESTS);
  lock_users(model, sql);
  lock_sessions(model, sql);
  lock_set(&model->refresh_tokens, sql, LOCK_REFRESH_TOKENS);
  lock_set(&model->reset_tokens, sql, LOCK_RESET_TOKENS);
  lock_set(&model->guards, sql, LOCK_GUARDS);
}

bool user_load(void *context, const struct bus_rows *const *rows, size_t count, struct bus_error *err) {
  (void)count; /* what user_store_lock queued, in its order */
  struct user_model *model = context;
  return bus_set_load_next(&model->past_requests, &rows, err) && bus_set_load(&model->users, *rows++, err) &&
         bus_set_load(&model->sessions, *rows++, err) && bus_set_load_next(&model->refresh_tokens, &rows, err) &&
         bus_set_load_next(&model->reset_tokens, &rows, err) && bus_set_load_next(&model->guards, &rows, err);
}

bool user_store(void *context, struct bus_sql *sql) {
  const struct user_model *model = context;
  bus_set_store(&model->past_requests, sql, INSERT_PAST_REQUESTS, INSERT_PAST_REQUESTS); /* none is changed later */
  bus_set_store(&model->users, sql, INSERT_USERS, UPDATE_USERS);
  bus_set_store(&model->sessions, sql, INSERT_SESSIONS, UPDATE_SESSIONS);
  bus_set_store(&model->refresh_tokens, sql, INSERT_REFRESH_TOKENS, UPDATE_REFRESH_TOKENS);
  bus_set_store(&model->reset_tokens, sql, INSERT_RESET_TOKENS, UPDATE_RESET_TOKENS);
  bus_set_store(&model->guards, sql, INSERT_GUARDS, UPDATE_GUARDS);
  return true; /* memory that ran out is remembered by the trip */
}
