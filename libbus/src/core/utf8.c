/* One character of UTF-8 at a time, malformed ones refused or made harmless. */
#include "utf8.h"

size_t bus_utf8_next(const char *text, size_t len, uint32_t *ret_code) {
  static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (len == 0)
    return 0;
  uint8_t lead = (uint8_t)text[0];
  size_t count = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
  if (count == 0 || count > len)
    return 0;
  uint32_t code = count == 1 ? lead : lead & (0x7Fu >> count);
  for (size_t i = 1; i < count; i++) {
    uint8_t byte = (uint8_t)text[i];
    if ((byte & 0xC0) != 0x80)
      return 0;
    code = code << 6 | (byte & 0x3F);
  }
  if (code < smallest[count] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
    return 0;
  if (ret_code)
    *ret_code = code;
  return count;
}

bool bus_utf8_is_clean(const char *text, size_t len) {
  uint32_t code;
  for (size_t i = 0, step; i < len; i += step) {
    step = bus_utf8_next(text + i, len - i, &code);
    if (step == 0 || bus_utf8_is_control(code))
      return false;
  }
  return true;
}

void bus_utf8_clean(char *text, size_t len, bool lines) {
  size_t step;
  for (size_t i = 0; i < len; i += step) {
    uint32_t code = 0;
    step = bus_utf8_next(text + i, len - i, &code);
    bool bad = step == 0 || (bus_utf8_is_control(code) && !(lines && code == '\n'));
    if (step == 0)
      step = 1;
    if (bad)
      memset(text + i, '?', step);
  }
}
