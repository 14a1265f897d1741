/* Fuzzes the inputs of the sandbox: forms of clients, and its own ledger, which may end in a torn or corrupt entry
 * after a crash. The first byte chooses. */
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "book.h"
#include "form.h"
#include "json_scan.h"
#include "ledger_read.h"
#include "outcome.h"
#include "response.h"

static struct bus_arena *arena;

static void check_json(struct bus_str json) {
  struct bus_json_scan scan;
  FUZZ_CHECK(json.data && bus_json_scan(json, BUS_JSON_NODES, NULL, &scan) && scan.inexact_count == 0);
}

/* A line of the ledger is one line, and reads as what was written. */
static void record(const struct psp_entry *entry) {
  struct bus_str line, again;
  struct psp_entry parsed;
  struct bus_problems problems;
  FUZZ_CHECK(psp_entry_format(entry, arena, &line));
  FUZZ_CHECK(line.data[line.len - 1] == '\n' && memchr(line.data, '\n', line.len - 1) == NULL);
  FUZZ_CHECK(psp_entry_parse((struct bus_str){line.data, line.len - 1}, arena, &parsed, &problems));
  FUZZ_CHECK(psp_entry_format(&parsed, arena, &again) && bus_str_equal(line, again));
}

static struct psp_entry entry_of(int type, int64_t amount, struct bus_str order_id, struct bus_str response) {
  return (struct psp_entry){.type = type,
                            .id = BUS_STR("pi_0123"),
                            .amount = amount,
                            .currency = BUS_STR("eur"),
                            .order_id = order_id,
                            .status = type == PSP_DECLINED ? 402 : 200,
                            .answer = response,
                            .at = BUS_SECOND};
}

static void charge(const struct psp_form *form) {
  static const struct psp_identity identity = {{"pi_0123", 7}, {"ch_0123", 7}, BUS_SECOND};
  struct psp_charge read;
  struct psp_error error;
  if (!psp_charge_read(form, &read, &error)) {
    FUZZ_CHECK(error.status >= 400 && error.status < 500 && error.type && error.message);
    check_json(psp_response_error(arena, &error));
    return;
  }
  FUZZ_CHECK(read.amount >= 1 && read.amount <= BUS_JSON_INT_MAX && read.currency.len == 3 && read.method);
  bool declines = read.method->decline != NULL;
  struct psp_entry entry;
  FUZZ_CHECK(psp_outcome_of_charge(arena, &identity, &read, form, declines ? PSP_DECLINE : PSP_CAPTURE, 0, &entry));
  check_json(entry.answer);
  if (declines)
    check_json(psp_response_failed_intent(entry.answer));
  record(&entry);
  if (!read.method->course)
    return;
  FUZZ_CHECK(psp_outcome_of_charge(arena, &identity, &read, form, PSP_PEND, BUS_SECOND, &entry));
  check_json(entry.answer);
  if (entry.then)
    check_json(entry.then->answer);
  record(&entry);
}

static void refund(const struct psp_form *form) {
  static const struct psp_identity identity = {{"re_0123", 7}, {"ch_0123", 7}, BUS_SECOND};
  struct psp_refund read;
  struct psp_error error;
  if (!psp_refund_read(form, &read, &error)) {
    check_json(psp_response_error(arena, &error));
    return;
  }
  FUZZ_CHECK(read.payment_intent.len > 0 && (read.amount == BUS_NO_INT64 || read.amount >= 1));
  struct bus_str response = psp_response_refund(arena, &identity, &read, 5, BUS_STR("eur"), form, "succeeded");
  check_json(response);
  struct psp_entry entry = entry_of(PSP_REFUNDED, 5, read.order_id, response);
  record(&entry);
}

static void form(struct bus_str body) {
  struct psp_form parsed;
  const char *problem = NULL;
  char print[BUS_SHA256_TEXT], again[BUS_SHA256_TEXT];
  if (!psp_form_parse(body, arena, &parsed, &problem)) {
    FUZZ_CHECK(problem != NULL);
    return;
  }
  FUZZ_CHECK(psp_form_fingerprint(&parsed, "/v1/refunds", arena, print));
  FUZZ_CHECK(psp_form_fingerprint(&parsed, "/v1/refunds", arena, again) && strcmp(print, again) == 0);
  FUZZ_CHECK(psp_form_fingerprint(&parsed, "/v1/other", arena, again) && strcmp(print, again) != 0);
  charge(&parsed);
  refund(&parsed);
}

static bool put(void *context, const struct psp_entry *entry) {
  return psp_book_record(context, entry, false);
}

static bool replay(struct bus_str bytes, int64_t *ret_good, size_t *ret_records) {
  struct psp_book book = {.records = NULL};
  struct bus_error err;
  int fd = memfd_create("ledger", MFD_CLOEXEC);
  FUZZ_CHECK(fd >= 0 && write(fd, bytes.data, bytes.len) == (ssize_t)bytes.len);
  bool read = psp_ledger_replay(fd, "ledger", put, &book, ret_good, &err);
  FUZZ_CHECK(read || (err.code == BUS_E_DECODE && strchr(err.text, '\n') == NULL));
  *ret_records = 0;
  for (const struct psp_record *known = book.records; known; known = known->next)
    ++*ret_records;
  psp_book_done(&book);
  close(fd);
  return read;
}

/* A ledger that is cut at the end of its valid part reads as the same entries. */
static void ledger(struct bus_str bytes) {
  int64_t good = -1, again = -1;
  size_t records, records_again;
  if (!replay(bytes, &good, &records))
    return;
  FUZZ_CHECK(good >= 0 && good <= (int64_t)bytes.len && (good == 0 || bytes.data[good - 1] == '\n'));
  FUZZ_CHECK(replay((struct bus_str){bytes.data, (size_t)good}, &again, &records_again));
  FUZZ_CHECK(again == good && records == records_again);
}

static void line(struct bus_str bytes) {
  struct psp_entry entry;
  struct bus_problems problems;
  if (psp_entry_parse(bytes, arena, &entry, &problems))
    record(&entry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static void (*const modes[])(struct bus_str) = {form, ledger, line};
  struct bus_str rest = fuzz_input(data, size);
  uint8_t mode = fuzz_byte(&rest);
  char *exact = fuzz_exact(rest);
  arena = bus_arena_new((size_t)16 << 20);
  modes[mode % BUS_COUNT(modes)]((struct bus_str){exact, rest.len});
  bus_arena_free(arena);
  free(exact);
  return 0;
}
