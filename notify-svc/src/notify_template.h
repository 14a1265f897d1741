/* Templates of mails: text with {{name}} for a value and {{#name}}…{{/name}} for a part that is there with the value,
 * or once for each item. A tag of a part that has a line for itself leaves
 * no line behind. Pure. */
#pragma once

#include "notify_mime.h"

enum notify_escape { NOTIFY_AS_TEXT, NOTIFY_AS_HTML };

/* Source of the values. */
struct notify_values {
  const void *context;
  /* item: of the list that is being repeated, or 0. False: the template's name is unknown. ret: absent has no data. */
  bool (*find)(const void *context, struct bus_str name, size_t item, struct bus_str *ret);
  struct bus_str list; /* name of the part that is repeated */
  size_t count;        /* how often */
};

/* Adds the template to the mail's bytes. False: an unknown name, a tag that is not closed, or a part in itself. */
bool notify_template_render(struct bus_str text, const struct notify_values *values, enum notify_escape escape,
                            struct mime *ret) BUS_MUST_CHECK;
