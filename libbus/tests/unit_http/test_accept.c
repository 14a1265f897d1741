/* Choosing between two media types by the Accept of a request. */
#include "../../src/http/accept.h"

#include "test.h"

#define OPEN "application/openmetrics-text"

TEST(accept_chooses_the_other_type_only_where_it_is_named_and_not_behind_the_usual_one)
{
  static const struct {
    const char *accept;
    bool open;
  } cases[] = {
      /* of Prometheus 2.42, and of 3.5 */
      {OPEN ";version=1.0.0," OPEN ";version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", true},
      {OPEN ";version=1.0.0;escaping=allow-utf-8;q=0.5," OPEN ";version=0.0.1;q=0.4,text/plain;version=1.0.0;"
            "escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
       true},
      {OPEN, true},
      {"Application/OpenMetrics-Text ; version=1.0.0", true},
      {"text/plain, " OPEN, true},
      {"text/plain;q=0.5, " OPEN ";q=0.5", true},
      {"text/plain;q=0.501, " OPEN ";q=0.5", false},
      {"text/plain, " OPEN ";q=0.999", false},
      {"text/plain;q=0.2, " OPEN ";q=0.1, " OPEN ";version=1.0.0;Q=0.3", true},
      {OPEN ";q=0", false},
      {OPEN ";q=0.000", false},
      {OPEN ";q=0.001", true},
      {OPEN ";q=1.000", true},
      {OPEN ";q=1.001", false}, /* no weight: as if it were not there */
      {OPEN ";q=2", false},
      {OPEN ";q=0.0001", false},
      {OPEN ";q=.5", false},
      {OPEN ";q=-1", false},
      {OPEN ";q=0,5", false},
      {OPEN ";q=", true}, /* an empty parameter */
      {OPEN "2", false},
      {"application/*", false},
      {"*/*", false},
      {"text/html", false},
      {"", false},
      {",,;,", false},
  };
  for (size_t i = 0; i < BUS_COUNT(cases); i++)
    if (http_accept_prefers(bus_str(cases[i].accept), OPEN, "text/plain") != cases[i].open)
      fail_msg("%s", cases[i].accept);
  assert_false(http_accept_prefers(BUS_NO_STR, OPEN, "text/plain"));
}
