/* What becomes of a parked message that is sent again. Pure. */
#ifndef DEAD_REDRIVE_H
#define DEAD_REDRIVE_H

#include <bus/amqp.h>

/* A new message with a new id, as if it had never failed: attempt 0, no history, caused by the old one, sent now. The
 * id follows from the old message, so that one that is sent twice, because its first sending was not seen to end, is
 * taken once. `random`: for the id where the old message has none. */
struct bus_envelope dead_redrive(const struct bus_envelope *parked, bus_time now, struct bus_uuid_source *random);

/* When it was parked, as its history has it; else when it was published; else 0. */
bus_time dead_parked_at(const struct bus_envelope *parked);

#endif
