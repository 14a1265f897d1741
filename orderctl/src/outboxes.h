/* Services whose outboxes an operator reads, as the build finds them in each service.json. */
#ifndef OUTBOXES_H
#define OUTBOXES_H

/* OUTBOX(short, name of the service, beginning of its variables, database, role) of each service: its variables are
 * <BEGINNING>_DATABASE_URL and <BEGINNING>_RABBITMQ_URL. */
enum {
#define OUTBOX(short, ...) OUTBOX_OF_##short,
#include "outboxes.inc"
#undef OUTBOX
  OUTBOXES
};

/* The names of the services; NULL-terminated. */
extern const char *const outbox_services[OUTBOXES + 1];

#endif
