/* Paths as steps, and their text. */
#include "field_path.h"

#include <stdio.h>

enum { NAME_MAX_SHOWN = 40 };

static size_t enter(struct bus_path *path, struct bus_path_step step) {
  if (path->depth < BUS_COUNT(path->steps)) /* always: the scan before has bounded the depth */
    path->steps[path->depth] = step;
  return path->depth++;
}

size_t bus_path_enter(struct bus_path *path, const char *name) {
  return enter(path, (struct bus_path_step){.name = name});
}

size_t bus_path_enter_item(struct bus_path *path, size_t index) {
  return enter(path, (struct bus_path_step){.index = index});
}

void bus_path_leave(struct bus_path *path, size_t depth) {
  path->depth = depth;
}

static size_t path_put(struct bus_path *path, size_t len, const char *text, size_t count) {
  size_t room = sizeof path->text - 1 - len;
  if (count > room)
    count = room;
  memcpy(path->text + len, text, count);
  return len + count;
}

static size_t put_member(struct bus_path *path, size_t len, const char *name) {
  size_t count = strlen(name);
  char shown[NAME_MAX_SHOWN];
  size_t kept = count < sizeof shown ? count : sizeof shown;
  for (size_t i = 0; i < kept; i++)
    shown[i] = name[i] > ' ' && name[i] < 0x7F ? name[i] : '?';
  if (len > 0)
    len = path_put(path, len, ".", 1);
  len = path_put(path, len, shown, kept);
  return kept < count ? path_put(path, len, "...", 3) : len;
}

static size_t put_item(struct bus_path *path, size_t len, size_t index) {
  char text[32];
  int count = snprintf(text, sizeof text, "[%zu]", index);
  return path_put(path, len, text, (size_t)count);
}

const char *bus_path_text(struct bus_path *path) {
  size_t len = 0;
  for (size_t i = 0; i < path->depth && i < BUS_COUNT(path->steps); i++) {
    const struct bus_path_step *step = &path->steps[i];
    len = step->name ? put_member(path, len, step->name) : put_item(path, len, step->index);
  }
  path->text[len] = '\0';
  return path->text;
}
