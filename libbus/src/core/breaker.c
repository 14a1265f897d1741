/* The circuit breaker: counts failed and successful subjects, opens, lets probes through, and closes. */
#include <bus/breaker.h>
#include <bus/hash.h>

#include <assert.h>

uint64_t bus_breaker_subject(const void *id, size_t size) {
  return bus_hash64(id, size);
}

void bus_breaker_init(struct bus_breaker *breaker, const struct bus_breaker_settings *settings) {
  assert(settings->threshold >= 1 && settings->threshold <= BUS_BREAKER_THRESHOLD_MAX);
  assert(settings->share_percent >= 1 && settings->share_percent <= 100);
  assert(settings->success_threshold >= 1 && settings->window >= BUS_BREAKER_SPANS);
  assert(settings->first_rest >= 0 && settings->open_for >= 0 && settings->time_limit >= 0);
  *breaker = (struct bus_breaker){.settings = *settings};
}

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

/* ---- the subjects that failed ---- */

static struct bus_breaker_failure *find_failure(struct bus_breaker *breaker, uint64_t subject) {
  for (int i = breaker->failure_count; i-- > 0;)
    if (breaker->failures[i].subject == subject)
      return &breaker->failures[i];
  return NULL;
}

static void remove_failure(struct bus_breaker *breaker, struct bus_breaker_failure *failure) {
  size_t behind = (size_t)(&breaker->failures[breaker->failure_count] - (failure + 1));
  memmove(failure, failure + 1, behind * sizeof *failure);
  breaker->failure_count--;
}

static void forget_old_failures(struct bus_breaker *breaker, int64_t now) {
  while (breaker->failure_count > 0 && now - breaker->failures[0].at > breaker->settings.window)
    remove_failure(breaker, &breaker->failures[0]);
}

/* The subject's failure becomes the newest. A full window drops its oldest failure, and then begins with the next one.
 */
static void note_failure(struct bus_breaker *breaker, uint64_t subject, bool certain, int64_t now) {
  struct bus_breaker_failure *before = find_failure(breaker, subject);
  struct bus_breaker_failure failure = before ? *before : (struct bus_breaker_failure){.subject = subject};
  failure.at = now;
  failure.others = breaker->others;
  if (certain) {
    failure.certain = true;
    failure.certain_at = now;
    failure.certain_others = breaker->others;
  }
  if (before)
    remove_failure(breaker, before);
  else if (breaker->failure_count == BUS_BREAKER_THRESHOLD_MAX)
    remove_failure(breaker, &breaker->failures[0]);
  breaker->failures[breaker->failure_count++] = failure;
}

/* The subject's call was late, and succeeds: what remains is the failure before it. */
static void forget_uncertain_failure(struct bus_breaker *breaker, uint64_t subject) {
  struct bus_breaker_failure *found = find_failure(breaker, subject);
  if (found == NULL || (found->certain && found->at == found->certain_at))
    return;
  struct bus_breaker_failure failure = *found;
  remove_failure(breaker, found);
  if (!failure.certain)
    return;
  failure.at = failure.certain_at;
  failure.others = failure.certain_others;
  int place = breaker->failure_count++;
  for (; place > 0 && breaker->failures[place - 1].at > failure.at; place--)
    breaker->failures[place] = breaker->failures[place - 1];
  breaker->failures[place] = failure;
}

static void note_failed_call(struct bus_breaker *breaker, int64_t now) {
  breaker->failed_calls[breaker->next_failed_call] = now;
  breaker->next_failed_call = (breaker->next_failed_call + 1) % breaker->settings.threshold;
  if (breaker->failed_call_count < breaker->settings.threshold)
    breaker->failed_call_count++;
}

/* The newest: which one it is makes no difference that lasts. */
static void forget_failed_call(struct bus_breaker *breaker) {
  int threshold = breaker->settings.threshold;
  if (breaker->failed_call_count == 0)
    return;
  breaker->failed_call_count--;
  breaker->next_failed_call = (breaker->next_failed_call + threshold - 1) % threshold;
}

/* ---- the subjects that succeeded ---- */

static int64_t bucket_number(const struct bus_breaker *breaker, int64_t now) {
  return now / (breaker->settings.window / BUS_BREAKER_SPANS);
}

static void note_success(struct bus_breaker *breaker, uint64_t subject, int64_t now) {
  breaker->has_succeeded = true;
  breaker->succeeded_at = now;
  forget_uncertain_failure(breaker, subject);
  forget_old_failures(breaker, now);
  if (find_failure(breaker, subject))
    return; /* the subject is counted: as one that failed */
  int64_t number = bucket_number(breaker, now);
  size_t place = (size_t)(number % BUS_BREAKER_BUCKETS);
  if (breaker->buckets[place].number != number)
    breaker->buckets[place].others = 0;
  breaker->buckets[place].number = number;
  breaker->buckets[place].others++;
  breaker->others++;
}

/* The other calls in the window, and in the rest of the bucket in which the window begins. */
static uint64_t others_in_window(const struct bus_breaker *breaker, int64_t now) {
  int64_t newest = bucket_number(breaker, now);
  uint64_t others = 0;
  if (breaker->failure_count == BUS_BREAKER_THRESHOLD_MAX)
    return breaker->others - breaker->failures[0].others;
  for (size_t i = 0; i < BUS_BREAKER_BUCKETS; i++)
    if (breaker->buckets[i].number > newest - BUS_BREAKER_BUCKETS)
      others += breaker->buckets[i].others;
  return others;
}

/* ---- opening and closing ---- */

static bool most_subjects_fail(const struct bus_breaker *breaker, int64_t now) {
  uint64_t failed = (uint64_t)breaker->failure_count;
  uint64_t tried = failed + others_in_window(breaker, now);
  return breaker->failure_count >= breaker->settings.threshold &&
         failed * 100 >= tried * (uint64_t)breaker->settings.share_percent;
}

/* In a full ring the place to be written next holds the oldest. */
static bool every_call_fails(const struct bus_breaker *breaker, int64_t now) {
  bool succeeded = breaker->has_succeeded && now - breaker->succeeded_at <= breaker->settings.window;
  return !succeeded && breaker->failed_call_count == breaker->settings.threshold &&
         now - breaker->failed_calls[breaker->next_failed_call] <= breaker->settings.window;
}

static void open_breaker(struct bus_breaker *breaker, int64_t now) {
  int64_t rest = least(breaker->settings.first_rest, breaker->settings.open_for);
  breaker->open = true;
  breaker->epoch++;
  breaker->successes = 0;
  for (int past = 0; past < BUS_BREAKER_PASTS; past++) {
    breaker->lanes[past].rest = rest;
    breaker->lanes[past].until = now + rest;
    breaker->lanes[past].probes = 0;
  }
}

/* Failures count from zero again, successes go on counting. */
static void close_breaker(struct bus_breaker *breaker) {
  breaker->open = false;
  breaker->epoch++;
  breaker->failure_count = breaker->failed_call_count = breaker->next_failed_call = 0;
}

static void rest_again(struct bus_breaker *breaker, enum bus_breaker_past past, int64_t now) {
  if (now < breaker->lanes[past].until)
    return; /* another probe of the same round failed before */
  breaker->lanes[past].rest = least(breaker->lanes[past].rest * 2, breaker->settings.open_for);
  breaker->lanes[past].until = now + breaker->lanes[past].rest;
}

static void fail_probe(struct bus_breaker *breaker, enum bus_breaker_past past, int64_t now) {
  rest_again(breaker, past, now);
  if (past == BUS_BREAKER_FRESH)
    breaker->successes = 0;
}

static bool is_probe(const struct bus_breaker *breaker, const struct bus_breaker_call *call) {
  return call->probes && breaker->open && call->epoch == breaker->epoch;
}

/* certain: the call has ended. One that was late is counted already. */
static void fail_call(struct bus_breaker *breaker, const struct bus_breaker_call *call, bool certain, int64_t now) {
  bool counted = certain && call->late;
  forget_old_failures(breaker, now);
  note_failure(breaker, call->subject, certain, now);
  if (counted)
    return;
  note_failed_call(breaker, now);
  if (is_probe(breaker, call))
    fail_probe(breaker, call->past, now);
  else if (!breaker->open && (most_subjects_fail(breaker, now) || every_call_fails(breaker, now)))
    open_breaker(breaker, now);
}

/* ---- calls under way ---- */

static void append_call(struct bus_breaker *breaker, struct bus_breaker_call *call) {
  call->earlier = breaker->last;
  call->later = NULL;
  *(breaker->last ? &breaker->last->later : &breaker->first) = call;
  breaker->last = call;
}

static void unlink_call(struct bus_breaker *breaker, struct bus_breaker_call *call) {
  *(call->earlier ? &call->earlier->later : &breaker->first) = call->later;
  *(call->later ? &call->later->earlier : &breaker->last) = call->earlier;
  if (is_probe(breaker, call))
    breaker->lanes[call->past].probes--;
}

static void look_for_late_calls(struct bus_breaker *breaker, int64_t now) {
  int64_t half = breaker->settings.time_limit / 2;
  while (half > 0 && breaker->first && now - breaker->first->began > half) {
    struct bus_breaker_call *call = breaker->first;
    unlink_call(breaker, call);
    fail_call(breaker, call, false, call->began + half);
    call->late = true;
  }
}

static size_t probes_left(const struct bus_breaker *breaker, enum bus_breaker_past past, int64_t now) {
  int left = breaker->settings.success_threshold - breaker->successes - breaker->lanes[past].probes;
  bool waits = past == BUS_BREAKER_FAILED && breaker->lanes[BUS_BREAKER_FRESH].probes > 0;
  return now < breaker->lanes[past].until || waits || left < 0 ? 0 : (size_t)left;
}

static enum bus_breaker_past past_of(struct bus_breaker *breaker, uint64_t subject, enum bus_breaker_past known,
                                     int64_t now) {
  forget_old_failures(breaker, now);
  return find_failure(breaker, subject) ? BUS_BREAKER_FAILED : known;
}

bool bus_breaker_begin(struct bus_breaker *breaker, struct bus_breaker_call *call, uint64_t subject,
                       enum bus_breaker_past past, int64_t now) {
  look_for_late_calls(breaker, now);
  past = past_of(breaker, subject, past, now);
  if (breaker->open && probes_left(breaker, past, now) == 0)
    return false;
  *call = (struct bus_breaker_call){
      .subject = subject, .epoch = breaker->epoch, .began = now, .past = past, .probes = breaker->open};
  append_call(breaker, call);
  if (breaker->open)
    breaker->lanes[past].probes++;
  return true;
}

static void leave(struct bus_breaker *breaker, struct bus_breaker_call *call, int64_t now) {
  look_for_late_calls(breaker, now);
  if (!call->late)
    unlink_call(breaker, call);
}

void bus_breaker_drop(struct bus_breaker *breaker, struct bus_breaker_call *call, int64_t now) {
  leave(breaker, call, now);
  forget_uncertain_failure(breaker, call->subject);
  if (call->late)
    forget_failed_call(breaker);
}

void bus_breaker_end(struct bus_breaker *breaker, struct bus_breaker_call *call, bool works, int64_t now) {
  leave(breaker, call, now);
  if (!works) {
    fail_call(breaker, call, true, now);
    return;
  }
  note_success(breaker, call->subject, now);
  if (is_probe(breaker, call) && ++breaker->successes >= breaker->settings.success_threshold)
    close_breaker(breaker);
}

void bus_breaker_alive(struct bus_breaker *breaker, int64_t now) {
  look_for_late_calls(breaker, now);
  if (breaker->open)
    close_breaker(breaker);
}

/* ---- what it shows ---- */

enum bus_breaker_state bus_breaker_state(struct bus_breaker *breaker, int64_t now) {
  look_for_late_calls(breaker, now);
  if (!breaker->open)
    return BUS_BREAKER_CLOSED;
  return now < breaker->lanes[BUS_BREAKER_FRESH].until ? BUS_BREAKER_OPEN : BUS_BREAKER_HALF_OPEN;
}

int64_t bus_breaker_retry_at(struct bus_breaker *breaker, uint64_t subject, enum bus_breaker_past past, int64_t now) {
  look_for_late_calls(breaker, now);
  int64_t until = breaker->lanes[past_of(breaker, subject, past, now)].until;
  return breaker->open && now < until ? until : now;
}

size_t bus_breaker_room(struct bus_breaker *breaker, enum bus_breaker_past past, int64_t now) {
  look_for_late_calls(breaker, now);
  return breaker->open ? probes_left(breaker, past, now) : SIZE_MAX;
}

const char *bus_breaker_state_name(enum bus_breaker_state state) {
  static const char *const names[BUS_BREAKER_STATES] = {"closed", "half-open", "open"};
  return (size_t)state < BUS_COUNT(names) ? names[state] : "?";
}
