/* Natural batching: the queries under way are what a batch waits for. */
#include "gather.h"

void gather_leave(struct gather *gather, struct gather_batch *batch) {
  if (batch->left)
    return;
  batch->left = true;
  gather->filling = NULL;
  gather->under_way++;
}

struct gather_batch *gather_join(struct gather *gather, struct gather_batch *fresh, void *read) {
  struct gather_batch *batch = gather->filling ? gather->filling : fresh;
  if (batch == fresh) {
    batch->count = 0;
    batch->left = false;
    gather->filling = batch;
  }
  batch->reads[batch->count++] = read;
  if (gather->under_way < GATHER_UNDER_WAY || batch->count == GATHER_ROOM)
    gather_leave(gather, batch);
  return batch;
}

bool gather_back(struct gather *gather) {
  gather->under_way--;
  if (gather->filling == NULL || gather->under_way >= GATHER_UNDER_WAY)
    return false;
  gather_leave(gather, gather->filling);
  return true;
}
