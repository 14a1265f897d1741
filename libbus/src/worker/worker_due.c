/* Rows that came due become inputs. In a file of its own: only programs that have deadlines have its failpoints. */
#include "worker_internal.h"

#include <bus/failpoint.h>

void bus_worker_push_due(void *context, struct bus_worker *worker, const struct bus_rows *rows) {
  (void)context;
  size_t count = bus_rows_count(rows);
  if (count > 0 && BUS_ERROR_POINT("worker.due-found"))
    return;
  for (size_t row = 0; row < count; row++) {
    const struct bus_uuid due = bus_rows_uuid(rows, row, 0);
    if (bus_pipeline_waits(worker->pipeline, &due))
      continue;
    if (!bus_worker_push(worker, BUS_INPUT_DEADLINE, &due, sizeof due))
      return;
    BUS_CRASH_POINT("worker.due-pushed");
  }
}
