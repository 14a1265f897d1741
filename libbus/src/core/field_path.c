/* Paths as text that grows and shrinks with the walk. */
#include "field_path.h"

#include <stdio.h>

enum { NAME_MAX_SHOWN = 40 };

static void put(struct bus_path *path, const char *text, size_t len) {
  size_t room = sizeof path->text - 1 - path->len;
  if (len > room)
    len = room;
  memcpy(path->text + path->len, text, len);
  path->len += len;
  path->text[path->len] = '\0';
}

size_t bus_path_enter(struct bus_path *path, const char *name) {
  size_t before = path->len, len = strlen(name);
  char shown[NAME_MAX_SHOWN];
  size_t count = len < sizeof shown ? len : sizeof shown;
  for (size_t i = 0; i < count; i++)
    shown[i] = name[i] > ' ' && name[i] < 0x7F ? name[i] : '?';
  if (before > 0)
    put(path, ".", 1);
  put(path, shown, count);
  if (len > count)
    put(path, "...", 3);
  return before;
}

size_t bus_path_enter_item(struct bus_path *path, size_t index) {
  size_t before = path->len;
  char text[32];
  int len = snprintf(text, sizeof text, "[%zu]", index);
  put(path, text, (size_t)len);
  return before;
}

void bus_path_leave(struct bus_path *path, size_t len) {
  path->len = len;
  path->text[len] = '\0';
}
