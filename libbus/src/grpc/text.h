/* Texts of gRPC over HTTP/2: timeouts, percent-encoded messages, base64 of binary metadata, media types. Pure. */
#pragma once

#include <bus/base.h>

/* A grpc-timeout: 1 to 8 digits and one of H, M, S, m, u, n. *ret: microseconds, rounded up. */
bool grpc_timeout_parse(struct bus_str text, int64_t *ret) BUS_MUST_CHECK;

/* Bytes from 0x20 to 0x7E stand for themselves, but for '%'; any other is %XX. Writes at most `room` bytes, whole
 * escapes alone, and returns how many. */
size_t grpc_percent_encode(struct bus_str text, char *out, size_t room);

/* Bytes that base64 without padding takes for so many. */
size_t grpc_base64_size(size_t len);
/* out: room for grpc_base64_size(bytes.len). */
void grpc_base64_encode(struct bus_str bytes, char *out);

/* application/grpc, application/grpc+proto, either with parameters. */
bool grpc_media_type_is_right(struct bus_str text);
