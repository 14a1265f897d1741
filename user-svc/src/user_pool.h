/* A few threads that hash passwords. Jobs come from workers, each of which is a client; results wake the worker of
 * their client and become inputs of its next batch. */
#ifndef USER_POOL_H
#define USER_POOL_H

#include "user_model.h"

#include <bus/poll.h>
#include <bus/secret.h>
#include <bus/worker.h>

struct user_pool;
struct user_pool_client;

struct user_pool_settings {
  size_t threads, queue; /* queue: jobs that wait */
  struct bus_password_cost cost;
  const struct bus_seal_pair *seal; /* passwords are sealed to it; kept, not copied */
};

bool user_pool_new(const struct user_pool_settings *settings, struct user_pool **ret,
                   struct bus_error *err) BUS_MUST_CHECK;
/* Ends the threads after the hash under way. Accepts NULL. */
void user_pool_free(struct user_pool *pool);

/* Adds a source to the worker. */
bool user_pool_join(struct user_pool *pool, struct bus_worker *worker, struct user_pool_client **ret,
                    struct bus_error *err) BUS_MUST_CHECK;
/* Waits for the hash under way. Accepts NULL. */
void user_pool_leave(struct user_pool_client *client);

/* How many jobs are taken now. */
size_t user_pool_room(struct user_pool *pool);
/* Copies the job. Dropped when there is no room: its asker times out. */
void user_pool_add(struct user_pool_client *client, const struct user_job *job);

#endif
