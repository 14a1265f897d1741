/* The status of a call for what REST would have answered. Pure. */
#ifndef EDGE_GRPC_STATUS_H
#define EDGE_GRPC_STATUS_H

#include <bus/grpc.h>
#include <bus/http_carried.h>

enum bus_grpc_code grpc_status_code(int http_status);
/* problem: the body of an error. retry_after: the value of that header, or absent. Its details are BadRequest where
 * fields are wrong, and RetryInfo where a repetition may succeed. */
struct bus_grpc_status grpc_status_of(int http_status, struct bus_str problem, struct bus_str retry_after,
                                      struct bus_arena *arena);

#endif
