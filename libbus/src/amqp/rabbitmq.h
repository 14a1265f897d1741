/* The one place that includes rabbitmq-c, whose headers moved between releases. */
#pragma once

#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/amqp.h>
#include <rabbitmq-c/framing.h>
#include <rabbitmq-c/ssl_socket.h>
#include <rabbitmq-c/tcp_socket.h>
#else
#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#endif

#include <bus/base.h>

/* A view as rabbitmq-c takes it: it does not write through the pointer, but its type cannot say so. */
static inline amqp_bytes_t rabbit_bytes(struct bus_str text) {
  return (amqp_bytes_t){.len = text.len, .bytes = (void *)(uintptr_t)text.data};
}

static inline struct bus_str rabbit_view(amqp_bytes_t bytes) {
  return (struct bus_str){bytes.bytes ? bytes.bytes : "", bytes.len};
}
