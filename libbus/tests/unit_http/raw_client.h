/* A client that sends bytes as they are and sees what comes back, and when the connection ends. */
#pragma once

#include <bus/base.h>

enum { RAW_TEXT = 256 * 1024 };

struct raw_answer {
  char text[RAW_TEXT]; /* NUL-terminated */
  size_t len;
  bool closed;      /* the server ended the connection */
  int64_t duration; /* microseconds */
};

int raw_connect(int port);
int raw_try_connect(int port); /* -1: refused */
void raw_send(int fd, const char *text, size_t len);
/* Reads until the server closes or timeout_ms have passed. */
void raw_read_to_end(int fd, int timeout_ms, struct raw_answer *ret);
/* Reads one answer with its Content-Length (or a head alone). */
void raw_read_one(int fd, int timeout_ms, bool head_only, struct raw_answer *ret);
/* Connects, sends, reads to the end, closes. The answer is static. */
const struct raw_answer *raw_talk(int port, const char *request, int timeout_ms);

int raw_status(const struct raw_answer *answer);   /* of the first answer; 0: none */
size_t raw_count(const struct raw_answer *answer); /* of answers in the text */
/* "Name: value" as a line of the head. */
bool raw_has_line(const struct raw_answer *answer, const char *line);
const char *raw_body(const struct raw_answer *answer);
