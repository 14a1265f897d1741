/* Makes certificates by openssl, once for each process. */
#include "certificates.h"

#include <bus/base.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "test.h"

static char folder[] = "/tmp/bus-http-tls-XXXXXX";

/* The script finds the names as $1 and $2. */
static void run(const char *first, const char *second, const char *script) {
  char command[2048];
  int len = snprintf(command, sizeof command, "cd %s && set -- %s %s && %s", folder, first, second, script);
  assert_true(len > 0 && (size_t)len < sizeof command);
  /* NOLINTNEXTLINE(cert-env33-c): the words are this file's own */
  assert_int_equal(system(command), 0);
}

static void remove_folder(void) {
  char command[64];
  (void)snprintf(command, sizeof command, "rm -rf %s", folder);
  /* NOLINTNEXTLINE(cert-env33-c): as above */
  if (system(command) != 0)
    (void)fprintf(stderr, "%s stays behind\n", folder);
}

static void name_paths(void);

static void make(void) {
  static bool made;
  if (made)
    return;
  made = true;
  assert_non_null(mkdtemp(folder));
  name_paths();
  (void)atexit(remove_folder);
  run("first", "second",
      "exec >log 2>&1 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out "
      "ca.pem -days 2 -subj /CN=ca && printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\\n' >ext && "
      "for name; do openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $name.key -out csr "
      "-subj /CN=$name && openssl x509 -req -in csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out "
      "$name.pem || exit 1; done");
}

/* All are there before the first thread of a test asks. */
static const char *const names[] = {"ca.pem",     "first.pem", "first.key", "second.pem",
                                    "second.key", "pair.pem",  "pair.key"};
static char paths[BUS_COUNT(names)][64];

const char *certificates_path(const char *name) {
  size_t i = 0;
  make();
  while (strcmp(names[i], name) != 0) {
    i++;
    assert_true(i < BUS_COUNT(names));
  }
  return paths[i];
}

static void name_paths(void) {
  for (size_t i = 0; i < BUS_COUNT(names); i++)
    (void)snprintf(paths[i], sizeof paths[i], "%s/%s", folder, names[i]);
}

static void use(const char *certificate, const char *key) {
  make();
  run(certificate, key, "cp $1.pem pair.pem && cp $2.key pair.key");
}

void certificates_use(const char *name) {
  use(name, name);
}

void certificates_use_half(const char *name) {
  use(name, strcmp(name, "first") == 0 ? "second" : "first");
}
