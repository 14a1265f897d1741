/* The command line, and the verbs. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "outboxes.h"
#include "story_read.h"

enum { EXIT_FINE, EXIT_ACT, EXIT_TROUBLE, EXIT_NOT_FOUND };
enum { ARENA_LIMIT = 64 << 20 };

struct program {
  struct story_settings settings;
  const char *env_file;
  const char *outbox_urls[OUTBOXES];
  const char *service_urls[OUTBOXES];    /* of the broker, as the services' users; "": none */
  const char *repair_urls[STORY_BROKER]; /* of databases, as their owners; "": none */
  const char *psp_url, *psp_key, *psp_ca_file;
  bool psp_allow_plain;
  const char *log_url; /* the orders database, as a role that reads the log; "": none */
  const char *edge_url, *edge_token;
  const char *management_url; /* "": none */
  const char *audit_file;     /* "": none */
  bool json, all, dry_run, force, repair;
  const char *type, *error, *action; /* NULL: any */
  const char *mix;                   /* NULL: the default */
  const char *order, *since, *until; /* NULL: not said */
  int64_t older_s, limit, rate, canary, watch_s, days, seconds;
};

/* Prints on stderr; returns EXIT_TROUBLE. */
int trouble(const char *text);

/* Each prints and returns the status to exit with. */
int run_order(const struct program *program, int count, char **words);
int run_stuck(const struct program *program, int count, char **words);
int run_outbox(const struct program *program, int count, char **words);
int run_broker(const struct program *program, int count, char **words);
int run_topology(const struct program *program, int count, char **words);
int run_pay(const struct program *program, int count, char **words);
int run_reconcile(const struct program *program, int count, char **words);
int run_simulate(const struct program *program, int count, char **words);
int run_replay(const struct program *program, int count, char **words);
int run_audit(const struct program *program, int count, char **words);
int run_dead(const struct program *program, int count, char **words);

#endif
