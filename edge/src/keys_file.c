/* Reads and writes the file of a key set. */
#include "keys_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 18, PATH_ROOM = 1100 };

bool keys_file_read(const char *path, const char *issuer, struct bus_arena *arena, struct bus_str *ret) {
  FILE *file = fopen(path, "re");
  char *text = file ? bus_arena_alloc(arena, FILE_MAX) : NULL;
  size_t len = text ? fread(text, 1, FILE_MAX, file) : 0;
  if (file)
    (void)fclose(file); /* it was only read */
  if (len == 0 || len == FILE_MAX)
    return false;
  struct bus_str rest = {text, len}, first = bus_str_cut(&rest, '\n');
  *ret = rest;
  return bus_str_is(first, issuer) && rest.len > 0;
}

static bool write_all(FILE *file, const char *issuer, struct bus_str jwks) {
  return fprintf(file, "%s\n", issuer) > 0 && fwrite(jwks.data, 1, jwks.len, file) == jwks.len && fflush(file) == 0 &&
         fsync(fileno(file)) == 0;
}

bool keys_file_write(const char *path, const char *issuer, struct bus_str jwks, struct bus_error *err) {
  char fresh[PATH_ROOM];
  if ((size_t)snprintf(fresh, sizeof fresh, "%s.new", path) >= sizeof fresh)
    return bus_fail(err, BUS_E_CONFIG, "OIDC_KEYS_FILE: the path is too long");
  int descriptor = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
  FILE *file = descriptor >= 0 ? fdopen(descriptor, "w") : NULL;
  bool written = file && write_all(file, issuer, jwks);
  int problem = errno;
  if (file)
    written = fclose(file) == 0 && written;
  else if (descriptor >= 0)
    (void)close(descriptor);
  if (written && rename(fresh, path) == 0)
    return true;
  problem = written ? errno : problem;
  return bus_fail(err, BUS_E_SYSTEM, "cannot write %s: %s", path, strerror(problem));
}
