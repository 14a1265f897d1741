/* The field tables of a story: as JSON, and as rows of the databases, whose columns stand in the same order. */
#ifndef STORY_FIELDS_H
#define STORY_FIELDS_H

#include "story.h"

struct story_sentence {
  int code;
  struct bus_str text, action;
};

struct story_document {
  struct story_sentence *verdict;
  struct story_source *sources;
  size_t source_count;
  struct story story;
  struct story_sentence sentence;
};

extern const struct bus_schema story_order_schema, story_event_schema, story_reservation_schema, story_payment_schema,
    story_movement_schema, story_refund_schema, story_taken_schema, story_outgoing_schema, story_parked_schema;
extern const struct bus_schema story_sentence_schema, story_document_schema;

/* The document points into itself and into the story. */
void story_document_of(const struct story *story, struct story_document *ret);

#endif
