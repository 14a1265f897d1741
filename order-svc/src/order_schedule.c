/* Decides from counts whether new orders are taken, and remembers since when they are not. */
#include "order_intake.h"

bool order_intake_is_full(const struct order_load *load, const struct order_limits *limits) {
  return load->open >= limits->open || (load->late >= limits->late && load->open > 0);
}

int64_t order_intake_rows(const struct order_limits *limits) {
  return 2 * (limits->open + limits->late);
}

int64_t order_intake_window(const struct order_limits *limits) {
  return 2 * limits->late;
}

bool order_intake_note(struct order_intake *intake, bool closed, int64_t now) {
  bool changed = closed != intake->closed;
  if (changed)
    intake->closed_at = now;
  intake->closed = closed;
  intake->looked = true;
  intake->looked_at = now;
  return changed;
}

int64_t order_intake_closed_for(const struct order_intake *intake, int64_t now) {
  if (!intake->looked || now - intake->looked_at >= ORDER_INTAKE_LIFE)
    return BUS_NO_INT64;
  return intake->closed ? now - intake->closed_at : 0;
}
