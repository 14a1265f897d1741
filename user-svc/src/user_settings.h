/* user-svc's own variables. */
#ifndef USER_SETTINGS_H
#define USER_SETTINGS_H

#include "user.h"

#include <bus/config.h>

struct user_settings {
  const char *issuer, *audience;
  const char *signing_key_file, *second_key_file, *seal_key_file, *reset_folder;
  int64_t hash_threads, hash_queue, hash_operations, hash_memory_kib;
  int64_t access_s, refresh_s, reset_s, grace_s, account_free, client_free, lock_max_s;
};

enum { USER_OPTIONS = 17 };
extern const struct bus_option user_options[USER_OPTIONS];

struct user_policy user_policy_of(const struct user_settings *settings);

#endif
