/* RFC 3339 text of times, with our own calendar: no locale, no time zone, no limits of time_t. */
#include <bus/timefmt.h>

#include "ascii.h"

#define DAY (24 * BUS_HOUR)
#define FIRST_TIME (INT64_C(-719162) * DAY)           /* 0001-01-01 */
#define LAST_TIME (INT64_C(2932897) * DAY - 1)        /* 9999-12-31T23:59:59.999999 */
enum { DAYS_TO_1970 = 719468, DAYS_OF_ERA = 146097 }; /* counted from 0000-03-01; an era is 400 years */

/* Days since 1970-01-01 of a date of the Gregorian calendar; years begin in March, so that leap days end them. */
static int64_t days_of_date(int64_t year, int month, int day) {
  if (month <= 2)
    year--;
  int64_t era = year / 400, year_of_era = year % 400;
  int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return era * DAYS_OF_ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - DAYS_TO_1970;
}

static void date_of_days(int64_t days, int *year, int *month, int *day) {
  int64_t z = days + DAYS_TO_1970;
  int64_t era = z / DAYS_OF_ERA, day_of_era = z % DAYS_OF_ERA;
  int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t march_month = (5 * day_of_year + 2) / 153;
  *day = (int)(day_of_year - (153 * march_month + 2) / 5 + 1);
  *month = (int)(march_month < 10 ? march_month + 3 : march_month - 9);
  *year = (int)(era * 400 + year_of_era + (*month <= 2));
}

/* Writes that many digits and the separator behind them; returns the place after it. */
static char *put_number(char *text, int digits, int64_t value, char behind) {
  for (int i = digits - 1; i >= 0; i--, value /= 10)
    text[i] = (char)('0' + value % 10);
  text[digits] = behind;
  return text + digits + 1;
}

void bus_time_format(bus_time time, char text[BUS_TIME_TEXT]) {
  if (time < FIRST_TIME)
    time = FIRST_TIME;
  if (time > LAST_TIME)
    time = LAST_TIME;
  int64_t days = (time - FIRST_TIME) / DAY + FIRST_TIME / DAY, rest = (time - FIRST_TIME) % DAY;
  int year, month, day;
  date_of_days(days, &year, &month, &day);
  text = put_number(text, 4, year, '-');
  text = put_number(text, 2, month, '-');
  text = put_number(text, 2, day, 'T');
  text = put_number(text, 2, rest / BUS_HOUR, ':');
  text = put_number(text, 2, rest / BUS_MINUTE % 60, ':');
  text = put_number(text, 2, rest / BUS_SECOND % 60, '.');
  *put_number(text, 3, rest / BUS_MILLISECOND % 1000, 'Z') = '\0';
}

/* Takes `digits` digits off the front. */
static bool take_number(struct bus_str *text, size_t digits, int *ret) {
  int64_t value;
  if (text->len < digits || !bus_str_number((struct bus_str){text->data, digits}, digits, &value))
    return false;
  text->data += digits;
  text->len -= digits;
  *ret = (int)value;
  return true;
}

static bool take_char(struct bus_str *text, char c) {
  if (text->len == 0 || text->data[0] != c)
    return false;
  text->data++;
  text->len--;
  return true;
}

static int days_of_month(int year, int month) {
  static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return days[month - 1] + (month == 2 && leap);
}

static bool take_date(struct bus_str *text, int64_t *ret_days) {
  int year, month, day;
  if (!take_number(text, 4, &year) || !take_char(text, '-') || !take_number(text, 2, &month) || !take_char(text, '-') ||
      !take_number(text, 2, &day))
    return false;
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_of_month(year, month))
    return false;
  *ret_days = days_of_date(year, month, day);
  return true;
}

/* Microseconds of an optional fraction of one to six digits. */
static bool take_fraction(struct bus_str *text, int64_t *ret) {
  *ret = 0;
  if (!take_char(text, '.'))
    return true;
  int64_t unit = BUS_SECOND;
  int digit;
  while (text->len > 0 && ascii_is_digit(text->data[0])) {
    unit /= 10;
    if (unit == 0 || !take_number(text, 1, &digit))
      return false;
    *ret += digit * unit;
  }
  return unit < BUS_SECOND;
}

static bool take_offset(struct bus_str *text, int64_t *ret) {
  *ret = 0;
  if (take_char(text, 'Z'))
    return true;
  int hours, minutes, sign = take_char(text, '-') ? -1 : take_char(text, '+') ? 1 : 0;
  if (sign == 0 || !take_number(text, 2, &hours) || !take_char(text, ':') || !take_number(text, 2, &minutes) ||
      hours > 23 || minutes > 59)
    return false;
  *ret = sign * (hours * BUS_HOUR + minutes * BUS_MINUTE);
  return true;
}

bool bus_time_parse(struct bus_str text, bus_time *ret) {
  int64_t days, fraction, offset;
  int hour, minute, second;
  if (!take_date(&text, &days) || !take_char(&text, 'T') || !take_number(&text, 2, &hour) || !take_char(&text, ':') ||
      !take_number(&text, 2, &minute) || !take_char(&text, ':') || !take_number(&text, 2, &second) ||
      !take_fraction(&text, &fraction) || !take_offset(&text, &offset) || text.len > 0)
    return false;
  if (hour > 23 || minute > 59 || second > 60)
    return false;
  int64_t minute_start = days * DAY + hour * BUS_HOUR + minute * BUS_MINUTE - offset;
  bus_time time = minute_start + second * BUS_SECOND + fraction;
  if (time < FIRST_TIME || time > LAST_TIME)
    return false;
  /* A leap second ends a UTC day; it counts as the second after it. */
  if (second == 60 && (minute_start - FIRST_TIME) % DAY != DAY - BUS_MINUTE)
    return false;
  *ret = time;
  return true;
}
