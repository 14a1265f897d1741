/* One call of payment-svc's reader. */
#include "provider.h"

bool provider_read(const struct program *program, int64_t since,
                   bool (*visit)(void *context, const struct reconcile_line *line), void *context,
                   struct bus_error *err) {
  const struct psp_records records = {.url = program->psp_url,
                                      .key = program->psp_key,
                                      .ca_file = program->psp_ca_file,
                                      .allow_plain = program->psp_allow_plain,
                                      .since = since,
                                      .visit = visit,
                                      .context = context};
  return psp_records_read(&records, err) || bus_error_wrap(err, "payment provider");
}
