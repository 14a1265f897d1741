/* Secrets of webhooks: made at random, sealed to the service's own key in rows, opened for signatures. */
#pragma once

#include "notify_model.h"

#include <bus/secret.h>

struct notify_keys {
  struct bus_seal_pair pair;
};

/* Reads the key. False: the error says what is wrong with the file. */
bool notify_keys_open(const char *file, struct notify_keys *ret, struct bus_error *err) BUS_MUST_CHECK;
void notify_keys_close(struct notify_keys *keys);

/* A fresh secret, stored and shown; the texts lie in the arena. False: out of memory, or no key to seal to. */
bool notify_keys_make(const struct notify_keys *keys, struct bus_str reply_key, struct bus_arena *arena,
                      struct notify_secret *ret) BUS_MUST_CHECK;
/* reveal() of the model. */
bool notify_keys_reveal(const struct notify_keys *keys, struct bus_str stored, struct bus_str reply_key,
                        struct bus_arena *arena, struct bus_str *ret) BUS_MUST_CHECK;
/* confirms() of the model. */
bool notify_keys_confirm(const struct notify_keys *keys, struct bus_str stored, struct bus_str code_hash);
/* The secret in clear; erase it with bus_erase. False: it was sealed to another key. */
bool notify_keys_unseal(const struct notify_keys *keys, struct bus_str stored,
                        char ret[WEBHOOK_SECRET_TEXT + 1]) BUS_MUST_CHECK;
