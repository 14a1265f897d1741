/* Services whose outboxes an operator reads, as the build finds them in each service.json. */
#ifndef OUTBOXES_H
#define OUTBOXES_H

/* OUTBOX(short, name of the service, variable of the URL, database, role) of each service. */
enum {
#define OUTBOX(short, ...) OUTBOX_OF_##short,
#include "outboxes.inc"
#undef OUTBOX
  OUTBOXES
};

#endif
