/* Reads and writes the texts of gRPC over HTTP/2. */
#include "text.h"

enum { TIMEOUT_DIGITS = 8 };

/* 0: no unit. The nanosecond is the one unit below a microsecond. */
static int64_t unit_of(char unit, int64_t *ret_divisor) {
  *ret_divisor = unit == 'n' ? 1000 : 1;
  switch (unit) {
  case 'H':
    return BUS_HOUR;
  case 'M':
    return BUS_MINUTE;
  case 'S':
    return BUS_SECOND;
  case 'm':
    return BUS_MILLISECOND;
  case 'u':
  case 'n':
    return 1;
  default:
    return 0;
  }
}

bool grpc_timeout_parse(struct bus_str text, int64_t *ret) {
  int64_t number, divisor;
  if (text.len < 2 || !bus_str_number((struct bus_str){text.data, text.len - 1}, TIMEOUT_DIGITS, &number))
    return false;
  int64_t unit = unit_of(text.data[text.len - 1], &divisor);
  if (unit == 0)
    return false;
  *ret = (number * unit + divisor - 1) / divisor;
  return true;
}

size_t grpc_percent_encode(struct bus_str text, char *out, size_t room) {
  static const char digits[] = "0123456789ABCDEF";
  size_t used = 0;
  for (size_t i = 0; i < text.len; i++) {
    unsigned char c = (unsigned char)text.data[i];
    bool plain = c >= 0x20 && c <= 0x7E && c != '%';
    if (room - used < (plain ? 1U : 3U))
      break;
    if (plain) {
      out[used++] = (char)c;
      continue;
    }
    out[used++] = '%';
    out[used++] = digits[c >> 4];
    out[used++] = digits[c & 15];
  }
  return used;
}

size_t grpc_base64_size(size_t len) {
  return len / 3 * 4 + (len % 3 == 0 ? 0 : len % 3 + 1);
}

void grpc_base64_encode(struct bus_str bytes, char *out) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  uint32_t bits = 0;
  int have = 0;
  for (size_t i = 0; i < bytes.len; i++) {
    bits = bits << 8 | (unsigned char)bytes.data[i];
    for (have += 8; have >= 6; have -= 6)
      *out++ = digits[bits >> (have - 6) & 63];
  }
  if (have > 0)
    *out = digits[bits << (6 - have) & 63];
}

bool grpc_media_type_is_right(struct bus_str text) {
  if (!bus_str_cut_start(&text, "application/grpc"))
    return false;
  (void)bus_str_cut_start(&text, "+proto"); /* which is what it is without */
  return text.len == 0 || text.data[0] == ';' || text.data[0] == ' ';
}
