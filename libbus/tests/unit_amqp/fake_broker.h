/* A broker for tests that says what the test wants: it does the handshake, answers calls, and else only reads; frames
 * of the test's own go to the client at any time. One connection. */
#pragma once

#include <rabbitmq.h>

struct fake_broker;

/* Listens on a free port of 127.0.0.1 and serves one connection in a thread of its own. */
struct fake_broker *fake_broker_start(void);
/* "amqp://tester:secret@127.0.0.1:<port>/test" */
const char *fake_broker_url(const struct fake_broker *broker);
void fake_broker_stop(struct fake_broker *broker);

/* From now on nothing is read: the client's socket fills up. */
void fake_broker_deafen(struct fake_broker *broker);
/* The next declaration is answered by channel.close with this code. */
void fake_broker_refuse_next(struct fake_broker *broker, int code);
/* The same with that text, which must outlive the broker. */
void fake_broker_refuse_next_because(struct fake_broker *broker, int code, const char *text);
/* How many publications (their method frames) came so far. */
size_t fake_broker_published(struct fake_broker *broker);
/* Shuts the connection without a word. */
void fake_broker_hang_up(struct fake_broker *broker);

void fake_send_method(struct fake_broker *broker, int channel, amqp_method_number_t id, void *fields);
void fake_send_header(struct fake_broker *broker, const amqp_basic_properties_t *properties, uint64_t body_size);
void fake_send_body(struct fake_broker *broker, struct bus_str body);
/* A whole message for consumer "bus-<consumer>". */
void fake_deliver(struct fake_broker *broker, int consumer, uint64_t tag, const amqp_basic_properties_t *properties,
                  struct bus_str body);
void fake_send_raw(struct fake_broker *broker, const void *bytes, size_t len);
