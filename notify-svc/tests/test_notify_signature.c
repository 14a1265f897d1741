/* Signatures against the vector that the reference libraries of Standard Webhooks test themselves with. */
#include "notify_signature.h"

#include <test.h>

#define ID BUS_STR("msg_p5jXN8AQM9LWM0D4loKWxJek")
#define BODY BUS_STR("{\"test\": 2432232314}")
enum { SENT_AT = 1614265330 };

static void assert_signed(const char *secret, const char *expected) {
  char text[NOTIFY_SIGNATURE_TEXT];
  assert_true(notify_sign(bus_str(secret), ID, SENT_AT, BODY, text));
  assert_string_equal(text, expected);
}

TEST(signature_is_that_of_the_specification)
{ assert_signed("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="); }

TEST(signature_of_anything_else_differs)
{
  static const struct {
    struct bus_str id, body;
    int64_t at;
  } others[] = {{BUS_STR("msg_p5jXN8AQM9LWM0D4loKWxJel"), BODY, SENT_AT},
                {ID, BUS_STR("{\"test\": 2432232315}"), SENT_AT},
                {ID, BODY, SENT_AT + 1}};
  char first[NOTIFY_SIGNATURE_TEXT], other[NOTIFY_SIGNATURE_TEXT];
  struct bus_str secret = BUS_STR("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  assert_true(notify_sign(secret, ID, SENT_AT, BODY, first));
  for (size_t i = 0; i < BUS_COUNT(others); i++) {
    assert_true(notify_sign(secret, others[i].id, others[i].at, others[i].body, other));
    assert_string_not_equal(first, other);
  }
}

TEST(signature_secret_is_24_to_64_bytes_of_base64)
{
  static const char *const wrong[] = {
      "",
      "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
      "whsec_",
      "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa==",
      "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS-",
      "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
      "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="};
  char text[NOTIFY_SIGNATURE_TEXT];
  for (size_t i = 0; i < BUS_COUNT(wrong); i++)
    if (notify_sign(bus_str(wrong[i]), ID, SENT_AT, BODY, text))
      fail_msg("taken: %s", wrong[i]);
}

TEST(signature_takes_each_secret_that_is_made)
{
  uint8_t bytes[WEBHOOK_SECRET_BYTES];
  char secret[WEBHOOK_SECRET_TEXT + 1], text[NOTIFY_SIGNATURE_TEXT];
  for (size_t i = 0; i < sizeof bytes; i++)
    bytes[i] = (uint8_t)(i * 37 + 250);
  notify_secret_format(bytes, secret);
  assert_string_equal(secret, "whsec_+h9EaY6z2P0iR2yRttsAJUpvlLneAyhNcpe84QYrUHU=");
  assert_true(notify_sign(bus_str(secret), ID, SENT_AT, BODY, text));
  assert_int_equal(strlen(text), NOTIFY_SIGNATURE_TEXT - 1);
}
