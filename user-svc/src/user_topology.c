/* user-svc's part of the topology. */
#include "user_messages.h"

#include <bus/topology.h>

static const struct bus_message_type *const types[] = {
    &user_register_type, &user_login_type,        &user_refresh_type,  &user_logout_type, &user_forgot_type,
    &user_reset_type,    &user_password_type,     &user_update_type,   &user_erase_type,  &user_get_type,
    &user_list_type,     &user_client_token_type, &user_keys_get_type, &user_ping_type,   &user_answer_type,
    &user_page_type,     &user_keys_type,         &user_pong_type,
};
static const struct bus_message_type *const requests[] = {
    &user_register_type, &user_login_type,    &user_refresh_type, &user_logout_type, &user_forgot_type,
    &user_reset_type,    &user_password_type, &user_update_type,  &user_erase_type,
};
static const struct bus_message_type *const queries[] = {&user_get_type, &user_list_type, &user_client_token_type,
                                                         &user_keys_get_type, &user_ping_type};

static const struct bus_queue queues[] = {
    BUS_REQUEST_QUEUE("user-svc.request", requests),
    BUS_QUERY_QUEUE("user-svc.query", queries),
};

const struct bus_topology_part user_topology = BUS_TOPOLOGY_PART("user-svc", types, queues);
