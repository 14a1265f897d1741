/* Serves the files of the page at /ui/, each with its hash as entity tag; /ui leads there. */
#include "ui.h"

#include "documents.h"
#include "ui_embedded.h"

#include <pthread.h>

/* The page loads its own files and calls this API; forms are sent by its script alone. */
#define UI_POLICY                                                                                                      \
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "                \
  "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"

struct ui_request {
  struct bus_str file;
};
static const struct bus_field ui_path[] = {
    BUS_FIELD_STRING(struct ui_request, file, BUS_ID, 1, 32, BUS_REQUIRED, "a file of the page", .example = "app.js")};
const struct bus_http_input ui_file_input = {
    .size = sizeof(struct ui_request), .path = BUS_TABLE(struct ui_request, ui_path), .no_such = "no such file"};

static const struct ui_source {
  const char *name, *media_type;
  const struct embedded_file *file;
} sources[] = {
    {"", EDGE_HTML, &index_html},           {"app.css", EDGE_CSS, &app_css},      {"app.js", EDGE_JS, &app_js},
    {"api.js", EDGE_JS, &api_js},           {"dom.js", EDGE_JS, &dom_js},         {"format.js", EDGE_JS, &format_js},
    {"session.js", EDGE_JS, &session_js},   {"shop.js", EDGE_JS, &shop_js},       {"orders.js", EDGE_JS, &orders_js},
    {"operator.js", EDGE_JS, &operator_js}, {"panels.js", EDGE_JS, &panels_js},   {"alarms.js", EDGE_JS, &alarms_js},
    {"services.js", EDGE_JS, &services_js}, {"refunds.js", EDGE_JS, &refunds_js}, {"story.js", EDGE_JS, &story_js},
    {"dead.js", EDGE_JS, &dead_js},         {"owed.js", EDGE_JS, &owed_js},
};
static struct document files[BUS_COUNT(sources)];

static void make_all(void) {
  for (size_t i = 0; i < BUS_COUNT(sources); i++)
    files[i] = edge_document_of(sources[i].name, sources[i].media_type, sources[i].file);
}

static const struct document *find(struct bus_str name) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  (void)pthread_once(&once, make_all); /* fails only with a wrong argument */
  for (size_t i = 0; i < BUS_COUNT(files); i++)
    if (bus_str_is(name, files[i].name))
      return &files[i];
  return NULL;
}

void edge_ui_file(void *edge, struct bus_http_exchange *exchange) {
  const struct ui_request *request = bus_http_request(exchange);
  const struct document *file = find(request ? request->file : BUS_STR(""));
  (void)edge;
  if (file)
    edge_document_reply(exchange, file, UI_POLICY);
  else
    bus_http_problem(exchange, 404, "%s", ui_file_input.no_such);
}

/* The address is relative, so that it holds behind a proxy that puts the page below a prefix. */
void edge_ui_redirect(void *edge, struct bus_http_exchange *exchange) {
  (void)edge;
  bus_http_add_header(exchange, "Location", BUS_STR("ui/"));
  bus_http_reply(exchange, 308, NULL, BUS_NO_STR);
}
