/* psp-records: prints what the provider has captured and refunded, page by page, as lines for payment-reconcile. */
#include "payment_settings.h"
#include "psp_records.h"

#include <stdio.h>
#include <stdlib.h>

enum { FAILED = 2, ARENA_LIMIT = 1 << 16, PROVIDER_OPTIONS = 4 };

static struct payment_settings provider;
static struct own { int64_t since; } own;

static const struct bus_option own_options[] = {
    {.name = "SINCE",
     .kind = BUS_OPTION_INT,
     .offset = offsetof(struct own, since),
     .fallback = "0",
     .max = BUS_JSON_INT_MAX,
     .unit = "s",
     .description = "Unix time: objects that were created before are left out"},
};
/* The first of the service's: URL, key, certificates, plain http. */
static const struct bus_option_table tables[] = {{payment_options, PROVIDER_OPTIONS, &provider},
                                                 {own_options, BUS_COUNT(own_options), &own}};

static bool print_line(void *context, const struct reconcile_line *line) {
  struct bus_arena *arena = context;
  bus_arena_reset(arena);
  struct bus_str text = reconcile_line_format(line, arena);
  return text.data && fwrite(text.data, 1, text.len, stdout) == text.len;
}

static int print_all(void) {
  struct bus_arena *arena = bus_arena_new(ARENA_LIMIT);
  struct bus_error err;
  const struct psp_records records = {.url = provider.psp_url,
                                      .key = provider.psp_key,
                                      .ca_file = provider.psp_ca_file,
                                      .allow_plain = provider.psp_allow_plain,
                                      .since = own.since,
                                      .visit = print_line,
                                      .context = arena};
  bool done = arena ? psp_records_read(&records, &err) : bus_fail(&err, BUS_E_NOMEM, "out of memory for a line");
  bus_arena_free(arena);
  if (!done)
    (void)fprintf(stderr, "psp-records: %s\n", err.text);
  return done && fflush(stdout) == 0 ? EXIT_SUCCESS : FAILED;
}

int main(int argc, char **argv) {
  int status = bus_config_main(argc, argv, "psp-records", ORDERBUS_VERSION,
                               "Prints what the payment provider has captured and refunded.", tables, BUS_COUNT(tables),
                               NULL, NULL);
  if (status < 0)
    status = print_all();
  bus_config_done(tables, BUS_COUNT(tables));
  return status;
}
