/* The batch of queries: what it asks for, and the answers. */
#include "user_queries.h"

#include "user_columns.h"

bool user_query_model_new(const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                          struct user_query_model **ret) {
  struct user_query_model *model = bus_arena_alloc(arena, sizeof *model);
  if (!model)
    return false;
  bus_set_init(&model->users, &user_columns, 0, arena);
  for (size_t i = 0; i < count; i++)
    if (inputs[i].type == &user_get_type)
      bus_set_add(&model->users, &((const struct user_get *)inputs[i].body)->user_id);
  *ret = model;
  return bus_set_open(&model->users);
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

void user_query_decide(void *context, const struct bus_input *input, struct bus_effects *effects) {
  const struct user_query_model *model = context;
  bool wants_keys = input->type == &user_keys_get_type;
  if (wants_keys || input->type == &user_ping_type)
    bus_answer(effects, wants_keys ? &user_keys_type : &user_pong_type,
               wants_keys ? (const void *)model->keys : &model->pong);
  else if (input->type == &user_get_type)
    answer_get(model, input->body, effects);
  else
    bus_park(effects, "no query that is known here");
}
