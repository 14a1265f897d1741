/* Signatures of webhooks as Standard Webhooks has them (v1, symmetric). Pure. */
#pragma once

#include "notify_messages.h"

enum { NOTIFY_SIGNATURE_TEXT = 48 /* "v1," and base64 of 32 bytes, with its NUL */ };

/* "whsec_" and the bytes in base64. */
void notify_secret_format(const uint8_t bytes[WEBHOOK_SECRET_BYTES], char text[WEBHOOK_SECRET_TEXT + 1]);

/* secret: "whsec_" and base64 of 24 to 64 bytes. False: it is none. */
bool notify_sign(struct bus_str secret, struct bus_str id, int64_t timestamp, struct bus_str body,
                 char ret[NOTIFY_SIGNATURE_TEXT]) BUS_MUST_CHECK;
