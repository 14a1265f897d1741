/* Puts an answer together, in the form of RFC 1035. */
#include "dns_answer.h"

#include <assert.h>

enum { HEADER = 12, ANSWERS_AT = 6, POINTER_TO_QUESTION = 0xC00C, SRV = 33, IN = 1 };

static void put16(uint8_t *at, unsigned number) {
  at[0] = (uint8_t)(number >> 8);
  at[1] = (uint8_t)number;
}

static void append(struct dns_answer *answer, const void *bytes, size_t len) {
  assert(answer->len + len <= sizeof answer->bytes);
  memcpy(answer->bytes + answer->len, bytes, len);
  answer->len += len;
}

static void append16(struct dns_answer *answer, unsigned number) {
  uint8_t bytes[2];
  put16(bytes, number);
  append(answer, bytes, sizeof bytes);
}

size_t dns_answer_name(const char *name, uint8_t *bytes) {
  size_t len = 0;
  while (*name) {
    size_t label = strcspn(name, ".");
    bytes[len++] = (uint8_t)label;
    memcpy(bytes + len, name, label);
    len += label;
    name += label + (name[label] == '.');
  }
  bytes[len++] = 0;
  return len;
}

void dns_answer_begin(struct dns_answer *answer, const char *name, int code) {
  uint8_t question[300];
  *answer = (struct dns_answer){.len = HEADER};
  put16(answer->bytes + 2, 0x8180 | (unsigned)code); /* an answer, with recursion */
  put16(answer->bytes + 4, 1);
  append(answer, question, dns_answer_name(name, question));
  append16(answer, SRV);
  append16(answer, IN);
}

void dns_answer_add_raw(struct dns_answer *answer, uint16_t type, uint16_t class, const void *data, size_t len) {
  static const uint8_t life[4] = {[3] = 60};
  append16(answer, POINTER_TO_QUESTION);
  append16(answer, type);
  append16(answer, class);
  append(answer, life, sizeof life);
  append16(answer, (unsigned)len);
  append(answer, data, len);
  answer->bytes[ANSWERS_AT + 1]++;
}

void dns_answer_add(struct dns_answer *answer, uint16_t priority, uint16_t weight, uint16_t port, const char *target) {
  uint8_t data[300];
  put16(data, priority);
  put16(data + 2, weight);
  put16(data + 4, port);
  dns_answer_add_raw(answer, SRV, IN, data, 6 + dns_answer_name(target, data + 6));
}
