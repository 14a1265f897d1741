/* The documents that the edge serves of itself: OpenAPI, and a page that shows it. */
#ifndef EDGE_DOCUMENTS_H
#define EDGE_DOCUMENTS_H

#include <bus/http_server.h>

enum edge_document_name { EDGE_OPENAPI, EDGE_PAGE, EDGE_PAGE_STYLE, EDGE_PAGE_SCRIPT, EDGE_DOCUMENTS };

/* The handler of all of them; the route's data is an enum edge_document_name. Thread-safe. */
void edge_document(void *edge, struct bus_http_exchange *exchange);
/* The OpenAPI document of all routes; absent when out of memory. It lives as long as the process. */
struct bus_str edge_openapi(void);

#endif
