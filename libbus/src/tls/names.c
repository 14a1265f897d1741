/* Opens OpenSSL under the names by which civetweb opens it, libssl.so and libcrypto.so. Debian has them in libssl-dev
 * alone, and civetweb 1.15 of Debian 12 looks for a function that OpenSSL 3 has renamed; so libraries of ours bear
 * these names (names/). The dynamic linker gives civetweb what is already open under a name. */
#include "tls.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

/* Relative to the program's folder: of a build and of what is installed, and of Debian's packages. */
static const char *const places[] = {"../lib/orderbus", "lib"};

static bool open_one(const char *folder, const char *name, struct bus_error *err) {
  char path[PATH_MAX + 64];
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    (void)snprintf(path, sizeof path, "%s/%s/%s", folder, places[i], name);
    if (access(path, F_OK) == 0)
      break;
  }
  if (dlopen(path, RTLD_NOW | RTLD_GLOBAL) != NULL) /* for as long as the process lives */
    return true;
  const char *cause = dlerror();
  return bus_fail(err, BUS_E_CONFIG, "TLS: cannot open %s: %s", path, cause ? cause : "unknown cause");
}

bool tls_open_names(struct bus_error *err) {
  char folder[PATH_MAX];
  ssize_t len = readlink("/proc/self/exe", folder, sizeof folder - 1);
  if (len <= 0)
    return bus_fail(err, BUS_E_SYSTEM, "TLS: cannot tell the program's folder by /proc/self/exe");
  folder[len] = '\0';
  *strrchr(folder, '/') = '\0';
  return open_one(folder, "libcrypto.so", err) && open_one(folder, "libssl.so", err);
}
