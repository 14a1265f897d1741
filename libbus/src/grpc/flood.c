/* Takes from a budget that time fills. */
#include "flood.h"

bool grpc_budget_take(struct grpc_budget *budget, int64_t now) {
  int64_t passed = now - budget->at, most = budget->burst * BUS_SECOND;
  int64_t full_after = budget->spent / budget->rate + 1;
  budget->spent -= passed < full_after ? passed * budget->rate : budget->spent;
  if (budget->spent < 0)
    budget->spent = 0;
  budget->at = now;
  if (budget->spent + BUS_SECOND > most)
    return false;
  budget->spent += BUS_SECOND;
  return true;
}

void grpc_budget_give(struct grpc_budget *budget, int64_t frames) {
  budget->spent = budget->spent > frames * BUS_SECOND ? budget->spent - frames * BUS_SECOND : 0;
}
