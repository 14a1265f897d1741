/* A batch of the usual service: each input names one row; over any binding of bus/sql.h. */
#include <bus/aggregate.h>
#include <bus/worker.h>

#include <assert.h>

static const void *key_of(const struct bus_aggregate *aggregate, const struct bus_input *input) {
  if (aggregate->key_of)
    return aggregate->key_of(input);
  return input->kind == BUS_INPUT_DELIVERY ? &input->envelope->correlation_id : input->body;
}

bool bus_aggregate_lock(void *service, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                        struct bus_sql *sql, void **ret_model) {
  const struct bus_aggregate *aggregate = ((const struct bus_service *)service)->aggregate;
  struct bus_set *set = bus_arena_alloc(arena, sizeof *set);
  if (!set)
    return false;
  bus_set_init(set, aggregate->table, 0, arena);
  for (size_t i = 0; i < count; i++)
    bus_set_add(set, key_of(aggregate, &inputs[i]));
  if (!bus_set_open(set))
    return false;
  bus_set_lock(set, sql, BUS_AGGREGATE_READ);
  *ret_model = set;
  return true;
}

bool bus_aggregate_load(void *model, const struct bus_rows *const *rows, size_t count, struct bus_error *err) {
  assert(count == 1);
  (void)count;
  return bus_set_load(model, rows[0], err);
}

bool bus_aggregate_store(void *model, struct bus_sql *sql) {
  const struct bus_set *set = model;
  for (size_t i = 0; i < set->count; i++) {
    const void *row = bus_set_at(set, i);
    assert(bus_table_changes(set->table) || !bus_set_is_stored(set, row) || !bus_set_is_changed(set, row));
    (void)row;
  }
  bus_set_store(set, sql, BUS_AGGREGATE_INSERT, BUS_AGGREGATE_UPDATE);
  return true;
}
