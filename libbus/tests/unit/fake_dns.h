/* A DNS server for tests, in a thread of its own, that gives one answer to every question. */
#pragma once

#include "dns_answer.h"

struct fake_dns;

/* Listens on a free port of 127.0.0.1. The answer may be changed later; without one it stays silent. */
struct fake_dns *fake_dns_start(const struct dns_answer *answer);
void fake_dns_answer(struct fake_dns *dns, const struct dns_answer *answer);
/* "127.0.0.1:<port>" */
const char *fake_dns_address(const struct fake_dns *dns);
/* The name that was asked for last, "" before the first question. */
const char *fake_dns_asked(struct fake_dns *dns, char name[SRV_NAME_MAX]);
void fake_dns_stop(struct fake_dns *dns);
