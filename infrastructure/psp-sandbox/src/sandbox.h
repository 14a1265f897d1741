/* The running sandbox: its settings, its book under a lock, its ledger, and the routes that lead to it. */
#ifndef PSP_SANDBOX_H
#define PSP_SANDBOX_H

#include <bus/config.h>
#include <bus/http_server.h>
#include <bus/uuid.h>

#include <pthread.h>

#include "book.h"
#include "ledger.h"

struct psp_settings {
  int64_t port, threads;
  const char *bind, *psp_key, *ledger_file;
  int64_t latency_ms, timeout_ms, hang_ms;
  int log_level;
};

extern const struct bus_option psp_options[];
extern const size_t psp_option_count;

struct psp_sandbox {
  const struct psp_settings *settings;
  struct psp_ledger *ledger;
  pthread_mutex_t lock; /* book and ids */
  struct psp_book book;
  struct bus_uuid_source ids;
};

bool psp_sandbox_open(struct psp_sandbox *sandbox, const struct psp_settings *settings,
                      struct bus_error *err) BUS_MUST_CHECK;
void psp_sandbox_close(struct psp_sandbox *sandbox);

/* The context of their handlers is a struct psp_sandbox. */
extern const struct bus_http_route psp_routes[];
extern const size_t psp_route_count;

#endif
