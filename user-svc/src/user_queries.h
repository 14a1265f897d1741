/* The batch of queries: users by id, pages of them, and the public keys of tokens. */
#ifndef USER_QUERIES_H
#define USER_QUERIES_H

#include "user.h"

#include <bus/aggregate.h>
#include <bus/effects.h>
#include <bus/page.h>
#include <bus/pong.h>

struct user_query_page {
  struct bus_page page;
  const struct user_list *list;
};

/* A program's request: the hash of its secret is the shell's to make. */
struct user_query_client {
  const struct user_client_token *request;
  struct bus_str secret_hash; /* absent: the secret could not be read */
};

/* Seals a token for this program to the key. False: the key is malformed, or out of memory. */
typedef bool user_issue_client(void *context, const struct client *client, struct bus_str reply_key, bus_time now,
                               struct bus_arena *arena, struct bus_str *ret_sealed);

struct user_query_model {
  struct bus_arena *arena;
  struct bus_set users; /* asked for by id */
  struct user_query_page *pages;
  size_t page_count;
  struct bus_set clients;
  struct user_query_client *asked; /* those that ask for a token */
  size_t asked_count;
  user_issue_client *issue;
  void *issue_context;
  struct bus_pong pong;
  const struct user_keys *keys;
};

/* Collects the requests of the inputs. False: out of memory. */
bool user_query_model_new(const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                          struct user_query_model **ret) BUS_MUST_CHECK;
/* bus_service.decide; model is a struct user_query_model. */
void user_query_decide(void *model, const struct bus_input *input, struct bus_effects *effects);

#endif
