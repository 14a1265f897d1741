/* Natural batching: what is under way is what a batch waits for. */
#include "gather.h"

void gather_leave(struct gather *gather, struct gather_batch *batch) {
  if (batch->left)
    return;
  batch->left = true;
  gather->filling = NULL;
  gather->under_way += batch->count;
}

struct gather_batch *gather_join(struct gather *gather, struct gather_batch *fresh, void *read) {
  if (gather->filling == NULL) {
    fresh->count = 0;
    fresh->left = false;
    gather->filling = fresh;
  }
  struct gather_batch *batch = gather->filling;
  batch->reads[batch->count++] = read;
  if (gather->under_way < GATHER_FEW || batch->count == GATHER_ROOM)
    gather_leave(gather, batch);
  return batch;
}

bool gather_back(struct gather *gather, const struct gather_batch *batch) {
  gather->under_way -= batch->count;
  if (gather->filling == NULL || gather->under_way >= GATHER_FEW)
    return false;
  gather_leave(gather, gather->filling);
  return true;
}
