/* Shared by the two halves of the mailer: its threads, and one mail's transfer. */
#pragma once

#include <bus/mail.h>

#include <stdatomic.h>

#include "client_internal.h"

enum { MAIL_VERB = 4, MAIL_REPLY_MAX = 200 };

struct mail {
  struct mail *next;
  void *context;
  const char *to; /* behind the message */
  struct bus_http_result result;
  char error[CURL_ERROR_SIZE], reply[MAIL_REPLY_MAX + 1];
  size_t reply_len, sent, len;
  char verb[MAIL_VERB + 1]; /* of the last command; QUIT is none, and its reply is not kept */
  bool quits;
  char message[];
};

/* NULL: out of memory, or the address is refused. */
struct mail *mail_new(const char *to, struct bus_str message, void *context, struct bus_error *err);
/* Is it an address alone? */
bool mail_check_address(const char *text, struct bus_error *err);
/* Sends the mail, and fills its result. Blocks, at most until *stopping or for the time-out. */
void mail_transfer(CURL *easy, const struct bus_mailer_settings *settings, const atomic_bool *stopping,
                   struct mail *mail);
