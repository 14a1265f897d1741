/* shipping-svc: makes a parcel for each confirmed order, and says which order has one. */
#include "shipping.h"

#include <stdlib.h>

int main(int argc, char **argv) {
  return shipment_statements_make() ? bus_service_main(argc, argv, &shipping_program) : EXIT_FAILURE;
}
