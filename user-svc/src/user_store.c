/* Reads and writes the rows of a batch. Lock order: users, sessions, tokens, guards, each by key. */
#include "user_store.h"

#include "user_columns.h"
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

/* ---- queries ---- */

/* Behind every address: the last code point of Unicode, which no address begins with. */
#define LAST "\xF4\x8F\xBF\xBF"

static void add_page(struct bus_args *args, const struct user_query_page *asked, struct bus_arena *arena) {
  const struct user_list *list = asked->list;
  struct bus_str least = list->email.data ? list->email : BUS_STR("");
  char behind[USER_EMAIL_MAX + 1] = "";
  bool bad = list->cursor.data && !user_cursor_parse(list->cursor, behind); /* begins a page that is empty */
  bus_args_int64(args, asked->page.limit + 1);
  bus_args_text(args, bad ? BUS_STR(LAST) : bus_arena_copy(arena, bus_str(behind)));
  bus_args_text(args, least);
  bus_args_text(args, bus_arena_printf(arena, "%.*s" LAST, (int)least.len, least.data));
}

void user_query_store_lock(const struct user_query_model *model, struct bus_sql *sql) {
  lock_set(&model->users, sql, GET_USERS);
  struct bus_args *args = model->page_count > 0 ? bus_sql_add(sql, LIST_USERS) : NULL;
  for (size_t i = 0; i < model->page_count; i++)
    add_page(args, &model->pages[i], model->arena);
  lock_set(&model->clients, sql, GET_CLIENTS);
}

bool user_query_load(void *context, const struct bus_rows *const *rows, size_t count, struct bus_error *err) {
  (void)count; /* what user_query_store_lock queued, in its order */
  struct user_query_model *model = context;
  const struct bus_pages pages = {model->pages, model->page_count, sizeof *model->pages, model->arena};
  return bus_set_load_next(&model->users, &rows, err) &&
         (pages.count == 0 || bus_pages_load(&pages, &user_columns, BUS_ROW, *rows++, err)) &&
         bus_set_load_next(&model->clients, &rows, err);
}
