/* The comparison of the ledger with the provider's records: each planted difference is named, and nothing else. */
#include <reconcile.h>
#include <test.h>

#define A "0f5a6c1e-4b1d-5c53-9a3e-2f6f0c6f7a10"
#define B "1f5a6c1e-4b1d-5c53-9a3e-2f6f0c6f7a10"
#define T 1772000000

static char said[2048];

static void note(void *context, const char *order, const char *text) {
  size_t len = strlen(said);
  (void)context;
  (void)snprintf(said + len, sizeof said - len, "%.1s %s\n", order, text);
}

static struct reconcile reconcile;

static void begin(int64_t since, int64_t until) {
  said[0] = '\0';
  reconcile = (struct reconcile){.since = since, .until = until, .report = note};
}

static void add(bool is_theirs, const char *text) {
  struct reconcile_line line;
  if (!reconcile_line_parse(bus_str(text), &line))
    fail_msg("%s", text);
  reconcile_add(&reconcile, &line, is_theirs);
}

/* Two lines of one order, or NULL. */
static void assert_said(const char *ours, const char *theirs, const char *expected) {
  begin(0, INT64_MAX);
  if (ours)
    add(false, ours);
  if (theirs)
    add(true, theirs);
  reconcile_end(&reconcile);
  assert_string_equal(said, expected);
  assert_int_equal(reconcile.orders, 1);
}

#define CAPTURED(order, amount, id) order "\tcaptured\t" amount "\tEUR\t" id "\t1772000000"
#define REFUNDED(order, amount, id) order "\trefunded\t" amount "\tEUR\t" id "\t1772000000"

TEST(reconcile_equal_sides)
{
  assert_said(CAPTURED(A, "1998", "pi_1"), CAPTURED(A, "1998", "pi_1"), "");
  begin(0, INT64_MAX);
  add(false, CAPTURED(A, "1998", "pi_1"));
  add(false, REFUNDED(A, "998", "re_1"));
  add(false, REFUNDED(A, "1000", "charge_already_refunded")); /* ids of refunds may be unknown here */
  add(true, CAPTURED(A, "1998", "pi_1"));
  add(true, REFUNDED(A, "998", "re_1"));
  add(true, REFUNDED(A, "1000", "re_2"));
  add(false, CAPTURED(B, "5", "pi_2"));
  add(true, CAPTURED(B, "5", "pi_2"));
  reconcile_end(&reconcile);
  assert_string_equal(said, "");
  assert_int_equal(reconcile.orders, 2);
  assert_int_equal(reconcile.differences, 0);
}

TEST(reconcile_names_each_difference)
{
  assert_said(NULL, CAPTURED(A, "1998", "pi_1"), "0 missing here: capture pi_1 of 1998 EUR\n");
  assert_said(CAPTURED(A, "1998", "pi_1"), NULL, "0 missing there: capture pi_1 of 1998 EUR\n");
  assert_said(CAPTURED(A, "1998", "pi_1"), CAPTURED(A, "1999", "pi_1"),
              "0 captured amount differs: here 1998, there 1999\n");
  assert_said(CAPTURED(A, "1998", "pi_1"), CAPTURED(A, "1998", "pi_2"), "0 capture differs: here pi_1, there pi_2\n");
  assert_said(CAPTURED(A, "1998", "pi_1"), A "\tcaptured\t1998\tUSD\tpi_1\t1772000000",
              "0 currency differs: here EUR, there USD\n");
  assert_said(NULL, REFUNDED(A, "5", "re_1"), "0 missing here: refund of 5 EUR\n");
  assert_said(REFUNDED(A, "5", "re_1"), NULL, "0 missing there: refund of 5 EUR\n");
  assert_said(REFUNDED(A, "5", "re_1"), REFUNDED(A, "6", "re_1"), "0 refunded amount differs: here 5, there 6\n");
  assert_said(NULL, CAPTURED("-", "7", "pi_9"), "- missing here: capture pi_9 of 7 EUR\n");
}

static struct reconcile_line line_of(const char *text) {
  struct reconcile_line line;
  if (!reconcile_line_parse(bus_str(text), &line))
    fail_msg("%s", text);
  return line;
}

TEST(reconcile_sorts_and_compares_whole_sides)
{
  struct reconcile_line ours[] = {line_of(CAPTURED(B, "5", "pi_2")), line_of(CAPTURED(A, "7", "pi_1"))};
  struct reconcile_line theirs[] = {line_of(CAPTURED(B, "6", "pi_2")), line_of(CAPTURED("-", "1", "pi_3")),
                                    line_of(CAPTURED(A, "7", "pi_1"))};
  begin(0, INT64_MAX);
  reconcile_all(&reconcile, ours, 2, theirs, 3);
  assert_string_equal(said, "- missing here: capture pi_3 of 1 EUR\n1 captured amount differs: here 5, there 6\n");
  assert_int_equal(reconcile.orders, 3);
  begin(0, INT64_MAX);
  reconcile_all(&reconcile, NULL, 0, NULL, 0);
  assert_string_equal(said, "");
}

TEST(reconcile_names_a_double_charge)
{
  begin(0, INT64_MAX);
  add(false, CAPTURED(A, "1998", "pi_1"));
  add(true, CAPTURED(A, "1998", "pi_1"));
  add(true, CAPTURED(A, "1998", "pi_2"));
  reconcile_end(&reconcile);
  assert_string_equal(said, "0 double: 2 captures at the provider, pi_1 to pi_2\n");
}

/* Objects without an order are no order together. */
TEST(reconcile_objects_without_an_order_are_named_one_by_one)
{
  begin(0, INT64_MAX);
  add(true, CAPTURED("-", "1", "pi_1"));
  add(true, CAPTURED("-", "2", "pi_2"));
  reconcile_end(&reconcile);
  assert_string_equal(said, "- missing here: capture pi_1 of 1 EUR\n- missing here: capture pi_2 of 2 EUR\n");
}

TEST(reconcile_does_not_name_what_is_under_way)
{
  begin(0, T - 1);
  add(true, CAPTURED(A, "1998", "pi_1")); /* in the last minute */
  reconcile_end(&reconcile);
  assert_int_equal(reconcile.open, 1);
  begin(0, T);
  add(false, A "\topen\t1998\tEUR\tpi_1\t1772000000");
  add(true, CAPTURED(A, "1998", "pi_1"));
  reconcile_end(&reconcile);
  assert_int_equal(reconcile.open, 1);
  assert_string_equal(said, "");
  add(true, CAPTURED(B, "1998", "pi_1")); /* the next order is not open */
  reconcile_end(&reconcile);
  assert_int_equal(reconcile.differences, 1);
}

/* One side may have been created before the time for which both were read. */
TEST(reconcile_leaves_out_what_is_older)
{
  begin(T + 1, T + 2);
  add(false, CAPTURED(A, "1998", "pi_1"));
  reconcile_end(&reconcile);
  add(false, CAPTURED(B, "1998", "pi_1"));
  add(true, CAPTURED(B, "1999", "pi_1"));
  reconcile_end(&reconcile);
  assert_string_equal(said, "1 captured amount differs: here 1998, there 1999\n");
}

TEST(reconcile_line_is_written_as_it_is_read)
{
  struct bus_arena *arena = bus_arena_new(65536);
  struct reconcile_line line;
  assert_true(reconcile_line_parse(BUS_STR(CAPTURED(A, "1998", "pi_1")), &line));
  assert_true(bus_str_is(reconcile_line_format(&line, arena), CAPTURED(A, "1998", "pi_1") "\n"));
  bus_arena_free(arena);
}

TEST(reconcile_refuses_what_is_no_line)
{
  static const char *const texts[] = {"",
                                      "x\tcaptured\t1\tEUR\tpi_1\t1",
                                      A "\tcaught\t1\tEUR\tpi_1\t1",
                                      A "\tcaptured\t-1\tEUR\tpi_1\t1",
                                      A "\tcaptured\t1.5\tEUR\tpi_1\t1",
                                      A "\tcaptured\t1\tEURO\tpi_1\t1",
                                      A "\tcaptured\t1\tEUR\t\t1",
                                      A "\tcaptured\t1\tEUR\tpi_1",
                                      A "\tcaptured\t1\tEUR\tpi_1\t1\tmore"};
  struct reconcile_line line;
  for (size_t i = 0; i < BUS_COUNT(texts); i++)
    assert_false(reconcile_line_parse(bus_str(texts[i]), &line));
}
