/* Accepted tokens by their SHA-256, in sets of four: bounded, and the entry of a set that expires first gives way. */
#include "internal.h"

#include <stdlib.h>

enum { WAYS = 4 };

struct entry {
  uint8_t digest[32];
  uint64_t generation; /* 0: empty */
  size_t issuer;
  struct bus_token_claims claims;
};

struct token_memory {
  size_t sets; /* a power of two */
  struct entry entries[];
};

struct token_memory *token_memory_new(size_t entries) {
  size_t sets = 1;
  while (sets * WAYS < entries)
    sets *= 2;
  struct token_memory *memory = calloc(1, sizeof *memory + sets * WAYS * sizeof *memory->entries);
  if (memory)
    memory->sets = sets;
  return memory;
}

void token_memory_free(struct token_memory *memory) {
  free(memory);
}

static struct entry *set_of(struct token_memory *memory, const uint8_t digest[32]) {
  uint64_t number;
  memcpy(&number, digest, sizeof number);
  return &memory->entries[(number & (memory->sets - 1)) * WAYS];
}

bool token_memory_find(struct token_memory *memory, const uint8_t digest[32], const uint64_t *generations, bus_time now,
                       struct bus_token_claims *ret, size_t *ret_issuer) {
  struct entry *set = set_of(memory, digest);
  for (size_t i = 0; i < WAYS; i++) {
    const struct entry *entry = &set[i];
    if (entry->generation == 0 || memcmp(entry->digest, digest, 32) != 0)
      continue;
    if (entry->generation != generations[entry->issuer] || entry->claims.exp <= now - BUS_TOKEN_LEEWAY ||
        entry->claims.iat > now + BUS_TOKEN_LEEWAY)
      return false; /* a full check says why */
    *ret = entry->claims;
    *ret_issuer = entry->issuer;
    return true;
  }
  return false;
}

void token_memory_add(struct token_memory *memory, const uint8_t digest[32], size_t issuer, uint64_t generation,
                      const struct bus_token_claims *claims) {
  struct entry *set = set_of(memory, digest), *place = &set[0];
  for (size_t i = 0; i < WAYS; i++) {
    if (set[i].generation == 0 || memcmp(set[i].digest, digest, 32) == 0) {
      place = &set[i];
      break;
    }
    if (set[i].claims.exp < place->claims.exp)
      place = &set[i];
  }
  memcpy(place->digest, digest, 32);
  place->issuer = issuer;
  place->generation = generation;
  place->claims = *claims;
}
