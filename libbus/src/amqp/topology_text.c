/* Prints declarations and permissions. */
#include "topology_text.h"

#include <inttypes.h>
#include <stdlib.h>

void topology_print_declaration(FILE *out, const struct bus_declaration *d) {
  char name[BUS_DECLARATION_TEXT];
  bus_topology_name(d, name, sizeof name);
  (void)fputs(name, out);
  if (d->headers)
    (void)fputs(" type=headers", out);
  for (size_t i = 0; i < d->argument_count; i++) {
    const struct bus_declare_argument *argument = &d->arguments[i];
    if (argument->text)
      (void)fprintf(out, " %s=%s", argument->name, argument->text);
    else if (argument->flag)
      (void)fprintf(out, " %s=%s", argument->name, argument->number ? "true" : "false");
    else
      (void)fprintf(out, " %s=%" PRId64, argument->name, argument->number);
  }
}

/* ---- definitions ---- */

static void print_string(FILE *out, const char *text) {
  (void)fputc('"', out);
  for (const char *c = text; *c; c++) {
    if (*c == '"' || *c == '\\')
      (void)fputc('\\', out);
    if ((unsigned char)*c < 0x20)
      (void)fprintf(out, "\\u%04x", (unsigned)*c);
    else
      (void)fputc(*c, out);
  }
  (void)fputc('"', out);
}

static void print_member(FILE *out, const char *before, const char *name, const char *value) {
  (void)fprintf(out, "%s\"%s\":", before, name);
  print_string(out, value);
}

static void print_permissions(FILE *out, const struct bus_topology *topology, const char *vhost) {
  struct bus_permission permission;
  const char *before = "\n  {";
  for (size_t i = 0; i < topology->part_count; i++) {
    if (topology->parts[i]->user.elsewhere)
      continue;
    (void)bus_topology_permission(topology, topology->parts[i], &permission); /* bus_topology_is_valid: it fits */
    print_member(out, before, "user", topology->parts[i]->user.name);
    print_member(out, ", ", "vhost", vhost);
    print_member(out, ", ", "configure", permission.configure);
    print_member(out, ", ", "write", permission.write);
    print_member(out, ", ", "read", permission.read);
    (void)fputc('}', out);
    before = ",\n  {";
  }
}

static void print_topic_permissions(FILE *out, const struct bus_topology *topology, const char *vhost) {
  struct bus_topic_permission topics[6];
  size_t count;
  const char *before = "\n  {";
  for (size_t i = 0; i < topology->part_count; i++) {
    if (topology->parts[i]->user.elsewhere)
      continue;
    (void)bus_topology_topic_permissions(topology, topology->parts[i], topics, &count);
    for (size_t t = 0; t < count; t++) {
      print_member(out, before, "user", topology->parts[i]->user.name);
      print_member(out, ", ", "vhost", vhost);
      print_member(out, ", ", "exchange", topics[t].exchange);
      print_member(out, ", ", "write", topics[t].write);
      print_member(out, ", ", "read", topics[t].read);
      (void)fputc('}', out);
      before = ",\n  {";
    }
  }
}

static void print_limits(FILE *out, const struct bus_topology *topology, const char *vhost, int64_t disk_bytes) {
  char *quoted = NULL;
  size_t size = 0;
  FILE *text = open_memstream(&quoted, &size);
  if (!text)
    return; /* out of memory: the truncated output is no JSON, and is refused */
  print_string(text, vhost);
  (void)fclose(text);
  topology_print_limits(out, topology, quoted, disk_bytes);
  free(quoted);
}

void topology_print_definitions(FILE *out, const struct bus_topology *topology, const char *vhost, int64_t disk_bytes) {
  (void)fputs("{\"permissions\": [", out);
  print_permissions(out, topology, vhost);
  (void)fputs("],\n\"topic_permissions\": [", out);
  print_topic_permissions(out, topology, vhost);
  (void)fputs("],\n", out);
  print_limits(out, topology, vhost, disk_bytes);
  (void)fputs("}\n", out);
}
