/* Looks up files of the embedded protos by name or by a symbol's package. */
#include "grpc_reflection.h"

#include <grpc/reflection/v1/reflection.pb-c.h>
#include <orderbus/reflection/v1/files.pb-c.h>

#include "grpc_embedded.h"
#include "grpc_shape.h"

enum { FILES_MAX = 16, SERVICES = 3 };

const char *const grpc_service_names[SERVICES + 1] = {"orderbus.v1.OrderService", "grpc.health.v1.Health",
                                                      "grpc.reflection.v1.ServerReflection", NULL};

struct files {
  ProtobufCBinaryData bytes[FILES_MAX];
  const Orderbus__Reflection__V1__FileHead *heads[FILES_MAX];
  size_t count;
};

static struct bus_str view(ProtobufCBinaryData bytes) {
  return (struct bus_str){(const char *)bytes.data, bytes.len};
}

static bool read_files(struct files *ret, struct bus_arena *arena) {
  const struct bus_str all = {(const char *)protos_set.bytes, protos_set.len};
  const Orderbus__Reflection__V1__FileSet *set =
      (const void *)grpc_message_unpack(&orderbus__reflection__v1__file_set__descriptor, all, arena);
  *ret = (struct files){.count = 0};
  for (size_t i = 0; set && i < set->n_files && i < FILES_MAX; i++) {
    ret->bytes[i] = set->files[i];
    ret->heads[i] =
        (const void *)grpc_message_unpack(&orderbus__reflection__v1__file_head__descriptor, view(set->files[i]), arena);
    if (ret->heads[i] == NULL)
      return false;
    ret->count = i + 1;
  }
  return ret->count > 0;
}

/* FILES_MAX: there is none. */
static size_t find_name(const struct files *files, const char *name) {
  for (size_t i = 0; i < files->count; i++)
    if (strcmp(files->heads[i]->name, name) == 0)
      return i;
  return FILES_MAX;
}

/* A symbol is "package.Name", or further names behind it. The longest package counts. */
static size_t find_symbol(const struct files *files, const char *symbol) {
  size_t found = FILES_MAX, longest = 0;
  for (size_t i = 0; i < files->count; i++) {
    struct bus_str rest = {symbol, strlen(symbol)};
    const char *package = files->heads[i]->package;
    if (bus_str_cut_start(&rest, package) && rest.len > 1 && rest.data[0] == '.' && strlen(package) > longest) {
      found = i;
      longest = strlen(package);
    }
  }
  return found;
}

/* The file, then all that it imports. */
static void add_file(const struct files *files, size_t index, Grpc__Reflection__V1__FileDescriptorResponse *ret) {
  for (size_t i = 0; i < ret->n_file_descriptor_proto; i++)
    if (ret->file_descriptor_proto[i].data == files->bytes[index].data)
      return;
  ret->file_descriptor_proto[ret->n_file_descriptor_proto++] = files->bytes[index];
}

static void add_imports(const struct files *files, Grpc__Reflection__V1__FileDescriptorResponse *ret) {
  for (size_t i = 0; i < ret->n_file_descriptor_proto; i++)
    for (size_t j = 0; j < files->count; j++) {
      const Orderbus__Reflection__V1__FileHead *head = files->heads[j];
      if (files->bytes[j].data != ret->file_descriptor_proto[i].data)
        continue;
      for (size_t k = 0; k < head->n_dependencies; k++) {
        size_t index = find_name(files, head->dependencies[k]);
        if (index < FILES_MAX)
          add_file(files, index, ret);
      }
    }
}

static struct bus_str pack(const Grpc__Reflection__V1__ServerReflectionRequest *request,
                           Grpc__Reflection__V1__ServerReflectionResponse *response, struct bus_arena *arena) {
  response->valid_host = request->host;
  response->original_request = (Grpc__Reflection__V1__ServerReflectionRequest *)(uintptr_t)request;
  return grpc_message_pack(&response->base, arena);
}

static struct bus_str refuse(const Grpc__Reflection__V1__ServerReflectionRequest *request, enum bus_grpc_code code,
                             const char *text, struct bus_arena *arena) {
  Grpc__Reflection__V1__ServerReflectionResponse response = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;
  Grpc__Reflection__V1__ErrorResponse error = GRPC__REFLECTION__V1__ERROR_RESPONSE__INIT;
  error.error_code = (int32_t)code;
  error.error_message = (char *)(uintptr_t)text;
  response.message_response_case = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ERROR_RESPONSE;
  response.error_response = &error;
  return pack(request, &response, arena);
}

static struct bus_str list(const Grpc__Reflection__V1__ServerReflectionRequest *request, struct bus_arena *arena) {
  Grpc__Reflection__V1__ServerReflectionResponse response = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;
  Grpc__Reflection__V1__ListServiceResponse services = GRPC__REFLECTION__V1__LIST_SERVICE_RESPONSE__INIT;
  Grpc__Reflection__V1__ServiceResponse items[SERVICES], *pointers[SERVICES];
  for (size_t i = 0; i < SERVICES; i++) {
    grpc__reflection__v1__service_response__init(&items[i]);
    items[i].name = (char *)(uintptr_t)grpc_service_names[i];
    pointers[i] = &items[i];
  }
  services.n_service = SERVICES;
  services.service = pointers;
  response.message_response_case =
      GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE;
  response.list_services_response = &services;
  return pack(request, &response, arena);
}

static struct bus_str show(const Grpc__Reflection__V1__ServerReflectionRequest *request, bool by_name,
                           struct bus_arena *arena) {
  Grpc__Reflection__V1__ServerReflectionResponse response = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;
  Grpc__Reflection__V1__FileDescriptorResponse shown = GRPC__REFLECTION__V1__FILE_DESCRIPTOR_RESPONSE__INIT;
  ProtobufCBinaryData room[FILES_MAX];
  struct files files;
  if (!read_files(&files, arena))
    return refuse(request, BUS_GRPC_UNAVAILABLE, "out of memory", arena);
  size_t index =
      by_name ? find_name(&files, request->file_by_filename) : find_symbol(&files, request->file_containing_symbol);
  if (index == FILES_MAX)
    return refuse(request, BUS_GRPC_NOT_FOUND, by_name ? "no such file" : "no such symbol", arena);
  shown.file_descriptor_proto = room;
  add_file(&files, index, &shown);
  add_imports(&files, &shown);
  response.message_response_case =
      GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_FILE_DESCRIPTOR_RESPONSE;
  response.file_descriptor_response = &shown;
  return pack(request, &response, arena);
}

enum bus_grpc_code grpc_reflect(void *context, struct bus_str message, struct bus_arena *arena, struct bus_str *ret) {
  const Grpc__Reflection__V1__ServerReflectionRequest *request =
      (const void *)grpc_message_unpack(&grpc__reflection__v1__server_reflection_request__descriptor, message, arena);
  (void)context;
  if (request == NULL)
    return BUS_GRPC_INVALID_ARGUMENT;
  switch (request->message_request_case) {
  case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_BY_FILENAME:
    *ret = show(request, true, arena);
    break;
  case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL:
    *ret = show(request, false, arena);
    break;
  case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES:
    *ret = list(request, arena);
    break;
  default:
    *ret = refuse(request, BUS_GRPC_UNIMPLEMENTED, "this kind of request is not answered", arena);
    break;
  }
  return ret->data ? BUS_GRPC_OK : BUS_GRPC_UNAVAILABLE;
}
