/* The table of user-svc's variables: it drives parsing, --help, .env.example and the README. */
#include "user_settings.h"

#define TEXT(variable, member, standard, least, most, text)                                                            \
  {                                                                                                                    \
    variable, BUS_OPTION_STRING, offsetof(struct user_settings, member), standard, least, most, NULL, false, NULL,     \
        text                                                                                                           \
  }
#define NUMBER(variable, member, standard, least, most, unit, text)                                                    \
  { variable, BUS_OPTION_INT, offsetof(struct user_settings, member), standard, least, most, NULL, false, unit, text }

const struct bus_option user_options[USER_OPTIONS] = {
    TEXT("TOKEN_ISSUER", issuer, "http://127.0.0.1:8080", 1, 255,
         "iss of access tokens: the edge's URL, without / at its end"),
    TEXT("TOKEN_AUDIENCE", audience, "orderbus", 1, 255, "aud of access tokens"),
    TEXT("SIGNING_KEY_FILE", signing_key_file, NULL, 1, 1024,
         "private key of access tokens: PEM, on P-256, readable by this program alone"),
    TEXT("SECOND_KEY_FILE", second_key_file, "", 0, 1024,
         "a second key that is only published: the next one, or the one before; empty: none"),
    TEXT("SEAL_KEY_FILE", seal_key_file, NULL, 1, 1024,
         "secret key that passwords are sealed to: 43 characters of base64url, readable by this program alone"),
    TEXT("RESET_FOLDER", reset_folder, NULL, 1, 1024, "folder for reset tokens, a file each, until mail is sent"),
    NUMBER("HASH_THREADS", hash_threads, "2", 1, 2, NULL, "threads that hash passwords"),
    NUMBER("HASH_QUEUE", hash_queue, "32", 0, 1000, "requests", "passwords that wait to be hashed; others get 503"),
    NUMBER("HASH_OPERATIONS", hash_operations, "2", 2, 20, NULL, "passes of Argon2id over its memory"),
    NUMBER("HASH_MEMORY_KIB", hash_memory_kib, "65536", 65536, 1048576, "KiB", "memory of one hash by Argon2id"),
    NUMBER("ACCESS_TOKEN_S", access_s, "900", 30, 3600, "s", "lifetime of an access token"),
    NUMBER("REFRESH_TOKEN_S", refresh_s, "2592000", 60, 7776000, "s", "lifetime of a refresh token"),
    NUMBER("RESET_TOKEN_S", reset_s, "1800", 1, 86400, "s", "lifetime of a reset token"),
    NUMBER("ROTATION_GRACE_S", grace_s, "10", 0, 60, "s", "a refresh token works again so long after its first use"),
    NUMBER("LOGIN_FREE_FAILURES", account_free, "5", 1, 100, NULL, "failed logins to an account without a wait"),
    NUMBER("CLIENT_FREE_FAILURES", client_free, "50", 1, 10000, NULL, "failed logins from an address without a wait"),
    NUMBER("LOCK_MAX_S", lock_max_s, "900", 1, 86400, "s", "longest wait after failed logins; it doubles from 1 s"),
};

struct user_policy user_policy_of(const struct user_settings *settings) {
  return (struct user_policy){.access_s = settings->access_s,
                              .refresh_s = settings->refresh_s,
                              .reset_s = settings->reset_s,
                              .grace_s = settings->grace_s,
                              .account_free = settings->account_free,
                              .client_free = settings->client_free,
                              .lock_max_s = settings->lock_max_s};
}
