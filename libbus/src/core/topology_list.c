/* Compares the bindings of a topology with those that a broker lists. */
#include <bus/topology.h>

#include <stdio.h>

void bus_topology_name(const struct bus_declaration *d, char *text, size_t size) {
  if (d->kind == BUS_DECLARE_BINDING)
    (void)snprintf(text, size, "binding %s %s -> %s", d->exchange, d->key, d->name);
  else
    (void)snprintf(text, size, "%s %s", d->kind == BUS_DECLARE_QUEUE ? "queue" : "exchange", d->name);
}

/* The next line, without its newline; false at the end. */
static bool next_line(const char **rest, struct bus_str *ret) {
  if (**rest == '\0')
    return false;
  size_t len = strcspn(*rest, "\n");
  *ret = (struct bus_str){*rest, len > 0 && (*rest)[len - 1] == '\r' ? len - 1 : len};
  *rest += len + ((*rest)[len] == '\n');
  return true;
}

static void format_line(const struct bus_declaration *binding, char *text, size_t size) {
  (void)snprintf(text, size, "%s\t%s\t%s", binding->exchange, binding->name, binding->key);
}

bool bus_topology_lists_binding(const char *list, const struct bus_declaration *binding) {
  char wanted[3 * BUS_KEY_MAX + 4];
  struct bus_str line;
  format_line(binding, wanted, sizeof wanted);
  while (next_line(&list, &line))
    if (bus_str_is(line, wanted))
      return true;
  return false;
}

struct foreign {
  struct bus_str line;
  bool ours;
};

static bool compare_line(void *context, const struct bus_declaration *declaration) {
  struct foreign *foreign = context;
  char line[3 * BUS_KEY_MAX + 4];
  if (declaration->kind != BUS_DECLARE_BINDING)
    return true;
  format_line(declaration, line, sizeof line);
  foreign->ours = bus_str_is(foreign->line, line);
  return !foreign->ours;
}

static bool starts_with(struct bus_str line, struct bus_str text) {
  return line.len >= text.len && memcmp(line.data, text.data, text.len) == 0;
}

/* "source\tdestination\tkey", as the process of an event queue's user makes it. */
static bool is_of_events(const struct bus_queue *queue, struct bus_str line) {
  struct bus_str rest = line, source = bus_str_cut(&rest, '\t'), name = bus_str_cut(&rest, '\t');
  for (size_t i = 0; i < queue->type_count; i++)
    if (bus_topology_is_instance(queue, name) && bus_str_is(source, bus_exchange_name(queue->types[i]->exchange)) &&
        bus_str_equal(rest, bus_message_key(queue->types[i])))
      return true;
  return false;
}

static bool is_of_any_events(const struct bus_topology *topology, struct bus_str line) {
  const struct bus_queue *queue;
  for (size_t i = 0; (queue = bus_topology_queue_at(topology, i)); i++)
    if (is_of_events(queue, line))
      return true;
  return false;
}

/* Askers bind their own queues to bus.reply. */
static bool has_our_source(struct bus_str line) {
  return starts_with(line, BUS_STR("bus.")) && !starts_with(line, BUS_STR("bus.reply\t"));
}

void bus_topology_each_foreign_binding(const char *list, const struct bus_topology *topology,
                                       void (*visit)(void *context, struct bus_str line), void *context) {
  struct foreign foreign;
  while (!topology->guest && next_line(&list, &foreign.line)) {
    foreign.ours = false;
    if (!has_our_source(foreign.line) || is_of_any_events(topology, foreign.line))
      continue;
    (void)bus_topology_each(topology, compare_line, &foreign); /* stops early where it is found */
    if (!foreign.ours)
      visit(context, foreign.line);
  }
}
