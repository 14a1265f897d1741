/* Messages that may have crashed their consumer. A process takes a queue's deliveries one by one while the next one is
 * a redelivery. The queue's first fresh message ends the suspicion for the life of the process: later redeliveries come
 * from lost connections. */
#pragma once

#include "entry.h"
#include "turn.h"

enum { SUSPECT_TRIES = 5 };

/* By consumer: a message that crashed its consumer may lie behind a fresh one of another queue. */
struct suspects {
  bool suspect[QUEUES_MAX], first_seen[QUEUES_MAX];
  struct bus_uuid counted; /* a lost connection is no crash: counted once in a process */
};

/* A delivery has arrived. */
void suspects_see(struct suspects *suspects, const struct entry *entry);
/* May a message that comes next have crashed its consumer? */
bool suspects_any(const struct suspects *suspects);
/* Sets entry->alone. Local inputs are not suspected. */
bool suspects_must_be_alone(struct suspects *suspects, struct entry *entry);
/* It has been tried alone so often, this time included. Past SUSPECT_TRIES it is refused. */
void suspects_count(struct suspects *suspects, struct entry *entry, int64_t tries);
