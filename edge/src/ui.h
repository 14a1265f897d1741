/* The page of shop and operators at /ui/: its files are compiled in, and no other name is served. */
#ifndef EDGE_UI_H
#define EDGE_UI_H

#include <bus/http_server.h>

/* GET /ui/ and GET /ui/{file}. Thread-safe. */
void edge_ui_file(void *edge, struct bus_http_exchange *exchange);

/* GET /ui: 308. */
void edge_ui_redirect(void *edge, struct bus_http_exchange *exchange);

extern const struct bus_http_input ui_file_input;

#endif
