/* Under load many queries come too late at once; each would be a line. */
#include "dropped.h"

#include "trace.h"

#define LOG_EVERY BUS_SECOND

void dropped_log(struct dropped *dropped, const struct turn *turn, const struct entry *entry) {
  const struct bus_error *cause = &entry->ruling.cause;
  if (dropped->logged_at != 0 && turn->now < dropped->logged_at + LOG_EVERY) {
    dropped->unlogged++;
    return;
  }
  const struct bus_log_field others = BUS_F_INT("others", dropped->unlogged);
  trace_undone(turn, entry, "query dropped: its asker gets no answer", others,
               entry->late ? BUS_E_TIMEOUT : cause->code, entry->late ? "its deadline has passed" : cause->text);
  dropped->logged_at = turn->now;
  dropped->unlogged = 0;
}
