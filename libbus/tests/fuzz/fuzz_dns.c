/* Fuzzes the decoder of DNS answers, and the order of their records. The C library's decoder reads
 * the same records from each answer that ours takes. The first 256 bytes are random numbers. */
#include "fuzz.h"

#include <arpa/nameser.h>
#include <ctype.h>
#include <netinet/in.h>
#include <resolv.h>

#include "srv.h"

static bool is_host(const char *name) {
  size_t label = 0;
  for (; *name; name++) {
    if (*name == '.' ? label == 0 : !isalnum((unsigned char)*name) && !strchr("-_", *name))
      return false;
    label = *name == '.' ? 0 : label + 1;
  }
  return label > 0;
}

/* The next usable record from *at on, as the C library sees it. */
static bool next_record(ns_msg *message, int *at, struct srv_record *ret) {
  for (; *at < ns_msg_count(*message, ns_s_an); ++*at) {
    ns_rr record;
    FUZZ_CHECK(ns_parserr(message, ns_s_an, *at, &record) == 0);
    if (ns_rr_type(record) != ns_t_srv || ns_rr_class(record) != ns_c_in)
      continue;
    char target[NS_MAXDNAME];
    const uint8_t *data = ns_rr_rdata(record);
    FUZZ_CHECK(ns_rr_rdlen(record) > 6);
    FUZZ_CHECK(dn_expand(ns_msg_base(*message), ns_msg_end(*message), data + 6, target, sizeof target) > 0);
    *ret = (struct srv_record){.priority = (uint16_t)ns_get16(data),
                               .weight = (uint16_t)ns_get16(data + 2),
                               .port = (uint16_t)ns_get16(data + 4)};
    if (ret->port == 0 || !is_host(target))
      continue;
    FUZZ_CHECK(strlen(target) < sizeof ret->target);
    memcpy(ret->target, target, strlen(target) + 1);
    ++*at;
    return true;
  }
  return false;
}

static void compare(const uint8_t *answer, size_t len, const struct srv_records *records) {
  ns_msg message;
  struct srv_record expected;
  int at = 0;
  FUZZ_CHECK(records->count <= SRV_RECORDS_MAX);
  if (ns_initparse(answer, (int)len, &message) != 0)
    return; /* it has more sections to refuse */
  for (size_t i = 0; i < records->count; i++) {
    const struct srv_record *record = &records->items[i];
    FUZZ_CHECK(next_record(&message, &at, &expected));
    FUZZ_CHECK(record->priority == expected.priority && record->weight == expected.weight);
    FUZZ_CHECK(record->port == expected.port && strcmp(record->target, expected.target) == 0);
  }
  FUZZ_CHECK(records->count == SRV_RECORDS_MAX || !next_record(&message, &at, &expected));
}

static void order(struct srv_records *records, struct bus_str *rest) {
  uint64_t random[SRV_RECORDS_MAX], sum = 0;
  for (size_t i = 0; i < SRV_RECORDS_MAX; i++)
    random[i] = fuzz_number(rest, 8);
  for (size_t i = 0; i < records->count; i++)
    sum += records->items[i].port;
  srv_order(records, random);
  for (size_t i = 0; i < records->count; i++) {
    FUZZ_CHECK(i == 0 || records->items[i - 1].priority <= records->items[i].priority);
    sum -= records->items[i].port;
  }
  FUZZ_CHECK(sum == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct srv_records records;
  struct bus_str rest = fuzz_input(data, size), numbers = {rest.data, rest.len < 256 ? rest.len : 256};
  struct bus_str answer = {rest.data + numbers.len, rest.len - numbers.len};
  uint8_t *exact = (uint8_t *)fuzz_exact(answer);
  if (srv_decode(exact, answer.len, &records)) {
    compare(exact, answer.len, &records);
    order(&records, &numbers);
  }
  free(exact);
  return 0;
}
