/* Requests of users about themselves, and of administrators about users. */
#ifndef EDGE_PROFILES_H
#define EDGE_PROFILES_H

#include "users.h"

/* A user by the path, and the body of a change. */
struct profile_request {
  struct bus_uuid user_id;
  struct bus_str name;
};
/* PUT /api/auth/password */
struct password_request {
  struct bus_str current_password, new_password, idempotency_key;
};

/* GET /api/users/{user}/export */
struct export_request {
  struct bus_uuid user_id;
  struct bus_str cursor;
};

extern const struct bus_http_input profile_input, profile_change_input, password_input, export_input,
    users_input; /* struct user_list */
extern const struct bus_schema user_export_schema;

/* GET /api/users/{user}: the caller's own, or anyone's for an administrator; another one is 404. */
void edge_profile_get(void *edge, struct bus_http_exchange *exchange);
/* PUT and DELETE /api/users/{user}; route data: a struct edge_query_kind. */
void edge_profile_change(void *edge, struct bus_http_exchange *exchange);
/* PUT /api/auth/password: the caller's own. */
void edge_password_change(void *edge, struct bus_http_exchange *exchange);

/* GET /api/users: for administrators. */
void edge_users_list(void *edge, struct bus_http_exchange *exchange);
/* GET /api/users/{user}/export: all that is kept of a user, and a page of the user's orders. */
void edge_profile_export(void *edge, struct bus_http_exchange *exchange);

#endif
