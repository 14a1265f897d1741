/* A count that begins anew each second. */
#include "order_budget.h"

int64_t order_budget_take(struct order_budget *budget, int64_t now) {
  if (now - budget->second >= BUS_SECOND)
    *budget = (struct order_budget){.second = now};
  int64_t left = ORDER_DUE_PER_SECOND - budget->spent;
  int64_t granted = left < ORDER_DUE_AT_ONCE ? left : ORDER_DUE_AT_ONCE;
  budget->spent += granted;
  return granted;
}
