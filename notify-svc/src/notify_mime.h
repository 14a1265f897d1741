/* Parts of a mail as bytes: header lines, bodies, dates, addresses. Pure. RFC 5322, 2045 and 2047; US-ASCII alone goes
 * out, so that every server takes it. */
#pragma once

#include <bus/arena.h>

enum { NOTIFY_ADDRESS_MAX = 254, NOTIFY_DATE_TEXT = 32 };

/* A mail that grows in an arena. */
struct mime {
  struct bus_arena *arena;
  char *data;
  size_t len, room; /* room: in bytes */
  bool failed;      /* out of memory, or a header value had a line break */
};

void mime_add(struct mime *mime, struct bus_str text);
/* "Name: value" of printable ASCII. A value with any other byte fails the mail: no value can begin another line. */
void mime_header(struct mime *mime, const char *name, struct bus_str value);
/* The same for any text: words of RFC 2047 where it is not ASCII. A control character fails the mail. */
void mime_header_text(struct mime *mime, const char *name, struct bus_str value);
/* "From: name <address>"; an absent name is left out. */
void mime_header_mailbox(struct mime *mime, const char *name, struct bus_str display, struct bus_str address);
/* Quoted-printable; each LF becomes CR LF, and the body ends with one. */
void mime_body(struct mime *mime, struct bus_str text);

/* "Tue, 01 Dec 2026 02:50:00 +0000" */
void mime_date(bus_time time, char ret[NOTIFY_DATE_TEXT]);

/* local@domain, both of ASCII: the local part of at most 64 characters that need no quotes, without % & and ?, which a
 * mailto URL would escape; the domain has a dot. */
bool mime_is_address(struct bus_str text);
