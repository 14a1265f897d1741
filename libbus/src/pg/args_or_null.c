/* Absent values as NULL; over any binding of bus/sql.h. */
#include <bus/sql.h>

void bus_args_uuid_or_null(struct bus_args *args, const struct bus_uuid *value) {
  if (bus_uuid_is_nil(value))
    bus_args_null(args);
  else
    bus_args_uuid(args, value);
}

void bus_args_int64_or_null(struct bus_args *args, int64_t value) {
  if (value == BUS_NO_INT64)
    bus_args_null(args);
  else
    bus_args_int64(args, value);
}

void bus_args_text_or_null(struct bus_args *args, struct bus_str value) {
  if (!value.data)
    bus_args_null(args);
  else
    bus_args_text(args, value);
}

void bus_args_time_or_null(struct bus_args *args, bus_time value) {
  if (value == BUS_NO_TIME)
    bus_args_null(args);
  else
    bus_args_time(args, value);
}
