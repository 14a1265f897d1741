/* The table and the type of service.alive. */
#include <bus/alive.h>

const char *const bus_alive_state_names[] = {"ready", "not_ready", "draining", NULL};

static const struct bus_field fields[] = {
    BUS_FIELD_STRING(struct bus_alive, instance, BUS_TOKEN, 1, BUS_INSTANCE_MAX, BUS_REQUIRED, "the process"),
    BUS_FIELD_STRING(struct bus_alive, version, BUS_PLAIN, 1, BUS_VERSION_MAX, BUS_REQUIRED, "of the service"),
    BUS_FIELD_TIME(struct bus_alive, started_at, BUS_REQUIRED, "when the process began"),
    BUS_FIELD_ENUM(struct bus_alive, state, bus_alive_state_names, BUS_REQUIRED, "whether it takes work"),
};
const struct bus_schema bus_alive_schema = BUS_SCHEMA("service.alive", struct bus_alive, fields);

const struct bus_message_type bus_alive_type = {.type = "service.alive.v1",
                                                .exchange = BUS_EXCHANGE_EVENT,
                                                .open = true,
                                                .notice = true,
                                                .schema = &bus_alive_schema};
