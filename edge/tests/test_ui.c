/* The files of the page: their types, their policy, their tags, and that no other name is served. */
#include "api_fixture.h"
#include "test.h"

static void get_file(const char *name) {
  fake.segment = bus_str(name);
  (void)call("GET /ui/{file}", "");
}

TEST(the_page_is_served_under_a_strict_policy)
{
  set_up();
  (void)call("GET /ui/", "");
  assert_int_equal(fake.status, 200);
  struct bus_str page = fake.json;
  assert_true(bus_str_cut_start(&page, "<!DOCTYPE html>"));
  assert_true(bus_str_is(fake_header("Content-Security-Policy"),
                         "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' "
                         "data:; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"));
  assert_true(bus_str_is(fake_header("Referrer-Policy"), "no-referrer"));
  tear_down();
}

TEST(each_file_has_its_type_and_a_tag_of_its_own)
{
  static const struct {
    const char *name, *type;
  } files[] = {{"app.css", "text/css; charset=utf-8"},
               {"app.js", "text/javascript; charset=utf-8"},
               {"panels.js", "text/javascript; charset=utf-8"}};
  char tags[BUS_COUNT(files)][33];
  set_up();
  for (size_t i = 0; i < BUS_COUNT(files); i++) {
    get_file(files[i].name);
    assert_int_equal(fake.status, 200);
    assert_string_equal(fake.media_type, files[i].type);
    struct bus_str tag = fake_header("ETag");
    assert_int_equal(tag.len, 32);
    memcpy(tags[i], tag.data, tag.len);
    for (size_t k = 0; k < i; k++)
      assert_memory_not_equal(tags[i], tags[k], 32);
  }
  tear_down();
}

TEST(E12_a_name_that_is_no_file_of_the_page_is_404)
{
  static const char *const names[] = {"index.html", "app.jsx", "ui.c", "App.js"};
  set_up();
  for (size_t i = 0; i < BUS_COUNT(names); i++) {
    get_file(names[i]);
    assert_int_equal(fake.status, 404);
  }
  tear_down();
}

TEST(a_path_without_the_slash_leads_to_the_page)
{
  set_up();
  (void)call("GET /ui", "");
  assert_int_equal(fake.status, 308);
  assert_true(bus_str_is(fake_header("Location"), "ui/"));
  tear_down();
}
