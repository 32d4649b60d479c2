#include "tasks_fixture.h"

#include "tasks/record_json.h"
#include "tasks/runner.h"

#include <math.h>
#include <time.h>

/* Five records: two good, one the same picture as the first, two that cannot be mapped. */
static const char records[] =
    "{\"id\": \"=1+1\", \"prompt\": \"a \\\"cat\\\", sitting\", \"seed\": 7}\n"
    "{\"id\": \"2\", \"prompt\": \"dog\"}\n"
    "{\"id\": \"3\", \"prompt\": \"a \\\"cat\\\", sitting\", \"seed\": 7}\n"
    "{\"id\": \"4\", \"prompt\": 4}\n"
    "{\"id\": \"5\"}\n";
static const char document[] =
    "{\"version\": 1, \"name\": \"set\", \"source\": {\"type\": \"jsonl\", \"path\": \"in.jsonl\"},"
    " \"model\": {\"model\": \"fake\"}, \"destination\": {\"url\": \"file:out\"},"
    " \"cost\": {\"per_hour\": 3600, \"currency\": \"CHF\"}}";

static void write_records(struct bench *b, const char *text)
{
    FILE *f = fopen(arena_printf(&b->a, "%s/in.jsonl", b->shop.folder), "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int create(struct bench *b, const char *text, bool again, int canary, struct task *out,
                  bool *existed)
{
    struct task_problems problems = {0};
    json_t *json = json_of(text);
    struct task_create c = {
        .json = json, .folder = b->shop.folder, .trusted = true, .canary = canary, .again = again};
    int rc = task_create(&b->tasks, &c, &b->a, out, existed, &problems, &b->e);

    json_decref(json);
    return rc;
}

static struct task get(struct bench *b, const char *id)
{
    struct task task;
    struct tx *tx;

    assert_int_equal(tx_begin(b->shop.db, TX_READ, &tx, &b->e), 0);
    assert_int_equal(tasks_get(tx, id, &b->a, &task, &b->e), 0);
    tx_rollback(tx);
    return task;
}

static void run(struct bench *b, const char *id)
{
    struct task_runner *r;

    workshop_start(&b->shop);
    assert_int_equal(
        task_runner_start(&(struct task_runner_options){.tasks = &b->tasks, .period_seconds = 0.02},
                          &r, &b->e),
        0);
    while (get(b, id).status == TASK_RUNNING)
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    task_runner_stop(r);
    workshop_stop(&b->shop, 5);
}

/* ==== the dry run ==== */

static void test_check(void **unused)
{
    struct bench b;
    struct task_problems problems = {0};
    struct task_check check;

    (void)unused;
    bench_open(&b);
    write_records(&b, records);
    json_t *json = json_of(document);
    struct task_create c = {.json = json, .folder = b.shop.folder, .trusted = true, .canary = -1};
    assert_int_equal(task_check(&b.tasks, &c, NULL, &b.a, &check, &problems, &b.e), 0);
    assert_int_equal(check.records, 5);
    assert_int_equal(check.works, 3);
    assert_int_equal(check.duplicates, 1);
    assert_int_equal(check.invalid, 2);
    assert_int_equal(check.collisions, 0);
    assert_int_equal(check.drawn, 0);
    assert_true(check.complete);
    assert_true(isnan(check.seconds)); /* nothing was drawn yet */
    assert_int_equal(check.problem_count, 2);
    assert_string_equal(check.problems[0].record_id, "4");
    assert_string_equal(check.problems[0].field, "prompt");
    assert_string_equal(check.examples[0].object, "in/-1-1/7.png");
    struct task_check_options two = {.limit = 2};
    assert_int_equal(task_check(&b.tasks, &c, &two, &b.a, &check, &problems, &b.e), 0);
    assert_int_equal(check.records, 2);
    assert_false(check.complete);
    json_t *shown = task_check_to_json(&check);
    assert_true(json_flag(shown, "ok", false));
    json_decref(shown);
    assert_int_equal(workshop_sql(&b.shop, "SELECT count(*) FROM tasks"), 0);

    json_object_set_new(json_object_get(json, "destination"), "object",
                        json_string("{field:prompt}.png"));
    assert_int_equal(task_check(&b.tasks, &c, NULL, &b.a, &check, &problems, &b.e), 0);
    assert_int_equal(check.collisions, 1);
    assert_int_equal(check.problem_count, 3);
    assert_string_equal(check.problems[2].record_id, "3");
    assert_string_equal(check.problems[2].field, "object");
    json_object_set_new(json_object_get(json, "source"), "path", json_string("none.jsonl"));
    assert_int_equal(task_check(&b.tasks, &c, NULL, &b.a, &check, &problems, &b.e), 0);
    assert_string_equal(check.parts[0].part, "source");
    assert_false(check.parts[0].ok);
    json_decref(json);
    bench_close(&b);
}

/* ==== create, run again ==== */

static void test_create(void **unused)
{
    struct bench b;
    struct task task, again;
    bool existed;

    (void)unused;
    bench_open(&b);
    write_records(&b, "{\"id\": \"1\", \"prompt\": \"x\"}\n");
    assert_int_equal(create(&b, document, false, -1, &task, &existed), 0);
    assert_false(existed);
    assert_int_equal(task.status, TASK_RUNNING);
    assert_int_equal(task.phase, TASK_RECORDS);
    assert_string_equal(task.host, "here");
    assert_string_equal(task.folder, b.shop.folder);
    assert_int_equal(create(&b, document, false, -1, &again, &existed), ERR_CONFLICT);
    assert_int_equal(create(&b, document, true, -1, &again, &existed), 0); /* it is on its way */
    assert_true(existed);
    assert_string_equal(again.id, task.id);
    char *other = arena_strdup(&b.a, document);
    memcpy(strstr(other, "3600"), "1800", 4);
    assert_int_equal(create(&b, other, true, -1, &again, &existed), ERR_CONFLICT);
    assert_non_null(strstr(b.e.message, "cancel it first"));
    assert_int_equal(task_cancel(&b.tasks, task.id, &b.e), 0);
    run(&b, task.id);
    assert_int_equal(get(&b, task.id).status, TASK_CANCELLED);
    assert_int_equal(create(&b, other, true, -1, &again, &existed), 0);
    assert_true(existed);
    assert_int_equal(again.version, 2);
    assert_int_equal(again.rounds, 2);
    assert_int_equal(task_cancel(&b.tasks, task.id, &b.e), 0);
    run(&b, task.id);
    assert_int_equal(create(&b, other, true, 5, &again, &existed), 0);
    assert_int_equal(again.phase, TASK_SAMPLE);
    json_t *spec = json_of(again.spec);
    assert_int_equal(json_int(json_object_get(spec, "canary"), "count", 0), 5);
    json_decref(spec);
    assert_int_equal(task_pause(&b.tasks, task.id, true, &b.e), 0);
    assert_int_equal(get(&b, task.id).status, TASK_PAUSED);
    assert_int_equal(task_pause(&b.tasks, task.id, true, &b.e), ERR_CONFLICT);
    assert_int_equal(task_approve(&b.tasks, task.id, true, &b.e), ERR_CONFLICT);
    bench_close(&b);
}

static void test_refused(void **unused)
{
    struct bench b;
    struct task task;
    bool existed;

    (void)unused;
    bench_open(&b);
    assert_int_equal(create(&b,
                            "{\"version\": 1, \"name\": \"x\", \"source\": {\"type\": \"jsonl\","
                            " \"path\": \"a\"}, \"model\": {\"model\": \"none\"},"
                            " \"destination\": {\"url\": \"file:out\"}}",
                            false, -1, &task, &existed),
                     ERR_NOT_FOUND);
    assert_int_equal(create(&b,
                            "{\"version\": 1, \"name\": \"x\", \"source\": {\"type\": \"mongodb\","
                            " \"connection\": \"nobody\", \"database\": \"d\","
                            " \"collection\": \"c\"}, \"model\": {\"model\": \"fake\"},"
                            " \"destination\": {\"url\": \"file:out\"}}",
                            false, -1, &task, &existed),
                     ERR_ARG);
    assert_non_null(strstr(b.e.message, "/source/connection"));
    assert_int_equal(workshop_sql(&b.shop, "SELECT count(*) FROM tasks"), 0);
    bench_close(&b);
}

/* ==== what became of it ==== */

static int append(void *user, const char *p, size_t n)
{
    return buf_add(user, p, n);
}

static size_t lines(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void test_report(void **unused)
{
    struct bench b;
    struct task task;
    struct buf out;
    struct tx *tx;
    json_t *json;
    bool existed;

    (void)unused;
    bench_open(&b);
    write_records(&b, records);
    assert_int_equal(create(&b, document, false, -1, &task, &existed), 0);
    run(&b, task.id);

    assert_int_equal(task_report(&b.tasks, task.id, &json, &b.e), 0);
    assert_string_equal(json_text(json, "status", ""), "completed");
    assert_int_equal(json_int(json_object_get(json, "counts"), "succeeded", 0), 3);
    assert_int_equal(json_int(json_object_get(json, "counts"), "failed", 0), 2);
    assert_int_equal(json_array_size(json_object_get(json, "failures")), 1);
    const json_t *failure = json_array_get(json_object_get(json, "failures"), 0);
    assert_string_equal(json_text(failure, "class", ""), "mapping");
    assert_int_equal(json_int(failure, "count", 0), 2);
    assert_string_equal(json_text(json, "currency", ""), "CHF");
    assert_true(fabs(json_num(json, "cost", 0) - json_num(json, "seconds_making", 1)) < 1e-9);
    assert_true(json_num(json_object_get(json_object_get(json, "seconds"), "total"), "max", 0) > 0);
    json_decref(json);

    assert_int_equal(tx_begin(b.shop.db, TX_READ, &tx, &b.e), 0);
    task = get(&b, task.id);
    assert_int_equal(task_to_json(&b.tasks, tx, &task, &json, &b.e), 0);
    tx_rollback(tx);
    assert_int_equal(json_int(json, "read", 0), 5);
    assert_int_equal(json_int(json, "source_records", 0), 5);
    assert_true(json_is_null(json_object_get(json, "error")));
    assert_true(json_is_null(json_object_get(json, "eta_seconds")));
    json_decref(json);

    buf_init(&out, 1 << 20);
    assert_int_equal(task_export(&b.tasks, task.id, TASK_EXPORT_CSV, append, &out, &b.e), 0);
    assert_int_equal(lines(out.p), 6);
    assert_non_null(strstr(out.p, "1,\"'=1+1\",succeeded,in/-1-1/7.png,file://"));
    assert_non_null(strstr(out.p, "\"a \"\"cat\"\", sitting\",7,fake,"));
    assert_non_null(strstr(out.p, ",mapping,mapping,"));
    buf_release(&out);
    buf_init(&out, 1 << 20);
    assert_int_equal(task_export(&b.tasks, task.id, TASK_EXPORT_JSONL, append, &out, &b.e), 0);
    assert_int_equal(lines(out.p), 5);
    buf_release(&out);
    assert_int_equal(task_export(&b.tasks, "01890000-0000-7000-8000-000000000009", TASK_EXPORT_CSV,
                                 append, &out, &b.e),
                     ERR_NOT_FOUND);
    int64_t count = -1; /* what cannot be mapped stays so */
    assert_int_equal(task_retry(&b.tasks, task.id, NULL, &count, &b.e), 0);
    assert_int_equal(count, 0);
    bench_close(&b);
}

/* Five of ten works ended within the last half minute. */
static void test_progress(void **unused)
{
    struct bench b;
    struct task task;
    struct tx *tx;
    json_t *json;
    bool existed;

    (void)unused;
    bench_open(&b);
    write_records(&b, records);
    assert_int_equal(create(&b, document, false, -1, &task, &existed), 0);
    run(&b, task.id);
    assert_int_equal(tx_begin(b.shop.db, TX_WRITE, &tx, &b.e), 0);
    assert_int_equal(tx_exec(tx,
                             "UPDATE tasks SET status = 'running', phase = 'records', "
                             "read_all = 0, records = 10, started_at = $1, finished_at = 0",
                             DB_ARGS(db_int(clock_unix_ms() - 30000)), NULL, &b.e),
                     0);
    assert_int_equal(tx_commit(tx, &b.e), 0);
    task = get(&b, task.id);
    assert_int_equal(tx_begin(b.shop.db, TX_READ, &tx, &b.e), 0);
    assert_int_equal(task_to_json(&b.tasks, tx, &task, &json, &b.e), 0);
    tx_rollback(tx);
    double rate = json_num(json, "per_second", -1), eta = json_num(json, "eta_seconds", -1);
    double cost = json_num(json, "cost", -1), expected = json_num(json, "cost_expected", -1);
    assert_true(rate > 0 && rate <= 5.0 / 30);
    assert_true(fabs(eta * rate - 5) < 1e-6);
    assert_true(cost > 0 && fabs(expected / cost - 2) < 1e-6);
    json_decref(json);
    bench_close(&b);
}

static void test_result_body(void **unused)
{
    struct arena a = {0};
    struct task task = {.id = "t", .name = "set", .kind = "image"};
    struct task_record r = {.record_id = "7",
                            .key = "k",
                            .number = 3,
                            .status = RECORD_STORED,
                            .object = "a.png",
                            .url = "gs://b/a.png",
                            .https = "https://storage.googleapis.com/b/a.png",
                            .crc32c = "c",
                            .bytes = 9,
                            .attempts = 1,
                            .outcome = "{\"model\": \"m\", \"status\": \"mine\","
                                       " \"timings\": {\"drawn_seconds\": 2.5}}",
                            .created_at = 1000,
                            .stored_at = 2000};

    (void)unused;
    json_t *body = task_result_body(NULL, &task, &r), *again = task_result_body(NULL, &task, &r);
    assert_string_equal(json_canonical(body, &a), json_canonical(again, &a));
    assert_string_equal(json_text(body, "status", ""), "succeeded"); /* not the outcome's */
    assert_string_equal(json_text(body, "model", ""), "m");
    const json_t *urls = json_object_get(body, "urls"), *timings = json_object_get(body, "timings");
    assert_string_equal(json_text(urls, "gs", ""), "gs://b/a.png");
    assert_string_equal(json_text(urls, "https", ""), r.https);
    assert_true(json_num(timings, "drawn_seconds", 0) == 2.5);
    assert_string_equal(json_text(json_object_get(timings, "stored_at"), "$date", ""),
                        "1970-01-01T00:00:02.000Z");
    assert_true(json_is_null(json_object_get(body, "error")));
    json_decref(body);
    json_decref(again);

    r.status = RECORD_FAILING;
    r.error_class = "storage";
    r.error_code = "denied";
    r.error = "no";
    body = task_result_body(NULL, &task, &r);
    assert_string_equal(json_text(body, "status", ""), "failed");
    assert_null(json_object_get(body, "urls"));
    assert_string_equal(json_text(json_object_get(body, "error"), "class", ""), "storage");
    json_decref(body);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check),    cmocka_unit_test(test_create),
        cmocka_unit_test(test_refused),  cmocka_unit_test(test_report),
        cmocka_unit_test(test_progress), cmocka_unit_test(test_result_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
