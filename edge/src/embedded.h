/* The files of edge/docs, compiled in (cmake/OrderbusEmbed.cmake). */
#ifndef EDGE_EMBEDDED_H
#define EDGE_EMBEDDED_H

#include <stddef.h>

struct embedded_file {
  const unsigned char *bytes;
  size_t len;
};
extern const struct embedded_file page_html, page_css, page_js;

#endif
