/* bus/config.h: kinds and bounds, texts of refusals, .env files, printed forms. */
#include <bus/config.h>

#include <stdio.h>

#include "../../src/core/edit_distance.h"
#include "config_sample.h"
#include "test.h"

/* A lookup over "NAME=value" strings that end with NULL. */
static const char *in_list(void *context, const char *name) {
  size_t len = strlen(name);
  for (const char *const *entry = context; *entry; entry++)
    if (strncmp(*entry, name, len) == 0 && (*entry)[len] == '=')
      return *entry + len + 1;
  return NULL;
}

#define LIST(...)                                                                                                      \
  (void *)(const char *const[]) {                                                                                      \
    __VA_ARGS__, NULL                                                                                                  \
  }

static void assert_refused(void *list, const char *expected) {
  struct bus_error err = {0};
  struct config_sample before;
  memset(&config_sample, 0x5A, sizeof config_sample);
  memcpy(&before, &config_sample, sizeof before);
  assert_false(bus_config_read(config_tables, 2, in_list, list, &err));
  assert_memory_equal(&before, &config_sample, sizeof before); /* nothing of it stays */
  assert_int_equal(err.code, BUS_E_CONFIG);
  assert_string_equal(err.text, expected);
}

TEST(config_defaults)
{
  struct bus_error err;
  assert_true(bus_config_read(config_tables, 2, in_list, LIST("URL=12345"), &err));
  assert_string_equal(config_sample.url, "12345");
  assert_string_equal(config_sample.name, "");
  assert_true(config_sample.port == 8080);
  assert_true(config_sample.timeout == -5);
  assert_false(config_sample.on);
  assert_int_equal(config_sample.level, 1);
  assert_string_equal(config_other.color.text, "hunter2");
  bus_config_done(config_tables, 2);
  assert_null(config_sample.url);
  assert_null(config_other.color.text);
  bus_config_done(config_tables, 2);
}

TEST(config_given_values_win)
{
  struct bus_error err;
  void *list = LIST("URL=amqp://x", "NAME=n", "PORT=65535", "TIMEOUT=10", "ON=Yes", "LEVEL=warn", "COLOR=red");
  assert_true(bus_config_read(config_tables, 2, in_list, list, &err));
  assert_string_equal(config_sample.name, "n");
  assert_true(config_sample.port == 65535);
  assert_true(config_sample.timeout == 10);
  assert_true(config_sample.on);
  assert_int_equal(config_sample.level, 2);
  assert_string_equal(config_other.color.text, "red");
  bus_config_done(config_tables, 2);
}

TEST(config_strings_are_copies)
{
  struct bus_error err;
  char url[] = "URL=first";
  assert_true(bus_config_read(config_tables, 2, in_list, LIST(url), &err));
  memset(url, 'x', sizeof url - 1);
  assert_string_equal(config_sample.url, "first");
  bus_config_done(config_tables, 2);
}

TEST(config_keeps_the_file_of_a_credential)
{
  struct bus_error err;
  assert_true(bus_config_read(config_tables, 2, in_list, LIST("URL=12345", "COLOR=red"), &err));
  assert_null(config_other.color.file);
  bus_config_done(config_tables, 2);
  assert_true(bus_config_read(config_tables, 2, in_list, LIST("URL=12345", "COLOR=red", "COLOR_FILE=/run/c"), &err));
  assert_string_equal(config_other.color.text, "red");
  assert_string_equal(config_other.color.file, "/run/c");
  bus_config_done(config_tables, 2);
  assert_null(config_other.color.file);
}

TEST(config_missing_and_empty)
{
  assert_refused(
      LIST("PORT=1"),
      "URL is not set and has no default: it must be text of 5 to 60 bytes, or in the file that URL_FILE names "
      "(where the database is)");
  assert_refused(
      LIST("URL="),
      "URL is not set and has no default: it must be text of 5 to 60 bytes, or in the file that URL_FILE names "
      "(where the database is)");
  struct bus_error err;
  assert_true(bus_config_read(config_tables, 2, in_list, LIST("URL=12345", "PORT="), &err));
  assert_true(config_sample.port == 8080);
  bus_config_done(config_tables, 2);
}

TEST(config_refuses_integers)
{
  static const char *const wrong[] = {"0",
                                      "65536",
                                      "-1",
                                      "1.5",
                                      "1e3",
                                      "0x10",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "1k",
                                      "abc",
                                      "--1",
                                      "-",
                                      "99999999999999999999",
                                      "18446744073709551617"};
  for (size_t i = 0; i < BUS_COUNT(wrong); i++) {
    char entry[64], expected[128];
    snprintf(entry, sizeof entry, "PORT=%s", wrong[i]);
    snprintf(expected, sizeof expected, "PORT is \"%s\", but must be an integer from 1 to 65535", wrong[i]);
    assert_refused(LIST("URL=12345", entry), expected);
  }
  assert_refused(LIST("URL=12345", "TIMEOUT=11"), "TIMEOUT is \"11\", but must be an integer from -10 to 10, in ms");
}

TEST(config_widest_integers)
{
  int64_t number;
  static const struct bus_option option = {
      .name = "N", .kind = BUS_OPTION_INT, .min = INT64_MIN, .max = INT64_MAX, .description = "any"};
  struct bus_option_table table = {&option, 1, &number};
  assert_true(bus_config_read(&table, 1, in_list, LIST("N=9223372036854775807"), NULL));
  assert_true(number == INT64_MAX);
  assert_true(bus_config_read(&table, 1, in_list, LIST("N=-9223372036854775808"), NULL));
  assert_true(number == INT64_MIN);
  assert_false(bus_config_read(&table, 1, in_list, LIST("N=9223372036854775808"), NULL));
  assert_false(bus_config_read(&table, 1, in_list, LIST("N=-9223372036854775809"), NULL));
}

TEST(config_refuses_other_kinds)
{
  assert_refused(LIST("URL=12345", "ON=2"), "ON is \"2\", but must be true or false");
  assert_refused(LIST("URL=12345", "ON=truee"), "ON is \"truee\", but must be true or false");
  assert_refused(LIST("URL=12345", "LEVEL=INFO"), "LEVEL is \"INFO\", but must be one of debug, info, warn");
  assert_refused(LIST("URL=12345", "NAME=12345678901"), "NAME is \"12345678901\", but must be text of 0 to 10 bytes");
  assert_refused(LIST("URL=12345", "NAME=a\nb"), "NAME is \"a b\", but must be text of 0 to 10 bytes");
  assert_refused(LIST("URL=12345", "NAME=\xFF"), "NAME is \"\xFF\", but must be text of 0 to 10 bytes");
}

TEST(config_bool_words)
{
  static const char *const yes[] = {"true", "1", "yes", "on", "TRUE"}, *const no[] = {"false", "0", "no", "off", "Off"};
  for (size_t i = 0; i < 2 * BUS_COUNT(yes); i++) {
    char entry[16];
    struct bus_error err;
    snprintf(entry, sizeof entry, "ON=%s", i % 2 ? yes[i / 2] : no[i / 2]);
    assert_true(bus_config_read(config_tables, 2, in_list, LIST("URL=12345", entry), &err));
    assert_int_equal(config_sample.on, i % 2);
    bus_config_done(config_tables, 2);
  }
}

TEST(L2_config_never_shows_a_secret)
{
  assert_refused(LIST("URL=pw"),
                 "URL must be text of 5 to 60 bytes, or in the file that URL_FILE names (its value is secret)");
  assert_refused(LIST("URL=12345", "COLOR=a-secret-that-is-too-long"),
                 "COLOR must be text of 1 to 20 bytes, or in the file that COLOR_FILE names (its value is secret)");
}

TEST(config_long_value_is_shortened)
{
  char entry[512] = "PORT=";
  memset(entry + 5, '7', sizeof entry - 6);
  entry[sizeof entry - 1] = '\0';
  assert_refused(LIST("URL=12345", entry),
                 "PORT is \"7777777777777777777777777777777777777777\", but must be an integer "
                 "from 1 to 65535");
}

TEST(config_error_may_be_null)
{ assert_false(bus_config_read(config_tables, 2, in_list, LIST("PORT=x"), NULL)); }

static const char env[] = "# a comment\n"
                          "\n"
                          "A=1\r\n"
                          "  B = not a name\n"
                          "B=two words # and no comment \n"
                          "C=\"quoted = 'x' # \"\n"
                          "D='single \"y\"'\n"
                          "E=\n"
                          "F=\"\"\n"
                          "A_1=under\n"
                          "G=amqp://u:p%40@h:1/v?x=y#z\n"
                          "H=first\n"
                          "H=second\n"
                          "LAST=no newline";

static void assert_env(const char *name, const char *expected) {
  char value[64] = "untouched";
  bool found = bus_env_find(BUS_STR(env), name, value, sizeof value);
  assert_int_equal(found, expected != NULL);
  assert_string_equal(value, expected ? expected : "untouched");
}

TEST(env_find)
{
  assert_env("A", "1");
  assert_env("B", "two words # and no comment");
  assert_env("C", "quoted = 'x' # ");
  assert_env("D", "single \"y\"");
  assert_env("E", "");
  assert_env("F", "");
  assert_env("A_1", "under");
  assert_env("G", "amqp://u:p%40@h:1/v?x=y#z");
  assert_env("H", "second");
  assert_env("LAST", "no newline");
  assert_env("a", NULL);
  assert_env("A_", NULL);
  assert_env("", NULL);
}

TEST(env_find_needs_room)
{
  char value[4];
  assert_true(bus_env_find(BUS_STR("A=123"), "A", value, sizeof value));
  assert_false(bus_env_find(BUS_STR("A=1234"), "A", value, sizeof value));
  assert_string_equal(value, "123");
  assert_false(bus_env_find(BUS_NO_STR, "A", value, sizeof value));
}

static void assert_env_wrong(struct bus_str text, const char *expected) {
  struct bus_error err = {0};
  assert_false(bus_env_check(text, &err));
  assert_int_equal(err.code, BUS_E_CONFIG);
  assert_string_equal(err.text, expected);
}

TEST(env_check_names_the_line)
{
  struct bus_error err;
  assert_env_wrong(BUS_STR(env), "line 4: KEY=value is expected");
  assert_env_wrong(BUS_STR("A=1\nB"), "line 2: KEY=value is expected");
  assert_env_wrong(BUS_STR("=1"), "line 1: KEY=value is expected");
  assert_env_wrong(BUS_STR("1A=1"), "line 1: KEY=value is expected");
  assert_env_wrong(BUS_STR("export A=1"), "line 1: KEY=value is expected");
  assert_env_wrong(BUS_STR("\n\nA-B=1"), "line 3: KEY=value is expected");
  assert_env_wrong(BUS_STR("A=\"x"), "line 1: a quote does not end");
  assert_env_wrong(BUS_STR("A=\""), "line 1: a quote does not end");
  assert_env_wrong(BUS_STR("A='x'y"), "line 1: text behind the closing quote");
  assert_env_wrong(BUS_STR("A=\"x\"y\""), "line 1: text behind the closing quote");
  assert_env_wrong(BUS_STR("A=1\nB=\0"), "line 2: longer than 4095 bytes or with NUL");
  assert_true(bus_env_check(BUS_STR(""), &err));
  assert_true(bus_env_check(BUS_NO_STR, &err));
  assert_true(bus_env_check(BUS_STR("# only\n\n   \t\r\nA=1\n"), &err));
}

TEST(L2_env_check_shows_no_value)
{
  struct bus_error err;
  assert_false(bus_env_check(BUS_STR("PASSWORD \"hunter2\""), &err));
  assert_null(strstr(err.text, "hunter2"));
}

TEST(env_check_refuses_long_lines)
{
  static char text[4200];
  memset(text, 'a', sizeof text);
  memcpy(text, "A=", 2);
  assert_env_wrong((struct bus_str){text, sizeof text}, "line 1: longer than 4095 bytes or with NUL");
}

static char printed[8192];

static void collect(void *context, const char *text) {
  (void)context;
  size_t len = strlen(printed);
  snprintf(printed + len, sizeof printed - len, "%s", text);
}

static const char *print(enum bus_config_format form) {
  printed[0] = '\0';
  bus_config_print(config_tables, 2, form, collect, NULL);
  return printed;
}

TEST(config_prints_markdown)
{
  assert_string_equal(
      print(BUS_CONFIG_MARKDOWN),
      "| variable | what | value | default |\n"
      "|---|---|---|---|\n"
      "| `URL` | where the database is | text of 5 to 60 bytes, or in the file that URL_FILE names | must be set |\n"
      "| `NAME` | a\\|b | text of 0 to 10 bytes | empty |\n"
      "| `PORT` | port of the API | an integer from 1 to 65535 | `8080` |\n"
      "| `TIMEOUT` | how long | an integer from -10 to 10, in ms | `-5` |\n"
      "| `ON` | whether | true or false | `false` |\n"
      "| `LEVEL` | least level | one of debug, info, warn | `info` |\n"
      "| `COLOR` | paint | text of 1 to 20 bytes, or in the file that COLOR_FILE names | (secret) |\n");
}

TEST(config_prints_env_example)
{
  assert_string_equal(
      print(BUS_CONFIG_ENV_EXAMPLE),
      "# where the database is: text of 5 to 60 bytes, or in the file that URL_FILE names; must be set\nURL=\n\n"
      "# a|b: text of 0 to 10 bytes\nNAME=\n\n"
      "# port of the API: an integer from 1 to 65535\nPORT=8080\n\n"
      "# how long: an integer from -10 to 10, in ms\nTIMEOUT=-5\n\n"
      "# whether: true or false\nON=false\n\n"
      "# least level: one of debug, info, warn\nLEVEL=info\n\n"
      "# paint: text of 1 to 20 bytes, or in the file that COLOR_FILE names\nCOLOR=\n\n");
  struct bus_error err;
  assert_true(bus_env_check(bus_str(printed), &err)); /* what we print we can read */
}

TEST(config_prints_help)
{
  const char *help = print(BUS_CONFIG_HELP);
  assert_non_null(
      strstr(help, "  PORT                           port of the API: an integer from 1 to 65535; default 8080\n"));
  assert_non_null(strstr(help, "  URL                            where the database is: text of 5 to 60 bytes, or in "
                               "the file that URL_FILE names; must be set\n"));
  assert_non_null(strstr(help, "  NAME                           a|b: text of 0 to 10 bytes; default empty\n"));
  assert_non_null(strstr(help, "; default (secret)\n"));
}

TEST(L2_config_prints_no_secret_default)
{
  for (int form = BUS_CONFIG_HELP; form <= BUS_CONFIG_MARKDOWN; form++)
    assert_null(strstr(print((enum bus_config_format)form), "hunter2"));
}

/* ---- unknown variables ---- */
static void assert_distance(const char *a, const char *b, size_t expected) {
  assert_int_equal(bus_edit_distance(bus_str(a), bus_str(b)), expected);
  assert_int_equal(bus_edit_distance(bus_str(b), bus_str(a)), expected);
}

TEST(edit_distance_counts_single_mistakes)
{
  assert_distance("", "", 0);
  assert_distance("PORT", "PORT", 0);
  assert_distance("port", "PORT", 0);
  assert_distance("", "PORT", 4);
  assert_distance("PRT", "PORT", 1);
  assert_distance("PORTS", "PORT", 1);
  assert_distance("P0RT", "PORT", 1);
  assert_distance("PROT", "PORT", 1);
  assert_distance("OPRT", "PORT", 1);
  assert_distance("KITTEN", "SITTING", 3);
  assert_distance("AB", "CD", 2);
}

TEST(edit_distance_of_names_that_are_too_long)
{
  char a[200], b[200];
  memset(a, 'A', sizeof a);
  memset(b, 'A', sizeof b);
  b[150] = 'B';
  assert_int_equal(bus_edit_distance((struct bus_str){a, sizeof a}, (struct bus_str){b, sizeof b}), 0);
  b[10] = 'B';
  assert_int_equal(bus_edit_distance((struct bus_str){a, sizeof a}, (struct bus_str){b, sizeof b}), 1);
  assert_int_equal(bus_edit_distance((struct bus_str){a, sizeof a}, BUS_STR("A")), BUS_EDIT_MAX - 1);
}

static void assert_unknown(const char *text, const char *const *others, const char *expected) {
  struct bus_error err = {0};
  assert_false(bus_env_check_names(bus_str(text), config_tables, 2, others, &err));
  assert_int_equal(err.code, BUS_E_CONFIG);
  assert_string_equal(err.text, expected);
}

TEST(an_unknown_variable_is_refused_with_the_nearest_known_one)
{
  static const char *const others[] = {"BUS_FAILPOINTS", NULL};
  struct bus_error err;
  assert_true(
      bus_env_check_names(BUS_STR("# PROT=1\n\nURL=x\nPORT=1\nCOLOR='y'\nPORT=2"), config_tables, 2, NULL, &err));
  assert_true(bus_env_check_names(BUS_STR("BUS_FAILPOINTS=x"), config_tables, 2, others, &err));
  assert_true(bus_env_check_names(BUS_NO_STR, config_tables, 2, NULL, &err));
  assert_unknown("URL=x\nPROT=secret", NULL, "line 2: unknown variable PROT; the nearest known one is PORT");
  assert_unknown("TIME_OUT=1\nPORT=1", NULL, "line 1: unknown variable TIME_OUT; the nearest known one is TIMEOUT");
  assert_unknown("port=1", NULL, "line 1: unknown variable port; the nearest known one is PORT");
  assert_unknown("BUS_FAILPOINT=x", others,
                 "line 1: unknown variable BUS_FAILPOINT; the nearest known one is BUS_FAILPOINTS");
  assert_unknown("COLOUR=x", others, "line 1: unknown variable COLOUR; the nearest known one is COLOR");
}
