/* The letters of parameters and their types in Postgres. In a file of its own: who checks statements queues none. */
#include "letters.h"

#include <ctype.h>

/* OIDs of pg_type.dat; fixed forever. */
static const struct pg_letter letters[] = {{'u', 'u', 2950, 2951}, {'i', 'i', 20, 1016}, {'t', 't', 25, 1009},
                                           {'z', 'z', 1184, 1185}, {'b', 'b', 17, 1001}, {'l', 'l', 16, 1000},
                                           {'w', 'i', 0, 1016},    {'v', 't', 0, 1009}};

const struct pg_letter *pg_letter(char letter) {
  for (size_t i = 0; i < BUS_COUNT(letters); i++)
    if (letters[i].letter == tolower((unsigned char)letter))
      return &letters[i];
  return NULL;
}

Oid pg_letter_type(char letter) {
  const struct pg_letter *found = pg_letter(letter);
  if (!found)
    return 0;
  return isupper((unsigned char)letter) ? found->array : found->single;
}

int pg_letter_types(const char *params, Oid types[PG_PARAMS_MAX]) {
  int count = 0;
  for (const char *letter = params; letter && *letter; letter++)
    types[count++] = pg_letter_type(*letter);
  return count;
}

bool pg_type_is_readable(Oid type) {
  for (size_t i = 0; i < BUS_COUNT(letters); i++)
    if (type == letters[i].array || (type != 0 && type == letters[i].single))
      return true;
  return false;
}
