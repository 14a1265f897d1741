/* Messages of gRPC beside the requests and structs of REST, and statuses beside problems. */
#include "grpc_reflection.h"
#include "grpc_shape.h"
#include "grpc_status.h"
#include "grpc_write.h"
#include "requests.h"
#include "responses.h"

#include <google/rpc/status.pb-c.h>
#include <grpc/reflection/v1/reflection.pb-c.h>
#include <orderbus/v1/order_service.pb-c.h>

#include "test.h"

static struct bus_arena *arena;

static void begin(void) {
  arena = bus_arena_new(1 << 20);
}

static void end(void) {
  bus_arena_free(arena);
}

static const char *const skipped[] = {"order_id", "wait_seconds", NULL};

static void assert_text(struct bus_str text, const char *wanted) {
  assert_non_null(text.data);
  assert_string_equal(text.data, wanted);
  assert_int_equal(text.len, strlen(wanted));
}

TEST(a_message_becomes_the_body_of_rest)
{
  begin();
  Orderbus__V1__PlacedItem first = ORDERBUS__V1__PLACED_ITEM__INIT, second = ORDERBUS__V1__PLACED_ITEM__INIT;
  Orderbus__V1__Payment payment = ORDERBUS__V1__PAYMENT__INIT;
  Orderbus__V1__PlaceOrderRequest request = ORDERBUS__V1__PLACE_ORDER_REQUEST__INIT;
  char sku[] = "SKU-1", odd[] = "a\"\\\n\x01", key[] = "k";
  first.product_id = sku;
  first.quantity = 2;
  second.product_id = odd;
  second.quantity = -1;
  payment.when = ORDERBUS__V1__PAYMENT_WHEN__PAYMENT_WHEN_LATER;
  request.idempotency_key = key;
  request.items = (Orderbus__V1__PlacedItem *[]){&first, &second};
  request.n_items = 2;
  request.payment = &payment;
  request.expected_total = INT64_C(1000000000000);
  request.wait_seconds = 5;
  assert_text(grpc_write_json(&request.base, skipped, arena),
              "{\"idempotency_key\":\"k\",\"items\":[{\"product_id\":\"SKU-1\",\"quantity\":2},{\"product_id\":"
              "\"a\\u0022\\u005c\\u000a\\u0001\",\"quantity\":-1}],\"payment\":{\"when\":\"later\"},"
              "\"expected_total\":1000000000000}");
  end();
}

TEST(a_message_of_defaults_is_an_empty_body)
{
  begin();
  Orderbus__V1__CancelOrderRequest request = ORDERBUS__V1__CANCEL_ORDER_REQUEST__INIT;
  char id[] = "5";
  request.order_id = id;
  assert_text(grpc_write_json(&request.base, skipped, arena), "{}");
  end();
}

TEST(a_message_becomes_a_query)
{
  begin();
  Orderbus__V1__ListOrdersRequest request = ORDERBUS__V1__LIST_ORDERS_REQUEST__INIT;
  char customer[] = "a&b=\xC3\xBC c";
  assert_text(grpc_write_query(&request.base, skipped, arena), "");
  request.limit = 7;
  request.status = ORDERBUS__V1__ORDER_STATUS__ORDER_STATUS_AWAITING_PAYMENT;
  request.customer_id = customer;
  assert_text(grpc_write_query(&request.base, skipped, arena),
              "limit=7&status=AWAITING_PAYMENT&customer_id=a%26b%3D%C3%BC%20c");
  request.status = 77;
  request.customer_id = NULL;
  assert_text(grpc_write_query(&request.base, skipped, arena), "limit=7&status=77");
  end();
}

/* A rename on REST's side is a failure here. */
TEST(every_status_of_an_order_has_a_name)
{
  char prefix[GRPC_ENUM_PREFIX], name[128];
  grpc_enum_prefix(&orderbus__v1__order_status__descriptor, prefix);
  assert_string_equal(prefix, "ORDER_STATUS_");
  for (int i = 0; i <= ORDER_STATUS_COUNT; i++) {
    (void)snprintf(name, sizeof name, "%s%s", prefix, i < ORDER_STATUS_COUNT ? order_status_names[i] : "ACCEPTED");
    if (!protobuf_c_enum_descriptor_get_value_by_name(&orderbus__v1__order_status__descriptor, name))
      fail_msg("OrderStatus has no %s", name);
  }
}

static void find_all(const ProtobufCMessageDescriptor *message, const struct bus_schema *schema) {
  for (size_t i = 0; i < schema->field_count; i++) {
    if (schema->fields[i].kind == BUS_KIND_EMBED)
      find_all(message, schema->fields[i].item);
    else if (!protobuf_c_message_descriptor_get_field_by_name(message, schema->fields[i].name))
      fail_msg("%s has no field %s", message->name, schema->fields[i].name);
  }
}

TEST(every_member_of_an_answer_has_a_field)
{
  responses_init();
  find_all(&orderbus__v1__order__descriptor, &accepted_order_schema);
  find_all(&orderbus__v1__order_item__descriptor, &order_item_schema);
  find_all(&orderbus__v1__list_orders_response__descriptor, &order_page_schema);
  find_all(&orderbus__v1__order_event__descriptor, &order_event_view_schema);
  find_all(&orderbus__v1__place_order_request__descriptor, place_input.body);
}

#define ORDER_JSON                                                                                                     \
  "{\"order_id\":\"93a6faf9-8e60-5688-b327-4e76310d86ff\",\"customer_id\":\"ann\",\"status\":\"CONFIRMED\","           \
  "\"reason\":null,\"items\":[{\"product_id\":\"SKU-1\",\"quantity\":2,\"unit_price\":150}],\"total\":300,"            \
  "\"currency\":\"EUR\",\"refunded\":null,\"created_at\":\"2026-11-30T10:00:00.000001Z\","                             \
  "\"updated_at\":\"1970-01-01T00:00:07.500000Z\",\"version\":4,\"pay_by\":null}"

TEST(an_order_of_rest_becomes_a_message)
{
  begin();
  struct order_view view;
  responses_init();
  struct bus_problems problems = {.count = 0};
  char text[512];
  if (!bus_decode(&accepted_order_schema, BUS_STR(ORDER_JSON), BUS_REFUSE_UNKNOWN, arena, &view, &problems)) {
    bus_problems_text(&problems, text, sizeof text);
    fail_msg("%s", text);
  }
  ProtobufCMessage *message = grpc_shape(&orderbus__v1__order__descriptor, &accepted_order_schema, &view, arena);
  message = grpc_message_unpack(&orderbus__v1__order__descriptor, grpc_message_pack(message, arena), arena);
  const Orderbus__V1__Order *order = (const void *)message;
  assert_string_equal(order->order_id, "93a6faf9-8e60-5688-b327-4e76310d86ff");
  assert_string_equal(order->customer_id, "ann");
  assert_int_equal(order->status, ORDERBUS__V1__ORDER_STATUS__ORDER_STATUS_CONFIRMED);
  assert_string_equal(order->reason, "");
  assert_int_equal(order->n_items, 1);
  assert_int_equal(order->items[0]->quantity, 2);
  assert_int_equal(order->items[0]->unit_price, 150);
  assert_int_equal(order->total, 300);
  assert_int_equal(order->created_at->nanos, 1000);
  assert_int_equal(order->updated_at->seconds, 7);
  assert_int_equal(order->updated_at->nanos, 500000000);
  assert_null(order->pay_by);
  end();
}

TEST(an_accepted_order_is_its_id_alone)
{
  begin();
  const struct bus_uuid id = {{1}};
  struct response response = response_accepted(202, &id, arena);
  const Orderbus__V1__Order *order =
      (const void *)grpc_shape(&orderbus__v1__order__descriptor, response.schema, response.body, arena);
  assert_int_equal(order->status, ORDERBUS__V1__ORDER_STATUS__ORDER_STATUS_ACCEPTED);
  assert_int_equal(order->n_items, 0);
  assert_int_equal(order->total, 0);
  assert_null(order->created_at);
  end();
}

TEST(bytes_that_are_no_message_are_refused)
{
  begin();
  assert_null(grpc_message_unpack(&orderbus__v1__order__descriptor, BUS_STR("\x0A\x7F"), arena));
  assert_null(grpc_message_unpack(&orderbus__v1__order__descriptor, BUS_STR("\xFF\xFF\xFF\xFF"), arena));
  assert_null(grpc_message_unpack(&orderbus__v1__order__descriptor, BUS_STR("\x2A\x01\x0A"), arena));
  end();
}

TEST(statuses_have_codes)
{
  static const struct {
    int status;
    enum bus_grpc_code code;
  } rows[] = {{200, BUS_GRPC_OK},
              {202, BUS_GRPC_OK},
              {400, BUS_GRPC_INVALID_ARGUMENT},
              {401, BUS_GRPC_UNAUTHENTICATED},
              {403, BUS_GRPC_PERMISSION_DENIED},
              {404, BUS_GRPC_NOT_FOUND},
              {409, BUS_GRPC_FAILED_PRECONDITION},
              {422, BUS_GRPC_ALREADY_EXISTS},
              {429, BUS_GRPC_RESOURCE_EXHAUSTED},
              {500, BUS_GRPC_INTERNAL},
              {503, BUS_GRPC_UNAVAILABLE},
              {418, BUS_GRPC_UNKNOWN}};
  for (size_t i = 0; i < BUS_COUNT(rows); i++)
    assert_int_equal(grpc_status_code(rows[i].status), rows[i].code);
}

TEST(wrong_fields_are_details)
{
  begin();
  struct bus_grpc_status status = grpc_status_of(
      400,
      BUS_STR("{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,\"detail\":\"the request has wrong "
              "fields\",\"errors\":[{\"field\":\"items[0].quantity\",\"message\":\"must be an integer from 1 to 1000\","
              "\"value\":\"0\"},{\"field\":\"idempotency_key\",\"message\":\"is required\"}]}"),
      BUS_NO_STR, arena);
  assert_int_equal(status.code, BUS_GRPC_INVALID_ARGUMENT);
  assert_text(status.message, "the request has wrong fields: items[0].quantity must be an integer from 1 to 1000");
  const Google__Rpc__Status *sent =
      (const void *)grpc_message_unpack(&google__rpc__status__descriptor, status.details, arena);
  assert_int_equal(sent->code, 3);
  assert_int_equal(sent->n_details, 1);
  assert_string_equal(sent->details[0]->type_url, "type.googleapis.com/google.rpc.BadRequest");
  const struct bus_str bytes = {(const char *)sent->details[0]->value.data, sent->details[0]->value.len};
  const Google__Rpc__BadRequest *request =
      (const void *)grpc_message_unpack(&google__rpc__bad_request__descriptor, bytes, arena);
  assert_int_equal(request->n_field_violations, 2);
  assert_string_equal(request->field_violations[1]->field, "idempotency_key");
  assert_string_equal(request->field_violations[1]->description, "is required");
  end();
}

TEST(a_repetition_that_may_succeed_has_its_delay)
{
  begin();
  struct bus_grpc_status status =
      grpc_status_of(503, BUS_STR("{\"type\":\"about:blank\",\"title\":\"x\",\"status\":503,\"detail\":\"away\"}"),
                     BUS_STR("5"), arena);
  const Google__Rpc__Status *sent =
      (const void *)grpc_message_unpack(&google__rpc__status__descriptor, status.details, arena);
  const struct bus_str bytes = {(const char *)sent->details[0]->value.data, sent->details[0]->value.len};
  const Google__Rpc__RetryInfo *retry =
      (const void *)grpc_message_unpack(&google__rpc__retry_info__descriptor, bytes, arena);
  assert_int_equal(retry->retry_delay->seconds, 5);
  assert_text(status.message, "away");
  end();
}

TEST(a_problem_that_cannot_be_read_is_a_code_alone)
{
  begin();
  struct bus_grpc_status status = grpc_status_of(404, BUS_STR("{}"), BUS_NO_STR, arena);
  assert_int_equal(status.code, BUS_GRPC_NOT_FOUND);
  assert_null(status.message.data);
  assert_null(status.details.data);
  end();
}

/* ---- reflection ---- */

static const Grpc__Reflection__V1__ServerReflectionResponse *
reflect(Grpc__Reflection__V1__ServerReflectionRequest__MessageRequestCase kind, const char *text) {
  Grpc__Reflection__V1__ServerReflectionRequest request = GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;
  struct bus_str answer;
  request.message_request_case = kind;
  request.file_by_filename = (char *)(uintptr_t)text; /* all kinds share the place */
  assert_int_equal(grpc_reflect(NULL, grpc_message_pack(&request.base, arena), arena, &answer), BUS_GRPC_OK);
  return (const void *)grpc_message_unpack(&grpc__reflection__v1__server_reflection_response__descriptor, answer,
                                           arena);
}

TEST(reflection_lists_the_services)
{
  begin();
  const Grpc__Reflection__V1__ServerReflectionResponse *got =
      reflect(GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES, "*");
  assert_int_equal(got->list_services_response->n_service, 3);
  assert_string_equal(got->list_services_response->service[0]->name, "orderbus.v1.OrderService");
  end();
}

TEST(reflection_shows_a_file_and_its_imports)
{
  begin();
  static const struct {
    Grpc__Reflection__V1__ServerReflectionRequest__MessageRequestCase kind;
    const char *text;
    size_t files;
  } rows[] = {
      {GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL,
       "orderbus.v1.OrderService", 2},
      {GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_BY_FILENAME,
       "orderbus/v1/order_service.proto", 2},
      {GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL,
       "grpc.health.v1.Health.Check", 1},
      {GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_BY_FILENAME,
       "google/protobuf/timestamp.proto", 1},
  };
  for (size_t i = 0; i < BUS_COUNT(rows); i++)
    assert_int_equal(reflect(rows[i].kind, rows[i].text)->file_descriptor_response->n_file_descriptor_proto,
                     rows[i].files);
  end();
}

TEST(reflection_of_an_unknown_symbol_is_an_error)
{
  begin();
  static const char *const symbols[] = {"", "nobody.v1.X", "orderbus.v1", "orderbus.v1.", "orderbus.v12.X"};
  for (size_t i = 0; i < BUS_COUNT(symbols); i++) {
    const Grpc__Reflection__V1__ServerReflectionResponse *got =
        reflect(GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL, symbols[i]);
    assert_int_equal(got->error_response->error_code, BUS_GRPC_NOT_FOUND);
  }
  end();
}
