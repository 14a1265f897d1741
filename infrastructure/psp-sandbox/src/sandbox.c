/* Settings, and opening and closing what they name. */
#include "sandbox.h"

#include <bus/clock.h>
#include <bus/log.h>

#include <stdlib.h>

const struct bus_option psp_options[] = {
    {.name = "PORT",
     .kind = BUS_OPTION_INT,
     .offset = offsetof(struct psp_settings, port),
     .fallback = SERVICE_PORT,
     .min = 1,
     .max = 65535,
     .description = "Port to listen on"},
    {.name = "BIND",
     .kind = BUS_OPTION_STRING,
     .offset = offsetof(struct psp_settings, bind),
     .fallback = "127.0.0.1",
     .min = 1,
     .max = 64,
     .description = "Address to listen on; IPv6 in brackets"},
    BUS_TLS_SERVER_ROWS(struct psp_settings, tls),
    {.name = "PSP_KEY",
     .kind = BUS_OPTION_STRING,
     .offset = offsetof(struct psp_settings, psp_key),
     .min = 8,
     .max = 256,
     .secret = true,
     .description = "The API key that clients send as a bearer token"},
    {.name = "LEDGER_FILE",
     .kind = BUS_OPTION_STRING,
     .offset = offsetof(struct psp_settings, ledger_file),
     .min = 1,
     .max = 4096,
     .description = "File of all facts; created when it is not there"},
    {.name = "WEBHOOK_URL",
     .kind = BUS_OPTION_STRING,
     .offset = offsetof(struct psp_settings, webhook_url),
     .fallback = "",
     .max = 1024,
     .description = "URL that an event is sent to when a pending intent or refund becomes final; empty: nowhere"},
    BUS_TLS_ROW(struct psp_settings, tls.ca, "WEBHOOK_CA_FILE",
                "certificates that an https:// WEBHOOK_URL is verified with; empty: the system's"),
    {.name = "WEBHOOK_SECRET",
     .kind = BUS_OPTION_STRING,
     .offset = offsetof(struct psp_settings, webhook_secret),
     .fallback = "",
     .max = 256,
     .secret = true,
     .description = "Secret that events are signed with"},
    {.name = "LATENCY_MS",
     .kind = BUS_OPTION_INT,
     .offset = offsetof(struct psp_settings, latency_ms),
     .fallback = "0",
     .min = 0,
     .max = 60000,
     .unit = "ms",
     .description = "Added to every charge and refund"},
    {.name = "SANDBOX_TIMEOUT_MS",
     .kind = BUS_OPTION_INT,
     .offset = offsetof(struct psp_settings, timeout_ms),
     .fallback = "20000",
     .min = 1,
     .max = 600000,
     .unit = "ms",
     .description = "How late pm_sandbox_timeout answers"},
    {.name = "SANDBOX_HANG_MS",
     .kind = BUS_OPTION_INT,
     .offset = offsetof(struct psp_settings, hang_ms),
     .fallback = "30000",
     .min = 1,
     .max = 600000,
     .unit = "ms",
     .description = "How long pm_sandbox_hang keeps a client that does not go away"},
    {.name = "SANDBOX_PENDING_MS",
     .kind = BUS_OPTION_INT,
     .offset = offsetof(struct psp_settings, pending_ms),
     .fallback = "5000",
     .min = 1,
     .max = 600000,
     .unit = "ms",
     .description = "After how long an intent or refund in a status that is not final becomes final"},
    {.name = "HTTP_THREADS",
     .kind = BUS_OPTION_INT,
     .offset = offsetof(struct psp_settings, threads),
     .fallback = "128",
     .min = 2,
     .max = 1024,
     .description = "Requests that can be under way at once; an open connection counts as one"},
    {.name = "LOG_LEVEL",
     .kind = BUS_OPTION_ENUM,
     .offset = offsetof(struct psp_settings, log_level),
     .fallback = "info",
     .names = bus_level_names,
     .description = "Least level that is logged"},
    {.name = "ACCESS_LOG",
     .kind = BUS_OPTION_ENUM,
     .offset = offsetof(struct psp_settings, access_log),
     .fallback = "errors",
     .names = bus_access_log_names,
     .description = "Requests that are logged, whatever the level: off, those answered from 400 on, or all"},
    BUS_TRACE_EXPORT_ROWS(struct psp_settings, tracing),
};
const size_t psp_option_count = BUS_COUNT(psp_options);

static bool replay(void *context, const struct psp_entry *entry) {
  return psp_book_record(context, entry, false);
}

bool psp_sandbox_open(struct psp_sandbox *sandbox, const struct psp_settings *settings, struct bus_error *err) {
  uint64_t seed[4];
  bus_random_seed(seed);
  *sandbox = (struct psp_sandbox){.settings = settings};
  bus_uuid_source_init(&sandbox->ids, seed);
  pthread_mutex_init(&sandbox->lock, NULL);
  pthread_cond_init(&sandbox->more_pending, NULL);
  const struct psp_webhook_target target = {
      .url = settings->webhook_url, .secret = settings->webhook_secret, .ca_file = bus_tls_path(settings->tls.ca)};
  if (psp_webhooks_start(&target, &sandbox->webhooks, err) &&
      psp_ledger_open(settings->ledger_file, replay, &sandbox->book, &sandbox->ledger, err) &&
      psp_settler_start(sandbox, err))
    return true;
  psp_sandbox_close(sandbox);
  return false;
}

void psp_sandbox_close(struct psp_sandbox *sandbox) {
  psp_settler_stop(sandbox);
  psp_webhooks_stop(sandbox->webhooks);
  psp_ledger_close(sandbox->ledger);
  psp_book_done(&sandbox->book);
  pthread_cond_destroy(&sandbox->more_pending);
  pthread_mutex_destroy(&sandbox->lock);
}

_Noreturn void psp_out_of_memory(void) {
  bus_log_last(BUS_ERROR, "out of memory: an entry is in the ledger and not in the book");
  abort();
}

bool psp_sandbox_record(struct psp_sandbox *sandbox, const struct psp_entry *entry, struct bus_arena *arena) {
  struct bus_str line;
  if (entry->answer.data == NULL || !psp_entry_format(entry, arena, &line))
    return false;
  psp_ledger_append(sandbox->ledger, line);
  pthread_mutex_lock(&sandbox->lock);
  if (!psp_book_record(&sandbox->book, entry, true))
    psp_out_of_memory();
  if (entry->then)
    pthread_cond_signal(&sandbox->more_pending);
  pthread_mutex_unlock(&sandbox->lock);
  return true;
}
