/* Maps HTTP's statuses to gRPC's codes, and problems to google.rpc.Status. */
#include "grpc_status.h"

#include <google/rpc/status.pb-c.h>

#include "grpc_shape.h"

enum bus_grpc_code grpc_status_code(int http_status) {
  switch (http_status) {
  case 400:
  case 415:
    return BUS_GRPC_INVALID_ARGUMENT;
  case 401:
    return BUS_GRPC_UNAUTHENTICATED;
  case 403:
    return BUS_GRPC_PERMISSION_DENIED;
  case 404:
    return BUS_GRPC_NOT_FOUND;
  case 409:
  case 412:
    return BUS_GRPC_FAILED_PRECONDITION;
  case 413:
  case 429:
  case 431:
    return BUS_GRPC_RESOURCE_EXHAUSTED;
  case 422: /* the idempotency key belongs to another request */
    return BUS_GRPC_ALREADY_EXISTS;
  case 500:
    return BUS_GRPC_INTERNAL;
  case 503:
    return BUS_GRPC_UNAVAILABLE;
  case 408:
  case 504:
    return BUS_GRPC_DEADLINE_EXCEEDED;
  default:
    return http_status < 300 ? BUS_GRPC_OK : BUS_GRPC_UNKNOWN;
  }
}

enum { DETAILS_MAX = 2, VIOLATIONS_MAX = 16, RETRY_DIGITS = 6 };

/* Views into memory of the caller's frame and of the arena, until they are packed. */
struct details {
  Google__Protobuf__Any items[DETAILS_MAX], *pointers[DETAILS_MAX];
  size_t count;
};

static char *text_of(struct bus_str text, struct bus_arena *arena) {
  struct bus_str copy = text.data ? bus_arena_copy(arena, text) : BUS_NO_STR;
  return (char *)(uintptr_t)(copy.data ? copy.data : "");
}

/* A status without a detail is better than none. */
static void add(struct details *details, const char *type, const ProtobufCMessage *message, struct bus_arena *arena) {
  struct bus_str bytes = grpc_message_pack(message, arena);
  if (bytes.data == NULL)
    return;
  Google__Protobuf__Any *item = &details->items[details->count];
  google__protobuf__any__init(item);
  item->type_url = (char *)(uintptr_t)type;
  item->value = (ProtobufCBinaryData){bytes.len, (uint8_t *)(uintptr_t)bytes.data};
  details->pointers[details->count++] = item;
}

static void add_violations(struct details *details, const struct bus_http_problem_body *problem,
                           struct bus_arena *arena) {
  Google__Rpc__BadRequest__FieldViolation items[VIOLATIONS_MAX], *pointers[VIOLATIONS_MAX];
  Google__Rpc__BadRequest request = GOOGLE__RPC__BAD_REQUEST__INIT;
  for (size_t i = 0; i < problem->error_count && i < VIOLATIONS_MAX; i++) {
    google__rpc__bad_request__field_violation__init(&items[i]);
    items[i].field = text_of(problem->errors[i].field, arena);
    items[i].description = text_of(problem->errors[i].message, arena);
    pointers[i] = &items[i];
    request.n_field_violations = i + 1;
  }
  request.field_violations = pointers;
  if (request.n_field_violations > 0)
    add(details, "type.googleapis.com/google.rpc.BadRequest", &request.base, arena);
}

static void add_retry(struct details *details, struct bus_str retry_after, struct bus_arena *arena) {
  Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;
  Google__Rpc__RetryInfo retry = GOOGLE__RPC__RETRY_INFO__INIT;
  if (!bus_str_number(retry_after, RETRY_DIGITS, &delay.seconds))
    return;
  retry.retry_delay = &delay;
  add(details, "type.googleapis.com/google.rpc.RetryInfo", &retry.base, arena);
}

/* "the request has wrong fields: items[0].quantity must be an integer from 1 to 1000" */
static struct bus_str message_of(const struct bus_http_problem_body *problem, struct bus_arena *arena) {
  if (problem->error_count == 0 || problem->detail.data == NULL)
    return problem->detail;
  const struct bus_http_problem_item *first = &problem->errors[0];
  struct bus_str text = bus_arena_printf(arena, "%.*s: %.*s %.*s", (int)problem->detail.len, problem->detail.data,
                                         (int)first->field.len, first->field.data ? first->field.data : "",
                                         (int)first->message.len, first->message.data ? first->message.data : "");
  return text.data ? text : problem->detail;
}

struct bus_grpc_status grpc_status_of(int http_status, struct bus_str body, struct bus_str retry_after,
                                      struct bus_arena *arena) {
  struct bus_grpc_status ret = {.code = grpc_status_code(http_status)};
  struct bus_http_problem_body problem;
  struct details details = {.count = 0};
  Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
  if (!bus_decode(&bus_http_problem_schema, body, BUS_IGNORE_UNKNOWN, arena, &problem, NULL))
    return ret;
  ret.message = message_of(&problem, arena);
  add_violations(&details, &problem, arena);
  add_retry(&details, retry_after, arena);
  if (details.count == 0)
    return ret;
  status.code = (int32_t)ret.code;
  status.message = text_of(ret.message, arena);
  status.details = details.pointers;
  status.n_details = details.count;
  ret.details = grpc_message_pack(&status.base, arena);
  return ret;
}
