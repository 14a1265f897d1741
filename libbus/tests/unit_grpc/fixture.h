/* A gRPC server whose methods show what reached them. */
#pragma once

#include <bus/grpc.h>

#include "client.h"

enum { FIXTURE_CHATTER = 300 }; /* empty messages of /t.T/Chatter */

/* Defaults, with a port of the kernel's choice. */
struct bus_grpc_settings fixture_settings(void);
struct bus_grpc_server *fixture_start(const struct bus_grpc_settings *settings);
int fixture_handled(void);
bool fixture_saw_gone(void);
/* Sends a call with one message, and waits for its answer. */
const struct client_answer *fixture_call(struct client *client, const char *path, const char *message);
/* A message with its prefix; static. */
struct bus_str fixture_framed(const char *message);
