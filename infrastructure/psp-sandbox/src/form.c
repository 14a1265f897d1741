/* Parses and fingerprints a form. */
#include "form.h"

#include <bus/form.h>

#include <stdio.h>
#include <stdlib.h>

static bool decode(struct bus_str encoded, struct bus_arena *arena, struct bus_str *ret) {
  char *text = bus_arena_alloc(arena, encoded.len + 1);
  *ret = (struct bus_str){text, 0};
  return text != NULL && bus_form_decode(encoded, text, &ret->len);
}

static int compare_fields(const void *a, const void *b) {
  const struct psp_form_field *left = a, *right = b;
  size_t len = left->name.len < right->name.len ? left->name.len : right->name.len;
  int order = len > 0 ? memcmp(left->name.data, right->name.data, len) : 0;
  if (order != 0)
    return order;
  return left->name.len < right->name.len ? -1 : left->name.len > right->name.len;
}

static bool fail(const char *problem, const char **ret_problem) {
  *ret_problem = problem;
  return false;
}

bool psp_form_parse(struct bus_str body, struct bus_arena *arena, struct psp_form *ret, const char **ret_problem) {
  struct psp_form form = {.count = 0};
  struct bus_str name, value;
  while (bus_form_next(&body, &name, &value)) {
    struct psp_form_field *field = &form.fields[form.count];
    if (form.count == PSP_FORM_MAX)
      return fail("too many parameters", ret_problem);
    if (!decode(name, arena, &field->name) || !decode(value, arena, &field->value))
      return fail("malformed escape, control character or invalid UTF-8", ret_problem);
    form.count++;
  }
  qsort(form.fields, form.count, sizeof form.fields[0], compare_fields);
  for (size_t i = 1; i < form.count; i++)
    if (bus_str_equal(form.fields[i - 1].name, form.fields[i].name))
      return fail("a parameter stands twice", ret_problem);
  *ret = form;
  return true;
}

struct bus_str psp_form_get(const struct psp_form *form, const char *name) {
  for (size_t i = 0; i < form->count; i++)
    if (bus_str_is(form->fields[i].name, name))
      return form->fields[i].value;
  return BUS_NO_STR;
}

struct bus_str psp_form_member(struct bus_str name, const char *group) {
  size_t len = strlen(group);
  if (name.len < len + 3 || memcmp(name.data, group, len) != 0 || name.data[len] != '[' ||
      name.data[name.len - 1] != ']')
    return BUS_NO_STR;
  return (struct bus_str){name.data + len + 1, name.len - len - 2};
}

/* Lengths before the texts, so that no two forms have one text. */
static size_t write_canonical(const struct psp_form *form, const char *path, char *text, size_t size) {
  size_t len = (size_t)snprintf(text, size, "%s\n", path);
  for (size_t i = 0; i < form->count; i++) {
    const struct psp_form_field *field = &form->fields[i];
    len += (size_t)snprintf(text ? text + len : NULL, text ? size - len : 0, "%zu:%.*s=%zu:%.*s\n", field->name.len,
                            (int)field->name.len, field->name.data, field->value.len, (int)field->value.len,
                            field->value.data);
  }
  return len;
}

bool psp_form_fingerprint(const struct psp_form *form, const char *path, struct bus_arena *arena,
                          char ret[BUS_SHA256_TEXT]) {
  size_t len = write_canonical(form, path, NULL, 0);
  char *text = bus_arena_alloc(arena, len + 1);
  if (text == NULL)
    return false;
  write_canonical(form, path, text, len + 1);
  bus_sha256_hex((struct bus_str){text, len}, ret);
  return true;
}
