/* The program bus-topology: applies a topology to a broker, compares it, prints it. */
#include "topology_retire.h"
#include "topology_text.h"

#include <bus/asyncapi.h>
#include <bus/operator.h>

#include <errno.h>
#include <stdlib.h>

enum { EXIT_DIFFERS = 1, EXIT_TROUBLE = 2, EXIT_NOT_COMPARED = 3, BINDINGS_MAX = 16 << 20, DOCUMENT_MAX = 4 << 20 };

#define DISK_MIN (INT64_C(1) << 30)
#define DISK_MAX (INT64_C(1) << 60)

struct program {
  const struct bus_topology *topology;
  struct bus_amqp_settings settings;
  const char *vhost, *bindings_file;
  struct bus_amqp *amqp;
  int64_t disk_bytes;
  char *bindings; /* what the broker lists; NULL: not known */
  size_t missing, differing, there, foreign;
  bool applying, failed;
};

static const char help[] =
    "usage: bus-topology [OPTION]... apply|diff|retire|print|definitions|asyncapi|schemas\n"
    "Declares exchanges, queues and bindings at a broker, as an administrator, at deployment.\n"
    "\n"
    "  apply         declare what is missing; a queue or exchange that differs is left alone, and nothing is changed:\n"
    "                give a queue with other arguments a new name. With another number of shards than before, the\n"
    "                bindings that led past them or to them go once the new ones are made\n"
    "  diff          say what is missing or differs; status 1 when anything does. Bindings need --bindings\n"
    "  retire        delete the shards of queues beyond the number; status 1, and nothing is deleted, while one of "
    "them\n"
    "                holds messages or has a consumer\n"
    "  print         the declarations, one a line; needs no broker\n"
    "  definitions   JSON for `rabbitmqctl import_definitions`: what each user may do, how many bytes\n"
    "                queues may hold, and how many connections and queues the virtual host; needs no broker\n"
    "  asyncapi      the messages as an AsyncAPI 3.0 document; needs no broker\n"
    "  schemas       JSON Schemas (2020-12) of all messages, by type under $defs; needs no broker\n"
    "\n"
    "  --url URL        amqp://user:password@host:port/vhost or amqps://…, with several nodes of a cluster as\n"
    "                   host:port,host:port; else the variable RABBITMQ_URL, which ps(1) does not "
    "show\n" BUS_OPERATOR_TLS_HELP "  --vhost VHOST    for definitions (default: /)\n"
    "  --disk BYTES     for definitions: what all queues that are stored may hold together, such as half of the "
    "broker's\n"
    "                   disk (default: 8589934592); each may hold an equal part, and refuses more\n"
    "  --bindings FILE  for diff: output of `rabbitmqctl -q list_bindings source_name destination_name routing_key`;\n"
    "                   - is the standard input. AMQP cannot list bindings: without it they are not compared, and the\n"
    "                   status is 3 where nothing else differs\n"
    "  --help, --version\n"
    "\n"
    "QUEUE_SHARDS is the number of shards of each work queue that can be split (default: 1); every program needs the\n"
    "same number.\n"
    "\n"
    "Status: 0 done, or no difference; 1 something is missing or differs; 2 trouble; 3 bindings not compared, and no\n"
    "difference in the rest.\n";

static int trouble(const char *text) {
  (void)fprintf(stderr, "bus-topology: %s\n", text);
  return EXIT_TROUBLE;
}

/* ---- looking ---- */

/* Says so on a line; *count goes up. */
static void report(size_t *count, const char *what, const struct bus_declaration *declaration) {
  char name[BUS_DECLARATION_TEXT];
  bus_topology_name(declaration, name, sizeof name);
  (void)printf("%s: %s\n", what, name);
  ++*count;
}

/* It exists. Declaring it again with our arguments has no effect, and is refused if the arguments differ. */
static bool compare_existing(struct program *program, const struct bus_declaration *declaration,
                             struct bus_error *err) {
  if (bus_amqp_declare(program->amqp, declaration, false, err)) {
    program->there++;
    return true;
  }
  if (err->code != BUS_E_TOPOLOGY)
    return false;
  report(&program->differing, "differs", declaration);
  (void)printf("  %s\n", err->text);
  return true;
}

static bool look_at(struct program *program, const struct bus_declaration *declaration, struct bus_error *err) {
  if (bus_amqp_declare(program->amqp, declaration, true, err))
    return compare_existing(program, declaration, err);
  if (err->code != BUS_E_TOPOLOGY)
    return false;
  report(&program->missing, program->applying ? "to be created" : "missing", declaration);
  return true;
}

static bool look(void *context, const struct bus_declaration *declaration) {
  struct program *program = context;
  struct bus_error err;
  if (declaration->kind == BUS_DECLARE_BINDING) {
    if (!program->applying && program->bindings && !bus_topology_lists_binding(program->bindings, declaration))
      report(&program->missing, "missing", declaration);
    return true;
  }
  program->failed = !look_at(program, declaration, &err);
  if (program->failed)
    (void)trouble(err.text);
  return !program->failed;
}

/* ---- verbs ---- */

static void on_foreign(void *context, struct bus_str line) {
  struct program *program = context;
  (void)printf("not ours: binding (source, destination, key) %.*s\n", (int)line.len, line.data);
  program->foreign++;
}

static int diff(struct program *program) {
  if (!bus_topology_each(program->topology, look, program))
    return EXIT_TROUBLE;
  if (program->bindings)
    bus_topology_each_foreign_binding(program->bindings, program->topology, on_foreign, program);
  else
    (void)fputs("bus-topology: bindings not compared: give --bindings\n", stderr);
  if (program->missing + program->differing + program->foreign > 0)
    return EXIT_DIFFERS;
  if (!program->bindings)
    return EXIT_NOT_COMPARED;
  (void)printf("no difference\n");
  return EXIT_SUCCESS;
}

static bool declare(void *context, const struct bus_declaration *declaration) {
  struct program *program = context;
  struct bus_error err;
  program->failed = !bus_amqp_declare(program->amqp, declaration, false, &err);
  if (program->failed)
    (void)trouble(err.text);
  return !program->failed;
}

static bool remove_superseded(void *context, const struct bus_declaration *declaration) {
  struct program *program = context;
  struct bus_error err;
  program->failed = !bus_amqp_remove(program->amqp, declaration, &err);
  if (program->failed)
    (void)trouble(err.text);
  return !program->failed;
}

static int apply(struct program *program) {
  program->applying = true;
  if (!bus_topology_each(program->topology, look, program))
    return EXIT_TROUBLE;
  if (program->differing > 0) {
    (void)fprintf(stderr, "bus-topology: nothing was changed: %zu differ\n", program->differing);
    return EXIT_DIFFERS;
  }
  if (!bus_topology_each(program->topology, declare, program) ||
      !bus_topology_each_superseded(program->topology, remove_superseded, program))
    return EXIT_TROUBLE;
  (void)printf("applied: %zu created, %zu were there, all bindings are made\n", program->missing, program->there);
  return EXIT_SUCCESS;
}

static int retire(struct program *program) {
  struct bus_error err;
  bool done;
  if (!topology_retire(program->amqp, program->topology, &done, &err))
    return trouble(err.text);
  return done ? EXIT_SUCCESS : EXIT_DIFFERS;
}

static bool print_line(void *context, const struct bus_declaration *declaration) {
  FILE *out = context;
  topology_print_declaration(out, declaration);
  (void)fputc('\n', out);
  return true;
}

static int print(struct program *program) {
  (void)bus_topology_each(program->topology, print_line, stdout); /* never stops early */
  return fflush(stdout) == 0 ? EXIT_SUCCESS : trouble("cannot write the standard output");
}

static int definitions(struct program *program) {
  topology_print_definitions(stdout, program->topology, program->vhost, program->disk_bytes);
  return fflush(stdout) == 0 ? EXIT_SUCCESS : trouble("cannot write the standard output");
}

typedef bool encode_function(const struct bus_topology *topology, struct bus_arena *arena, struct bus_str *ret);

static int print_document(const struct program *program, encode_function *encode) {
  struct bus_arena *arena = bus_arena_new(DOCUMENT_MAX);
  struct bus_str text;
  bool encoded = arena && encode(program->topology, arena, &text);
  bool printed = encoded && puts(text.data) >= 0 && fflush(stdout) == 0;
  bus_arena_free(arena);
  if (!encoded)
    return trouble("out of memory for the document");
  return printed ? EXIT_SUCCESS : trouble("cannot write the standard output");
}

/* ---- the program ---- */

static char *read_all(FILE *file) {
  char *text = calloc(1, BINDINGS_MAX + 1); /* touched only as far as there is text */
  size_t len = text ? fread(text, 1, BINDINGS_MAX, file) : 0;
  if (text && (ferror(file) || len == BINDINGS_MAX || memchr(text, '\0', len))) {
    free(text);
    text = NULL;
  }
  return text;
}

static bool read_bindings(struct program *program) {
  const char *name = program->bindings_file;
  if (name == NULL)
    return true;
  FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
  if (file == NULL) {
    (void)fprintf(stderr, "bus-topology: %s: %s\n", name, strerror(errno));
    return false;
  }
  program->bindings = read_all(file);
  if (file != stdin)
    (void)fclose(file); /* only read */
  if (program->bindings == NULL)
    (void)fprintf(stderr, "bus-topology: %s: cannot be read, is no text, or too long\n", name);
  return program->bindings != NULL;
}

static int with_broker(struct program *program, int (*verb)(struct program *program)) {
  struct bus_error err;
  if (program->settings.url == NULL)
    return trouble(BUS_OPERATOR_NO_BROKER);
  if (!read_bindings(program))
    return EXIT_TROUBLE;
  if (!bus_amqp_open_any(&program->settings, &program->amqp, &err))
    return trouble(err.text);
  int status = verb(program);
  bus_amqp_free(program->amqp);
  free(program->bindings);
  return status;
}

static int run_verb(struct program *program, const char *verb) {
  struct bus_error err;
  if (!bus_topology_is_valid(program->topology, &err))
    return trouble(err.text);
  if (strcmp(verb, "apply") == 0)
    return with_broker(program, apply);
  if (strcmp(verb, "diff") == 0)
    return with_broker(program, diff);
  if (strcmp(verb, "retire") == 0)
    return with_broker(program, retire);
  if (strcmp(verb, "print") == 0)
    return print(program);
  if (strcmp(verb, "definitions") == 0)
    return definitions(program);
  if (strcmp(verb, "asyncapi") == 0)
    return print_document(program, bus_asyncapi_encode);
  if (strcmp(verb, "schemas") == 0)
    return print_document(program, bus_message_schemas_encode);
  return trouble("the verbs are apply, diff, retire, print, definitions, asyncapi and schemas; see --help");
}

/* 0: no number of bytes, or less than 1 GiB or more than 1 EiB. */
static int64_t bytes_of(const char *text) {
  char *end;
  errno = 0;
  long long bytes = strtoll(text, &end, 10);
  bool good = errno == 0 && *end == '\0' && bytes >= DISK_MIN && bytes <= DISK_MAX;
  return good ? bytes : 0;
}

/* -1: go on; else the status to exit with. */
static int parse_options(struct program *program, int argc, char **argv) {
  static const struct option options[] = {
      {"vhost", required_argument, NULL, 'v'},
      {"disk", required_argument, NULL, 'd'},
      {"bindings", required_argument, NULL, 'b'},
      BUS_OPERATOR_OPTIONS,
  };
  int option, status;
  while ((option = bus_operator_next(argc, argv, options, help, &program->settings, &status)) != 0) {
    if (option == 'v')
      program->vhost = optarg;
    else if (option == 'd' && (program->disk_bytes = bytes_of(optarg)) == 0)
      return trouble("--disk is a number of bytes from 1073741824 to 1152921504606846976");
    else if (option == 'd')
      continue;
    else if (option == 'b')
      program->bindings_file = optarg;
  }
  return status >= 0 ? status : optind == argc - 1 ? -1 : trouble("one verb is needed; see --help");
}

int bus_topology_main(int argc, char **argv, const struct bus_topology *topology) {
  struct program program = {.topology = topology,
                            .settings = bus_operator_begin("bus-topology", topology->version),
                            .vhost = "/",
                            .disk_bytes = 8 * DISK_MIN};
  if (!bus_operator_shards(topology, &program.settings))
    return EXIT_TROUBLE;
  int status = parse_options(&program, argc, argv);
  return status >= 0 ? status : run_verb(&program, argv[optind]);
}
