/* The program bus-ask: an operator's way to ask a query and read its answer. */
#include "body.h"

#include <bus/clock.h>
#include <bus/log.h>
#include <bus/operator.h>
#include <bus/request.h>
#include <bus/tool.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { EXIT_NO_ANSWER = 1, EXIT_TROUBLE = 2, ARENA_LIMIT = 16 << 20, BODY_MAX = 1 << 20, PATIENCE_S = 10 };

struct program {
  const struct bus_topology *topology;
  const struct bus_message_type *type;
  const char *body;
  struct bus_amqp_settings settings;
  struct bus_arena *arena;
};

static const char help[] =
    "usage: bus-ask [--url URL] TYPE [BODY]\n"
    "Sends one query of TYPE, such as order.get.v1, and prints the type and the body of its "
    "answer. BODY is JSON; without\n"
    "it the standard input holds it. The URL's user must be one that asks.\n"
    "\n"
    "  --url URL        amqp://user:password@host:port/vhost or amqps://…; else the variable "
    "RABBITMQ_URL, which ps(1)\n"
    "                   does not show\n" BUS_OPERATOR_TLS_HELP "  --types          the queries, and who may send them\n"
    "  --help, --version\n"
    "\n"
    "Status: 0 answered; 1 no answer within 10 s, or no queue takes the query; 2 trouble.\n";

static int ask_trouble(const char *text) {
  (void)fprintf(stderr, "bus-ask: %s\n", text);
  return EXIT_TROUBLE;
}

static int print_queries(const struct program *program) {
  const struct bus_message_type *type;
  char senders[BUS_SENDERS_TEXT];
  for (size_t i = 0; (type = bus_topology_type_at(program->topology, i)); i++) {
    bus_message_senders(type, senders);
    if (type->exchange == BUS_EXCHANGE_QUERY)
      (void)printf("%s %s\n", type->type, type->open ? "every user who asks" : senders);
  }
  return fflush(stdout) == 0 ? EXIT_SUCCESS : ask_trouble("cannot write the standard output");
}

/* ---- the answer ---- */

static size_t answer_types(const struct program *program, const struct bus_message_type **ret, size_t room) {
  const struct bus_message_type *type;
  size_t count = 0;
  for (size_t i = 0; (type = bus_topology_type_at(program->topology, i)) && count < room; i++)
    if (type->exchange == BUS_EXCHANGE_REPLY)
      ret[count++] = type;
  return count;
}

static int print_answer(const struct program *program, struct bus_pending *pending) {
  const struct bus_message_type *types[256], *type;
  const void *body;
  struct bus_str json;
  size_t count = answer_types(program, types, BUS_COUNT(types));
  if (!bus_request_answer(pending, types, count, program->arena, &type, &body))
    return ask_trouble("the answer is of a type that the topology does not have, or malformed");
  if (!bus_encode(type->schema, body, program->arena, &json))
    return ask_trouble("out of memory for the answer");
  (void)printf("%s %s\n", type->type, json.data);
  return fflush(stdout) == 0 ? EXIT_SUCCESS : ask_trouble("cannot write the standard output");
}

static int end_without(enum bus_request_state state) {
  const char *why = state == BUS_REQUEST_UNROUTABLE    ? "no queue takes this query: apply the topology"
                    : state == BUS_REQUEST_UNAVAILABLE ? "the broker is away, blocks publishers, or refuses the user"
                    : state == BUS_REQUEST_LOST        ? "the connection was lost"
                                                       : "no answer came within 10 s: is its service running?";
  (void)ask_trouble(why);
  return EXIT_NO_ANSWER;
}

/* ---- asking ---- */

static int ask_over(const struct program *program, struct bus_requester *requester, const void *body) {
  int64_t until = bus_monotonic() + PATIENCE_S * BUS_SECOND;
  const struct bus_request request = {.type = program->type,
                                      .correlation_id =
                                          body_correlation(program->topology, program->type->schema, body),
                                      .body = body,
                                      .valid_ms = PATIENCE_S * 1000};
  while (!bus_requester_is_up(requester) && bus_monotonic() < until)
    (void)usleep(1000);
  struct bus_pending *pending = bus_request_begin(requester, &request);
  if (!pending)
    return ask_trouble("out of memory for the query");
  enum bus_request_state state = bus_request_wait(pending, until, false);
  int status = state == BUS_REQUEST_ANSWERED ? print_answer(program, pending) : end_without(state);
  bus_request_end(pending);
  return status;
}

static void name_instance(char text[BUS_UUID_TEXT]) {
  struct bus_uuid_source ids;
  struct bus_uuid id;
  uint64_t seed[4];
  bus_random_seed(seed);
  bus_uuid_source_init(&ids, seed);
  bus_uuid_v7(&ids, bus_wall_clock(), &id);
  bus_uuid_format(&id, text);
}

static int ask(struct program *program, const void *body) {
  char user[BUS_NAME_MAX], instance[BUS_UUID_TEXT];
  struct bus_requester *requester;
  struct bus_amqp *amqp;
  struct bus_error err;
  if (!bus_amqp_url_user(program->settings.url, user, &err) ||
      !bus_amqp_open_any(&program->settings, &amqp, &err)) /* says why it does not come about; a requester tries on */
    return ask_trouble(err.text);
  bus_amqp_free(amqp);
  name_instance(instance);
  const struct bus_requester_settings settings = {.amqp_url = program->settings.url,
                                                  .dns_server = program->settings.dns_server,
                                                  .tls = program->settings.tls,
                                                  .service = user,
                                                  .instance = instance};
  if (!bus_requester_new(&settings, &requester, &err))
    return ask_trouble(err.text);
  int status = ask_over(program, requester, body);
  bus_requester_free(requester);
  return status;
}

static const char *read_body(const struct program *program) {
  if (program->body)
    return program->body;
  char *text = bus_arena_alloc(program->arena, BODY_MAX + 1);
  size_t len = text ? fread(text, 1, BODY_MAX, stdin) : 0;
  return text && !ferror(stdin) && feof(stdin) && strlen(text) == len ? text : NULL;
}

static int read_and_ask(struct program *program) {
  program->arena = bus_arena_new(ARENA_LIMIT);
  if (!program->arena)
    return ask_trouble("out of memory");
  const char *text = read_body(program);
  const void *body = text ? body_read(program->type->schema, bus_str(text), "body: ", program->arena) : NULL;
  int status = text ? EXIT_TROUBLE : ask_trouble("the standard input cannot be read, is no text, or over 1 MiB");
  if (body)
    status = ask(program, body);
  bus_arena_free(program->arena);
  return status;
}

/* ---- the program ---- */

static int check_and_ask(struct program *program, int count, char **words) {
  program->type = bus_topology_type(program->topology, bus_str(words[0]));
  program->body = count > 1 ? words[1] : NULL;
  if (!program->type || program->type->exchange != BUS_EXCHANGE_QUERY)
    return ask_trouble("no such query; see --types");
  if (!program->settings.url)
    return ask_trouble(BUS_OPERATOR_NO_BROKER);
  bus_log_init("bus-ask", BUS_ERROR);
  return read_and_ask(program);
}

/* -1: go on; else the status to exit with. */
static int parse_ask_options(struct program *program, int argc, char **argv) {
  static const struct option options[] = {
      {"types", no_argument, NULL, 't'},
      BUS_OPERATOR_OPTIONS,
  };
  int status;
  if (bus_operator_next(argc, argv, options, help, &program->settings, &status) != 0)
    return print_queries(program);
  bool fits = optind < argc && argc - optind <= 2;
  return status >= 0 ? status : fits ? -1 : ask_trouble("a type, and perhaps its body; see --help");
}

int bus_ask_main(int argc, char **argv, const struct bus_topology *topology) {
  struct program program = {.topology = topology, .settings = bus_operator_begin("bus-ask", topology->version)};
  int status = parse_ask_options(&program, argc, argv);
  return status >= 0 ? status : check_and_ask(&program, argc - optind, argv + optind);
}
