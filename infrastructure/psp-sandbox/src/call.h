/* One request that may change something: its key, its claim on that key, and what it leaves in ledger and book. */
#ifndef PSP_CALL_H
#define PSP_CALL_H

#include "response.h"
#include "sandbox.h"

enum { PSP_ID_TEXT = 48 };

struct psp_call {
  struct psp_sandbox *sandbox;
  struct bus_http_exchange *exchange;
  struct bus_arena *arena;
  struct psp_form form;
  struct bus_str key; /* absent: none */
  char fingerprint[BUS_SHA256_TEXT];
  int attempt;
  char id[PSP_ID_TEXT], charge_id[PSP_ID_TEXT];
  struct psp_identity identity;
};

extern const struct psp_error psp_no_memory;

/* An absent text is answered with 503. */
void psp_reply_json(struct bus_http_exchange *exchange, int64_t status, struct bus_str json);
void psp_reply_error(struct bus_http_exchange *exchange, const struct psp_error *error);

/* The object as its GET shows it. */
struct bus_str psp_object_of(const struct psp_record *record);

/* False: it was answered with 401. */
bool psp_authorize(const struct psp_sandbox *sandbox, struct bus_http_exchange *exchange) BUS_MUST_CHECK;

/* ---- list.c: GET of a collection ---- */
void psp_list(struct psp_sandbox *sandbox, struct bus_http_exchange *exchange, bool refunds);

/* Reads key and form. False: it was answered. */
bool psp_call_start(struct psp_sandbox *sandbox, struct bus_http_exchange *exchange, const char *path,
                    struct psp_call *call) BUS_MUST_CHECK;
/* True: the key is the call's (or it has none), until it is recorded or failed. False: it was answered. */
bool psp_call_claim(struct psp_call *call) BUS_MUST_CHECK;
/* Gives it an id of its own ("pi_…") and the time. */
void psp_call_identify(struct psp_call *call, const char *prefix);
/* Puts the entry, completed by the call's id, key and time, on disk and then into the book. False: out of memory, and
 * nothing was written. */
bool psp_call_record(struct psp_call *call, struct psp_entry *entry) BUS_MUST_CHECK;
/* Gives the key back and answers with the error. */
void psp_call_fail(struct psp_call *call, const struct psp_error *error);

#endif
