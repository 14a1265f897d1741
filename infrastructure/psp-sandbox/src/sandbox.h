/* The running sandbox: its settings, its book under a lock, its ledger, the thread that makes pending objects final,
 * and the routes that lead to it. */
#ifndef PSP_SANDBOX_H
#define PSP_SANDBOX_H

#include <bus/config.h>
#include <bus/http_server.h>
#include <bus/trace_options.h>
#include <bus/uuid.h>

#include <pthread.h>

#include "book.h"
#include "ledger.h"
#include "webhook.h"

struct psp_settings {
  int64_t port, threads;
  const char *bind, *psp_key, *ledger_file, *webhook_url, *webhook_secret;
  int64_t latency_ms, timeout_ms, hang_ms, pending_ms;
  int log_level, access_log;
  struct bus_tls_files tls; /* ca: for the webhook */
  struct bus_trace_options tracing;
};

extern const struct bus_option psp_options[];
extern const size_t psp_option_count;

struct psp_sandbox {
  const struct psp_settings *settings;
  struct psp_ledger *ledger;
  struct psp_webhooks *webhooks; /* NULL: there is nobody to tell */
  pthread_mutex_t lock;          /* book, ids and stopping */
  struct psp_book book;
  struct bus_uuid_source ids;
  pthread_t settler;
  pthread_cond_t more_pending;
  bool settling, stopping;
};

bool psp_sandbox_open(struct psp_sandbox *sandbox, const struct psp_settings *settings,
                      struct bus_error *err) BUS_MUST_CHECK;
void psp_sandbox_close(struct psp_sandbox *sandbox);

/* Puts a complete entry on disk and then into the book. False: out of memory, and nothing was written. Thread-safe. */
bool psp_sandbox_record(struct psp_sandbox *sandbox, const struct psp_entry *entry,
                        struct bus_arena *arena) BUS_MUST_CHECK;
/* Ledger and book differ: only the ledger may go on. */
_Noreturn void psp_out_of_memory(void);

/* ---- settle.c ---- */
bool psp_settler_start(struct psp_sandbox *sandbox, struct bus_error *err) BUS_MUST_CHECK;
/* Does nothing where it was not started. */
void psp_settler_stop(struct psp_sandbox *sandbox);

/* The context of their handlers is a struct psp_sandbox. */
extern const struct bus_http_route psp_routes[];
extern const size_t psp_route_count;

#endif
