/* Which of two media types a client would rather have. Pure. */
#pragma once

#include <bus/base.h>

/* As bus_http_prefers. */
bool http_accept_prefers(struct bus_str accept, const char *type, const char *usual);
