/* order-svc's store on a link to a real Postgres. */
#include "database.h"

#include "order_queries.h"
#include "order_statements.h"
#include "order_store.h"
#include "saga.h"

#include <stdio.h>
#include <test.h>

static const struct bus_service commands = {.name = "order-svc",
                                            .statements = order_statements,
                                            .statement_count = ORDER_STATEMENTS,
                                            .lock = order_lock,
                                            .load = order_load,
                                            .decide = order_decide_input,
                                            .store = order_store};
static const struct bus_service queries = {.name = "order-svc",
                                           .statements = order_query_statements,
                                           .statement_count = ORDER_QUERY_STATEMENTS,
                                           .lock = order_query_lock,
                                           .load = order_query_load,
                                           .decide = order_query_decide};

const char *database_ask(const struct migrated *database, const char *sql, char *text, size_t size) {
  size_t len = 0;
  PGresult *result = PQexec(database->admin, sql);
  if (PQresultStatus(result) != PGRES_TUPLES_OK)
    fail_msg("%s: %s", sql, PQerrorMessage(database->admin));
  text[0] = '\0';
  for (int row = 0; row < PQntuples(result); row++) {
    int wrote = snprintf(text + len, size - len, "%s\n", PQgetvalue(result, row, 0));
    assert_true(wrote > 0 && (size_t)wrote < size - len);
    len += (size_t)wrote;
  }
  PQclear(result);
  return text;
}

void database_assert_says(const struct migrated *database, const char *sql, const char *expected) {
  static char text[4096];
  assert_string_equal(database_ask(database, sql, text, sizeof text), expected);
}

/* ---- a connection ---- */

struct link *order_database_open(const struct migrated *database) {
  static struct order_context context; /* read alone, as in order-svc */
  assert_true(order_statements_make());
  struct link *link = link_connect(database, &commands);
  context.policy = saga_policy;
  context.unpaid = (struct order_unpaid_limits){.all = 10000, .of_customer = 5};
  link->context = &context;
  link->now = SAGA_START;
  return link;
}

struct link *order_database_open_queries(const struct migrated *database) {
  assert_true(order_statements_make());
  struct link *link = link_connect(database, &queries);
  link->now = SAGA_START;
  return link;
}

void order_database_tell(struct link *link, const struct bus_message_type *type, const void *body) {
  link_add(link, type, body);
  link->now += BUS_SECOND;
  if (!link_run(link))
    fail_msg("%s", link->error.text);
}

const struct bus_rows *order_database_statement(struct link *link, size_t statement, int64_t number) {
  return link_statement(link, statement, &number, 1);
}

struct bus_str order_database_said(const struct link *link, size_t n) {
  const struct bus_effect *effect = link_message(link, n);
  return effect ? effect->body : BUS_NO_STR;
}
