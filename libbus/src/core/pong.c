/* The table of a plain pong. */
#include <bus/pong.h>

static const struct bus_field fields[] = {BUS_PONG_FIELD(struct bus_pong)};
const struct bus_schema bus_pong_schema = BUS_SCHEMA("pong", struct bus_pong, fields);
