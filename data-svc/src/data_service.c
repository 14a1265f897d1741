/* A batch: each event changes the row of its order, and the batch the sums that its orders are part of; jobs do a step.
 */
#include "data_model.h"

const char *const data_outcome_names[] = {"taken", "repeated", "expired", "undated", NULL};

bool data_model_new(const struct bus_input *inputs, size_t count, struct bus_arena *arena, struct data_model **ret) {
  struct data_model *model = bus_arena_alloc(arena, sizeof *model);
  struct report_event event;
  if (!model)
    return false;
  *model = (struct data_model){.arena = arena};
  bus_set_init(&model->reports, &report_columns, sizeof(struct report_entry), arena);
  bus_set_init(&model->jobs, &job_columns, sizeof(struct job_entry), arena);
  for (size_t i = 0; i < count; i++)
    if (inputs[i].kind == BUS_INPUT_DEADLINE)
      bus_set_add(&model->jobs, inputs[i].body);
    else if (report_event_of(&inputs[i], &event) && event.placed_at != BUS_NO_TIME)
      bus_set_add(&model->reports, &event.order_id);
  *ret = model;
  if (!bus_set_open(&model->reports) || !bus_set_open(&model->jobs))
    return false;
  model->placed = bus_arena_array(arena, model->reports.count, sizeof *model->placed);
  for (size_t i = 0; model->placed && i < count; i++)
    if (inputs[i].kind != BUS_INPUT_DEADLINE && report_event_of(&inputs[i], &event) && event.placed_at != BUS_NO_TIME) {
      const struct report_entry *entry = bus_set_find(&model->reports, &event.order_id);
      model->placed[entry - (const struct report_entry *)bus_set_at(&model->reports, 0)] = event.placed_at;
    }
  return model->placed != NULL;
}

void data_model_keep(struct data_model *model) {
  for (size_t i = 0; i < model->reports.count; i++) {
    struct report_entry *entry = bus_set_at(&model->reports, i);
    entry->before = entry->report;
  }
}

/* ---- events ---- */

static void act(struct bus_effects *effects, const struct data_action *action) {
  struct data_action *kept = bus_effects_array(effects, 1, sizeof *kept);
  if (!kept)
    return;
  *kept = *action;
  bus_act(effects, kept);
}

static void count(struct bus_effects *effects, enum data_outcome outcome, const struct report_event *event) {
  bool aged = event->order && outcome == DATA_TAKEN;
  act(effects, &(struct data_action){.outcome = outcome, .age = aged ? effects->now - event->at : BUS_NO_INT64});
}

static void decide_dated(struct data_model *model, const struct report_event *event, struct bus_effects *effects) {
  struct report_entry *entry = bus_set_find(&model->reports, &event->order_id);
  struct report_decision decision;
  report_decide(&entry->report, event, &decision);
  if (decision.tells || decision.refunds) {
    report_evolve(&entry->report, event, &decision);
    bus_set_change(&model->reports, entry);
  }
  count(effects, decision.tells || decision.refunds ? DATA_TAKEN : DATA_REPEATED, event);
}

/* One step of a job in a batch. */
static void decide_job(struct data_model *model, const struct bus_uuid *job_id, struct bus_effects *effects) {
  struct job_entry *entry = bus_set_find(&model->jobs, job_id);
  const struct job_limits limits = {.since = model->since, .export_max = model->export_max};
  if (!entry || !bus_set_is_stored(&model->jobs, entry) || bus_set_is_changed(&model->jobs, entry) ||
      !job_is_open(&entry->job))
    return;
  entry->before = entry->job;
  job_evolve_step(&entry->job, &entry->walk, &limits, effects->now);
  bus_set_change(&model->jobs, entry);
  act(effects, &(struct data_action){.job = &entry->job});
}

void data_decide(void *opaque, const struct bus_input *input, struct bus_effects *effects) {
  struct data_model *model = opaque;
  struct report_event event;
  if (input->kind == BUS_INPUT_DEADLINE)
    decide_job(model, input->body, effects);
  else if (!report_event_of(input, &event))
    bus_park(effects, "data-svc takes no such message");
  else if (event.placed_at == BUS_NO_TIME)
    count(effects, DATA_UNDATED, &event);
  else if (event.placed_at < model->since)
    count(effects, DATA_EXPIRED, &event);
  else if (event.placed_at >= model->until)
    bus_park(effects, "placed_at is in a month that has no partition yet: later than two months from now");
  else
    decide_dated(model, &event, effects);
}

/* ---- sums ---- */

struct share *data_model_shares(const struct data_model *model, size_t *ret_count) {
  size_t count = 0;
  struct share *shares = bus_arena_array(model->arena, model->reports.count * 2 * REPORT_GRAINS, sizeof *shares);
  for (size_t i = 0; shares && i < model->reports.count; i++) {
    const struct report_entry *entry = bus_set_at(&model->reports, i);
    if (!bus_set_is_changed(&model->reports, entry))
      continue;
    for (int grain = 0; grain < REPORT_GRAINS; grain++) {
      if (bus_set_is_stored(&model->reports, entry))
        report_share(&entry->before, (enum report_grain)grain, -1, &shares[count++]);
      report_share(&entry->report, (enum report_grain)grain, 1, &shares[count++]);
    }
  }
  *ret_count = shares ? report_shares_merge(shares, count) : 0;
  return shares;
}
