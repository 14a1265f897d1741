/* Which reads share a query, and when it leaves. */
#include "gather.h"

#include "test.h"

static struct gather gather;
static struct gather_batch batches[GATHER_FEW + 3];
static int reads[3 * GATHER_ROOM];
static size_t joined;

static struct gather_batch *join(struct gather_batch *fresh) {
  return gather_join(&gather, fresh, &reads[joined++]);
}

/* As many under way as go out by themselves. */
static void begin(void) {
  gather = (struct gather){.filling = NULL};
  joined = 0;
  for (int i = 0; i < GATHER_FEW; i++) {
    batches[i] = (struct gather_batch){.count = 7, .left = true}; /* what was there before does not matter */
    assert_ptr_equal(join(&batches[i]), &batches[i]);
    assert_true(batches[i].left);
    assert_int_equal(batches[i].count, 1);
  }
}

static struct gather_batch *const next = &batches[GATHER_FEW], *const second = &batches[GATHER_FEW + 1];

TEST(while_few_are_under_way_a_read_goes_out_at_once)
{
  begin();
  assert_int_equal(gather.under_way, GATHER_FEW);
  assert_null(gather.filling);
  assert_false(gather_back(&gather, &batches[0]));
  assert_ptr_equal(join(next), next);
  assert_true(next->left);
}

TEST(the_others_gather_until_few_are_under_way_again)
{
  begin();
  assert_ptr_equal(join(next), next);
  assert_ptr_equal(join(second), next);
  assert_ptr_equal(join(second), next);
  assert_false(next->left);
  assert_true(gather_back(&gather, &batches[1]));
  assert_true(next->left);
  assert_int_equal(next->count, 3);
  for (size_t i = 0; i < 3; i++)
    assert_ptr_equal(next->reads[i], &reads[GATHER_FEW + i]);
  assert_int_equal(gather.under_way, GATHER_FEW + 2);
}

TEST(a_batch_counts_as_many_as_it_has)
{
  begin();
  for (int i = 0; i < GATHER_FEW; i++)
    assert_ptr_equal(join(next), next);
  for (int i = 0; i < GATHER_FEW; i++)
    assert_int_equal(gather_back(&gather, &batches[i]), i == 0);
  assert_int_equal(gather.under_way, GATHER_FEW);
  assert_ptr_equal(join(second), second);
  assert_false(second->left);
  assert_true(gather_back(&gather, next));
  assert_true(second->left);
  assert_int_equal(gather.under_way, 1);
}

TEST(a_full_batch_does_not_wait)
{
  begin();
  for (int i = 0; i < GATHER_ROOM; i++) {
    assert_false(i > 0 && next->left);
    assert_ptr_equal(join(i == 0 ? next : second), next);
  }
  assert_true(next->left);
  assert_int_equal(next->count, GATHER_ROOM);
  assert_int_equal(gather.under_way, GATHER_FEW + GATHER_ROOM);
  assert_ptr_equal(join(second), second);
  assert_false(gather_back(&gather, &batches[0])); /* the full one is still under way */
  assert_false(second->left);
  assert_true(gather_back(&gather, next));
  assert_true(second->left);
}

TEST(a_batch_that_has_waited_long_enough_leaves)
{
  begin();
  (void)join(next);
  gather_leave(&gather, next);
  assert_true(next->left);
  assert_int_equal(gather.under_way, GATHER_FEW + 1);
  gather_leave(&gather, next); /* it had left meanwhile */
  assert_int_equal(gather.under_way, GATHER_FEW + 1);
  (void)join(second);
  gather_leave(&gather, next); /* nor does that one take another with it */
  assert_ptr_equal(gather.filling, second);
  assert_false(second->left);
}

TEST(nothing_is_under_way_when_all_are_back)
{
  begin();
  (void)join(next);
  gather_leave(&gather, next);
  for (int i = 0; i <= GATHER_FEW; i++)
    assert_false(gather_back(&gather, &batches[i]));
  assert_int_equal(gather.under_way, 0);
  assert_ptr_equal(join(next), next);
  assert_true(next->left);
}
