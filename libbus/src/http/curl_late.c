/* Opens libcurl when the first client is made: a service without a collector maps neither it nor the libraries that it
 * needs. */
#include "curl_late.h"

#include <dlfcn.h>
#include <pthread.h>

struct curl_late curl_late;

static bool is_open;
static char why[160];

/* POSIX has a function's address as a void *; ISO C converts it only by its bytes. */
static bool find(void *library, const char *name, void *pointer) {
  void *found = dlsym(library, name);
  memcpy(pointer, &found, sizeof found);
  return found != NULL;
}

static void open_once(void) {
  void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL); /* as long as the process lives */
#define CURL_LATE_FIND(name) &&find(library, "curl_" #name, &curl_late.name)
  is_open = library != NULL CURL_LATE(CURL_LATE_FIND);
#undef CURL_LATE_FIND
  const char *text = is_open ? NULL : dlerror();
  struct bus_error err;
  (void)bus_fail(&err, BUS_E_SYSTEM, "%s", text ? text : "a function is missing");
  memcpy(why, err.text, sizeof why - 1);
}

bool http_curl_open(struct bus_error *err) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, open_once);
  return is_open || bus_fail(err, BUS_E_SYSTEM, "libcurl.so.4 cannot be opened: %s; install libcurl", why);
}
