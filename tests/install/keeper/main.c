/* Hashes a password, seals it, opens it again, and compares it with its hash. */
#include <bus/secret.h>

#include <stdio.h>

static bool round_trip(struct bus_arena *arena) {
  const struct bus_password_cost cost = {.operations = 2, .memory_kib = 65536};
  struct bus_seal_pair pair;
  struct bus_str sealed;
  char hash[BUS_PASSWORD_HASH], opened[64];
  size_t len;
  bus_seal_pair_new(&pair);
  return bus_password_hash(BUS_STR("correct horse"), &cost, hash) &&
         bus_seal(&pair.public_key, BUS_STR("correct horse"), arena, &sealed) &&
         bus_unseal(&pair, sealed, opened, sizeof opened, &len) &&
         bus_password_verify((struct bus_str){opened, len}, hash, &cost);
}

int main(void) {
  struct bus_error err;
  struct bus_arena *arena = bus_arena_new(4096);
  bool held = arena && bus_secret_init(&err) && round_trip(arena);
  puts(held ? "the password is kept" : "failed");
  bus_arena_free(arena);
  return !held;
}
