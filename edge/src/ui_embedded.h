/* The files of edge/ui, compiled in (cmake/OrderbusEmbed.cmake). */
#ifndef EDGE_UI_EMBEDDED_H
#define EDGE_UI_EMBEDDED_H

#include "embedded.h"

extern const struct embedded_file index_html, app_css, app_js, api_js, dom_js, format_js, session_js, shop_js,
    orders_js, operator_js, panels_js, alarms_js, services_js, refunds_js, story_js, dead_js, owed_js;

#endif
