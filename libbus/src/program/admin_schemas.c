/* The bodies of health responses as tables, for documentation. */
#include <bus/service.h>

struct health {
  int status;
  struct bus_str services, causes;
  bus_time timestamp;
};
static const char *const statuses[] = {"UP", "DOWN", NULL};
#define STATUS(S, text) BUS_FIELD_ENUM(S, status, statuses, BUS_REQUIRED, text)

enum { TEXT_MAX = 4096 };
static const struct bus_field health_fields[] = {
    STATUS(struct health, "UP if every part is"),
    BUS_FIELD_JSON(struct health, services, TEXT_MAX, BUS_REQUIRED, "UP or DOWN for each part, by its name"),
    BUS_FIELD_JSON(struct health, causes, TEXT_MAX, BUS_OPTIONAL, "why a part is down, by its name"),
    BUS_FIELD_TIME(struct health, timestamp, BUS_REQUIRED, "when the parts were looked at"),
};
const struct bus_schema bus_health_schema = BUS_SCHEMA("health", struct health, health_fields);

static const struct bus_field status_fields[] = {STATUS(struct health, "UP or DOWN")};
const struct bus_schema bus_status_schema = BUS_SCHEMA("status", struct health, status_fields);
