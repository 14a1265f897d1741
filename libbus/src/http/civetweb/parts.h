/* Shared by the files of this folder. */
#pragma once

#include <civetweb.h>

#include "../internal.h"

/* ---- callbacks.c ---- */
struct mg_callbacks http_callbacks(const struct bus_http_server *server);

/* ---- body_chunked.c: deadline: of bus_monotonic; content_length is the body's length afterwards ---- */
int http_body_read_chunked(struct bus_http_exchange *exchange, int64_t deadline);

/* ---- buffered.c ---- */
enum { HTTP_READ_BUFFER = 16384 }; /* civetweb's buffer: twice the gate's limit of a head, so that it can say 431 */
/* A view of the bytes behind the head that civetweb has read with it; span: the head's bytes. False: unknown. */
bool http_buffered_body(const struct mg_request_info *info, size_t span, struct bus_str *ret) BUS_MUST_CHECK;

/* ---- stack.c ---- */
/* The lowest address of the calling thread's stack; NULL: unknown. */
void *http_stack_lowest(void);
/* Gives the pages between there and the caller's frame back to the kernel. */
void http_stack_trim(void *lowest);
