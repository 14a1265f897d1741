/* A collector's answer: how many spans it rejected. In proto3's JSON a 64-bit number is a string, and a number where
 * the writer does not follow that. */
#include <bus/field.h>
#include <bus/span.h>

enum { DIGITS = 9 };

struct in_text {
  struct bus_str rejectedSpans;
};
struct in_number {
  int64_t rejectedSpans;
};
static const struct bus_field text_fields[] = {
    BUS_FIELD_STRING(struct in_text, rejectedSpans, BUS_VISIBLE, 1, DIGITS, BUS_OPTIONAL, "spans")};
static const struct bus_schema text_schema = BUS_SCHEMA("partial_success", struct in_text, text_fields);
static const struct bus_field number_fields[] = {
    BUS_FIELD_INT64(struct in_number, rejectedSpans, 0, 999999999, BUS_OPTIONAL, "spans")};
static const struct bus_schema number_schema = BUS_SCHEMA("partial_success", struct in_number, number_fields);

struct text_answer {
  struct in_text *partialSuccess;
};
struct number_answer {
  struct in_number *partialSuccess;
};
static const struct bus_field text_answer_fields[] = {BUS_FIELD_OBJECT(
    struct text_answer, partialSuccess, struct in_text, &text_schema, BUS_OPTIONAL, "what was not taken")};
static const struct bus_schema text_answer = BUS_SCHEMA("answer", struct text_answer, text_answer_fields);
static const struct bus_field number_answer_fields[] = {BUS_FIELD_OBJECT(
    struct number_answer, partialSuccess, struct in_number, &number_schema, BUS_OPTIONAL, "what was not taken")};
static const struct bus_schema number_answer = BUS_SCHEMA("answer", struct number_answer, number_answer_fields);

size_t bus_spans_rejected(struct bus_str answer, size_t sent, struct bus_arena *arena) {
  struct text_answer text;
  struct number_answer number;
  int64_t rejected = 0;
  if (bus_decode(&text_answer, answer, BUS_IGNORE_UNKNOWN, arena, &text, NULL)) {
    if (text.partialSuccess && !bus_str_number(text.partialSuccess->rejectedSpans, DIGITS, &rejected))
      rejected = 0;
  } else if (bus_decode(&number_answer, answer, BUS_IGNORE_UNKNOWN, arena, &number, NULL) && number.partialSuccess &&
             number.partialSuccess->rejectedSpans > 0) {
    rejected = number.partialSuccess->rejectedSpans;
  }
  return (uint64_t)rejected < sent ? (size_t)rejected : sent;
}
