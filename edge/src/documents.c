/* Serves the OpenAPI document of the routes, and the page that shows it: each made once, and cached by its hash. */
#include "documents.h"
#include "edge.h"
#include "embedded.h"

#include <pthread.h>

enum { DOCUMENT_LIMIT = 1 << 20, TAG_DIGITS = 32 };

/* The page loads its own style and script, and reads the document; it can do nothing else. */
#define PAGE_POLICY                                                                                                    \
  "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "      \
  "form-action 'none'; "                                                                                               \
  "frame-ancestors 'none'"

/* OpenAPI without the route of metrics, which is not always served. */
enum { OPENAPI_WITHOUT_METRICS = EDGE_DOCUMENTS, DOCUMENTS };

static struct document documents[DOCUMENTS];

struct document edge_document_of(const char *name, const char *media_type, const struct embedded_file *file) {
  struct document made = {.name = name, .media_type = media_type, .text = {(const char *)file->bytes, file->len}};
  bus_sha256_hex(made.text, made.tag);
  return made;
}

void edge_document_reply(struct bus_http_exchange *exchange, const struct document *document, const char *policy) {
  bus_http_add_header(exchange, "Content-Security-Policy", bus_str(policy));
  bus_http_add_header(exchange, "Referrer-Policy", BUS_STR("no-referrer"));
  bus_http_reply_document(exchange, document->media_type, document->text, (struct bus_str){document->tag, TAG_DIGITS});
}

static struct document make_openapi(bool has_metrics) {
  const struct bus_openapi document = {.title = "orderbus",
                                       .version = ORDERBUS_VERSION,
                                       .description =
                                           "Orders over REST, carried through a saga. Integers are written without a "
                                           "fraction or an exponent. A cursor belongs to its sort.",
                                       .routes = edge_routes,
                                       .route_count = edge_route_count(has_metrics),
                                       .problem = &bus_http_problem_schema};
  static struct bus_arena *arenas[2]; /* they live as long as the process */
  struct document made = {.media_type = "application/json"};
  responses_init();
  arenas[has_metrics] = bus_arena_new(DOCUMENT_LIMIT);
  if (!arenas[has_metrics] || !bus_openapi_encode(&document, arenas[has_metrics], &made.text))
    made.text = BUS_NO_STR;
  bus_sha256_hex(made.text, made.tag);
  return made;
}

static void make_all(void) {
  documents[EDGE_OPENAPI] = make_openapi(true);
  documents[OPENAPI_WITHOUT_METRICS] = make_openapi(false);
  documents[EDGE_PAGE] = edge_document_of("page.html", EDGE_HTML, &page_html);
  documents[EDGE_PAGE_STYLE] = edge_document_of("page.css", EDGE_CSS, &page_css);
  documents[EDGE_PAGE_SCRIPT] = edge_document_of("page.js", EDGE_JS, &page_js);
}

static const struct document *find(size_t name) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  (void)pthread_once(&once, make_all); /* fails only with a wrong argument */
  return &documents[name];
}

struct bus_str edge_openapi(void) {
  return find(EDGE_OPENAPI)->text;
}

void edge_document(void *context, struct bus_http_exchange *exchange) {
  const struct edge *edge = context;
  size_t name = *(const enum edge_document_name *)bus_http_route(exchange)->data;
  if (name == EDGE_OPENAPI && !edge->settings->public_metrics)
    name = OPENAPI_WITHOUT_METRICS;
  const struct document *document = find(name);
  if (document->text.data == NULL) {
    bus_http_problem(exchange, 503, "out of memory for the document");
    return;
  }
  edge_document_reply(exchange, document, PAGE_POLICY);
}
