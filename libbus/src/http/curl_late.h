/* libcurl's functions by the names that the client calls, through pointers: for bus_curl_late, which does not link
 * libcurl. */
#pragma once

#include <bus/error.h>

#include <curl/curl.h>

#undef curl_easy_getinfo
#undef curl_easy_setopt
#undef curl_multi_setopt

#define CURL_LATE(X)                                                                                                   \
  X(easy_cleanup)                                                                                                      \
  X(easy_getinfo)                                                                                                      \
  X(easy_header)                                                                                                       \
  X(easy_init)                                                                                                         \
  X(easy_setopt)                                                                                                       \
  X(easy_strerror)                                                                                                     \
  X(global_init)                                                                                                       \
  X(multi_add_handle)                                                                                                  \
  X(multi_cleanup)                                                                                                     \
  X(multi_info_read)                                                                                                   \
  X(multi_init)                                                                                                        \
  X(multi_remove_handle)                                                                                               \
  X(multi_setopt)                                                                                                      \
  X(multi_socket_action)                                                                                               \
  X(slist_append)                                                                                                      \
  X(slist_free_all)

#define CURL_LATE_POINTER(name) __typeof__(&curl_##name) name;
extern struct curl_late { CURL_LATE(CURL_LATE_POINTER) } curl_late;
#undef CURL_LATE_POINTER

/* Opens libcurl once. False: it is not installed. */
bool http_curl_open(struct bus_error *err);

#define curl_easy_cleanup curl_late.easy_cleanup
#define curl_easy_getinfo curl_late.easy_getinfo
#define curl_easy_header curl_late.easy_header
#define curl_easy_init curl_late.easy_init
#define curl_easy_setopt curl_late.easy_setopt
#define curl_easy_strerror curl_late.easy_strerror
#define curl_global_init curl_late.global_init
#define curl_multi_add_handle curl_late.multi_add_handle
#define curl_multi_cleanup curl_late.multi_cleanup
#define curl_multi_info_read curl_late.multi_info_read
#define curl_multi_init curl_late.multi_init
#define curl_multi_remove_handle curl_late.multi_remove_handle
#define curl_multi_setopt curl_late.multi_setopt
#define curl_multi_socket_action curl_late.multi_socket_action
#define curl_slist_append curl_late.slist_append
#define curl_slist_free_all curl_late.slist_free_all
