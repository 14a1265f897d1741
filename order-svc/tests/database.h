/* order-svc's store on a link to a real Postgres. */
#pragma once

#include "order_service.h"
#include "order_upkeep.h"

#include <store_link.h>

/* The first column of the rows, each followed by a newline, as the superuser. Gives `text` back. */
const char *database_ask(const struct migrated *database, const char *sql, char *text, size_t size);

/* Fails the test unless the rows are these. */
void database_assert_says(const struct migrated *database, const char *sql, const char *expected);

struct link *order_database_open(const struct migrated *database);
/* With the statements of the threads that answer queries. */
struct link *order_database_open_queries(const struct migrated *database);

/* A batch of this message alone, a second later. Fails the test if it is not committed. */
void order_database_tell(struct link *link, const struct bus_message_type *type, const void *body);
/* Rows of one statement with one number, in a transaction of its own. */
const struct bus_rows *order_database_statement(struct link *link, size_t statement, int64_t number);
/* The body of the n-th message or answer of the last batch. */
struct bus_str order_database_said(const struct link *link, size_t n);
