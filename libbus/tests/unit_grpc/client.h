/* A gRPC client over a real connection, in a test's own thread: it sends calls, and what comes back is gathered by
 * stream. */
#pragma once

#include <bus/base.h>

enum { CLIENT_STREAMS = 512, CLIENT_TEXT = 2048 };

struct client_answer {
  char http_status[8], code[8]; /* "200", "0"; "": none came */
  char message[256];            /* as encoded */
  char details[256];
  char bytes[CLIENT_TEXT];
  size_t len;
  bool is_closed;
  uint32_t error; /* of RST_STREAM; 0: none */
};

struct client;
bool client_can_connect(int port);
struct client *client_open(int port);
void client_close(struct client *client);

struct client_header {
  const char *name, *value;
};
struct client_call {
  const char *method, *path, *content_type; /* NULL: POST; application/grpc */
  struct client_header more[48];            /* up to one without a name */
  struct bus_str body;
  bool stays_open; /* the call does not end with its body */
};
/* Returns the stream. */
int client_send(struct client *client, const struct client_call *call);
void client_reset(struct client *client, int stream);
void client_ping(struct client *client);
/* The answer so far. */
const struct client_answer *client_look(struct client *client, int stream);
/* Reads until the stream is closed, or so long. */
const struct client_answer *client_wait(struct client *client, int stream, int timeout_ms);
/* Reads for so long, or until the connection ends. */
void client_run(struct client *client, int timeout_ms);
bool client_is_gone(const struct client *client);
int client_goaway(const struct client *client); /* the last stream that it names; -1: none came */
uint32_t client_goaway_error(const struct client *client);
