/* Request bodies with the verdict on each: which fields are wrong, in the order in which they are named. */
#ifndef EDGE_TESTS_CORPUS_H
#define EDGE_TESTS_CORPUS_H

#include <stddef.h>

struct corpus_case {
  const char *body;
  const char *wrong; /* paths, each followed by ';'; "" is the document; NULL: the body is accepted */
};

extern const struct corpus_case place_corpus[], stock_corpus[], cancel_corpus[];
extern const size_t place_corpus_count, stock_corpus_count, cancel_corpus_count;

#endif
