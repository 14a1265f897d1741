/* Runs a fuzz target over files and over what lies in folders: how corpora and former crashers are tested without
 * libFuzzer. */
#include "fuzz.h"

#include <dirent.h>
#include <sys/stat.h>

__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

static size_t replayed;

static bool replay_file(const char *path, size_t size) {
  FILE *file = fopen(path, "rb");
  uint8_t *data = malloc(size > 0 ? size : 1);
  bool read = file && data && fread(data, 1, size, file) == size;
  if (file)
    fclose(file);
  if (read) {
    (void)LLVMFuzzerTestOneInput(data, size);
    replayed++;
  } else {
    fprintf(stderr, "%s: cannot be read\n", path);
  }
  free(data);
  return read;
}

static bool replay(const char *path);

static bool replay_folder(const char *path) {
  struct dirent **names;
  int count = scandir(path, &names, NULL, alphasort);
  bool done = count >= 0;
  for (int i = 0; i < count; i++) {
    char entry[1024];
    int len = snprintf(entry, sizeof entry, "%s/%s", path, names[i]->d_name);
    if (names[i]->d_name[0] != '.')
      done = len < (int)sizeof entry && replay(entry) && done;
    free(names[i]);
  }
  free(names);
  return done;
}

static bool replay(const char *path) {
  struct stat status;
  if (stat(path, &status) != 0) {
    fprintf(stderr, "%s: cannot be found\n", path);
    return false;
  }
  return S_ISDIR(status.st_mode) ? replay_folder(path) : replay_file(path, (size_t)status.st_size);
}

int main(int argc, char **argv) {
  bool done = true;
  if (LLVMFuzzerInitialize)
    (void)LLVMFuzzerInitialize(&argc, &argv);
  for (int i = 1; i < argc; i++) {
    fprintf(stderr, "%s\n", argv[i]);
    done = replay(argv[i]) && done;
  }
  fprintf(stderr, "%zu inputs\n", replayed);
  return done && replayed > 0 ? 0 : 1;
}
