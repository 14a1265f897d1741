/* URLs of endpoints and the addresses behind them: what is not surely public is refused. */
#include "notify_url.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

enum { PORT_DIGITS = 5, PORT_MAX = 65535, HTTP_PORT = 80, HTTPS_PORT = 443, HOST_MAX = 253, SECOND_DIGITS = 7 };
#define SCHEDULE_WAIT_MAX_S INT64_C(604800)

/* ---- URLs ---- */

static bool refuse(char why[WEBHOOK_REASON_MAX + 1], const char *text) {
  (void)snprintf(why, WEBHOOK_REASON_MAX + 1, "%s", text);
  return false;
}

static bool is_port_allowed(const struct notify_policy *policy, int64_t port) {
  for (size_t i = 0; i < policy->port_count; i++)
    if (policy->ports[i] == port)
      return true;
  return policy->allow_local && port > 0 && port <= PORT_MAX;
}

static bool refuse_port(const struct notify_policy *policy, char why[WEBHOOK_REASON_MAX + 1]) {
  int len = snprintf(why, WEBHOOK_REASON_MAX + 1, "url must have no port, or one of");
  for (size_t i = 0; i < policy->port_count; i++)
    len += snprintf(why + len, WEBHOOK_REASON_MAX + 1 - (size_t)len, "%s%" PRId64, i > 0 ? ", " : " ",
                    policy->ports[i]); /* eight ports of five digits fit */
  return false;
}

/* The characters of RFC 3986 that stand for themselves, and "%". */
static bool is_url_text(struct bus_str text) {
  for (size_t i = 0; i < text.len; i++) {
    unsigned char c = (unsigned char)text.data[i];
    if (!isascii(c) || !(isalnum(c) || strchr("-._~%!$&'()*+,;=:@/?[]", c)))
      return false;
  }
  return true;
}

static bool is_name(struct bus_str host) {
  for (size_t i = 0; i < host.len; i++) {
    unsigned char c = (unsigned char)host.data[i];
    if (!isascii(c) || !(isalnum(c) || c == '-' || c == '.'))
      return false;
  }
  return host.len > 0 && host.len <= HOST_MAX && host.data[0] != '.' && host.data[0] != '-';
}

/* Digits and dots, or hexadecimal: a resolver may read 0x7f.1 and 2130706433 as addresses. */
static bool looks_like_number(struct bus_str host) {
  size_t start = host.len;
  while (start > 0 && host.data[start - 1] != '.')
    start--;
  return start < host.len && isdigit((unsigned char)host.data[start]);
}

static bool check_host(struct bus_str host, bool bracketed, const struct notify_policy *policy,
                       char why[WEBHOOK_REASON_MAX + 1]) {
  struct bus_address address;
  bool is_address = bus_address_parse(host, &address);
  if (bracketed ? !is_address : !is_address && (!is_name(host) || looks_like_number(host)))
    return refuse(why, "url must name its host by a name of the DNS, an IPv4 address of four numbers, or an IPv6 "
                       "address in brackets");
  if (is_address && !notify_address_is_allowed(&address, policy->allow_local))
    return refuse(why, "url must name a host of the public internet: this address is private or reserved");
  return true;
}

/* Cuts host and port off the authority. False: it is malformed. */
static bool cut_authority(struct bus_str authority, struct bus_str *ret_host, bool *ret_bracketed,
                          struct bus_str *ret_port) {
  *ret_bracketed = authority.len > 0 && authority.data[0] == '[';
  if (*ret_bracketed && !memchr(authority.data, ']', authority.len))
    return false;
  struct bus_str rest = {authority.data + *ret_bracketed, authority.len - *ret_bracketed};
  *ret_host = bus_str_cut(&rest, *ret_bracketed ? ']' : ':');
  bool has_colon = !*ret_bracketed && ret_host->len < authority.len;
  if (*ret_bracketed && rest.len > 0)
    has_colon = bus_str_cut_start(&rest, ":");
  *ret_port = has_colon ? rest : BUS_NO_STR;
  return has_colon || rest.len == 0;
}

bool notify_url_check(struct bus_str url, const struct notify_policy *policy, char why[WEBHOOK_REASON_MAX + 1]) {
  struct bus_str rest = url, host, port_text;
  bool bracketed, secure = bus_str_cut_start(&rest, "https://");
  if (!secure && !(policy->allow_local && bus_str_cut_start(&rest, "http://")))
    return refuse(why, "url must begin with https://");
  if (!is_url_text(rest))
    return refuse(why, "url must have no fragment, and no characters that a URL writes with %");
  size_t end = 0;
  while (end < rest.len && rest.data[end] != '/' && rest.data[end] != '?')
    end++;
  struct bus_str authority = {rest.data, end};
  if (authority.len > 0 && memchr(authority.data, '@', authority.len))
    return refuse(why, "url must not hold a user or password");
  int64_t port = secure ? HTTPS_PORT : HTTP_PORT;
  if (!cut_authority(authority, &host, &bracketed, &port_text))
    return refuse(why, "url must be https://host[:port]/path");
  if (port_text.data && !bus_str_number(port_text, PORT_DIGITS, &port))
    return refuse_port(policy, why);
  return check_host(host, bracketed, policy, why) && (is_port_allowed(policy, port) || refuse_port(policy, why));
}

/* ---- addresses ---- */

/* IPv4 networks that are not public (RFC 6890 and its successors), as bytes. */
struct v4_network {
  uint8_t bytes[4];
  int bits;
};
static const struct v4_network v4_refused[] = {
    {{0, 0, 0, 0}, 8},       /* this network */
    {{10, 0, 0, 0}, 8},      /* private */
    {{100, 64, 0, 0}, 10},   /* shared: CGNAT */
    {{127, 0, 0, 0}, 8},     /* loopback */
    {{169, 254, 0, 0}, 16},  /* link-local; metadata of clouds */
    {{172, 16, 0, 0}, 12},   /* private */
    {{192, 0, 0, 0}, 24},    /* protocol assignments */
    {{192, 0, 2, 0}, 24},    /* documentation */
    {{192, 88, 99, 0}, 24},  /* relays of 6to4 */
    {{192, 168, 0, 0}, 16},  /* private */
    {{198, 18, 0, 0}, 15},   /* benchmarks */
    {{198, 51, 100, 0}, 24}, /* documentation */
    {{203, 0, 113, 0}, 24},  /* documentation */
    {{224, 0, 0, 0}, 4},     /* multicast */
    {{240, 0, 0, 0}, 4},     /* reserved, and broadcast */
};
/* Networks of 2000::/3, which is all that is public in IPv6. */
static const struct {
  uint8_t bytes[6];
  int bits;
} v6_refused[] = {
    {{0x20, 0x01, 0x00}, 23},       /* protocol assignments: Teredo, ORCHID, benchmarks */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
    {{0x20, 0x02}, 16},             /* 6to4: holds an IPv4 address */
    {{0x3f, 0xff, 0x00}, 20},       /* documentation */
};

static bool begins(const uint8_t *bytes, const uint8_t *network, int bits) {
  int whole = bits / 8, left = bits % 8;
  if (memcmp(bytes, network, (size_t)whole) != 0)
    return false;
  return left == 0 || ((bytes[whole] ^ network[whole]) >> (8 - left)) == 0;
}

static bool is_v4_public(const uint8_t *bytes) {
  for (size_t i = 0; i < BUS_COUNT(v4_refused); i++)
    if (begins(bytes, v4_refused[i].bytes, v4_refused[i].bits))
      return false;
  return true;
}

static bool is_v6_public(const uint8_t *bytes) {
  for (size_t i = 0; i < BUS_COUNT(v6_refused); i++)
    if (begins(bytes, v6_refused[i].bytes, v6_refused[i].bits))
      return false;
  return bytes[0] >> 5 == 1; /* 2000::/3: neither ::/3 with NAT64 and compatible addresses, nor ULA, link-local, … */
}

bool notify_address_is_allowed(const struct bus_address *address, bool allow_local) {
  static const uint8_t v4_prefix[12] = {[10] = 0xFF, [11] = 0xFF}, loopback[BUS_ADDRESS_BYTES] = {[15] = 1};
  const uint8_t *bytes = address->bytes, *v4 = bytes + sizeof v4_prefix;
  bool is_v4 = memcmp(bytes, v4_prefix, sizeof v4_prefix) == 0;
  bool is_loopback = is_v4 ? v4[0] == 127 : memcmp(bytes, loopback, sizeof loopback) == 0;
  if (is_loopback)
    return allow_local;
  return is_v4 ? is_v4_public(v4) : is_v6_public(bytes);
}

/* ---- settings ---- */

/* Numbers between commas. The count, 0: malformed, or too many. */
static size_t parse_numbers(const char *text, int64_t most, size_t digits, int64_t *ret, size_t room) {
  struct bus_str rest = bus_str(text);
  size_t count = 0;
  do {
    int64_t number;
    struct bus_str item = bus_str_cut(&rest, ',');
    if (count == room || !bus_str_number(item, digits, &number) || number < 1 || number > most)
      return 0;
    ret[count++] = number;
  } while (rest.len > 0);
  return text[strlen(text) - 1] == ',' ? 0 : count;
}

bool notify_ports_parse(const char *text, struct notify_policy *ret, struct bus_error *err) {
  ret->port_count = parse_numbers(text, PORT_MAX, PORT_DIGITS, ret->ports, BUS_COUNT(ret->ports));
  return ret->port_count > 0 || bus_fail(err, BUS_E_CONFIG,
                                         "WEBHOOK_PORTS is \"%s\": it must be 1 to %zu ports from 1 to %d between "
                                         "commas, such as 443,8443",
                                         text, BUS_COUNT(ret->ports), PORT_MAX);
}

bool notify_schedule_parse(const char *text, struct notify_policy *ret, struct bus_error *err) {
  ret->schedule_count =
      parse_numbers(text, SCHEDULE_WAIT_MAX_S, SECOND_DIGITS, ret->schedule, BUS_COUNT(ret->schedule));
  for (size_t i = 0; i < ret->schedule_count; i++)
    ret->schedule[i] *= BUS_SECOND;
  return ret->schedule_count > 0 || bus_fail(err, BUS_E_CONFIG,
                                             "RETRY_SCHEDULE_S is \"%s\": it must be 1 to %zu waits from 1 to %" PRId64
                                             " seconds between commas, such as 5,300,1800",
                                             text, BUS_COUNT(ret->schedule), SCHEDULE_WAIT_MAX_S);
}
