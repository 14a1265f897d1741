/* Secrets in files: the variable NAME_FILE names the file of the secret NAME. */
#include "config_secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_SIZE = 128, SECRET_SIZE = 4096 };
/* The group may read: Kubernetes gives a pod its secrets by group, and systemd by an ACL, which shows as the group. */
#define OTHERS (S_IWGRP | S_IXGRP | S_IRWXO)

static bool read_whole(int fd, char *text, size_t size, size_t *ret_len) {
  size_t len = 0;
  ssize_t got;
  while (len < size && (got = read(fd, text + len, size - len)) != 0) {
    if (got > 0)
      len += (size_t)got;
    else if (errno != EINTR)
      return false;
  }
  *ret_len = len;
  return true;
}

static bool check_open(const char *path, int fd, struct bus_error *err) {
  struct stat found;
  if (fstat(fd, &found) != 0)
    return bus_fail(err, BUS_E_CONFIG, "%s: %s", path, strerror(errno));
  if ((found.st_mode & OTHERS) != 0)
    return bus_fail(err, BUS_E_CONFIG, "%s has the mode %04o: only its owner and group may read it (0400 or 0440)",
                    path, (unsigned)(found.st_mode & 07777));
  return true;
}

static bool read_open(const char *path, int fd, char *text, size_t size, struct bus_error *err) {
  size_t len = 0;
  if (!check_open(path, fd, err))
    return false;
  if (!read_whole(fd, text, size, &len))
    return bus_fail(err, BUS_E_CONFIG, "%s: %s", path, strerror(errno));
  if (len == size)
    return bus_fail(err, BUS_E_CONFIG, "%s is longer than %zu bytes", path, size - 1);
  if (len > 0 && text[len - 1] == '\n')
    len--;
  if (len > 0 && memchr(text, '\0', len))
    return bus_fail(err, BUS_E_CONFIG, "%s has a NUL", path);
  text[len] = '\0';
  return true;
}

bool bus_secret_file_read(const char *path, char *text, size_t size, struct bus_error *err) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return bus_fail(err, BUS_E_CONFIG, "%s: %s", path, strerror(errno));
  bool done = read_open(path, fd, text, size, err);
  (void)close(fd);
  if (!done)
    explicit_bzero(text, size);
  return done;
}

static bool keep(struct config_secrets *secrets, const char *name, const char *text) {
  struct config_secret *found = realloc(secrets->found, (secrets->count + 1) * sizeof *found);
  if (!found)
    return false;
  secrets->found = found;
  found[secrets->count] = (struct config_secret){name, strdup(text)};
  return found[secrets->count].text && ++secrets->count > 0;
}

struct source {
  const char *(*lookup)(void *context, const char *name);
  void *context;
};

static bool read_secret(const struct bus_option *option, const struct source *source, struct config_secrets *ret,
                        struct bus_error *err) {
  char variable[NAME_SIZE], path[SECRET_SIZE], text[SECRET_SIZE];
  (void)snprintf(variable, sizeof variable, "%s" BUS_SECRET_FILE, option->name);
  const char *found = source->lookup(source->context, variable);
  if (!found)
    return true;
  if ((size_t)snprintf(path, sizeof path, "%s", found) >= sizeof path)
    return bus_fail(err, BUS_E_CONFIG, "%s is longer than %zu bytes", variable, sizeof path - 1);
  if (source->lookup(source->context, option->name))
    return bus_fail(err, BUS_E_CONFIG, "%s and %s are both set: set one of them", option->name, variable);
  if (!bus_secret_file_read(path, text, sizeof text, err))
    return bus_error_wrap(err, "%s", variable);
  bool kept = keep(ret, option->name, text);
  explicit_bzero(text, sizeof text);
  return kept || bus_fail(err, BUS_E_NOMEM, "out of memory for %s", option->name);
}

bool config_secrets_read(const struct bus_option_table *tables, size_t table_count,
                         const char *(*lookup)(void *context, const char *name), void *context,
                         struct config_secrets *ret, struct bus_error *err) {
  const struct source source = {lookup, context};
  for (size_t i = 0; i < table_count; i++)
    for (size_t j = 0; j < tables[i].count; j++)
      if (tables[i].options[j].secret && !read_secret(&tables[i].options[j], &source, ret, err))
        return false;
  return true;
}

const char *config_secrets_find(const struct config_secrets *secrets, const char *name) {
  for (size_t i = 0; i < secrets->count; i++)
    if (strcmp(secrets->found[i].name, name) == 0)
      return secrets->found[i].text;
  return NULL;
}

void config_secrets_done(struct config_secrets *secrets) {
  for (size_t i = 0; i < secrets->count; i++) {
    explicit_bzero(secrets->found[i].text, strlen(secrets->found[i].text));
    free(secrets->found[i].text);
  }
  free(secrets->found);
  *secrets = (struct config_secrets){0};
}
