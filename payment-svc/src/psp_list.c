/* Paths and field tables of the provider's lists. */
#include "psp_list.h"

#include "psp_request.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

void psp_list_path(enum psp_list_kind kind, int64_t since, const char *after, char ret[PSP_LIST_PATH_SIZE]) {
  char from[48] = "", cursor[PAYMENT_PSP_ID_SIZE + 24] = "";
  if (since > 0)
    (void)snprintf(from, sizeof from, "&created%%5Bgte%%5D=%" PRId64, since);
  if (after[0])
    (void)snprintf(cursor, sizeof cursor, "&starting_after=%s", after); /* of letters that stand for themselves */
  (void)snprintf(ret, PSP_LIST_PATH_SIZE, "%s?limit=%d%s%s",            /* fits */
                 kind == PSP_LIST_INTENTS ? PSP_PATH_INTENTS : PSP_PATH_REFUNDS, PSP_LIST_PAGE, from, cursor);
}

struct metadata {
  struct bus_str order_id;
};
struct object {
  struct bus_str id, currency, status;
  int64_t amount, amount_received, created;
  struct metadata *metadata;
};
struct page {
  struct object *data;
  size_t data_count;
  bool has_more;
};

static const struct bus_field metadata_fields[] = {
    BUS_FIELD_STRING(struct metadata, order_id, BUS_TEXT, 0, 500, BUS_OPTIONAL, "ours"),
};
static const struct bus_schema metadata_schema = BUS_SCHEMA("metadata", struct metadata, metadata_fields);
static const struct bus_field object_fields[] = {
    BUS_FIELD_STRING(struct object, id, BUS_TOKEN, 1, PAYMENT_PSP_ID_MAX, BUS_REQUIRED, "the provider's id"),
    BUS_FIELD_INT64(struct object, amount, 0, BUS_JSON_INT_MAX, BUS_REQUIRED, "in minor units"),
    BUS_FIELD_INT64(struct object, amount_received, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL, "of an intent"),
    BUS_FIELD_INT64(struct object, created, 0, BUS_JSON_INT_MAX, BUS_REQUIRED, "Unix seconds"),
    BUS_FIELD_STRING(struct object, currency, BUS_TOKEN, PAYMENT_CURRENCY_LEN, PAYMENT_CURRENCY_LEN, BUS_REQUIRED,
                     "ISO 4217, in lower case"),
    BUS_FIELD_STRING(struct object, status, BUS_TOKEN, 1, PAYMENT_REASON_MAX, BUS_REQUIRED, "succeeded, or another"),
    BUS_FIELD_OBJECT(struct object, metadata, struct metadata, &metadata_schema, BUS_OPTIONAL, "ours"),
};
static const struct bus_schema object_schema = BUS_SCHEMA("object", struct object, object_fields);
static const struct bus_field page_fields[] = {
    BUS_FIELD_ARRAY(struct page, data, data_count, struct object, &object_schema, 0, PSP_LIST_PAGE, BUS_REQUIRED,
                    "the objects, newest first"),
    BUS_FIELD_BOOL(struct page, has_more, BUS_REQUIRED, "there are older ones"),
};
static const struct bus_schema page_schema = BUS_SCHEMA("page", struct page, page_fields);

static void write_line(enum psp_list_kind kind, const struct object *object, struct reconcile_line *ret) {
  bool has_received = kind == PSP_LIST_INTENTS && object->amount_received != BUS_NO_INT64;
  struct bus_uuid order;
  *ret = (struct reconcile_line){.order = RECONCILE_NO_ORDER,
                                 .kind = kind == PSP_LIST_INTENTS ? RECONCILE_CAPTURED : RECONCILE_REFUNDED,
                                 .amount = has_received ? object->amount_received : object->amount,
                                 .at = object->created};
  if (object->metadata && bus_uuid_parse(object->metadata->order_id, &order))
    bus_uuid_format(&order, ret->order);
  for (size_t i = 0; i < object->currency.len; i++)
    ret->currency[i] = (char)toupper((unsigned char)object->currency.data[i]);
  memcpy(ret->psp_id, object->id.data, object->id.len);
}

bool psp_page_read(enum psp_list_kind kind, struct bus_str body, struct bus_arena *arena, struct psp_page *ret) {
  struct page page;
  if (!bus_decode(&page_schema, body, BUS_IGNORE_UNKNOWN, arena, &page, NULL))
    return false;
  ret->count = 0;
  ret->has_more = page.has_more;
  ret->last_id[0] = '\0';
  for (size_t i = 0; i < page.data_count; i++)
    if (bus_str_is(page.data[i].status, "succeeded"))
      write_line(kind, &page.data[i], &ret->lines[ret->count++]);
  if (!page.has_more)
    return true;
  if (page.data_count == 0 || !psp_id_is_path_segment(page.data[page.data_count - 1].id))
    return false;
  struct bus_str last = page.data[page.data_count - 1].id;
  memcpy(ret->last_id, last.data, last.len);
  ret->last_id[last.len] = '\0';
  return true;
}
