/* The PSP's caller over doubles, and payments that its tests hand to it by number. */
#ifndef PAYMENT_CALLER_RIG_H
#define PAYMENT_CALLER_RIG_H

#include "doubles.h"
#include "sample.h"

#include <payment_caller.h>

#define CAPTURED                                                                                                       \
  "{\"id\":\"pi_1\",\"amount\":1998,\"amount_received\":1998,\"currency\":\"eur\",\"status\":\"succeeded\"}"

extern struct payment_settings settings;
extern struct payment_caller *caller;

/* A caller with so many slots and so many places for calls that wait; finish() frees it. Results are passed on at once,
 * until doubles.answered is NULL. */
void begin(int64_t concurrency, int64_t queue);
void finish(void);

/* A turn of the worker's loop; how long it may sleep before the next one, -1: for ever. */
void turn(void);
int timeout_ms(void);

struct payment_call call_of(uint8_t number);
void take(uint8_t number);
/* A payment whose call failed before. */
void take_again(uint8_t number);
/* How many calls the caller takes now; _again: of payments whose call failed before. */
size_t room(void);
size_t room_again(void);
const struct payment_result *last_pushed(void);

#endif
