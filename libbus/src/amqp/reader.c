/* Takes the frames that have arrived and makes events of them. Frames of a message are put together here, because the
 * library's own reader of messages waits for the rest without limit. */
#include "connection.h"

struct sink {
  struct bus_amqp *amqp;
  const struct bus_amqp_events *events;
  void *context;
  struct bus_error *err;
};

/* ---- methods ---- */

/* From "bus-3-1"; -1 for a tag that is not ours. */
static int consumer_of(amqp_bytes_t tag) {
  struct bus_str text = rabbit_view(tag);
  if (text.len < 5 || memcmp(text.data, "bus-", 4) != 0 || (text.len > 5 && text.data[5] != '-'))
    return -1;
  int consumer = text.data[4] - '0';
  return consumer >= 0 && consumer < CONSUMERS_MAX ? consumer : -1;
}

static void begin_message(struct reader *reader, bool returned) {
  reader->step = READ_HEADER;
  reader->returned = returned;
  reader->delivery = (struct bus_delivery){.tag = 0};
  reader->body = NULL;
  reader->is_apart = false;
  reader->size = reader->arrived = 0;
}

static bool on_deliver(const struct sink *sink, const amqp_basic_deliver_t *deliver) {
  struct reader *reader = &sink->amqp->reader;
  int consumer = consumer_of(deliver->consumer_tag);
  if (consumer < 0)
    return link_fail_with(sink->amqp, BUS_E_AMQP_CONNECTION, "a delivery for a consumer that is not ours", sink->err);
  begin_message(reader, false);
  reader->delivery.tag = deliver->delivery_tag;
  reader->delivery.consumer = consumer;
  reader->delivery.envelope.redelivered = deliver->redelivered;
  return true;
}

static size_t keep_name(char text[256], amqp_bytes_t bytes) {
  size_t len = bytes.len < 256 ? bytes.len : 255;
  if (len > 0)
    memcpy(text, bytes.bytes, len);
  return len;
}

static bool on_return(const struct sink *sink, const amqp_basic_return_t *method) {
  struct reader *reader = &sink->amqp->reader;
  begin_message(reader, true);
  reader->exchange_len = keep_name(reader->exchange, method->exchange);
  reader->key_len = keep_name(reader->key, method->routing_key);
  return true;
}

static bool on_confirm(const struct sink *sink, uint64_t seq, bool multiple, bool ack) {
  if (sink->events->confirm)
    sink->events->confirm(sink->context, seq, multiple, ack);
  return true;
}

static bool on_blocked(const struct sink *sink, bool blocked, struct bus_str reason) {
  if (sink->events->blocked)
    sink->events->blocked(sink->context, blocked, reason);
  return true;
}

static bool on_cancel(const struct sink *sink, const amqp_basic_cancel_t *cancel) {
  int consumer = consumer_of(cancel->consumer_tag);
  if (consumer < 0)
    return true;
  sink->amqp->consumers[consumer].count = 0;
  if (sink->events->cancelled)
    sink->events->cancelled(sink->context, consumer);
  return true;
}

/* The broker waits for these before it lets go of the connection in its own books; no matter if they are lost. */
static bool on_close(const struct sink *sink, const amqp_method_t *close) {
  amqp_connection_close_ok_t ok = {0};
  struct bus_amqp *amqp = sink->amqp;
  if (close->id == AMQP_CHANNEL_CLOSE_METHOD)
    return link_fail_close(amqp, close, "channel closed", sink->err);
  (void)amqp_send_method(amqp->state, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &ok);
  return link_fail_close(amqp, close, "connection closed", sink->err);
}

static bool on_method(const struct sink *sink, const amqp_method_t *method) {
  switch (method->id) {
  case AMQP_BASIC_DELIVER_METHOD:
    return on_deliver(sink, method->decoded);
  case AMQP_BASIC_RETURN_METHOD:
    return on_return(sink, method->decoded);
  case AMQP_BASIC_ACK_METHOD: {
    const amqp_basic_ack_t *ack = method->decoded;
    return on_confirm(sink, ack->delivery_tag, ack->multiple, true);
  }
  case AMQP_BASIC_NACK_METHOD: {
    const amqp_basic_nack_t *nack = method->decoded;
    return on_confirm(sink, nack->delivery_tag, nack->multiple, false);
  }
  case AMQP_BASIC_CANCEL_METHOD:
    return on_cancel(sink, method->decoded);
  case AMQP_CONNECTION_BLOCKED_METHOD:
    return on_blocked(sink, true, rabbit_view(((const amqp_connection_blocked_t *)method->decoded)->reason));
  case AMQP_CONNECTION_UNBLOCKED_METHOD:
    return on_blocked(sink, false, BUS_NO_STR);
  case AMQP_CHANNEL_CLOSE_METHOD:
  case AMQP_CONNECTION_CLOSE_METHOD:
    return on_close(sink, method);
  default:
    return true; /* an answer whose asker has timed out */
  }
}

/* ---- messages ---- */

static bool move_body(struct reader *reader, struct bus_arena *arena) {
  if (reader->body == NULL)
    return true;
  char *body = bus_arena_alloc(arena, (size_t)reader->size + 1);
  if (body == NULL)
    return false;
  memcpy(body, reader->body, (size_t)reader->arrived);
  reader->body = body;
  return true;
}

static bool move_delivery(struct bus_amqp *amqp, struct bus_arena *arena, bool apart, struct bus_error *err) {
  amqp->reader.is_apart = apart;
  return (arena && bus_envelope_move(&amqp->reader.delivery.envelope, arena) && move_body(&amqp->reader, arena)) ||
         link_fail_with(amqp, BUS_E_NOMEM, "no memory for a delivery (the arena's limit?)", err);
}

/* Moves a partial delivery out of the arena at the end of a pump: the owner may reset the arena or set another before
 * the rest comes. */
static bool set_apart(struct bus_amqp *amqp, struct bus_error *err) {
  struct reader *reader = &amqp->reader;
  if (reader->step != READ_BODY || reader->returned || reader->is_apart)
    return true;
  if (reader->apart)
    bus_arena_reset(reader->apart);
  else
    reader->apart = bus_arena_new(APART_MAX);
  return move_delivery(amqp, reader->apart, true, err);
}

static bool end_message(const struct sink *sink) {
  struct reader *reader = &sink->amqp->reader;
  reader->step = READ_METHOD;
  if (reader->returned) {
    if (sink->events->returned)
      sink->events->returned(sink->context, &reader->delivery.envelope.message_id,
                             (struct bus_str){reader->exchange, reader->exchange_len},
                             (struct bus_str){reader->key, reader->key_len});
    return true;
  }
  if (reader->is_apart && !move_delivery(sink->amqp, sink->amqp->arena, false, sink->err))
    return false;
  if (reader->body)
    reader->delivery.body = (struct bus_str){reader->body, (size_t)reader->size};
  if (sink->events->delivery)
    sink->events->delivery(sink->context, &reader->delivery);
  return true;
}

/* Without memory for the whole message, fail and keep no part of it: the broker delivers it again on the next
 * connection. */
static bool take_envelope(const struct sink *sink, const amqp_basic_properties_t *properties) {
  struct bus_amqp *amqp = sink->amqp;
  struct reader *reader = &amqp->reader;
  bool redelivered = reader->delivery.envelope.redelivered;
  if (amqp->arena == NULL)
    return link_fail_with(amqp, BUS_E_INVALID, "a delivery, and no arena was set", sink->err);
  bool taken = envelope_decode(properties, amqp->arena, &reader->delivery.envelope);
  reader->delivery.envelope.redelivered = redelivered;
  if (taken && reader->size <= BODY_MAX) {
    reader->body = bus_arena_alloc(amqp->arena, (size_t)reader->size + 1);
    taken = reader->body != NULL;
  }
  return taken || link_fail_with(amqp, BUS_E_NOMEM, "no memory for a delivery (the arena's limit?)", sink->err);
}

static bool on_header(const struct sink *sink, const amqp_frame_t *frame) {
  struct reader *reader = &sink->amqp->reader;
  const amqp_basic_properties_t *properties = frame->payload.properties.decoded;
  reader->size = frame->payload.properties.body_size;
  if (reader->returned)
    envelope_message_id(properties, &reader->delivery.envelope.message_id);
  else if (!take_envelope(sink, properties))
    return false;
  reader->step = READ_BODY;
  return reader->size > 0 || end_message(sink);
}

static bool on_body(const struct sink *sink, amqp_bytes_t fragment) {
  struct reader *reader = &sink->amqp->reader;
  if (fragment.len > reader->size - reader->arrived)
    return link_fail_with(sink->amqp, BUS_E_AMQP_CONNECTION, "a body longer than announced", sink->err);
  if (reader->body && fragment.len > 0)
    memcpy(reader->body + reader->arrived, fragment.bytes, fragment.len);
  reader->arrived += fragment.len;
  return reader->arrived < reader->size || end_message(sink);
}

/* ---- frames ---- */

/* Methods of channel 0 may come at any time; on ours a message is not interrupted. */
static bool is_expected(const struct reader *reader, const amqp_frame_t *frame) {
  switch (frame->frame_type) {
  case AMQP_FRAME_METHOD:
    return frame->channel == 0 || reader->step == READ_METHOD || frame->payload.method.id == AMQP_CHANNEL_CLOSE_METHOD;
  case AMQP_FRAME_HEADER:
    return reader->step == READ_HEADER && frame->payload.properties.class_id == AMQP_BASIC_CLASS;
  case AMQP_FRAME_BODY:
    return reader->step == READ_BODY;
  default:
    return false;
  }
}

static bool on_frame(const struct sink *sink, const amqp_frame_t *frame) {
  if (frame->frame_type == AMQP_FRAME_HEARTBEAT)
    return true;
  if (!is_expected(&sink->amqp->reader, frame))
    return link_fail_with(sink->amqp, BUS_E_AMQP_CONNECTION, "a frame that does not belong there", sink->err);
  switch (frame->frame_type) {
  case AMQP_FRAME_METHOD:
    return on_method(sink, &frame->payload.method);
  case AMQP_FRAME_HEADER:
    return on_header(sink, frame);
  default:
    return on_body(sink, frame->payload.body_fragment);
  }
}

/* Everything was copied out of the library's buffers; it keeps their pages. With frames in its queue it would look
 * through all of them first. */
static void release(struct bus_amqp *amqp, amqp_channel_t channel) {
  if (!amqp_frames_enqueued(amqp->state))
    amqp_maybe_release_buffers_on_channel(amqp->state, channel);
}

static int next_frame(struct bus_amqp *amqp, amqp_frame_t *ret) {
  const struct timeval at_once = {0, 0};
  watchdog_enter(&amqp->watchdog); /* it may send a heartbeat */
  int status = amqp_simple_wait_frame_noblock(amqp->state, ret, &at_once);
  watchdog_leave(&amqp->watchdog);
  return status;
}

bool bus_amqp_pump(struct bus_amqp *amqp, const struct bus_amqp_events *events, void *context, struct bus_error *err) {
  struct sink sink = {amqp, events, context, err};
  amqp_frame_t frame;
  int status;
  if (!link_stands(amqp, err))
    return false;
  link_flush(amqp);
  while ((status = next_frame(amqp, &frame)) == AMQP_STATUS_OK) {
    if (!on_frame(&sink, &frame))
      return false;
    release(amqp, frame.channel);
  }
  return status == AMQP_STATUS_TIMEOUT ? set_apart(amqp, err) : link_fail_status(amqp, status, "connection lost", err);
}

bool bus_amqp_has_buffered(const struct bus_amqp *amqp) {
  return amqp->failure.code == BUS_OK &&
         (amqp->corked || amqp_frames_enqueued(amqp->state) || amqp_data_in_buffer(amqp->state));
}
