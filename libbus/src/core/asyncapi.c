/* The AsyncAPI 3.0 document of a topology, and the JSON Schemas of its messages. */
#include <bus/asyncapi.h>
#include <bus/bundle.h>

#include "json_schema.h"

#define ANSWERS "answers" /* the channel of bus.reply */
#define BUNDLE ".bundle"  /* behind a type: its messages in bundles */

/* A message carries no null: absent members are left out. Decoders accept null for them, and ignore unknown members. */
static const struct bus_schema_use of_messages = {.strict = false, .nullable = true};

static const struct bus_schema *body_of(const struct bus_message_type *type) {
  static const struct bus_schema none = {.name = "any body"};
  return type->schema ? type->schema : &none;
}

static void write_schemas(struct bus_json_writer *writer, const struct bus_topology *topology) {
  const struct bus_message_type *type;
  for (size_t i = 0; (type = bus_topology_type_at(topology, i)) != NULL; i++) {
    bus_json_put(writer, "$r$s:{", bus_json_comma(i > 0), type->type);
    bus_json_schema_object(writer, body_of(type), of_messages);
    bus_json_put(writer, "}");
  }
}

static void write_schema_document(struct bus_json_writer *writer, const void *context) {
  const struct bus_topology *topology = context;
  bus_json_put(writer, "{'$r':'https://json-schema.org/draft/2020-12/schema','title':$s,'$r':{", "$schema",
               topology->title ? topology->title : "messages", "$defs");
  write_schemas(writer, topology);
  bus_json_put(writer, "}}");
}

bool bus_message_schemas_encode(const struct bus_topology *topology, struct bus_arena *arena, struct bus_str *ret) {
  return bus_json_build(arena, write_schema_document, topology, ret);
}

/* ---- channels ---- */

static bool is_answer(const struct bus_message_type *type) {
  return type->exchange == BUS_EXCHANGE_REPLY;
}

static struct bus_str channel_of(const struct bus_message_type *type) {
  return is_answer(type) ? BUS_STR(ANSWERS) : bus_message_key(type);
}

static bool has_channel_before(const struct bus_topology *topology, size_t index) {
  struct bus_str channel = channel_of(bus_topology_type_at(topology, index));
  for (size_t i = 0; i < index; i++)
    if (bus_str_equal(channel_of(bus_topology_type_at(topology, i)), channel))
      return true;
  return false;
}

static void write_channel(struct bus_json_writer *writer, const struct bus_topology *topology, size_t first) {
  const struct bus_message_type *type = bus_topology_type_at(topology, first);
  struct bus_str channel = channel_of(type);
  bool more = false;
  bus_json_put(writer, "$v:{'address':", channel);
  if (is_answer(type))
    bus_json_put(writer, "null,'description':'The routing key is the reply_to of the query or command.'");
  else
    bus_json_put(writer, "$v", channel);
  bus_json_put(writer, ",'messages':{");
  for (size_t i = first; (type = bus_topology_type_at(topology, i)) != NULL; i++) {
    if (!bus_str_equal(channel_of(type), channel))
      continue;
    bus_json_put(writer, "$r$s:{'$r':", bus_json_comma(more), type->type, "$ref");
    bus_json_put(writer, "'#/components/messages/$r'}", type->type);
    if (bus_message_bundles(type))
      bus_json_put(writer, ",'$r" BUNDLE "':{'$r':'#/components/messages/$r" BUNDLE "'}", type->type, "$ref",
                   type->type);
    more = true;
  }
  bus_json_put(writer, "},'bindings':{'amqp':{'is':'routingKey','exchange':{'name':$s,'type':'topic','durable':true,",
               bus_exchange_name(bus_topology_type_at(topology, first)->exchange));
  bus_json_put(writer, "'autoDelete':false},'bindingVersion':'0.3.0'}}}");
}

static void write_channels(struct bus_json_writer *writer, const struct bus_topology *topology) {
  bool more = false;
  for (size_t i = 0; bus_topology_type_at(topology, i) != NULL; i++) {
    if (has_channel_before(topology, i))
      continue;
    bus_json_put(writer, bus_json_comma(more));
    write_channel(writer, topology, i);
    more = true;
  }
}

/* ---- operations ---- */

/* A user that sends a type, or a queue that takes it. */
static void write_operation(struct bus_json_writer *writer, const char *who, bool sends,
                            const struct bus_message_type *type, bool *more) {
  const char *action = sends ? "send" : "receive";
  struct bus_str channel = channel_of(type);
  bus_json_put(writer, "$r'$r.$r.$r':{'action':$s,'summary':'", bus_json_comma(*more), who, action, type->type, action);
  bus_json_put(writer, sends ? "$r sends $r'," : "The queue $r takes $r',", who, type->type);
  bus_json_put(writer, "'channel':{'$r':'#/channels/", "$ref");
  bus_json_raw(writer, channel);
  bus_json_put(writer, "'},'messages':[{'$r':'#/channels/", "$ref");
  bus_json_raw(writer, channel);
  bus_json_put(writer, "/messages/$r'}", type->type);
  if (bus_message_bundles(type)) {
    bus_json_put(writer, ",{'$r':'#/channels/", "$ref");
    bus_json_raw(writer, channel);
    bus_json_put(writer, "/messages/$r" BUNDLE "'}", type->type);
  }
  bus_json_put(writer, "]}");
  *more = true;
}

static void write_every_sender(struct bus_json_writer *writer, const struct bus_topology *topology,
                               const struct bus_message_type *type, bool *more) {
  for (size_t i = 0; i < topology->part_count; i++)
    if (bus_topology_is_sender(topology, type, bus_str(topology->parts[i]->user.name)))
      write_operation(writer, topology->parts[i]->user.name, true, type, more);
}

/* Every service may send an answer: those have no operation. */
static void write_senders(struct bus_json_writer *writer, const struct bus_topology *topology, bool *more) {
  const struct bus_message_type *type;
  for (size_t i = 0; (type = bus_topology_type_at(topology, i)) != NULL; i++)
    if (type->notice && type->open)
      write_every_sender(writer, topology, type, more);
    else
      for (size_t j = 0; j < BUS_SENDERS_MAX && type->senders[j]; j++)
        write_operation(writer, type->senders[j], true, type, more);
}

static void write_takers(struct bus_json_writer *writer, const struct bus_topology *topology, bool *more) {
  const struct bus_queue *queue;
  for (size_t i = 0; (queue = bus_topology_queue_at(topology, i)) != NULL; i++)
    for (size_t j = 0; j < queue->type_count; j++)
      write_operation(writer, queue->name, false, queue->types[j], more);
}

/* ---- messages ---- */

static const char *kind_of(const struct bus_message_type *type) {
  static const char *const kinds[] = {
      [BUS_EXCHANGE_CMD] = "command",
      [BUS_EXCHANGE_EVENT] = "event",
      [BUS_EXCHANGE_QUERY] = "query",
      [BUS_EXCHANGE_REPLY] = "answer",
  };
  return kinds[type->exchange];
}

static void write_message(struct bus_json_writer *writer, const struct bus_message_type *type) {
  char senders[BUS_SENDERS_TEXT];
  bus_message_senders(type, senders);
  bus_json_put(writer, "$s:{'name':$s,'title':$s,'summary':'", type->type, type->type, body_of(type)->name);
  bus_json_put(writer, "$r of $r','contentType':'application/json','tags':[{'name':$s}],", kind_of(type),
               is_answer(type) ? "the service that was asked" : senders, kind_of(type));
  bus_json_put(writer, "'headers':{'$r':'#/components/schemas/envelope'},", "$ref");
  bus_json_put(writer, "'payload':{'$r':'#/components/schemas/$r'}}", "$ref", type->type);
}

/* The other form of a message. Its tag keeps it apart from the types. */
static void write_bundle(struct bus_json_writer *writer, const struct bus_message_type *type) {
  bus_json_put(writer, ",'$r" BUNDLE "':{'name':$s,'title':'$r" BUNDLE "','summary':'several $r in one AMQP message',",
               type->type, type->type, type->type, type->type);
  bus_json_put(writer, "'contentType':$s,'tags':[{'name':'bundle'}],'headers':{'$r':'#/components/schemas/bundle'},",
               BUS_BUNDLE_CONTENT_TYPE, "$ref");
  bus_json_put(writer, "'payload':{'type':'array','minItems':1,'maxItems':$d,'items':{'allOf':[",
               (long long)BUS_BUNDLE_MAX);
  bus_json_put(writer, "{'$r':'#/components/schemas/cloudevent'},{'type':'object','properties':{", "$ref");
  bus_json_put(writer, "'type':{'const':$s},'data':{'$r':'#/components/schemas/$r'}}}]}}}", type->type, "$ref",
               type->type);
}

struct property {
  const char *name, *schema, *description;
};

static void write_properties(struct bus_json_writer *writer, const char *title, const char *required,
                             const struct property *properties, size_t count) {
  bus_json_put(writer, "$s:{'title':$s,'type':'object','required':[$r],'properties':{", title, title, required);
  for (size_t i = 0; i < count; i++)
    bus_json_put(writer, "$r$s:{$r,'description':$s}", bus_json_comma(i > 0), properties[i].name, properties[i].schema,
                 properties[i].description);
  bus_json_put(writer, "}},");
}

#define UUID "\"type\":\"string\",\"format\":\"uuid\""
#define TEXT(max) "\"type\":\"string\",\"maxLength\":" #max
#define CONST(value) "\"const\":\"" value "\""

/* Properties and headers of a bundle, and its elements (bus/bundle.h). */
static void write_bundle_schemas(struct bus_json_writer *writer) {
  static const struct property envelope[] = {
      {"message_id", UUID, "the bundle's own; receivers know duplicates by the ids of its elements"},
      {"type", TEXT(64), "that of all elements"},
      {"user_id", TEXT(64), "the publisher, checked by the broker"},
      {"app_id", TEXT(64), "the publisher"},
      {"reply_to", TEXT(255), "the queue of the asker, of all elements"},
      {"bus-count", "\"type\":\"integer\",\"minimum\":1,\"maximum\":128", "number of elements"},
  };
  static const struct property element[] = {
      {"specversion", CONST("1.0"), "of CloudEvents"},
      {"id", UUID, "the message_id of this message: the key by which receivers know a duplicate"},
      {"source", TEXT(65), "/ and the publisher"},
      {"type", TEXT(64), "name and version of the message"},
      {"subject", UUID, "the correlation_id; absent where there is none"},
      {"time", "\"type\":\"string\",\"format\":\"date-time\"", "when the message was made"},
      {"datacontenttype", CONST("application/json"), "of data"},
      {"traceparent", TEXT(55), "the trace, as in W3C Trace Context"},
      {"tracestate", TEXT(512), "belongs to traceparent"},
      {"causationid", UUID, "the message that led to this one"},
      {"data", "\"type\":\"object\"", "the body of this message"},
  };
  write_properties(writer, "bundle", "\"message_id\",\"type\",\"bus-count\"", envelope, BUS_COUNT(envelope));
  write_properties(writer, "cloudevent", "\"specversion\",\"id\",\"source\",\"type\",\"data\"", element,
                   BUS_COUNT(element));
}

/* The envelope: AMQP's properties beside the header fields (bus/message.h). */
static void write_envelope(struct bus_json_writer *writer) {
  static const struct property properties[] = {
      {"message_id", UUID, "a UUIDv7: the key by which receivers know a duplicate"},
      {"type", TEXT(64), "name and version of the message"},
      {"correlation_id", UUID, "what the message is about; absent where there is none"},
      {"user_id", TEXT(64), "the publisher, checked by the broker"},
      {"app_id", TEXT(64), "the publisher"},
      {"reply_to", TEXT(255), "the queue of the asker, in a query or command that wants an answer"},
      {"causation-id", UUID, "the message that led to this one"},
      {"traceparent", TEXT(55), "the trace, as in W3C Trace Context"},
  };
  write_properties(writer, "envelope", "\"message_id\",\"type\"", properties, BUS_COUNT(properties));
}

static bool has_bundles(const struct bus_topology *topology) {
  const struct bus_message_type *type;
  for (size_t i = 0; (type = bus_topology_type_at(topology, i)) != NULL; i++)
    if (bus_message_bundles(type))
      return true;
  return false;
}

static void write_messages(struct bus_json_writer *writer, const struct bus_topology *topology) {
  const struct bus_message_type *type;
  for (size_t i = 0; (type = bus_topology_type_at(topology, i)) != NULL; i++) {
    bus_json_put(writer, bus_json_comma(i > 0));
    write_message(writer, type);
    if (bus_message_bundles(type))
      write_bundle(writer, type);
  }
}

static void write_document(struct bus_json_writer *writer, const void *context) {
  const struct bus_topology *topology = context;
  bool more = false;
  bus_json_put(
      writer, "{'asyncapi':'3.0.0','info':{'title':$s,'version':$s,'description':$s},",
      topology->title ? topology->title : "messages", topology->version ? topology->version : "0",
      "Messages of the system over AMQP 0-9-1: commands, events, queries and answers. A message comes alone or, "
      "where the type has a form " BUNDLE ", in a bundle: the JSON batch of CloudEvents 1.0 as body, with its "
      "content type. The AMQP binding of CloudEvents defines only the single event, not the batch.");
  bus_json_put(writer, "'defaultContentType':'application/json','channels':{");
  write_channels(writer, topology);
  bus_json_put(writer, "},'operations':{");
  write_senders(writer, topology, &more);
  write_takers(writer, topology, &more);
  bus_json_put(writer, "},'components':{'messages':{");
  write_messages(writer, topology);
  bus_json_put(writer, "},'schemas':{");
  write_envelope(writer);
  if (has_bundles(topology))
    write_bundle_schemas(writer);
  write_schemas(writer, topology);
  bus_json_put(writer, "}}}");
}

bool bus_asyncapi_encode(const struct bus_topology *topology, struct bus_arena *arena, struct bus_str *ret) {
  return bus_json_build(arena, write_document, topology, ret);
}
