/* The program bus-send: an operator's way to publish messages: JSON bodies, one a line, checked against the type's
 * schema. */
#include "body.h"
#include "send_session.h"

#include <bus/clock.h>
#include <bus/operator.h>
#include <bus/tool.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXIT_SOME_FAILED = 1, EXIT_TROUBLE = 2, ARENA_LIMIT = 8 << 20 };

struct program {
  const struct bus_topology *topology;
  const struct bus_message_type *type;
  struct bus_amqp_settings settings;
  struct send_session session;
  struct bus_arena *arena;
  struct bus_uuid_source ids;
  long refused; /* lines that did not decode */
};

static const char help[] =
    "usage: bus-send [--url URL] TYPE\n"
    "Publishes messages of TYPE, such as order.place.v1: the standard input holds their bodies, JSON, one a\n"
    "line. A line that does not fit the type is named and not sent. The sender is the URL's user.\n"
    "\n"
    "  --url URL        amqp://user:password@host:port/vhost or amqps://…, with several nodes of a cluster as\n"
    "                   host:port,host:port; else the variable RABBITMQ_URL, which ps(1) does not "
    "show\n" BUS_OPERATOR_TLS_HELP "  --types          the types that can be sent, and who may\n"
    "  --help, --version\n"
    "\n"
    "Status: 0 all were confirmed by the broker; 1 some were wrong, returned, nacked or refused; 2 trouble.\n";

static int send_trouble(const char *text) {
  (void)fprintf(stderr, "bus-send: %s\n", text);
  return EXIT_TROUBLE;
}

static bool can_be_sent(const struct bus_message_type *type) {
  return type->exchange == BUS_EXCHANGE_CMD || type->exchange == BUS_EXCHANGE_EVENT;
}

static int print_types(const struct program *program) {
  const struct bus_message_type *type;
  char senders[BUS_SENDERS_TEXT];
  for (size_t i = 0; (type = bus_topology_type_at(program->topology, i)); i++) {
    bus_message_senders(type, senders);
    if (can_be_sent(type))
      (void)printf("%s %s\n", type->type, senders);
  }
  return fflush(stdout) == 0 ? EXIT_SUCCESS : send_trouble("cannot write the standard output");
}

/* ---- one line ---- */

static bool publish(struct program *program, const void *body, struct bus_str text, long line, struct bus_error *err) {
  struct bus_envelope envelope = {
      .type = bus_str(program->type->type),
      .correlation_id = body_correlation(program->topology, program->type->schema, body),
      .timestamp = bus_wall_clock(),
      .first_failed_at = BUS_NO_TIME,
  };
  bus_uuid_v7(&program->ids, envelope.timestamp, &envelope.message_id);
  bus_trace_start(&program->ids, &envelope.trace);
  bus_trace_sample(&envelope.trace, 0); /* nobody records the span that it would name */
  struct bus_publication publication = {.exchange = program->type->exchange,
                                        .key = bus_message_key(program->type),
                                        .mandatory = true,
                                        .envelope = &envelope,
                                        .body = text};
  return send_one(&program->session, &publication, line, err);
}

static bool send_line(struct program *program, struct bus_str json, long line, struct bus_error *err) {
  struct bus_str text;
  char where[32];
  (void)snprintf(where, sizeof where, "line %ld: ", line);
  bus_arena_reset(program->arena);
  const void *body = body_read(program->type->schema, json, where, program->arena);
  if (!body) {
    program->refused++;
    return true;
  }
  if (!bus_encode(program->type->schema, body, program->arena, &text))
    return bus_fail(err, BUS_E_NOMEM, "line %ld: out of memory", line);
  return publish(program, body, text, line, err);
}

static bool is_blank(struct bus_str line) {
  for (size_t i = 0; i < line.len; i++)
    if (line.data[i] != ' ' && line.data[i] != '\t')
      return false;
  return true;
}

static struct bus_str trim_end(const char *text, ssize_t len) {
  while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
    len--;
  return (struct bus_str){text, (size_t)len};
}

static bool send_all(struct program *program, FILE *in, struct bus_error *err) {
  char *text = NULL;
  size_t room = 0;
  ssize_t len;
  bool sent = true;
  for (long line = 1; sent && (len = getline(&text, &room, in)) >= 0; line++) {
    struct bus_str json = trim_end(text, len);
    sent = is_blank(json) || send_line(program, json, line, err);
  }
  free(text);
  if (sent && ferror(in))
    sent = bus_fail(err, BUS_E_SYSTEM, "standard input: %s", strerror(errno));
  return sent && send_finish(&program->session, err);
}

/* ---- the program ---- */

static int report_sent(const struct program *program, bool sent, const struct bus_error *err) {
  const struct send_session *session = &program->session;
  long unknown = send_unknown(session);
  (void)printf("%ld confirmed, %ld returned, %ld nacked, %ld lines refused, %ld unknown\n", session->confirmed,
               session->returned, session->nacked, program->refused, unknown);
  if (!sent)
    (void)fprintf(stderr, "bus-send: %s%s\n", err->code == BUS_E_AMQP_REFUSED ? "refused by permissions: " : "",
                  err->text);
  bool all = sent && session->returned + session->nacked + program->refused + unknown == 0;
  return all ? EXIT_SUCCESS : EXIT_SOME_FAILED;
}

static int send_input(struct program *program) {
  struct bus_error err;
  uint64_t seed[4];
  program->arena = bus_arena_new(ARENA_LIMIT);
  if (program->arena == NULL)
    return send_trouble("out of memory");
  bus_random_seed(seed);
  bus_uuid_source_init(&program->ids, seed);
  if (!send_open(&program->session, &program->settings, &err)) {
    bus_arena_free(program->arena);
    return send_trouble(err.text);
  }
  bool sent = send_all(program, stdin, &err);
  int status = report_sent(program, sent, &err);
  send_close(&program->session);
  bus_arena_free(program->arena);
  return status;
}

static int check_and_run(struct program *program, const char *type) {
  program->type = bus_topology_type(program->topology, bus_str(type));
  if (program->type == NULL || !can_be_sent(program->type))
    return send_trouble("no such command or event; see --types");
  if (program->settings.url == NULL)
    return send_trouble(BUS_OPERATOR_NO_BROKER);
  return send_input(program);
}

int bus_send_main(int argc, char **argv, const struct bus_topology *topology) {
  static const struct option options[] = {{"types", no_argument, NULL, 't'}, BUS_OPERATOR_OPTIONS};
  static struct program program; /* the window is large for a stack */
  int status;
  program.topology = topology;
  program.settings = bus_operator_begin("bus-send", topology->version);
  if (!bus_operator_shards(topology, &program.settings))
    return EXIT_TROUBLE;
  if (bus_operator_next(argc, argv, options, help, &program.settings, &status) != 0)
    return print_types(&program);
  if (status >= 0)
    return status;
  return optind == argc - 1 ? check_and_run(&program, argv[optind]) : send_trouble("one type is needed; see --help");
}
