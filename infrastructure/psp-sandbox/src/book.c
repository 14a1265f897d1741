/* Keys and records by text. */
#include "book.h"

#include <stdlib.h>

enum key_state { KEY_FREE, KEY_IN_USE, KEY_ANSWERED };

struct psp_key {
  struct psp_key *next;
  enum key_state state;
  int attempts;
  const struct psp_record *record; /* ANSWERED */
  char fingerprint[BUS_SHA256_TEXT];
  size_t len;
  char text[];
};

static void free_records(struct psp_record *record) {
  while (record) {
    struct psp_record *next = record->next;
    free(record);
    record = next;
  }
}

static void free_keys(struct psp_key *key) {
  while (key) {
    struct psp_key *next = key->next;
    free(key);
    key = next;
  }
}

void psp_book_done(struct psp_book *book) {
  psp_map_done(&book->keys);
  psp_map_done(&book->ids);
  free_records(book->records);
  free_keys(book->all_keys);
  *book = (struct psp_book){0};
}

/* ---- keys ---- */
static struct psp_key *make_key(struct psp_book *book, struct bus_str text, struct bus_str fingerprint) {
  struct psp_key *key = calloc(1, sizeof *key + text.len);
  if (key == NULL || fingerprint.len >= sizeof key->fingerprint) {
    free(key);
    return NULL;
  }
  memcpy(key->text, text.data, text.len);
  memcpy(key->fingerprint, fingerprint.data, fingerprint.len);
  key->len = text.len;
  if (!psp_map_put(&book->keys, (struct bus_str){key->text, key->len}, key)) {
    free(key);
    return NULL;
  }
  key->next = book->all_keys;
  book->all_keys = key;
  return key;
}

enum psp_claim psp_book_claim(struct psp_book *book, struct bus_str text, const char *fingerprint, int *ret_attempt,
                              const struct psp_record **ret_record) {
  struct psp_key *key = psp_map_get(&book->keys, text);
  if (key == NULL)
    key = make_key(book, text, bus_str(fingerprint));
  if (key == NULL)
    return PSP_CLAIM_NO_MEMORY;
  if (strcmp(key->fingerprint, fingerprint) != 0)
    return PSP_CLAIM_MISMATCH;
  switch (key->state) {
  case KEY_IN_USE:
    return PSP_CLAIM_IN_USE;
  case KEY_ANSWERED:
    *ret_record = key->record;
    return PSP_CLAIM_REPLAY;
  case KEY_FREE:
    break;
  }
  key->state = KEY_IN_USE;
  *ret_attempt = key->attempts;
  return PSP_CLAIM_NEW;
}

void psp_book_release(struct psp_book *book, struct bus_str text) {
  struct psp_key *key = psp_map_get(&book->keys, text);
  if (key == NULL || key->state != KEY_IN_USE)
    return;
  key->state = KEY_FREE;
  key->attempts++;
}

static bool answer_key(struct psp_book *book, const struct psp_entry *entry, const struct psp_record *record) {
  if (entry->idempotency_key.data == NULL)
    return true;
  struct psp_key *key = psp_map_get(&book->keys, entry->idempotency_key);
  if (key == NULL)
    key = make_key(book, entry->idempotency_key, entry->fingerprint);
  if (key == NULL)
    return false;
  key->state = KEY_ANSWERED;
  key->record = record;
  return true;
}

/* ---- records ---- */
static struct bus_str store(char **end, struct bus_str text) {
  char *copy = *end;
  if (text.len > 0)
    memcpy(copy, text.data, text.len);
  *end += text.len;
  return (struct bus_str){copy, text.len};
}

static size_t texts_size(const struct psp_entry *entry) {
  return entry->id.len + entry->currency.len + entry->answer.len + entry->order_id.len + entry->payment_intent.len +
         (entry->then ? entry->then->answer.len : 0);
}

static struct bus_str store_or_absent(char **end, struct bus_str text) {
  return text.data ? store(end, text) : BUS_NO_STR;
}

/* One block with its texts. */
static struct psp_record *make_record(const struct psp_entry *entry) {
  struct psp_record *record = calloc(1, sizeof *record + texts_size(entry));
  if (record == NULL)
    return NULL;
  char *end = (char *)(record + 1);
  record->type = entry->type;
  record->at = entry->at;
  record->amount = entry->amount;
  record->status = entry->status;
  record->id = store(&end, entry->id);
  record->currency = store(&end, entry->currency);
  record->answer = store(&end, entry->answer);
  record->order_id = store_or_absent(&end, entry->order_id);
  record->payment_intent = store_or_absent(&end, entry->payment_intent);
  record->method = entry->payment_method.data ? psp_method_find(entry->payment_method) : NULL;
  record->then_at = entry->then ? entry->then->at : BUS_NO_TIME;
  if (entry->then) {
    record->then_type = entry->then->type;
    record->then_response = store(&end, entry->then->answer);
  }
  return record;
}

static struct psp_record *newest_of(struct psp_record *record) {
  while (record && record->became)
    record = record->became;
  return record;
}

static struct psp_record *find_record(const struct psp_book *book, struct bus_str id) {
  return newest_of(psp_map_get(&book->ids, id));
}

static void take_from_pending(struct psp_book *book, const struct psp_record *record) {
  struct psp_record **link = &book->pending;
  while (*link && *link != record)
    link = &(*link)->next_pending;
  if (*link)
    *link = record->next_pending;
}

/* The money of the intent that the refund holds: all of it until it has failed. */
static void count_refund(struct psp_book *book, const struct psp_entry *entry, bool is_new, bool live) {
  struct psp_record *intent = find_record(book, entry->payment_intent);
  bool was_held = live || !is_new, is_held = entry->type == PSP_REFUNDED || entry->type == PSP_REFUND_PENDING;
  if (intent == NULL)
    return;
  intent->refunded += (is_held ? entry->amount : 0) - (was_held ? entry->amount : 0);
  if (!was_held)
    intent->refunds++; /* reserving counted it otherwise */
}

bool psp_book_record(struct psp_book *book, const struct psp_entry *entry, bool live) {
  struct psp_record *before = find_record(book, entry->id);
  struct psp_record *record = make_record(entry);
  if (record == NULL)
    return false;
  record->is_first = before == NULL;
  record->next = book->records;
  book->records = record;
  if (before) {
    record->method = before->method;
    before->became = record;
    take_from_pending(book, before);
  } else if (!psp_map_put(&book->ids, record->id, record)) {
    return false;
  }
  if (!answer_key(book, entry, record))
    return false;
  if (record->then_at != BUS_NO_TIME) {
    record->next_pending = book->pending;
    book->pending = record;
  }
  if (psp_entry_is_refund(entry->type))
    count_refund(book, entry, before == NULL, live);
  return true;
}

bool psp_book_due(const struct psp_book *book, bus_time now, struct psp_entry *ret, bus_time *ret_next) {
  const struct psp_record *first = NULL;
  for (const struct psp_record *record = book->pending; record; record = record->next_pending)
    if (first == NULL || record->then_at < first->then_at)
      first = record;
  *ret_next = first ? first->then_at : BUS_NO_TIME;
  if (first == NULL || first->then_at > now)
    return false;
  *ret = (struct psp_entry){.type = first->then_type,
                            .id = first->id,
                            .amount = first->amount,
                            .currency = first->currency,
                            .order_id = first->order_id,
                            .payment_intent = first->payment_intent,
                            .status = 200,
                            .answer = first->then_response,
                            .at = first->then_at};
  return true;
}

const struct psp_record *psp_book_find(const struct psp_book *book, struct bus_str id) {
  return find_record(book, id);
}

bool psp_book_list(const struct psp_book *book, bool refunds, struct bus_str after, bus_time since, size_t max,
                   const struct psp_record **ret, size_t *ret_count) {
  const struct psp_record *cursor = after.data ? psp_map_get(&book->ids, after) : NULL;
  if (after.data && (cursor == NULL || psp_entry_is_refund(cursor->type) != refunds))
    return false;
  *ret_count = 0;
  for (struct psp_record *record = cursor ? cursor->next : book->records; record && *ret_count < max;
       record = record->next)
    if (record->is_first && record->at >= since && psp_entry_is_refund(record->type) == refunds)
      ret[(*ret_count)++] = newest_of(record);
  return true;
}

bool psp_book_reserve_refund(struct psp_book *book, const struct psp_refund *refund, struct psp_reservation *ret,
                             struct psp_error *ret_error) {
  struct psp_record *intent = find_record(book, refund->payment_intent);
  if (intent == NULL || psp_entry_is_refund(intent->type))
    return psp_refuse(ret_error, 404, "resource_missing", "payment_intent", "No such payment_intent");
  if (intent->type != PSP_CAPTURED)
    return psp_refuse(ret_error, 400, "charge_not_refundable", "payment_intent",
                      "This PaymentIntent does not have a successful charge to refund.");
  int64_t left = intent->amount - intent->refunded;
  int64_t amount = refund->amount == BUS_NO_INT64 ? left : refund->amount;
  if (left <= 0)
    return psp_refuse(ret_error, 400, "charge_already_refunded", "payment_intent",
                      "The charge has already been refunded.");
  if (amount > left)
    return psp_refuse(ret_error, 400, "charge_already_refunded", "amount",
                      "The amount is greater than what is left of the charge.");
  if (!psp_check_amount(intent->currency, amount, ret_error))
    return false;
  bool is_first = intent->refunds++ == 0;
  intent->refunded += amount;
  *ret = (struct psp_reservation){
      .intent = intent, .amount = amount, .course = is_first && intent->method ? intent->method->refund : NULL};
  return true;
}
