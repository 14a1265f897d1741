/* Times as text: RFC 3339 in UTC with milliseconds, "2026-03-01T12:00:00.123Z". Pure. */
#pragma once

#include <bus/base.h>

BUS_C_BEGIN

#define BUS_TIME_TEXT 32

/* Formats years 0001 to 9999; other times are clamped. */
void bus_time_format(bus_time time, char text[BUS_TIME_TEXT]);
/* Takes any RFC 3339 date-time with 'T', 'Z' or a numeric offset, 0 to 6 digits of fraction. */
bool bus_time_parse(struct bus_str text, bus_time *ret) BUS_MUST_CHECK;

BUS_C_END
