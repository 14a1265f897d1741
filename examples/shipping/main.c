/* shipping-svc: makes a parcel for each confirmed order, and says which order has one. */
#include "shipping.h"

int main(int argc, char **argv) {
  return bus_service_main(argc, argv, &shipping_program);
}
