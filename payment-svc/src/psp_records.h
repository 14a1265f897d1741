/* Reads what the payment provider has captured and refunded, page by page. It blocks. */
#ifndef PSP_RECORDS_H
#define PSP_RECORDS_H

#include "reconcile.h"

#include <bus/error.h>

struct psp_records {
  const char *url, *key;
  const char *ca_file; /* "": the system's certificates */
  bool allow_plain;    /* plain http also to other machines */
  int64_t since;       /* Unix seconds: objects that were created before are left out */
  /* Gets each movement. False ends the reading, which fails without a word. */
  bool (*visit)(void *context, const struct reconcile_line *line);
  void *context;
};

bool psp_records_read(const struct psp_records *records, struct bus_error *err) BUS_MUST_CHECK;

#endif
