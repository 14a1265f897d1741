/* Sentences, and what they are made of. */
#include "verdict.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

const char *const story_code_names[STORY_CODES + 1] = {
    [STORY_DONE] = "done",
    [STORY_UNDER_WAY] = "under_way",
    [STORY_WAITS_CUSTOMER] = "waits_for_customer",
    [STORY_BACKLOG] = "backlog",
    [STORY_RETRIES] = "retries",
    [STORY_PROVIDER] = "provider",
    [STORY_PROVIDER_UNKNOWN] = "provider_unknown",
    [STORY_NO_CONSUMER] = "no_consumer",
    [STORY_PAUSED] = "paused",
    [STORY_UNPUBLISHED] = "unpublished",
    [STORY_UNROUTABLE] = "unroutable",
    [STORY_DEAD] = "dead",
    [STORY_DROPPED] = "dropped",
    [STORY_OVERDUE] = "overdue",
    [STORY_ACCEPTED] = "accepted",
    [STORY_UNKNOWN] = "unknown",
    [STORY_LOST] = "lost",
    [STORY_UNREACHABLE] = "unreachable",
};

bool verdict_needs_action(const struct story_verdict *verdict) {
  return verdict->action[0] != '\0';
}

void verdict_say(struct story_verdict *verdict, enum story_code code, const char *format, ...) {
  va_list args;
  *verdict = (struct story_verdict){.code = (int)code};
  va_start(args, format);
  (void)vsnprintf(verdict->text, sizeof verdict->text, format, args); /* a cut text still says where */
  va_end(args);
}

void verdict_advise(struct story_verdict *verdict, const char *format, ...) {
  va_list args;
  va_start(args, format);
  (void)vsnprintf(verdict->action, sizeof verdict->action, format, args);
  va_end(args);
}

const char *verdict_count(int64_t count, const char *noun, char text[VERDICT_COUNT]) {
  if (count == 0)
    (void)snprintf(text, VERDICT_COUNT, "no %s", noun);
  else
    (void)snprintf(text, VERDICT_COUNT, "%" PRId64 " %s%s", count, noun, count == 1 ? "" : "s");
  return text;
}
