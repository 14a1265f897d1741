/* The tables and the type of service.alive. */
#include <bus/alive.h>

const char *const bus_alive_state_names[] = {"ready", "not_ready", "draining", NULL};

#define FIGURE(member, ...)                                                                                            \
  BUS_FIELD_INT64(struct bus_alive_figures, member, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL, __VA_ARGS__)
static const struct bus_field figures[] = {
    FIGURE(messages, "taken from queues since the process began"),
    FIGURE(retried, "of these messages, how many are to be tried again"),
    FIGURE(dead_lettered, "of these messages, how many were dead-lettered"),
    FIGURE(batches, "transactions that committed, queries aside"),
    FIGURE(batch_us, "microseconds that these transactions took together"),
    FIGURE(outbox_messages, "messages in the outbox; 10001 stands for more"),
    FIGURE(outbox_age_ms, "age of the oldest message in the outbox"),
    FIGURE(outbox_unroutable, "messages of the outbox that no queue takes"),
    FIGURE(held_messages, "messages to retry or to dead-letter that the broker has not taken yet"),
    FIGURE(stalled_workers, "workers none of whose transactions commit"),
};
const struct bus_schema bus_alive_figures_schema = BUS_SCHEMA("service.figures", struct bus_alive_figures, figures);

static const char *const breaker_states[] = {"closed", "half_open", "open", NULL};
static const struct bus_field breaker_fields[] = {
    BUS_FIELD_STRING(struct bus_alive_breaker, dependency, BUS_PLAIN, 1, BUS_DEPENDENCY_MAX, BUS_REQUIRED,
                     "what the breaker stands before"),
    BUS_FIELD_ENUM(struct bus_alive_breaker, state, breaker_states, BUS_REQUIRED,
                   "open: calls are held back; half_open: some are tried"),
};
const struct bus_schema bus_alive_breaker_schema =
    BUS_SCHEMA("service.breaker", struct bus_alive_breaker, breaker_fields);

static const struct bus_field fields[] = {
    BUS_FIELD_STRING(struct bus_alive, instance, BUS_TOKEN, 1, BUS_INSTANCE_MAX, BUS_REQUIRED, "the process"),
    BUS_FIELD_STRING(struct bus_alive, version, BUS_PLAIN, 1, BUS_VERSION_MAX, BUS_REQUIRED, "of the service"),
    BUS_FIELD_TIME(struct bus_alive, started_at, BUS_REQUIRED, "when the process began"),
    BUS_FIELD_ENUM(struct bus_alive, state, bus_alive_state_names, BUS_REQUIRED, "whether it takes work"),
    BUS_FIELD_EMBED(struct bus_alive, figures, struct bus_alive_figures, &bus_alive_figures_schema),
    BUS_FIELD_ARRAY(struct bus_alive, breakers, breaker_count, struct bus_alive_breaker, &bus_alive_breaker_schema, 0,
                    BUS_ALIVE_BREAKERS_MAX, BUS_OPTIONAL, "circuit breakers of the process"),
};
const struct bus_schema bus_alive_schema = BUS_SCHEMA("service.alive", struct bus_alive, fields);

const struct bus_message_type bus_alive_type = {.type = "service.alive.v1",
                                                .exchange = BUS_EXCHANGE_EVENT,
                                                .open = true,
                                                .notice = true,
                                                .schema = &bus_alive_schema};
