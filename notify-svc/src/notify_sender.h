/*
 * Attempts under way, inside a worker's poll set: a bounded number in all, and of each endpoint. Each attempt that is
 * taken ends as a BUS_INPUT_COMPLETION (struct notify_result); one that cannot be pushed is lost, and its delivery
 * comes due when its lease ends. One sender a worker, on its thread.
 */
#pragma once

#include "notify_keys.h"
#include "notify_settings.h"

#include <bus/worker.h>

struct notify_sender;

/* settings, keys and worker are kept. */
bool notify_sender_new(const struct notify_settings *settings, const struct notify_keys *keys,
                       struct bus_worker *worker, struct notify_sender **ret, struct bus_error *err) BUS_MUST_CHECK;
/* Cuts what is under way. Accepts NULL. */
void notify_sender_free(struct notify_sender *sender);

/* Adds the sockets of its calls to the worker's poll set, inside open. False: no room. */
bool notify_sender_add_sources(struct notify_sender *sender) BUS_MUST_CHECK;

/* Copies the call and begins the attempt; pushes the completion NOTIFY_NOT_STARTED where it cannot. */
void notify_sender_take(struct notify_sender *sender, const struct notify_call *call);

/* Attempts that may begin beside those under way; of endpoints that fail, half of all. */
int64_t notify_sender_room(const struct notify_sender *sender, bool failing);
/* Mails that may begin beside those under way. */
int64_t notify_sender_mail_room(const struct notify_sender *sender);
/* Attempts of the endpoint that are under way. */
int64_t notify_sender_under_way(const struct notify_sender *sender, const struct bus_uuid *endpoint_id);
