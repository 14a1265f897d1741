/* The program bus-dead: an operator's view of parked messages, and the way back for them. */
#include "dead_queue.h"
#include "dead_redrive.h"
#include "dead_send.h"
#include "send_session.h"

#include <bus/bundle.h>
#include <bus/clock.h>
#include <bus/history.h>
#include <bus/operator.h>
#include <bus/tool.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXIT_SOME_FAILED = 1, EXIT_TROUBLE = 2, IDS_MAX = 100, BUNDLE_ARENA = 1 << 20 };

struct verb {
  const char *name;
  enum dead_fate (*visit)(void *program, const struct bus_delivery *delivery);
  bool takes_away, sends;
};

struct program {
  const struct bus_topology *topology;
  struct bus_amqp_settings settings;
  const struct verb *verb;
  const struct bus_queue *queue;
  bool all;
  struct bus_uuid ids[IDS_MAX];
  bool seen[IDS_MAX];
  size_t id_count;
  long done, kept, refused;
  struct send_session session;
  struct bus_uuid_source source;
  struct bus_error err;
};

static const char help[] =
    "usage: bus-dead [--url URL] list [QUEUE [ID…]]\n"
    "       bus-dead [--url URL] show QUEUE [ID…]\n"
    "       bus-dead [--url URL] replay QUEUE ID…|--all\n"
    "       bus-dead [--url URL] drop QUEUE ID…|--all\n"
    "Parked messages of a work queue, such as order-svc.\n"
    "\n"
    "  list    how many each queue has; or a line for each message: id, when it was parked, type, sender, correlation "
    "id,\n"
    "          attempt, why. A ! after the sender: it may not send that type, or not to this queue. bundle:COUNT "
    "instead of\n"
    "          the correlation id: several messages in one, which could not be cut\n"
    "  show    the same messages whole, with the history of their failed tries and their bodies\n"
    "  replay  sends them back to their queue as new messages with new ids; each leaves the dead queue once the "
    "broker\n"
    "          has its successor. Sent twice, a message is taken once. A message whose sender may not send its type "
    "is\n"
    "          refused, also under --all. A bundle is sent again whole\n"
    "  drop    shows them and takes them away for ever\n"
    "\n"
    "  --all            every message that lies there now\n"
    "  --url URL        amqp://user:password@host:port/vhost or amqps://…, of the operator's user; else the variable\n"
    "                   RABBITMQ_URL, which ps(1) does not show\n" BUS_OPERATOR_TLS_HELP "  --help, --version\n"
    "\n"
    "Status: 0 all was done; 1 some were not there, or were not taken and stay where they are; 2 trouble.\n";

static int dead_trouble(const char *text) {
  (void)fprintf(stderr, "bus-dead: %s\n", text);
  return EXIT_TROUBLE;
}

/* ---- what is printed: it came from anywhere, and goes to a terminal ---- */

static void print_text(struct bus_str text, bool lines) {
  for (size_t i = 0; i < text.len; i++) {
    unsigned char c = (unsigned char)text.data[i];
    bool harmless = (c >= 0x20 && c != 0x7F) || (lines && c == '\n');
    (void)putchar(harmless ? c : '?');
  }
}

static void print_uuid(const struct bus_uuid *uuid) {
  char text[BUS_UUID_TEXT];
  bus_uuid_format(uuid, text);
  (void)fputs(bus_uuid_is_nil(uuid) ? "-" : text, stdout);
}

static void print_sender(const struct program *program, const struct bus_envelope *envelope) {
  struct bus_str sender;
  struct bus_error err;
  bool right = dead_sender(program->topology, program->queue, envelope, &sender, &err);
  print_text(sender, false);
  (void)fputs(right ? " " : "! ", stdout);
}

/* The correlation id of a message; a bundle has those of its elements. */
static void print_correlation(const struct bus_envelope *envelope) {
  if (envelope->bundle)
    (void)printf("bundle:%" PRId64, envelope->bundle_count);
  else
    print_uuid(&envelope->correlation_id);
}

static void print_line(const struct program *program, const struct bus_envelope *envelope) {
  struct bus_failure last = {.attempt = envelope->attempt, .error = BUS_STR("-"), .cause = BUS_STR("no history")};
  char at[BUS_TIME_TEXT];
  if (!bus_history_last(envelope->history, &last))
    last.at = dead_parked_at(envelope);
  bus_time_format(last.at, at);
  print_uuid(&envelope->message_id);
  (void)printf(" %s ", at);
  print_text(envelope->type.data ? envelope->type : BUS_STR("-"), false);
  (void)putchar(' ');
  print_sender(program, envelope);
  print_correlation(envelope);
  (void)printf(" %" PRId64 " ", last.attempt);
  print_text(last.error, false);
  (void)putchar(' ');
  print_text(last.cause, false);
  (void)putchar('\n');
}

static void print_bundle(const struct bus_delivery *delivery) {
  struct bus_arena *arena = bus_arena_new(BUNDLE_ARENA);
  struct bus_bundle_element *elements;
  struct bus_error err;
  size_t count;
  (void)printf("  " BUS_BUNDLE_CONTENT_TYPE ", bus-count %" PRId64 "; ", delivery->envelope.bundle_count);
  if (!arena)
    (void)fputs("out of memory for its elements\n", stdout);
  else if (!bus_bundle_cut(&delivery->envelope, delivery->body, arena, &elements, &count, &err))
    (void)printf("cannot be cut: %s\n", err.text);
  else
    (void)fputs("its elements can be cut\n", stdout);
  bus_arena_free(arena);
}

static void print_whole(const struct program *program, const struct bus_delivery *delivery) {
  const struct bus_envelope *envelope = &delivery->envelope;
  print_line(program, envelope);
  (void)fputs("  dead-lettered by ", stdout);
  print_text(envelope->user_id, false);
  (void)fputs(", caused by ", stdout);
  print_uuid(&envelope->causation_id);
  (void)putchar('\n');
  for (size_t begin = 0, end; begin < envelope->history.len; begin = end + 1) {
    for (end = begin; end < envelope->history.len && envelope->history.data[end] != '\n';)
      end++;
    (void)fputs("  try ", stdout);
    print_text((struct bus_str){envelope->history.data + begin, end - begin}, false);
    (void)putchar('\n');
  }
  if (envelope->bundle)
    print_bundle(delivery);
  (void)fputs("  body ", stdout);
  print_text(delivery->body, true);
  (void)putchar('\n');
}

/* ---- one message ---- */

static bool is_chosen(struct program *program, const struct bus_envelope *envelope) {
  bool chosen = program->all;
  for (size_t i = 0; i < program->id_count; i++)
    if (bus_uuid_equal(&program->ids[i], &envelope->message_id))
      chosen = program->seen[i] = true;
  return chosen;
}

static enum dead_fate visit_list(void *context, const struct bus_delivery *delivery) {
  struct program *program = context;
  if (is_chosen(program, &delivery->envelope))
    print_line(program, &delivery->envelope);
  return DEAD_STAYS;
}

static enum dead_fate visit_show(void *context, const struct bus_delivery *delivery) {
  struct program *program = context;
  if (is_chosen(program, &delivery->envelope))
    print_whole(program, delivery);
  return DEAD_STAYS;
}

static enum dead_fate visit_drop(void *context, const struct bus_delivery *delivery) {
  struct program *program = context;
  if (!is_chosen(program, &delivery->envelope))
    return DEAD_STAYS;
  print_whole(program, delivery);
  program->done++;
  return fflush(stdout) == 0 ? DEAD_GOES : DEAD_STOPS; /* what nobody could read is not dropped */
}

static enum dead_fate refuse_replay(struct program *program, const struct bus_envelope *envelope,
                                    const struct bus_error *err) {
  char id[BUS_UUID_TEXT];
  bus_uuid_format(&envelope->message_id, id);
  (void)fprintf(stderr, "%s is not sent again: %s\n", id, err->text);
  program->refused++;
  return DEAD_STAYS;
}

static enum dead_fate visit_replay(void *context, const struct bus_delivery *delivery) {
  struct program *program = context;
  struct bus_str sender;
  struct bus_error err;
  if (!is_chosen(program, &delivery->envelope))
    return DEAD_STAYS;
  if (!dead_sender(program->topology, program->queue, &delivery->envelope, &sender, &err))
    return refuse_replay(program, &delivery->envelope, &err);
  struct bus_envelope envelope = dead_redrive(&delivery->envelope, sender, bus_wall_clock(), &program->source);
  if (!dead_send(&program->session, program->topology, program->queue, &envelope, delivery->body, program->done + 1,
                 &program->err)) {
    program->kept++;
    return DEAD_STOPS;
  }
  program->done++;
  print_uuid(&delivery->envelope.message_id);
  (void)fputs(" is sent again as ", stdout);
  print_uuid(&envelope.message_id);
  (void)putchar('\n');
  return DEAD_GOES;
}

static const struct verb verbs[] = {
    {.name = "list", .visit = visit_list},
    {.name = "show", .visit = visit_show},
    {.name = "replay", .visit = visit_replay, .takes_away = true, .sends = true},
    {.name = "drop", .visit = visit_drop, .takes_away = true},
};

/* ---- a whole queue ---- */

static void dead_name(const struct bus_queue *queue, char name[BUS_KEY_MAX]) {
  (void)snprintf(name, BUS_KEY_MAX, "%s.dead", queue->name);
}

static long report_missing(const struct program *program) {
  long missing = 0;
  char text[BUS_UUID_TEXT];
  for (size_t i = 0; i < program->id_count; i++) {
    if (program->seen[i])
      continue;
    bus_uuid_format(&program->ids[i], text);
    (void)fprintf(stderr, "%s is not there\n", text);
    missing++;
  }
  return missing;
}

static int report_looked(const struct program *program, int64_t unseen) {
  long missing = report_missing(program);
  if (unseen > 0)
    (void)fprintf(stderr, "%" PRId64 " messages were not looked at\n", unseen);
  if (program->kept > 0)
    (void)fprintf(stderr, "bus-dead: the broker did not take a message; it stays: %s\n",
                  program->err.code == BUS_OK ? "returned or nacked" : program->err.text);
  if (program->verb->takes_away)
    (void)printf("%ld %s\n", program->done, program->verb->sends ? "sent again" : "dropped");
  if (fflush(stdout) != 0)
    return dead_trouble("cannot write the standard output");
  bool whole = missing == 0 && program->kept == 0 && program->refused == 0 && (unseen == 0 || !program->all);
  return whole ? EXIT_SUCCESS : EXIT_SOME_FAILED;
}

static int look(struct program *program) {
  char name[BUS_KEY_MAX];
  int64_t unseen = 0;
  struct bus_error err;
  dead_name(program->queue, name);
  const struct dead_look look = {.settings = &program->settings,
                                 .queue = name,
                                 .peeks = !(program->verb->takes_away && program->all),
                                 .visit = program->verb->visit,
                                 .context = program};
  if (!dead_look(&look, &unseen, &err))
    return dead_trouble(err.text);
  return report_looked(program, unseen);
}

static int look_and_send(struct program *program) {
  uint64_t seed[4];
  struct bus_error err;
  bus_random_seed(seed);
  bus_uuid_source_init(&program->source, seed);
  if (!send_open(&program->session, &program->settings, &err))
    return dead_trouble(err.text);
  program->session.unit = "message";
  int status = look(program);
  send_close(&program->session);
  return status;
}

static int count_all(const struct program *program) {
  const struct bus_queue *queue;
  struct bus_amqp *amqp;
  struct bus_error err;
  char name[BUS_KEY_MAX];
  bool good = true;
  if (!bus_amqp_open(&program->settings, &amqp, &err))
    return dead_trouble(err.text);
  for (size_t i = 0; good && (queue = bus_topology_queue_at(program->topology, i)); i++) {
    int64_t depth = 0;
    if (queue->kind != BUS_QUEUE_WORK || !bus_topology_is_own(program->topology, queue))
      continue;
    dead_name(queue, name);
    good = bus_amqp_queue_depth(amqp, name, &depth, &err);
    if (good)
      (void)printf("%s %" PRId64 "\n", queue->name, depth);
  }
  bus_amqp_free(amqp);
  return good && fflush(stdout) == 0 ? EXIT_SUCCESS
                                     : dead_trouble(good ? "cannot write the standard output" : err.text);
}

/* ---- the command line ---- */

static int take_ids(struct program *program, int count, char **words) {
  if (count > IDS_MAX)
    return dead_trouble("at most 100 ids at once");
  for (int i = 0; i < count; i++)
    if (!bus_uuid_parse(bus_str(words[i]), &program->ids[program->id_count++]))
      return dead_trouble("an id is a UUID, as list prints it");
  if (program->all && program->id_count > 0)
    return dead_trouble("ids or --all, not both");
  if (program->verb->takes_away && !program->all && program->id_count == 0)
    return dead_trouble("name the messages by their ids, or say --all");
  program->all = program->id_count == 0;
  return -1;
}

static int run_verb(struct program *program, int count, char **words) {
  for (size_t i = 0; count > 0 && i < BUS_COUNT(verbs); i++)
    if (strcmp(words[0], verbs[i].name) == 0)
      program->verb = &verbs[i];
  if (!program->verb)
    return dead_trouble("list, show, replay or drop; see --help");
  if (program->settings.url == NULL)
    return dead_trouble(BUS_OPERATOR_NO_BROKER);
  if (count == 1 && program->verb == &verbs[0])
    return count_all(program);
  program->queue = count > 1 ? bus_topology_queue(program->topology, words[1]) : NULL;
  if (!program->queue || program->queue->kind != BUS_QUEUE_WORK)
    return dead_trouble("no such work queue; list names them");
  int status = take_ids(program, count - 2, words + 2);
  if (status >= 0)
    return status;
  return program->verb->sends ? look_and_send(program) : look(program);
}

/* -1: go on; else the status to exit with. */
static int parse_dead_options(struct program *program, int argc, char **argv) {
  static const struct option options[] = {
      {"all", no_argument, NULL, 'a'},
      BUS_OPERATOR_OPTIONS,
  };
  int status;
  while (bus_operator_next(argc, argv, options, help, &program->settings, &status) != 0)
    program->all = true;
  return status;
}

int bus_dead_main(int argc, char **argv, const struct bus_topology *topology) {
  static struct program program; /* the window is large for a stack */
  program.topology = topology;
  program.settings = bus_operator_begin("bus-dead", topology->version);
  if (!bus_operator_shards(topology, &program.settings))
    return EXIT_TROUBLE;
  int status = parse_dead_options(&program, argc, argv);
  return status >= 0 ? status : run_verb(&program, argc - optind, argv + optind);
}
