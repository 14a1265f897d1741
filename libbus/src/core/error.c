/* The error list as tables, and error texts that stay on one line. */
#include <bus/error.h>

#include <stdarg.h>
#include <stdio.h>

static const struct {
  const char *name;
  enum bus_class class;
} errors[] = {
#define ERROR_ROW(code_, class_, text_) [code_] = {.name = #code_, .class = BUS_CLASS_##class_},
    BUS_ERROR_MAP(ERROR_ROW)
#undef ERROR_ROW
};

static bool is_code(enum bus_errc code) {
  return (size_t)code < BUS_COUNT(errors);
}

enum bus_class bus_error_class(enum bus_errc code) {
  return is_code(code) ? errors[code].class : BUS_CLASS_FATAL;
}

const char *bus_error_name(enum bus_errc code) {
  return is_code(code) ? errors[code].name : "BUS_E_?";
}

/* Joins lines: texts of libpq and of operators hold line breaks; trailing ones are dropped. */
static void put_on_one_line(char *text) {
  size_t len = strlen(text);
  for (size_t i = 0; i < len; i++)
    if ((unsigned char)text[i] < ' ' || text[i] == 0x7F)
      text[i] = ' ';
  while (len > 0 && text[len - 1] == ' ')
    text[--len] = '\0';
}

bool bus_fail(struct bus_error *err, enum bus_errc code, const char *format, ...) {
  if (err == NULL)
    return false;
  /* Formatted aside: an argument may be err->text itself. */
  char text[sizeof err->text];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  put_on_one_line(text);
  err->code = code;
  memcpy(err->text, text, sizeof text);
  return false;
}

/* As much of it as there is room for. */
static void append_text(char *text, size_t size, const char *more) {
  size_t len = strlen(text), count = strlen(more);
  if (count > size - 1 - len)
    count = size - 1 - len;
  memcpy(text + len, more, count);
  text[len + count] = '\0';
}

bool bus_error_wrap(struct bus_error *err, const char *format, ...) {
  if (err == NULL)
    return false;
  char text[sizeof err->text];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  append_text(text, sizeof text, ": ");
  append_text(text, sizeof text, err->text);
  put_on_one_line(text);
  memcpy(err->text, text, sizeof text);
  return false;
}
