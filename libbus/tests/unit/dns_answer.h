/* Answers of DNS to a question of SRV, byte by byte. */
#pragma once

#include "srv.h"

struct dns_answer {
  uint8_t bytes[1024];
  size_t len;
};

/* An answer to the question `name` (of type SRV), with a result code and no record yet. */
void dns_answer_begin(struct dns_answer *answer, const char *name, int code);
/* Appends a record of the question's name. */
void dns_answer_add(struct dns_answer *answer, uint16_t priority, uint16_t weight, uint16_t port, const char *target);
/* The same with a type, a class and bytes of its own. */
void dns_answer_add_raw(struct dns_answer *answer, uint16_t type, uint16_t class, const void *data, size_t len);
/* The name as a sequence of labels. Returns its length. */
size_t dns_answer_name(const char *name, uint8_t *bytes);
