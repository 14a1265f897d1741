/* Pages of the provider's lists: how they are asked for, and which movements they show. */
#include <psp_list.h>
#include <test.h>

#define ORDER "0f5a6c1e-4b1d-5c53-9a3e-2f6f0c6f7a10"

static struct psp_page page;

static bool read_page(enum psp_list_kind kind, const char *text) {
  struct bus_arena *arena = bus_arena_new(1 << 20);
  bool done = psp_page_read(kind, bus_str(text), arena, &page);
  bus_arena_free(arena);
  return done;
}

TEST(list_path)
{
  char path[PSP_LIST_PATH_SIZE];
  psp_list_path(PSP_LIST_INTENTS, 0, "", path);
  assert_string_equal(path, "/v1/payment_intents?limit=100");
  psp_list_path(PSP_LIST_REFUNDS, 1772000000, "re_1", path);
  assert_string_equal(path, "/v1/refunds?limit=100&created%5Bgte%5D=1772000000&starting_after=re_1");
}

TEST(list_page_shows_what_moved_money)
{
  assert_true(read_page(PSP_LIST_INTENTS,
                        "{\"object\":\"list\",\"has_more\":true,\"data\":["
                        "{\"id\":\"pi_1\",\"amount\":1998,\"amount_received\":1000,\"currency\":\"eur\",\"created\":7,"
                        "\"status\":\"succeeded\",\"metadata\":{\"order_id\":\"" ORDER "\"}},"
                        "{\"id\":\"pi_2\",\"amount\":5,\"currency\":\"usd\",\"created\":8,\"status\":\"succeeded\","
                        "\"metadata\":{\"order_id\":\"6735\"}},"
                        "{\"id\":\"pi_3\",\"amount\":5,\"currency\":\"eur\",\"created\":9,\"status\":\"canceled\","
                        "\"metadata\":null}]}"));
  assert_int_equal(page.count, 2);
  assert_string_equal(page.lines[0].order, ORDER);
  assert_int_equal(page.lines[0].amount, 1000);
  assert_int_equal(page.lines[0].kind, RECONCILE_CAPTURED);
  assert_string_equal(page.lines[1].order, RECONCILE_NO_ORDER);
  assert_string_equal(page.lines[1].currency, "USD");
  assert_string_equal(page.lines[1].psp_id, "pi_2");
  assert_int_equal(page.lines[1].at, 8);
  assert_true(page.has_more);
  assert_string_equal(page.last_id, "pi_3");
}

TEST(list_page_of_refunds)
{
  assert_true(read_page(PSP_LIST_REFUNDS, "{\"has_more\":false,\"data\":[{\"id\":\"re_1\",\"amount\":5,"
                                          "\"currency\":\"eur\",\"created\":9,\"status\":\"succeeded\"}]}"));
  assert_int_equal(page.count, 1);
  assert_int_equal(page.lines[0].kind, RECONCILE_REFUNDED);
  assert_false(page.has_more);
}

TEST(list_page_that_is_none)
{
  assert_false(read_page(PSP_LIST_INTENTS, "{\"error\":{\"type\":\"api_error\"}}"));
  assert_false(read_page(PSP_LIST_INTENTS, "{\"has_more\":true,\"data\":[]}")); /* the next page has no beginning */
  assert_false(read_page(PSP_LIST_INTENTS, "{\"has_more\":true,\"data\":[{\"id\":\"../x\",\"amount\":5,"
                                           "\"currency\":\"eur\",\"created\":9,\"status\":\"canceled\"}]}"));
}
