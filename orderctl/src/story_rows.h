/* Takes rows of a database into records, by the records' field tables. */
#ifndef STORY_ROWS_H
#define STORY_ROWS_H

#include "story.h"

#include <bus/sql.h>

/* Columns stand in the order of the fields; the place (the enum) is no column. Text is copied into the arena. False:
 * out of memory. */
bool story_row_take(const struct bus_schema *schema, const struct bus_rows *rows, size_t row, enum story_place place,
                    struct bus_arena *arena, void *record) BUS_MUST_CHECK;

/* All rows, behind the *count records that *array has. False: out of memory. */
bool story_rows_append(const struct bus_schema *schema, const struct bus_rows *rows, enum story_place place,
                       struct bus_arena *arena, void **array, size_t *count) BUS_MUST_CHECK;

#endif
