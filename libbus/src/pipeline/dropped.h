/* Log lines of queries that are not answered. */
#pragma once

#include "entry.h"
#include "turn.h"

struct dropped {
  int64_t logged_at; /* 0: never */
  int64_t unlogged;  /* since then */
};

/* A line for the query, at most one a second: the next one counts those without a line. */
void dropped_log(struct dropped *dropped, const struct turn *turn, const struct entry *entry);
