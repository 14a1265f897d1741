/* Reads of jobs: one, pages of them, and the orders that an export copied. */
#include "job_queries.h"

#include "data_statements.h"

static void name_page(struct job_read *reads, size_t *count, const void *query, struct bus_str cursor, int64_t limit) {
  struct job_read *read = &reads[(*count)++];
  *read = (struct job_read){.page = {.limit = limit}, .query = query, .behind_at = INT64_MAX / 4};
  if (cursor.data && !order_cursor_parse(cursor, &read->behind_at, &read->behind_id))
    read->behind_at = 0; /* begins a page that is empty */
}

static void name(struct job_reads *reads, const struct bus_input *input) {
  const struct job_list *list = bus_input_body(input, &job_list_type);
  const struct job_result_get *result = bus_input_body(input, &job_result_get_type);
  const struct job_name *named = bus_input_body(input, &job_get_type);
  if (list)
    name_page(reads->lists, &reads->list_count, list, list->cursor, list->limit);
  if (result)
    name_page(reads->results, &reads->result_count, result, result->cursor, result->limit);
  if (result || named)
    bus_set_add(&reads->jobs, named ? &named->job_id : &result->job_id);
}

bool job_reads_open(struct job_reads *reads, const struct bus_input *inputs, size_t count, struct bus_arena *arena) {
  *reads = (struct job_reads){.arena = arena,
                              .lists = bus_arena_array(arena, count, sizeof *reads->lists),
                              .results = bus_arena_array(arena, count, sizeof *reads->results)};
  bus_set_init(&reads->jobs, &job_columns, 0, arena);
  if (!reads->lists || !reads->results)
    return false;
  for (size_t i = 0; i < count; i++)
    name(reads, &inputs[i]);
  return bus_set_open(&reads->jobs);
}

static void add_end(const struct job_read *read, struct bus_args *args) {
  bus_args_time(args, read->behind_at);
  bus_args_uuid(args, &read->behind_id);
  bus_args_int64(args, read->page.limit + 1);
}

void job_reads_add(const struct job_reads *reads, struct bus_sql *sql) {
  if (reads->jobs.count > 0)
    bus_set_lock(&reads->jobs, sql, GET_JOBS);
  struct bus_args *args = reads->list_count > 0 ? bus_sql_add(sql, LIST_JOBS) : NULL;
  for (size_t i = 0; i < reads->list_count; i++) {
    const struct job_list *list = reads->lists[i].query;
    bus_args_text_or_null(args, bus_str(list->status < 0 ? NULL : job_status_names[list->status]));
    bus_args_text_or_null(args, bus_str(list->kind < 0 ? NULL : job_kind_names[list->kind]));
    add_end(&reads->lists[i], args);
  }
  args = reads->result_count > 0 ? bus_sql_add(sql, COPIED_ORDERS) : NULL;
  for (size_t i = 0; i < reads->result_count; i++) {
    bus_args_uuid(args, &((const struct job_result_get *)reads->results[i].query)->job_id);
    add_end(&reads->results[i], args);
  }
}

bool job_reads_load(struct job_reads *reads, const struct bus_rows *const **rows, struct bus_error *err) {
  const struct bus_pages lists = {reads->lists, reads->list_count, sizeof *reads->lists, reads->arena};
  const struct bus_pages results = {reads->results, reads->result_count, sizeof *reads->results, reads->arena};
  return bus_set_load_next(&reads->jobs, rows, err) &&
         (lists.count == 0 || bus_pages_load(&lists, &job_columns, BUS_ROW, *(*rows)++, err)) &&
         (results.count == 0 || bus_pages_load(&results, &report_columns, BUS_VIEW, *(*rows)++, err));
}

/* ---- answers ---- */

/* The query is one of theirs. */
static const struct bus_page *page_of(const struct job_read *reads, const void *query) {
  while (reads->query != query)
    reads++;
  return &reads->page;
}

/* NULL: there is none. */
static struct job *find(const struct job_reads *reads, const struct bus_uuid *job_id) {
  struct job *job = bus_set_find(&reads->jobs, job_id);
  return job && bus_set_is_stored(&reads->jobs, job) ? job : NULL;
}

static void answer_job(const struct job_reads *reads, const struct job_name *named, struct bus_effects *effects) {
  struct job *job = find(reads, &named->job_id);
  const struct job_answer body = {.outcome = job ? JOB_FOUND : JOB_NOT_FOUND, .job = job};
  bus_answer(effects, &job_answer_type, &body);
}

static void answer_list(const struct job_reads *reads, const struct job_list *list, struct bus_effects *effects) {
  const struct bus_page *page = page_of(reads->lists, list);
  struct job_page body = {.items = page->items, .item_count = bus_page_shown(page)};
  char cursor[ORDER_CURSOR_TEXT];
  if (page->count > body.item_count) {
    order_cursor_format(body.items[body.item_count - 1].created_at, &body.items[body.item_count - 1].job_id, cursor);
    body.next_cursor = bus_str(cursor);
  }
  bus_answer(effects, &job_page_type, &body);
}

static void answer_result(const struct job_reads *reads, const struct job_result_get *get,
                          struct bus_effects *effects) {
  const struct bus_page *page = page_of(reads->results, get);
  const struct job *job = find(reads, &get->job_id);
  const struct report *reports = page->items;
  struct job_result body = {.outcome = !job ? JOB_NOT_FOUND : job->status == JOB_DONE ? JOB_FOUND : JOB_UNFIT};
  char cursor[ORDER_CURSOR_TEXT];
  size_t count = body.outcome == JOB_FOUND ? bus_page_shown(page) : 0;
  body.page.items = bus_effects_array(effects, count, sizeof *body.page.items);
  for (size_t i = 0; body.page.items && i < count; i++)
    body.page.items[body.page.item_count++] = report_order_of(&reports[i]);
  if (count > 0 && page->count > count) {
    order_cursor_format(reports[count - 1].placed_at, &reports[count - 1].order_id, cursor);
    body.page.next_cursor = bus_str(cursor);
  }
  if (body.page.items)
    bus_answer(effects, &job_result_type, &body);
}

bool job_reads_answer(const struct job_reads *reads, const struct bus_input *input, struct bus_effects *effects) {
  if (input->type == &job_get_type)
    answer_job(reads, input->body, effects);
  else if (input->type == &job_list_type)
    answer_list(reads, input->body, effects);
  else if (input->type == &job_result_get_type)
    answer_result(reads, input->body, effects);
  else
    return false;
  return true;
}
