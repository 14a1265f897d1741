/* The gate's smaller decisions, for the server's other parts. Pure. */
#pragma once

#include <bus/http_server.h>

/* Equal but for the case of ASCII letters. */
bool http_text_is(struct bus_str text, const char *other);
/* Cuts the next item off a header's list, without the spaces around it. */
struct bus_str http_list_next(struct bus_str *list);
/* 1 to 18 digits and nothing else. */
bool http_content_length(struct bus_str value, int64_t *ret) BUS_MUST_CHECK;
/* The name of a Host value without its port; false where it is malformed. */
bool http_host_name(struct bus_str host, struct bus_str *ret) BUS_MUST_CHECK;

/* Takes the next character off *rest, which is not empty, and decodes it if it is a percent escape. False if the escape
 * is malformed. */
bool http_path_next(struct bus_str *rest, char *ret) BUS_MUST_CHECK;
