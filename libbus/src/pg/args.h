/* Parameters of a statement in Postgres's binary form, built in an arena. */
#pragma once

#include <bus/arena.h>
#include <bus/error.h>
#include <bus/sql.h>

#include <libpq-fe.h>

#include "letters.h"

struct pg_param {
  char letter;
  bool null;
  char *data;
  size_t len, room;
  size_t rows;
  bool has_null;
};

struct bus_args {
  const struct bus_statement *statement;
  size_t registry, index; /* its name on the server */
  struct bus_arena *arena;
  struct pg_param params[PG_PARAMS_MAX];
  size_t param_count, single_count, next;
  size_t listed;     /* items that the rows so far have in their lists */
  size_t in_list;    /* values that still belong to the list that is the next parameter */
  bool failed;       /* out of memory, or misused */
  bool misused;      /* values that do not fit the letters: a bug of whoever gives them */
  size_t misused_at; /* the parameter, from 0; param_count: there is none for a further value */
  char misused_by;   /* the letter of the value that came; see args.c */
  struct bus_args *after;
};

struct bus_args *pg_args_new(struct bus_arena *arena, const struct bus_statement *statement);
/* Writes the array headers; false when a row is incomplete, a value had another type, or memory ran out. */
bool pg_args_finish(struct bus_args *args);
/* Says of misused ones which value does not fit, and what would; returns false. */
bool pg_args_misuse(const struct bus_args *args, struct bus_error *err);
