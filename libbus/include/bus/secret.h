/*
 * Secrets: passwords (Argon2id), sealed boxes (X25519, crypto_box_seal), and random tokens. It is in target bus_secret,
 * so that only programs with secrets link libsodium. All of it is reentrant. Texts are base64url without padding.
 *
 *   who sends   bus_seal(&receiver's key, secret)          only the receiver can open it
 *   receiver    bus_unseal(&pair, text)
 *   answer      the request carries a key of its own; the answer is sealed to it
 */
#ifndef BUS_SECRET_H
#define BUS_SECRET_H

#include <bus/arena.h>
#include <bus/base.h>
#include <bus/error.h>
#include <bus/uuid.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  BUS_SEAL_KEY = 32,          /* bytes of a key */
  BUS_SEAL_KEY_TEXT = 43,     /* characters of its text */
  BUS_SEAL_OVERHEAD = 48,     /* bytes that sealing adds */
  BUS_SECRET_TOKEN = 32,      /* of a random token */
  BUS_SECRET_TOKEN_TEXT = 43, /* characters of its text */
  BUS_PASSWORD_HASH = 128,    /* room for the text of a hash, with its NUL */
};
/* Characters of a sealed secret of so many bytes. */
#define BUS_SEALED_TEXT(bytes) ((((bytes) + BUS_SEAL_OVERHEAD) * 4 + 2) / 3)

/* Call once before anything else here. False: no entropy. */
bool bus_secret_init(struct bus_error *err) BUS_MUST_CHECK;

/* ---- sealed boxes ---- */
struct bus_seal_key {
  unsigned char bytes[BUS_SEAL_KEY];
};
struct bus_seal_pair {
  struct bus_seal_key public_key, secret_key;
};

/* Makes a new pair at random. */
void bus_seal_pair_new(struct bus_seal_pair *ret);
/* The pair of a secret key. */
void bus_seal_pair_of(const struct bus_seal_key *secret_key, struct bus_seal_pair *ret);
/* Reads a key from its text. False: it is none. */
bool bus_seal_key_parse(struct bus_str text, struct bus_seal_key *ret) BUS_MUST_CHECK;
/* Writes a key as text, with a NUL. */
void bus_seal_key_format(const struct bus_seal_key *key, char text[BUS_SEAL_KEY_TEXT + 1]);

/* The text lies in the arena. False when out of memory. */
bool bus_seal(const struct bus_seal_key *to, struct bus_str secret, struct bus_arena *arena,
              struct bus_str *ret) BUS_MUST_CHECK;
/* Writes the secret and a NUL into ret, of `size` bytes; erase it with bus_erase. False: not sealed to this pair,
 * altered, malformed, or longer than size - 1. */
bool bus_unseal(const struct bus_seal_pair *pair, struct bus_str sealed, char *ret, size_t size,
                size_t *ret_len) BUS_MUST_CHECK;

/* ---- passwords ---- */
struct bus_password_cost {
  int64_t operations; /* passes over the memory, at least 2 */
  int64_t memory_kib; /* at least 65536 */
};
/* Takes about 0.1 s and memory_kib of memory at the least cost; not for a thread that others wait for. False: out of
 * memory. */
bool bus_password_hash(struct bus_str password, const struct bus_password_cost *cost,
                       char ret[BUS_PASSWORD_HASH]) BUS_MUST_CHECK;
/* Whether the hash is of this password, with the cost of the hash. hash NULL: compares with a hash of nothing at that
 * cost, takes as long, and is false. */
bool bus_password_verify(struct bus_str password, const char *hash, const struct bus_password_cost *cost);

/* ---- random and hashed tokens ---- */
/* 256 random bits as text. */
void bus_secret_token(char ret[BUS_SECRET_TOKEN_TEXT + 1]);
/* Fills the memory with random bytes that are fit for secrets. */
void bus_secret_random(void *bytes, size_t size);
/* Version 4: random, so that it tells nothing. */
void bus_secret_uuid(struct bus_uuid *ret);
/* Overwrites memory in a way that no compiler leaves out. */
void bus_erase(void *memory, size_t size);

#ifdef __cplusplus
}
#endif
#endif
