/*
 * Field tables: each message and request body is described once, by a table, and the table drives the strict decoder,
 * the encoder, and generated schemas. No code reads a JSON tree by hand. Pure and reentrant.
 *
 *   struct item { struct bus_str product_id; int64_t quantity; };
 *   static const struct bus_field item_fields[] = {
 *       BUS_FIELD_STRING(struct item, product_id, BUS_TOKEN, 1, 64, BUS_REQUIRED, "what"),
 *       BUS_FIELD_INT64(struct item, quantity, 1, 1000, BUS_REQUIRED, "how many"),
 *   };
 *   const struct bus_schema item_schema = BUS_SCHEMA("item", struct item, item_fields);
 *
 * A lexical scan runs before cJSON. It demands: the whole input is one value; valid UTF-8 without NUL (raw or escaped)
 * and BOM; numbers as in RFC 8259, integers without fraction or exponent; depth at most BUS_JSON_DEPTH; at most
 * BUS_JSON_NODES values (BUS_JSON_MESSAGE_NODES if unknown members are ignored, as in pages of orders). The decoder
 * then demands: no repeated key (compared after unescaping, case-sensitive), kinds and bounds as in the table, all
 * required members. `null` for an optional member means "absent".
 */
#pragma once

#include <bus/arena.h>
#include <bus/base.h>
#include <bus/error.h>
#include <bus/uuid.h>

BUS_C_BEGIN

#define BUS_JSON_DEPTH 8
#define BUS_JSON_NODES 4000
#define BUS_JSON_MESSAGE_NODES 65536
/* No integer in JSON is larger: it must survive a reader that keeps numbers in doubles. */
#define BUS_JSON_INT_MAX INT64_C(1000000000000)

enum bus_kind {
  BUS_KIND_STRING, /* struct bus_str; min and max count bytes; absent: data == NULL */
  BUS_KIND_INT64,  /* int64_t; absent: BUS_NO_INT64 */
  BUS_KIND_BOOL,   /* bool; absent: false */
  BUS_KIND_ENUM,   /* int: index into names; absent: -1 */
  BUS_KIND_SET,    /* int64_t: bit i is names[i], at most 62; JSON: a list of names, each once; absent: BUS_NO_INT64 */
  BUS_KIND_UUID,   /* struct bus_uuid; absent: nil, which is therefore refused in JSON */
  BUS_KIND_TIME,   /* bus_time, RFC 3339 in JSON; absent: BUS_NO_TIME */
  BUS_KIND_OBJECT, /* pointer to the schema's struct; absent: NULL */
  BUS_KIND_ARRAY,  /* pointer to the first item, and a size_t count; absent: NULL and 0 */
  BUS_KIND_JSON,   /* struct bus_str with any JSON value, carried verbatim (decoded: printed again without spaces) */
  BUS_KIND_EMBED,  /* the schema's struct itself: its members are members of this object, here in their order */
};

enum bus_charset {
  BUS_TEXT,    /* any characters but C0 and C1 controls and DEL */
  BUS_PLAIN,   /* as BUS_TEXT, without Unicode's bidirectional controls: what strangers write and others read */
  BUS_VISIBLE, /* 0x21 to 0x7E */
  BUS_TOKEN,   /* A-Z a-z 0-9 . _ : - */
  BUS_ID,      /* as BUS_TOKEN, but not "." or "..", which no path can name */
};

enum { BUS_OPTIONAL = 0, BUS_REQUIRED = 1 };

struct bus_schema;

struct bus_field {
  const char *name;
  enum bus_kind kind;
  int presence; /* BUS_REQUIRED or BUS_OPTIONAL */
  size_t offset;
  size_t count_offset; /* ARRAY */
  int64_t min, max;    /* STRING: bytes, INT64: value, ARRAY, SET: items */
  enum bus_charset charset;
  const char *const *names;      /* ENUM, SET: NULL-terminated */
  const struct bus_schema *item; /* OBJECT, ARRAY, EMBED */
  const char *description;
  const char *fallback; /* STRING, INT64: the value of an absent member, as text; NULL: it stays absent */
  const char *example;  /* for documents: a value that works, as text; NULL: none */
  const char *pattern;  /* for documents, STRING: a narrower regular expression than the charset's; a check beyond the
                           table demands it */
  bool opaque;          /* in a path or query: a wrong value "must be <description>", whatever the bounds are */
};

struct bus_schema {
  const char *name;
  size_t size;
  const struct bus_field *fields;
  size_t field_count;
};

/* The last argument of each row is its description; further members of struct bus_field may follow it:
 *   BUS_FIELD_INT64(struct page, limit, 1, 100, BUS_OPTIONAL, "how many at most", .fallback = "20") */

/* 0, or a compile-time error where the member is not of that type. */
#define BUS_MEMBER_IS(S, member, T) (0 * sizeof(char[_Generic(((S *)NULL)->member, T : 1, const T : 1, default : -1)]))

#define BUS_FIELD_OF(S, member, T, what, needed, ...)                                                                  \
  {                                                                                                                    \
    .name = #member, .kind = (what), .presence = (needed),                                                             \
    .offset = offsetof(S, member) + BUS_MEMBER_IS(S, member, T), __VA_ARGS__                                           \
  }
#define BUS_FIELD_STRING(S, member, chars, min_bytes, max_bytes, needed, ...)                                          \
  BUS_FIELD_OF(S, member, struct bus_str, BUS_KIND_STRING, needed, .charset = (chars), .min = (min_bytes),             \
               .max = (max_bytes), .description = __VA_ARGS__)
#define BUS_FIELD_INT64(S, member, least, most, needed, ...)                                                           \
  BUS_FIELD_OF(S, member, int64_t, BUS_KIND_INT64, needed, .min = (least), .max = (most), .description = __VA_ARGS__)
#define BUS_FIELD_BOOL(S, member, needed, ...)                                                                         \
  BUS_FIELD_OF(S, member, bool, BUS_KIND_BOOL, needed, .description = __VA_ARGS__)
#define BUS_FIELD_ENUM(S, member, texts, needed, ...)                                                                  \
  BUS_FIELD_OF(S, member, int, BUS_KIND_ENUM, needed, .names = (texts), .description = __VA_ARGS__)
/* All names may be given together: the bound is their number. */
#define BUS_FIELD_SET(S, member, texts, least, needed, ...)                                                            \
  BUS_FIELD_OF(S, member, int64_t, BUS_KIND_SET, needed, .names = (texts), .min = (least),                             \
               .max = (int64_t)BUS_COUNT(texts) - 1, .description = __VA_ARGS__)
#define BUS_FIELD_UUID(S, member, needed, ...)                                                                         \
  BUS_FIELD_OF(S, member, struct bus_uuid, BUS_KIND_UUID, needed, .description = __VA_ARGS__)
#define BUS_FIELD_TIME(S, member, needed, ...)                                                                         \
  BUS_FIELD_OF(S, member, bus_time, BUS_KIND_TIME, needed, .description = __VA_ARGS__)
#define BUS_FIELD_OBJECT(S, member, T, schema, needed, ...)                                                            \
  BUS_FIELD_OF(S, member, T *, BUS_KIND_OBJECT, needed, .item = (schema), .description = __VA_ARGS__)
#define BUS_FIELD_ARRAY(S, member, count_member, T, schema, least, most, needed, ...)                                  \
  BUS_FIELD_OF(S, member, T *, BUS_KIND_ARRAY, needed, .item = (schema), .min = (least), .max = (most),                \
               .count_offset = offsetof(S, count_member) + BUS_MEMBER_IS(S, count_member, size_t),                     \
               .description = __VA_ARGS__)
#define BUS_FIELD_JSON(S, member, max_bytes, needed, ...)                                                              \
  BUS_FIELD_OF(S, member, struct bus_str, BUS_KIND_JSON, needed, .max = (max_bytes), .description = __VA_ARGS__)
/* For members that several bodies have in common: one struct and one table, which each of them holds. */
#define BUS_FIELD_EMBED(S, member, T, schema)                                                                          \
  { .name = "", .kind = BUS_KIND_EMBED, .offset = offsetof(S, member) + BUS_MEMBER_IS(S, member, T), .item = (schema) }
#define BUS_TABLE(S, table) (&(const struct bus_schema)BUS_SCHEMA(#S, S, table)) /* for a table of one use */
#define BUS_SCHEMA(text, S, table)                                                                                     \
  { .name = (text), .size = sizeof(S), .fields = (table), .field_count = BUS_COUNT(table) }

enum bus_unknown { BUS_REFUSE_UNKNOWN, BUS_IGNORE_UNKNOWN }; /* requests refuse, messages ignore */

/* Every wrong field at once; each has the path ("items[2].quantity", "" for the document itself) and what is wrong and
 * allowed ("must be an integer from 1 to 1000"). Never the value of a string, which may be personal. */
enum { BUS_PROBLEMS_MAX = 16 };

struct bus_problem {
  char path[96];
  char text[160];
  char value[24]; /* the wrong number or boolean, as JSON; "": of another kind, or absent */
};

struct bus_problems {
  size_t count; /* more than BUS_PROBLEMS_MAX are counted, not kept */
  struct bus_problem items[BUS_PROBLEMS_MAX];
};

/* Adds a problem, for checks beyond the table ("a product twice"). */
void bus_problem_add(struct bus_problems *problems, const char *path, const char *format, ...) BUS_PRINTF(3, 4);
/* Writes all problems on one line, for a log or the cause of a dead letter: "items[2].quantity must be …; …" */
void bus_problems_text(const struct bus_problems *problems, char *text, size_t size);

/* True if lack of memory is among the problems. The document may then be right; it was not read to its end. */
bool bus_problems_no_memory(const struct bus_problems *problems);
/* Adds lack of memory to the problems. */
void bus_problem_add_no_memory(struct bus_problems *problems);

/* The longest id that clients may choose and use in paths; of charset BUS_ID. */
enum { BUS_ID_MAX = 64 };
/* Is it an id that clients may choose: 1 to BUS_ID_MAX characters of charset BUS_ID? */
bool bus_id_is_valid(struct bus_str text);
/* Whether it is well-formed UTF-8 of these characters alone. */
bool bus_text_is_of(enum bus_charset charset, struct bus_str text);

/* Decodes into ret, a struct of schema->size bytes. It is written only on success; its strings and arrays are in the
 * arena. On failure problems names each wrong field (BUS_E_DECODE); out of memory is a problem of its own
 * (bus_problems_no_memory). problems may be NULL. */
bool bus_decode(const struct bus_schema *schema, struct bus_str json, enum bus_unknown unknown, struct bus_arena *arena,
                void *ret, struct bus_problems *problems) BUS_MUST_CHECK;

/* Gives every member of the table its fallback, or the value that says that it is absent. */
void bus_set_absent(const struct bus_schema *schema, void *record);

/* Encodes as JSON without spaces, with members in table order and without absent optional members. Canonical: the same
 * value gives the same bytes. False when out of memory. */
bool bus_encode(const struct bus_schema *schema, const void *value, struct bus_arena *arena,
                struct bus_str *ret) BUS_MUST_CHECK;

/* As bus_encode, but absent optional members are written as null: for HTTP responses, whose shape stays fixed. */
bool bus_encode_nulls(const struct bus_schema *schema, const void *value, struct bus_arena *arena,
                      struct bus_str *ret) BUS_MUST_CHECK;

BUS_C_END
