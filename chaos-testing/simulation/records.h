/* Tables whose rows are the services' own structs, read and written by their column tables. */
#ifndef SIM_RECORDS_H
#define SIM_RECORDS_H

#include "database.h"

#include <bus/column.h>

/* is_valid: the CHECKs of the migrations. */
void records_init(struct table *table, const struct bus_table *columns, bool (*is_valid)(const void *record));

/* key: of the first column. */
struct row *records_find(const struct table *table, const void *key);

/* A locked row for each key of the statement, where there is one. */
void records_lock(struct reading *reading, const struct table *table, const struct bus_args *args,
                  struct bus_rows *ret);
void records_read(struct bus_rows *ret, const struct table *table, const struct row *row, struct bus_arena *arena);

/* A copy of the record, which lasts as long as its texts. */
void records_add(struct world *world, struct table *table, const void *record);
/* Every row of the statement; world NULL: only looks whether it can be done. */
enum commit records_insert(struct world *world, struct table *table, const struct bus_args *args);
enum commit records_update(struct world *world, struct table *table, const struct bus_args *args);

#endif
