/* Leaks on purpose: the build's tests must notice. */
#include <stdlib.h>

static void *volatile lost;

int main(void) {
  lost = malloc(1000);
  lost = NULL;
  return lost != NULL;
}
