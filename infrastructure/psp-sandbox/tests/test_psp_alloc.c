/* The sandbox without memory: nothing that is in the ledger is lost, and no key is answered by halves. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "book.h"
#include "ledger.h"
#include "response.h"
#include "test.h"
#include "torture.h"

#define FINGERPRINT "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static bool take_form(struct bus_arena *arena, const void *context) {
  static const struct psp_identity identity = {{"pi_0123", 7}, {"ch_0123", 7}, BUS_SECOND};
  struct psp_form form;
  struct psp_charge charge;
  struct psp_error error;
  const char *problem;
  char fingerprint[BUS_SHA256_TEXT];
  struct bus_str answer = BUS_NO_STR, line = BUS_NO_STR;
  bool done = psp_form_parse(bus_str(context), arena, &form, &problem) &&
              psp_form_fingerprint(&form, "/v1/payment_intents", arena, fingerprint) &&
              psp_charge_read(&form, &charge, &error);
  if (done)
    answer = psp_response_intent(arena, &identity, &charge, &form, "succeeded");
  const struct psp_entry entry = {.type = PSP_CAPTURED,
                                  .id = identity.id,
                                  .amount = 5,
                                  .currency = BUS_STR("eur"),
                                  .status = 200,
                                  .answer = answer,
                                  .at = BUS_SECOND};
  done = done && answer.data && psp_entry_format(&entry, arena, &line);
  bus_refusals_over();
  return done;
}

TEST(forms_and_responses)
{ torture(take_form, "amount=5&currency=eur&payment_method=pm_card_visa&confirm=true&metadata%5Border_id%5D=o"); }

static const struct psp_entry captured = {.type = PSP_CAPTURED,
                                          .id = {"pi_1234", 7},
                                          .idempotency_key = {"key", 3},
                                          .fingerprint = {FINGERPRINT, 64},
                                          .amount = 5,
                                          .currency = {"eur", 3},
                                          .status = 200,
                                          .answer = {"{\"a\":1}", 7},
                                          .at = BUS_SECOND};

/* The sandbox ends if an entry cannot be recorded; a claim that succeeded is permanent. */
static bool keep_book(struct bus_arena *arena, const void *context) {
  struct psp_book book = {.records = NULL};
  const struct psp_record *record = NULL;
  int attempt;
  size_t claimed = 0;
  (void)arena;
  (void)context;
  for (int i = 0; i < 40; i++) {
    char key[16];
    int len = snprintf(key, sizeof key, "key-%d", i);
    enum psp_claim claim = psp_book_claim(&book, (struct bus_str){key, (size_t)len}, FINGERPRINT, &attempt, &record);
    assert_true(claim == PSP_CLAIM_NEW || claim == PSP_CLAIM_NO_MEMORY);
    claimed += claim == PSP_CLAIM_NEW;
  }
  bool done = claimed == 40 && psp_book_record(&book, &captured, true);
  bus_refusals_over();
  assert_true(!done ||
              psp_book_claim(&book, captured.idempotency_key, FINGERPRINT, &attempt, &record) == PSP_CLAIM_REPLAY);
  psp_book_done(&book);
  return done;
}

TEST(the_book)
{ torture(keep_book, NULL); }

static bool see(void *context, const struct psp_entry *entry) {
  return psp_book_record(context, entry, false);
}

static int64_t size_of(const char *path) {
  struct stat status;
  assert_int_equal(stat(path, &status), 0);
  return status.st_size;
}

/* The worst that could be made of a lack of memory is to take a good line for a torn one. */
static bool open_ledger(struct bus_arena *arena, const void *context) {
  const char *path = context;
  struct psp_book book = {.records = NULL};
  struct psp_ledger *ledger = NULL;
  struct bus_error err = {.code = BUS_OK};
  (void)arena;
  bool done = psp_ledger_open(path, see, &book, &ledger, &err);
  bus_refusals_over();
  assert_true(done || err.code != BUS_OK);
  psp_ledger_close(ledger);
  int64_t records = 0;
  for (const struct psp_record *known = book.records; known; known = known->next)
    records++;
  psp_book_done(&book);
  assert_true(!done || records == 3);
  assert_int_equal(size_of(path) % 3, 0);
  return done;
}

TEST(a_ledger_is_read_whole_or_not_at_all)
{
  char path[] = "/tmp/psp-ledger-alloc-XXXXXX";
  struct bus_arena *arena = bus_arena_new(1 << 20);
  struct psp_entry entry = captured;
  struct bus_str line;
  char padding[3000];
  memset(padding, 'o', sizeof padding);
  entry.order_id = (struct bus_str){padding, 400};
  int fd = mkstemp(path);
  for (int i = 0; i < 3; i++) {
    char id[] = "pi_0000", key[] = "key0";
    id[6] = key[3] = (char)('1' + i);
    entry.id = bus_str(id);
    entry.idempotency_key = bus_str(key);
    assert_true(psp_entry_format(&entry, arena, &line));
    assert_int_equal(write(fd, line.data, line.len), line.len);
  }
  close(fd);
  int64_t before = size_of(path);
  torture(open_ledger, path);
  assert_int_equal(size_of(path), before);
  unlink(path);
  bus_arena_free(arena);
}
