/* The functions of one_order.h. */
#include "one_order.h"

struct rig rig;
struct order order;

void begin(int before) {
  rig_init(&rig);
  if (before != ORDER_NONE)
    order = rig_order(&rig, before);
}

void run(int before) {
  rig_run(&rig, before == ORDER_NONE ? NULL : &order);
  assert_false(rig.effects.failed);
}

const struct order_entry *entry(void) {
  return order_model_find(rig.model, &saga_order_id);
}
