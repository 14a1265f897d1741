/* The batch of queries: what it asks for, and the answers. */
#include "user_queries.h"

#include "user_columns.h"

#include <assert.h>

static void name(struct user_query_model *model, const struct bus_input *input) {
  const struct user_get *get = input->body;
  const struct user_list *list = input->body;
  const struct user_client_token *token = input->body;
  if (input->type == &user_get_type) {
    bus_set_add(&model->users, &get->user_id);
  } else if (input->type == &user_list_type) {
    model->pages[model->page_count++] = (struct user_query_page){{.limit = list->limit}, list};
  } else if (input->type == &user_client_token_type) {
    model->asked[model->asked_count++].request = token;
    bus_set_add(&model->clients, &token->client_id);
  }
}

bool user_query_model_new(const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                          struct user_query_model **ret) {
  struct user_query_model *model = bus_arena_alloc(arena, sizeof *model);
  if (!model)
    return false;
  model->arena = arena;
  model->pages = bus_arena_array(arena, count, sizeof *model->pages);
  model->asked = bus_arena_array(arena, count, sizeof *model->asked);
  if (!model->pages || !model->asked)
    return false;
  bus_set_init(&model->clients, &client_columns, 0, arena);
  bus_set_init(&model->users, &user_columns, 0, arena);
  for (size_t i = 0; i < count; i++)
    name(model, &inputs[i]);
  *ret = model;
  return bus_set_open(&model->users) && bus_set_open(&model->clients);
}

static void answer_get(const struct user_query_model *model, const struct user_get *get, struct bus_effects *effects) {
  struct user_view view;
  struct user_answer body = {.outcome = USER_NOT_FOUND, .retry_after_s = BUS_NO_INT64};
  const struct user *user = bus_set_find(&model->users, &get->user_id);
  if (user && bus_set_is_stored(&model->users, user)) {
    user_view_of(user, &view);
    body.outcome = USER_DONE;
    body.user = &view;
  }
  bus_answer(effects, &user_answer_type, &body);
}

static void answer_list(const struct user_query_model *model, const struct user_list *list,
                        struct bus_effects *effects) {
  size_t i = 0;
  while (i < model->page_count && model->pages[i].list != list)
    i++;
  assert(i < model->page_count);
  const struct bus_page *page = &model->pages[i].page;
  const struct user *users = page->items;
  char cursor[USER_CURSOR_MAX + 1];
  struct user_page body = {.item_count = bus_page_shown(page)};
  body.items = bus_effects_array(effects, body.item_count, sizeof *body.items);
  if (!body.items)
    return;
  for (size_t item = 0; item < body.item_count; item++)
    user_view_of(&users[item], &body.items[item]);
  if (body.item_count < page->count) {
    user_cursor_format(users[body.item_count - 1].email, cursor);
    body.next_cursor = bus_str(cursor);
  }
  bus_answer(effects, &user_page_type, &body);
}

static void answer_client(const struct user_query_model *model, const struct user_client_token *request,
                          struct bus_effects *effects) {
  struct user_answer body = {.outcome = USER_REFUSED, .retry_after_s = BUS_NO_INT64};
  size_t i = 0;
  while (i < model->asked_count && model->asked[i].request != request)
    i++;
  assert(i < model->asked_count);
  const struct client *client = bus_set_find(&model->clients, &request->client_id);
  bool stored = client && bus_set_is_stored(&model->clients, client);
  if (user_decide_client(stored ? client : NULL, model->asked[i].secret_hash))
    body.outcome =
        model->issue(model->issue_context, client, request->reply_key, effects->now, effects->arena, &body.tokens)
            ? USER_DONE
            : USER_INVALID;
  bus_answer(effects, &user_answer_type, &body);
}

void user_query_decide(void *context, const struct bus_input *input, struct bus_effects *effects) {
  const struct user_query_model *model = context;
  bool wants_keys = input->type == &user_keys_get_type;
  if (wants_keys || input->type == &user_ping_type)
    bus_answer(effects, wants_keys ? &user_keys_type : &user_pong_type,
               wants_keys ? (const void *)model->keys : &model->pong);
  else if (input->type == &user_get_type)
    answer_get(model, input->body, effects);
  else if (input->type == &user_list_type)
    answer_list(model, input->body, effects);
  else if (input->type == &user_client_token_type)
    answer_client(model, input->body, effects);
  else
    bus_park(effects, "no query that is known here");
}
