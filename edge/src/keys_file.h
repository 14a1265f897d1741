/* The file that keeps an issuer's last key set: a line with the issuer, then the JWKS document. */
#ifndef EDGE_KEYS_FILE_H
#define EDGE_KEYS_FILE_H

#include <bus/arena.h>
#include <bus/error.h>

/* False: no file, or one of another issuer. */
bool keys_file_read(const char *path, const char *issuer, struct bus_arena *arena, struct bus_str *ret) BUS_MUST_CHECK;
/* By a new file that takes the old one's place; mode 0600. */
bool keys_file_write(const char *path, const char *issuer, struct bus_str jwks, struct bus_error *err) BUS_MUST_CHECK;

#endif
