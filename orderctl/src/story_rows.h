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

/* The ids in the first column, in the arena. NULL: out of memory. */
struct bus_uuid *story_rows_ids(const struct bus_rows *rows, struct bus_arena *arena, size_t *ret_count);
/* Queues a statement whose one parameter is these ids. */
void story_rows_ask_ids(struct bus_sql *sql, size_t statement, const struct bus_uuid *ids, size_t count);

#endif
