/* Bytes of a mail: encodings of header lines and bodies, dates, and which addresses are taken. */
#include "notify_mime.h"

#include <bus/timefmt.h>

#include <stdio.h>

enum { FIRST_ROOM = 4096, BODY_LINE_MAX = 76, WORD_MAX = 75, LOCAL_MAX = 64, LABEL_MAX = 63, ESCAPE = 3 };
#define WORD_BEGIN "=?UTF-8?Q?"
#define WORD_END "?="

static const char hex[] = "0123456789ABCDEF";

void mime_add(struct mime *mime, struct bus_str text) {
  char *data = mime->failed ? NULL
                            : bus_arena_grow(mime->arena, mime->data, mime->len, mime->len + text.len + 1, FIRST_ROOM,
                                             &mime->room);
  mime->failed = mime->failed || !data;
  if (!data)
    return;
  mime->data = data;
  if (text.len > 0)
    memcpy(data + mime->len, text.data, text.len);
  mime->len += text.len;
  data[mime->len] = '\0';
}

static void add_text(struct mime *mime, const char *text) {
  mime_add(mime, bus_str(text));
}

static void add_escape(struct mime *mime, unsigned char byte) {
  const char escape[ESCAPE] = {'=', hex[byte >> 4], hex[byte & 15]};
  mime_add(mime, (struct bus_str){escape, sizeof escape});
}

/* ---- header lines ---- */

static bool is_printable(struct bus_str text) {
  for (size_t i = 0; i < text.len; i++)
    if (text.data[i] < ' ' || text.data[i] > '~')
      return false;
  return true;
}

static bool has_control(struct bus_str text) {
  for (size_t i = 0; i < text.len; i++)
    if ((unsigned char)text.data[i] < ' ' || text.data[i] == 0x7F)
      return true;
  return false;
}

/* Bytes of the character that begins here. */
static size_t character(struct bus_str text) {
  size_t len = 1;
  while (len < text.len && ((unsigned char)text.data[len] & 0xC0) == 0x80)
    len++;
  return len;
}

static bool is_plain_in_word(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9');
}

/* A word has whole characters alone. */
static void add_words(struct mime *mime, struct bus_str text) {
  size_t used = sizeof WORD_BEGIN - 1;
  add_text(mime, WORD_BEGIN);
  while (text.len > 0) {
    size_t len = character(text), needed = is_plain_in_word(*text.data) ? 1 : ESCAPE * len;
    if (used + needed + sizeof WORD_END - 1 > WORD_MAX) {
      add_text(mime, WORD_END "\r\n " WORD_BEGIN);
      used = sizeof WORD_BEGIN - 1;
    }
    for (size_t i = 0; i < len; i++)
      if (is_plain_in_word(text.data[i]))
        mime_add(mime, (struct bus_str){text.data + i, 1});
      else
        add_escape(mime, (unsigned char)text.data[i]);
    used += needed;
    text.data += len;
    text.len -= len;
  }
  add_text(mime, WORD_END);
}

static void begin(struct mime *mime, const char *name) {
  add_text(mime, name);
  add_text(mime, ": ");
}

void mime_header(struct mime *mime, const char *name, struct bus_str value) {
  mime->failed = mime->failed || !is_printable(value);
  begin(mime, name);
  mime_add(mime, value);
  add_text(mime, "\r\n");
}

/* "=?" in plain text would be read as the beginning of a word. */
static bool needs_words(struct bus_str text) {
  for (size_t i = 0; i + 1 < text.len; i++)
    if (text.data[i] == '=' && text.data[i + 1] == '?')
      return true;
  return !is_printable(text);
}

void mime_header_text(struct mime *mime, const char *name, struct bus_str value) {
  if (!needs_words(value)) {
    mime_header(mime, name, value);
    return;
  }
  mime->failed = mime->failed || has_control(value);
  begin(mime, name);
  add_words(mime, value);
  add_text(mime, "\r\n");
}

static void add_quoted(struct mime *mime, struct bus_str text) {
  add_text(mime, "\"");
  for (size_t i = 0; i < text.len; i++) {
    if (text.data[i] == '"' || text.data[i] == '\\')
      add_text(mime, "\\");
    mime_add(mime, (struct bus_str){text.data + i, 1});
  }
  add_text(mime, "\"");
}

void mime_header_mailbox(struct mime *mime, const char *name, struct bus_str display, struct bus_str address) {
  mime->failed = mime->failed || has_control(display) || !mime_is_address(address);
  begin(mime, name);
  if (display.len > 0 && needs_words(display))
    add_words(mime, display);
  else if (display.len > 0)
    add_quoted(mime, display);
  add_text(mime, display.len > 0 ? " <" : "<");
  mime_add(mime, address);
  add_text(mime, ">\r\n");
}

/* ---- bodies ---- */

/* Is it written as it is? A point at a line's beginning is not, because SMTP ends a message with one. */
static bool is_literal(struct bus_str text, size_t at, size_t column) {
  char byte = text.data[at];
  bool ends_line = at + 1 == text.len || text.data[at + 1] == '\n';
  if (byte == ' ' || byte == '\t')
    return !ends_line;
  return byte > ' ' && byte <= '~' && byte != '=' && !(byte == '.' && column == 0);
}

void mime_body(struct mime *mime, struct bus_str text) {
  size_t column = 0;
  for (size_t i = 0; i < text.len; i++) {
    if (text.data[i] == '\n') {
      add_text(mime, "\r\n");
      column = 0;
      continue;
    }
    if (column + ESCAPE >= BODY_LINE_MAX) {
      add_text(mime, "=\r\n");
      column = 0;
    }
    bool literal = is_literal(text, i, column);
    if (literal)
      mime_add(mime, (struct bus_str){text.data + i, 1});
    else
      add_escape(mime, (unsigned char)text.data[i]);
    column += literal ? 1 : ESCAPE;
  }
  if (column > 0)
    add_text(mime, "\r\n");
}

/* ---- dates ---- */

void mime_date(bus_time time, char ret[NOTIFY_DATE_TEXT]) {
  static const char *const days[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"}; /* 1970 began with a Thursday */
  static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  char text[BUS_TIME_TEXT]; /* 2026-12-01T02:50:00.000Z */
  int64_t month = 1;
  bus_time_format(time, text);
  (void)bus_str_number((struct bus_str){text + 5, 2}, 2, &month); /* it is one */
  (void)snprintf(ret, NOTIFY_DATE_TEXT, "%s, %.2s %s %.4s %.8s +0000", days[time / BUS_SECOND / 86400 % 7], text + 8,
                 months[month - 1], text, text + 11);
}

/* ---- addresses ---- */

static bool is_alphanumeric(char byte) {
  return is_plain_in_word(byte);
}

static bool is_local(struct bus_str text) {
  for (size_t i = 0; i < text.len; i++) {
    char byte = text.data[i];
    bool dot = byte == '.' && i > 0 && i + 1 < text.len && text.data[i - 1] != '.';
    if (!dot && !is_alphanumeric(byte) && (byte == '\0' || !strchr("!#$'*+-/=^_`{|}~", byte)))
      return false;
  }
  return text.len > 0 && text.len <= LOCAL_MAX;
}

static bool is_label(struct bus_str text) {
  for (size_t i = 0; i < text.len; i++)
    if (!is_alphanumeric(text.data[i]) && (text.data[i] != '-' || i == 0 || i + 1 == text.len))
      return false;
  return text.len > 0 && text.len <= LABEL_MAX;
}

bool mime_is_address(struct bus_str text) {
  size_t labels = 0;
  if (!text.data || text.len > NOTIFY_ADDRESS_MAX || !memchr(text.data, '@', text.len))
    return false;
  struct bus_str local = bus_str_cut(&text, '@');
  bool ends_with_dot = text.len == 0 || text.data[text.len - 1] == '.';
  while (text.len > 0) {
    struct bus_str label = bus_str_cut(&text, '.');
    if (!is_label(label))
      return false;
    labels++;
  }
  return is_local(local) && labels >= 2 && !ends_with_dot;
}
