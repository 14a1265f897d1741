/* The decision, without a broker and a database: an order gets one receipt. */
#include "receipt.h"
#include "receipt_messages.h"

#include <test.h>

#define NOW (INT64_C(1700000000) * BUS_SECOND)

struct fixture {
  struct bus_arena *arena;
  struct bus_uuid_source ids;
  struct bus_set receipts;
  struct bus_effects effects;
  struct bus_envelope envelope;
};

/* A batch over one order. */
static void begin(struct fixture *f) {
  static const uint64_t seed[4] = {1, 2, 3, 4};
  *f = (struct fixture){.arena = bus_arena_new(1 << 20), .envelope.correlation_id = {{9}}};
  bus_uuid_source_init(&f->ids, seed);
  bus_effects_init(&f->effects, f->arena, &f->ids, NOW, "receipt-svc");
  bus_set_init(&f->receipts, &receipt_columns, 0, f->arena);
  bus_set_add(&f->receipts, &f->envelope.correlation_id);
  assert_true(bus_set_open(&f->receipts));
}

static void decide(struct fixture *f) {
  const struct bus_input input = {.kind = BUS_INPUT_DELIVERY, .envelope = &f->envelope};
  bus_effects_begin(&f->effects, &input);
  receipt_decide(&f->receipts, &input, &f->effects);
  assert_int_equal(bus_effects_end(&f->effects), BUS_DONE);
}

TEST(a_confirmed_order_gets_one_receipt)
{
  struct fixture f;
  begin(&f);
  decide(&f);
  assert_int_equal(f.effects.count, 1);
  assert_ptr_equal(f.effects.first->type, &receipt_issued_type);
  decide(&f);
  assert_int_equal(f.effects.count, 1);
  bus_arena_free(f.arena);
}

TEST(an_order_that_has_a_receipt_gets_no_other)
{
  struct fixture f;
  begin(&f);
  bus_set_keep(&f.receipts, bus_set_at(&f.receipts, 0));
  decide(&f);
  assert_int_equal(f.effects.count, 0);
  bus_arena_free(f.arena);
}
