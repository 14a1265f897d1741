/* Length-prefixed messages: whole, cut anywhere, and every form that is refused. */
#include "../../src/grpc/frame.h"

#include "test.h"

enum { LIMIT = 1000 };

/* Reads all messages, in pieces of that many bytes; their texts one after the other, each with its length. */
static enum grpc_frame_fault read_all(struct bus_str wire, size_t piece, char *text, bool *ret_between) {
  struct grpc_reader reader = {.max = LIMIT};
  enum grpc_frame_fault fault = GRPC_FRAME_RIGHT;
  bool is_whole;
  *text = '\0';
  while (wire.len > 0 && fault == GRPC_FRAME_RIGHT) {
    struct bus_str input = {wire.data, wire.len < piece ? wire.len : piece};
    size_t given = input.len;
    fault = grpc_reader_take(&reader, &input, &is_whole);
    wire.data += given - input.len;
    wire.len -= given - input.len;
    if (fault != GRPC_FRAME_RIGHT || !is_whole)
      continue;
    assert_int_equal(strlen(reader.text), reader.len);
    (void)snprintf(text + strlen(text), 64, "%zu:%s ", reader.len, reader.text);
    grpc_reader_next(&reader);
  }
  *ret_between = grpc_reader_is_between(&reader);
  grpc_reader_done(&reader);
  return fault;
}

static void assert_read(struct bus_str wire, enum grpc_frame_fault wanted, const char *wanted_text, bool between) {
  char text[256];
  bool is_between;
  for (size_t piece = 1; piece <= wire.len; piece++) {
    enum grpc_frame_fault fault = read_all(wire, piece, text, &is_between);
    if (fault != wanted || strcmp(text, wanted_text) != 0 || is_between != between)
      fail_msg("in pieces of %zu: %d \"%s\"", piece, (int)fault, text);
  }
}

TEST(messages_are_read_however_they_are_cut)
{
  assert_read(BUS_STR("\0\0\0\0\5hello"), GRPC_FRAME_RIGHT, "5:hello ", true);
  assert_read(BUS_STR("\0\0\0\0\0"), GRPC_FRAME_RIGHT, "0: ", true);
  assert_read(BUS_STR("\0\0\0\0\3abc\0\0\0\0\0\0\0\0\0\2xy"), GRPC_FRAME_RIGHT, "3:abc 0: 2:xy ", true);
}

TEST(half_a_message_is_none)
{
  assert_read(BUS_STR("\0\0\0"), GRPC_FRAME_RIGHT, "", false);
  assert_read(BUS_STR("\0\0\0\0\5hell"), GRPC_FRAME_RIGHT, "", false);
  assert_read(BUS_STR("\0\0\0\0\1a\0"), GRPC_FRAME_RIGHT, "1:a ", false);
}

TEST(a_compressed_message_is_refused)
{ assert_read(BUS_STR("\1\0\0\0\1a"), GRPC_FRAME_COMPRESSED, "", false); }

TEST(another_first_byte_is_refused)
{
  assert_read(BUS_STR("\2\0\0\0\1a"), GRPC_FRAME_MALFORMED, "", false);
  assert_read(BUS_STR("GET / HTTP/1.1"), GRPC_FRAME_MALFORMED, "", false);
}

TEST(a_length_over_the_limit_is_refused_before_its_bytes_come)
{
  assert_read(BUS_STR("\0\0\0\3\xE9"), GRPC_FRAME_TOO_LARGE, "", false); /* 1001 */
  assert_read(BUS_STR("\0\xFF\xFF\xFF\xFF"), GRPC_FRAME_TOO_LARGE, "", false);
}

TEST(a_message_of_the_limit_is_taken)
{
  char wire[GRPC_PREFIX + LIMIT];
  struct grpc_reader reader = {.max = LIMIT};
  bool is_whole;
  memset(wire, 'x', sizeof wire);
  grpc_prefix_write((uint8_t *)wire, LIMIT);
  struct bus_str input = {wire, sizeof wire};
  assert_int_equal(grpc_reader_take(&reader, &input, &is_whole), GRPC_FRAME_RIGHT);
  assert_true(is_whole);
  assert_int_equal(reader.len, LIMIT);
  grpc_reader_done(&reader);
}

TEST(memory_follows_the_bytes_that_came)
{
  struct grpc_reader reader = {.max = UINT32_MAX};
  bool is_whole;
  struct bus_str input = {"\0\xFF\xFF\xFF\xFE"
                          "abc",
                          8};
  assert_int_equal(grpc_reader_take(&reader, &input, &is_whole), GRPC_FRAME_RIGHT);
  assert_false(is_whole);
  assert_true(reader.room <= 4096);
  grpc_reader_done(&reader);
}
