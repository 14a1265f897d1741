/* The documents that the edge serves of itself: OpenAPI, a page that shows it, and how a file is sent. */
#ifndef EDGE_DOCUMENTS_H
#define EDGE_DOCUMENTS_H

#include <bus/hash.h>
#include <bus/http_server.h>

#define EDGE_HTML "text/html; charset=utf-8"
#define EDGE_CSS "text/css; charset=utf-8"
#define EDGE_JS "text/javascript; charset=utf-8"

enum edge_document_name { EDGE_OPENAPI, EDGE_PAGE, EDGE_PAGE_STYLE, EDGE_PAGE_SCRIPT, EDGE_DOCUMENTS };

/* A file that a browser loads under a Content-Security-Policy of its own. */
struct document {
  const char *name, *media_type;
  struct bus_str text;       /* absent: out of memory */
  char tag[BUS_SHA256_TEXT]; /* of the text */
};
struct embedded_file;
struct document edge_document_of(const char *name, const char *media_type, const struct embedded_file *file);
void edge_document_reply(struct bus_http_exchange *exchange, const struct document *document, const char *policy);

/* The handler of all of them; the route's data is an enum edge_document_name. Thread-safe. */
void edge_document(void *edge, struct bus_http_exchange *exchange);
/* The OpenAPI document of all routes; absent when out of memory. It lives as long as the process. */
struct bus_str edge_openapi(void);

#endif
