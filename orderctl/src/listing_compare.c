/* Compares a listing with a topology: queues with their arguments, exchanges, bindings. */
#include "listing.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

const char *const difference_names[DIFFERENCE_KINDS + 1] = {
    [DIFFERENCE_MISSING] = "missing", [DIFFERENCE_CHANGED] = "differs", [DIFFERENCE_SURPLUS] = "surplus"};

struct comparing {
  const struct listing *listing;
  const struct bus_topology *topology;
  void (*visit)(void *context, const struct difference *difference);
  void *context;
};

static void report(const struct comparing *comparing, enum difference_kind kind, const char *name, const char *format,
                   ...) BUS_PRINTF(4, 5);
static void report(const struct comparing *comparing, enum difference_kind kind, const char *name, const char *format,
                   ...) {
  struct difference difference = {.kind = (int)kind};
  va_list args;
  (void)snprintf(difference.name, sizeof difference.name, "%s", name);
  va_start(args, format);
  (void)vsnprintf(difference.detail, sizeof difference.detail, format, args);
  va_end(args);
  comparing->visit(comparing->context, &difference);
}

/* ---- arguments of queues ---- */

/* All that a topology declares. */
struct arguments {
  struct bus_str queue_type, dead_exchange, dead_key, strategy, overflow;
  int64_t ttl, delivery_limit, max_bytes, max_length;
  bool single_active;
};

#define TEXT(text, member) BUS_ARGUMENT(text, member, struct bus_str, BUS_KIND_STRING, 0, 255)
#define NUMBER(text, member) BUS_ARGUMENT(text, member, int64_t, BUS_KIND_INT64, 0, BUS_JSON_INT_MAX)
#define FLAG(text, member) BUS_ARGUMENT(text, member, bool, BUS_KIND_BOOL, 0, 0)
#define BUS_ARGUMENT(text, member, T, what, least, most)                                                               \
  {                                                                                                                    \
    .name = (text), .kind = (what),                                                                                    \
    .offset = offsetof(struct arguments, member) + BUS_MEMBER_IS(struct arguments, member, T), .min = (least),         \
    .max = (most)                                                                                                      \
  }
static const struct bus_field argument_fields[] = {
    TEXT("x-queue-type", queue_type),
    TEXT("x-dead-letter-exchange", dead_exchange),
    TEXT("x-dead-letter-routing-key", dead_key),
    TEXT("x-dead-letter-strategy", strategy),
    TEXT("x-overflow", overflow),
    NUMBER("x-message-ttl", ttl),
    NUMBER("x-delivery-limit", delivery_limit),
    NUMBER("x-max-length-bytes", max_bytes),
    NUMBER("x-max-length", max_length),
    FLAG("x-single-active-consumer", single_active),
};
static const struct bus_schema argument_schema = BUS_SCHEMA("arguments", struct arguments, argument_fields);

enum { VALUE = 280 };

/* "" where it is absent. */
static void print_listed(const struct bus_field *field, const struct arguments *arguments, char text[VALUE]) {
  const void *cell = (const char *)arguments + field->offset;
  text[0] = '\0';
  if (field->kind == BUS_KIND_STRING) {
    const struct bus_str *value = cell;
    if (value->data)
      (void)snprintf(text, VALUE, "%.*s", (int)value->len, value->data);
  } else if (field->kind == BUS_KIND_BOOL) {
    if (*(const bool *)cell)
      (void)snprintf(text, VALUE, "true");
  } else if (*(const int64_t *)cell != BUS_NO_INT64)
    (void)snprintf(text, VALUE, "%" PRId64, *(const int64_t *)cell);
}

static void print_declared(const char *name, const struct bus_declaration *d, char text[VALUE]) {
  text[0] = '\0';
  for (size_t i = 0; i < d->argument_count; i++) {
    const struct bus_declare_argument *argument = &d->arguments[i];
    if (strcmp(argument->name, name) != 0)
      continue;
    if (argument->text)
      (void)snprintf(text, VALUE, "%s", argument->text);
    else if (argument->flag)
      (void)snprintf(text, VALUE, "%s", argument->number ? "true" : "false");
    else
      (void)snprintf(text, VALUE, "%" PRId64, argument->number);
  }
}

static const char *or_absent(const char *text) {
  return text[0] ? text : "absent";
}

static void compare_arguments(const struct comparing *comparing, const struct bus_declaration *d, const char *name,
                              struct bus_str json) {
  char listed[VALUE], declared[VALUE], problem[256];
  struct bus_problems problems = {0};
  struct arguments arguments;
  struct bus_arena *arena = bus_arena_new(1 << 20);
  if (!arena || !bus_decode(&argument_schema, json, BUS_REFUSE_UNKNOWN, arena, &arguments, &problems)) {
    bus_problems_text(&problems, problem, sizeof problem);
    report(comparing, DIFFERENCE_CHANGED, name, "its arguments are not the declared ones: %s", problem);
    bus_arena_free(arena);
    return;
  }
  for (size_t i = 0; i < BUS_COUNT(argument_fields); i++) {
    print_listed(&argument_fields[i], &arguments, listed);
    print_declared(argument_fields[i].name, d, declared);
    if (strcmp(listed, declared) != 0)
      report(comparing, DIFFERENCE_CHANGED, name, "%s is %s, declared %s", argument_fields[i].name, or_absent(listed),
             or_absent(declared));
  }
  bus_arena_free(arena);
}

/* ---- what is declared ---- */

static const struct listed_queue *find_queue(const struct listing *listing, const char *name) {
  for (size_t i = 0; i < listing->queue_count; i++)
    if (bus_str_is(listing->queues[i].name, name))
      return &listing->queues[i];
  return NULL;
}

static const struct listed_exchange *find_exchange(const struct listing *listing, const char *name) {
  for (size_t i = 0; i < listing->exchange_count; i++)
    if (bus_str_is(listing->exchanges[i].name, name))
      return &listing->exchanges[i];
  return NULL;
}

static void compare_queue(const struct comparing *comparing, const struct bus_declaration *d, const char *name) {
  const struct listed_queue *queue = find_queue(comparing->listing, d->name);
  if (!queue) {
    report(comparing, DIFFERENCE_MISSING, name, "%s", "");
    return;
  }
  if (!queue->durable)
    report(comparing, DIFFERENCE_CHANGED, name, "is not durable");
  compare_arguments(comparing, d, name, queue->arguments);
}

static void compare_exchange(const struct comparing *comparing, const struct bus_declaration *d, const char *name) {
  const struct listed_exchange *exchange = find_exchange(comparing->listing, d->name);
  const char *type = d->headers ? "headers" : "topic";
  if (!exchange)
    report(comparing, DIFFERENCE_MISSING, name, "%s", "");
  else if (!bus_str_is(exchange->type, type) || !exchange->durable)
    report(comparing, DIFFERENCE_CHANGED, name, "is %.*s and %s, declared %s and durable", (int)exchange->type.len,
           exchange->type.data, exchange->durable ? "durable" : "not durable", type);
}

static bool compare_declared(void *context, const struct bus_declaration *d) {
  const struct comparing *comparing = context;
  char name[BUS_DECLARATION_TEXT];
  bus_topology_name(d, name, sizeof name);
  if (d->kind == BUS_DECLARE_QUEUE)
    compare_queue(comparing, d, name);
  else if (d->kind == BUS_DECLARE_EXCHANGE)
    compare_exchange(comparing, d, name);
  else if (!bus_topology_lists_binding(comparing->listing->bindings, d))
    report(comparing, DIFFERENCE_MISSING, name, "%s", "");
  return true;
}

/* ---- what is there beyond it ---- */

struct finding {
  struct bus_str name;
  enum bus_declare_kind kind;
  bool found;
};

static bool find(void *context, const struct bus_declaration *d) {
  struct finding *finding = context;
  finding->found = d->kind == finding->kind && bus_str_is(finding->name, d->name);
  return !finding->found;
}

static bool is_declared(const struct comparing *comparing, enum bus_declare_kind kind, struct bus_str name) {
  struct finding finding = {.name = name, .kind = kind};
  (void)bus_topology_each(comparing->topology, find, &finding); /* stops early where it is found */
  return finding.found;
}

static bool is_instance(const struct bus_topology *topology, struct bus_str name) {
  const struct bus_queue *queue;
  for (size_t i = 0; (queue = bus_topology_queue_at(topology, i)); i++)
    if (queue->kind == BUS_QUEUE_EVENT && bus_topology_is_instance(queue, name))
      return true;
  return bus_topology_is_reply(topology, BUS_NO_STR, name);
}

static void report_surplus(const struct comparing *comparing, const char *kind, struct bus_str name) {
  char text[BUS_DECLARATION_TEXT];
  (void)snprintf(text, sizeof text, "%s %.*s", kind, (int)name.len, name.data);
  report(comparing, DIFFERENCE_SURPLUS, text, "%s", "");
}

static void on_foreign_binding(void *context, struct bus_str line) {
  char text[BUS_DECLARATION_TEXT];
  struct bus_str source = bus_str_cut(&line, '\t'), name = bus_str_cut(&line, '\t');
  (void)snprintf(text, sizeof text, "%.*s %.*s -> %.*s", (int)source.len, source.data, (int)line.len, line.data,
                 (int)name.len, name.data);
  report_surplus(context, "binding", bus_str(text));
}

static void compare_surplus(struct comparing *comparing) {
  const struct listing *listing = comparing->listing;
  struct bus_str rest;
  for (size_t i = 0; i < listing->queue_count; i++) {
    const struct listed_queue *queue = &listing->queues[i];
    if (!queue->exclusive && !is_instance(comparing->topology, queue->name) &&
        !is_declared(comparing, BUS_DECLARE_QUEUE, queue->name))
      report_surplus(comparing, "queue", queue->name);
  }
  for (size_t i = 0; i < listing->exchange_count; i++) {
    rest = listing->exchanges[i].name;
    if (bus_str_cut_start(&rest, "bus.") && !is_declared(comparing, BUS_DECLARE_EXCHANGE, listing->exchanges[i].name))
      report_surplus(comparing, "exchange", listing->exchanges[i].name);
  }
  bus_topology_each_foreign_binding(listing->bindings, comparing->topology, on_foreign_binding, comparing);
}

void listing_compare(const struct listing *listing, const struct bus_topology *topology,
                     void (*visit)(void *context, const struct difference *difference), void *context) {
  struct comparing comparing = {listing, topology, visit, context};
  (void)bus_topology_each(topology, compare_declared, &comparing); /* never stops early */
  if (!topology->guest)
    compare_surplus(&comparing);
}

/* ---- JSON ---- */

struct document {
  int kind;
  struct bus_str name, detail;
};
static const struct bus_field document_fields[] = {
    BUS_FIELD_ENUM(struct document, kind, difference_names, BUS_REQUIRED, "kind"),
    BUS_FIELD_STRING(struct document, name, BUS_TEXT, 0, BUS_DECLARATION_TEXT, BUS_REQUIRED, "what"),
    BUS_FIELD_STRING(struct document, detail, BUS_TEXT, 0, 512, BUS_OPTIONAL, "how it differs"),
};
static const struct bus_schema document_schema = BUS_SCHEMA("difference", struct document, document_fields);

bool difference_encode(const struct difference *difference, struct bus_arena *arena, struct bus_str *ret) {
  const struct document document = {difference->kind, bus_str(difference->name),
                                    difference->detail[0] ? bus_str(difference->detail) : BUS_NO_STR};
  return bus_encode_nulls(&document_schema, &document, arena, ret);
}
