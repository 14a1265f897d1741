/* Renders templates: values are escaped for the place where they stand. */
#include "notify_template.h"

enum { DEPTH_MAX = 3 };

struct place {
  const struct notify_values *values;
  enum notify_escape escape;
  size_t item;
  int depth;
};

static void add_html(struct mime *ret, struct bus_str value) {
  for (size_t i = 0; i < value.len; i++) {
    const char *entity = NULL;
    switch (value.data[i]) {
    case '&':
      entity = "&amp;";
      break;
    case '<':
      entity = "&lt;";
      break;
    case '>':
      entity = "&gt;";
      break;
    case '"':
      entity = "&quot;";
      break;
    case '\'':
      entity = "&#39;";
      break;
    default:
      break;
    }
    mime_add(ret, entity ? bus_str(entity) : (struct bus_str){value.data + i, 1});
  }
}

/* The text before `mark`, which is cut off with it; false: there is none. */
static bool cut_at(struct bus_str *rest, struct bus_str mark, struct bus_str *before) {
  for (size_t at = 0; at + mark.len <= rest->len; at++) {
    if (memcmp(rest->data + at, mark.data, mark.len) != 0)
      continue;
    *before = (struct bus_str){rest->data, at};
    rest->data += at + mark.len;
    rest->len -= at + mark.len;
    return true;
  }
  return false;
}

/* Behind a tag that has its line for itself. */
static void skip_line_break(struct bus_str *rest, bool begins_line) {
  if (begins_line && rest->len > 0 && rest->data[0] == '\n') {
    rest->data++;
    rest->len--;
  }
}

/* The inside of the part that has just begun. */
static bool cut_part(struct bus_str *rest, struct bus_str name, bool begins_line, struct bus_arena *arena,
                     struct bus_str *inside) {
  struct bus_str end = bus_arena_printf(arena, "{{/%.*s}}", (int)name.len, name.data);
  skip_line_break(rest, begins_line);
  if (!end.data || !cut_at(rest, end, inside))
    return false;
  skip_line_break(rest, begins_line && (inside->len == 0 || inside->data[inside->len - 1] == '\n'));
  return true;
}

static bool render(struct bus_str text, struct place place, struct mime *ret);

static bool render_part(struct bus_str name, struct bus_str inside, struct place place, struct mime *ret) {
  const struct notify_values *values = place.values;
  struct bus_str value;
  if (++place.depth > DEPTH_MAX)
    return false;
  if (bus_str_equal(name, values->list)) {
    bool good = true;
    for (place.item = 0; good && place.item < values->count; place.item++)
      good = render(inside, place, ret);
    return good;
  }
  if (!values->find(values->context, name, place.item, &value))
    return false;
  return !value.data || render(inside, place, ret);
}

static bool render_value(struct bus_str name, struct place place, struct mime *ret) {
  struct bus_str value;
  if (!place.values->find(place.values->context, name, place.item, &value))
    return false;
  if (place.escape == NOTIFY_AS_HTML)
    add_html(ret, value);
  else
    mime_add(ret, value);
  return true;
}

static bool render(struct bus_str text, struct place place, struct mime *ret) {
  struct bus_str before, name, inside;
  const char *begin = text.data;
  while (cut_at(&text, BUS_STR("{{"), &before)) {
    mime_add(ret, before);
    if (!cut_at(&text, BUS_STR("}}"), &name))
      return false;
    const char *tag = before.data + before.len;
    bool is_part = bus_str_cut_start(&name, "#"), begins_line = tag == begin || tag[-1] == '\n';
    if (is_part && !(cut_part(&text, name, begins_line, ret->arena, &inside) && render_part(name, inside, place, ret)))
      return false;
    if (!is_part && !render_value(name, place, ret))
      return false;
  }
  mime_add(ret, text);
  return !ret->failed;
}

bool notify_template_render(struct bus_str text, const struct notify_values *values, enum notify_escape escape,
                            struct mime *ret) {
  return render(text, (struct place){.values = values, .escape = escape}, ret);
}
