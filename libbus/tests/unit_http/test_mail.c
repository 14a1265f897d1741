/* Mail against a server that answers by a table: what each reply means for the mail. */
#include <bus/mail.h>

#include <bus/clock.h>

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client_driver.h"
#include "test.h"

enum { LINE_MAX_BYTES = 4096, SCRIPT = 6 };

/* A reply to the command that begins so. reply NULL: the connection ends; "": none comes. */
struct reply {
  const char *command, *reply;
};

static struct {
  int listener, port;
  pthread_t thread;
  struct reply script[SCRIPT];
  char said[LINE_MAX_BYTES]; /* by the client */
  size_t len;
} server;

static const char *reply_to(const char *line) {
  for (size_t i = 0; i < SCRIPT && server.script[i].command; i++)
    if (strncmp(line, server.script[i].command, strlen(server.script[i].command)) == 0)
      return server.script[i].reply;
  return strncmp(line, "DATA", 4) == 0 ? "354 go on" : "250 2.0.0 done";
}

/* A line with its end; false: the connection is over. */
static bool read_line(int fd, char line[LINE_MAX_BYTES]) {
  for (size_t len = 0; len + 1 < LINE_MAX_BYTES; len++) {
    if (recv(fd, line + len, 1, 0) != 1)
      return false;
    line[len + 1] = '\0';
    if (line[len] == '\n')
      break;
  }
  size_t len = strlen(line);
  if (server.len + len < sizeof server.said) {
    memcpy(server.said + server.len, line, len + 1);
    server.len += len;
  }
  return true;
}

static bool say(int fd, const char *text) {
  char line[128];
  int len = snprintf(line, sizeof line, "%s\r\n", text ? text : "");
  if (text && !*text)
    return true;
  return text && send(fd, line, (size_t)len, MSG_NOSIGNAL) == len;
}

static void *serve(void *context) {
  char line[LINE_MAX_BYTES];
  bool in_data = false;
  int fd = accept(server.listener, NULL, NULL);
  bool goes_on = say(fd, reply_to("(connect)"));
  (void)context;
  while (goes_on && read_line(fd, line)) {
    bool ends = in_data && strcmp(line, ".\r\n") == 0;
    if (!in_data || ends)
      goes_on = say(fd, reply_to(ends ? "(message)" : line));
    in_data = !ends && (in_data || (goes_on && strncmp(line, "DATA", 4) == 0));
    if (in_data && strncmp(line, "cut", 3) == 0)
      goes_on = false;
  }
  shutdown(fd, SHUT_RDWR);
  close(fd);
  return NULL;
}

static void start(const struct reply *script, size_t count) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t len = sizeof address;
  memset(&server, 0, sizeof server);
  memcpy(server.script, script, count * sizeof *script);
  server.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(bind(server.listener, (struct sockaddr *)&address, sizeof address), 0);
  assert_int_equal(listen(server.listener, 1), 0);
  assert_int_equal(getsockname(server.listener, (struct sockaddr *)&address, &len), 0);
  server.port = ntohs(address.sin_port);
  assert_int_equal(pthread_create(&server.thread, NULL, serve, NULL), 0);
}

static struct bus_mailer_settings settings_of(bool plain) {
  static char url[64];
  (void)snprintf(url, sizeof url, "smtp://127.0.0.1:%d/client.example", server.port);
  return (struct bus_mailer_settings){.url = url,
                                      .plain = plain,
                                      .from = "shop@example.org",
                                      .connect_timeout_ms = 500,
                                      .total_timeout_ms = 1000,
                                      .threads = 2};
}

static struct bus_mailer *mailer_of(const struct bus_mailer_settings *settings) {
  struct bus_mailer *mailer = NULL;
  struct bus_error err;
  if (!bus_mailer_new(settings, driven_done, &mailer, &err))
    fail_msg("%s", err.text);
  return mailer;
}

/* As a worker does. */
static void drive_mailer(struct bus_mailer *mailer, const struct driven *driven, int timeout_ms) {
  struct bus_poll_source source = bus_mailer_source(mailer);
  int64_t until = bus_monotonic() + timeout_ms * BUS_MILLISECOND;
  while (!driven->done && bus_monotonic() < until) {
    struct pollfd fds[1];
    int wait_ms = timeout_ms;
    assert_int_equal(source.prepare(source.context, fds, 1, &wait_ms), 1);
    assert_true(poll(fds, 1, 100) >= 0);
    source.dispatch(source.context, fds, 1);
  }
}

/* Sends one mail to a server with these replies. */
static struct driven *send_mail(const struct reply *script, size_t count, const char *message, bool plain) {
  static struct driven driven;
  struct bus_error err;
  start(script, count);
  struct bus_mailer_settings settings = settings_of(plain);
  struct bus_mailer *mailer = mailer_of(&settings);
  driven = (struct driven){0};
  if (!bus_mailer_send(mailer, "ann@example.org", bus_str(message), &driven, &err))
    fail_msg("%s", err.text);
  drive_mailer(mailer, &driven, 5000);
  bus_mailer_free(mailer);
  pthread_join(server.thread, NULL);
  close(server.listener);
  assert_int_equal(driven.done, 1);
  return &driven;
}

#define SEND(message, ...)                                                                                             \
  send_mail((const struct reply[]){__VA_ARGS__}, sizeof((const struct reply[]){__VA_ARGS__}) / sizeof(struct reply),   \
            message, true)
#define TEXT "Subject: x\r\n\r\nhello\r\n"

TEST(mail_that_is_taken_is_answered_by_250)
{
  const struct driven *driven = SEND("Subject: x\r\n\r\n.dot\r\n", {"(connect)", "220 ready"});
  assert_int_equal(driven->outcome, BUS_HTTP_ANSWERED);
  assert_int_equal(driven->status, 250);
  assert_string_equal(driven->body, "250 2.0.0 done");
  assert_non_null(strstr(server.said, "EHLO client.example\r\n"));
  assert_non_null(strstr(server.said, "MAIL FROM:<shop@example.org>"));
  assert_non_null(strstr(server.said, "RCPT TO:<ann@example.org>\r\nDATA\r\nSubject: x\r\n\r\n..dot\r\n.\r\n"));
}

TEST(mail_whose_recipient_is_refused_is_answered)
{
  const struct driven *driven = SEND(TEXT, {"(connect)", "220 ready"}, {"RCPT", "550 5.1.1 no such user"});
  assert_int_equal(driven->outcome, BUS_HTTP_ANSWERED);
  assert_int_equal(driven->status, 550);
  assert_string_equal(driven->body, "550 5.1.1 no such user");
  driven = SEND(TEXT, {"(connect)", "220 ready"}, {"RCPT", "451 4.7.1 later"});
  assert_int_equal(driven->status, 451);
}

TEST(mail_that_is_refused_behind_its_message_is_answered)
{
  const struct driven *driven = SEND(TEXT, {"(connect)", "220 ready"}, {"(message)", "554 5.7.1 no"});
  assert_int_equal(driven->outcome, BUS_HTTP_ANSWERED);
  assert_int_equal(driven->status, 554);
  assert_string_equal(driven->body, "554 5.7.1 no");
}

TEST(mail_refused_before_its_recipient_is_no_answer)
{
  static const struct reply refusals[][2] = {{{"(connect)", "554 no"}, {NULL, NULL}},
                                             {{"(connect)", "220 ready"}, {"MAIL", "451 4.3.0 later"}},
                                             {{"(connect)", "220 ready"}, {"MAIL", "550 5.7.1 who are you"}}};
  for (size_t i = 0; i < BUS_COUNT(refusals); i++) {
    const struct driven *driven = send_mail(refusals[i], 2, TEXT, true);
    assert_int_not_equal(driven->outcome, BUS_HTTP_ANSWERED);
    assert_true(driven->error[0] != '\0');
  }
}

TEST(mail_without_starttls_is_not_sent)
{
  static const struct reply ready[] = {{"(connect)", "220 ready"}, {"EHLO", "250 SIZE 1000000"}};
  const struct driven *driven = send_mail(ready, BUS_COUNT(ready), TEXT, false);
  assert_int_not_equal(driven->outcome, BUS_HTTP_ANSWERED);
  assert_null(strstr(server.said, "MAIL"));
}

TEST(mail_of_a_cut_connection_is_unknown)
{
  const struct driven *driven = SEND("Subject: x\r\n\r\ncut\r\nmore\r\n", {"(connect)", "220 ready"});
  assert_int_equal(driven->outcome, BUS_HTTP_UNKNOWN);
  driven = SEND(TEXT, {"(connect)", "220 ready"}, {"(message)", NULL});
  assert_int_equal(driven->outcome, BUS_HTTP_UNKNOWN);
}

TEST(mail_with_a_line_break_or_a_bracket_is_refused)
{
  static const char *const wrong[] = {"ann@example.org\r\nDATA", "ann@example.org>", "a b@example.org", "a\n@b"};
  struct bus_mailer_settings settings = settings_of(true);
  struct bus_mailer *mailer = mailer_of(&settings), *none;
  struct bus_error err;
  for (size_t i = 0; i < BUS_COUNT(wrong); i++) {
    assert_false(bus_mailer_send(mailer, wrong[i], BUS_STR(TEXT), NULL, &err));
    assert_int_equal(err.code, BUS_E_INVALID);
  }
  settings.user = settings.password = "secret";
  assert_false(bus_mailer_new(&settings, driven_done, &none, &err));
  assert_non_null(strstr(err.text, "without TLS"));
  bus_mailer_free(mailer);
}

static const struct reply silence[] = {{"(connect)", "220 ready"}, {"(message)", ""}};

TEST(mail_to_a_relay_that_is_silent_is_unknown_after_the_timeout)
{
  const struct driven *driven = send_mail(silence, BUS_COUNT(silence), TEXT, true);
  assert_int_equal(driven->outcome, BUS_HTTP_UNKNOWN);
  assert_in_range(driven->duration, 900 * BUS_MILLISECOND, 3 * BUS_SECOND);
}

TEST(mail_under_way_is_cut_with_its_mailer)
{
  struct driven driven = {0};
  struct bus_error err;
  start(silence, BUS_COUNT(silence));
  struct bus_mailer_settings settings = settings_of(true);
  settings.total_timeout_ms = 60000;
  struct bus_mailer *mailer = mailer_of(&settings);
  int64_t began = bus_monotonic();
  assert_true(bus_mailer_send(mailer, "ann@example.org", BUS_STR(TEXT), &driven, &err));
  drive_mailer(mailer, &driven, 300);
  bus_mailer_free(mailer);
  assert_true(bus_monotonic() - began < 5 * BUS_SECOND);
  assert_int_equal(driven.done, 0);
  pthread_join(server.thread, NULL);
  close(server.listener);
}
