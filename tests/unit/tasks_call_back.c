/* Signatures, pauses, what may be called, and the events of a task. The threads are tested over
 * HTTP, in tests/tasks/test_callbacks.py. */
#include "storage_tasks.h"

#include "base/json.h"
#include "tasks/call_back_inside.h"

/* ============================== Signatures ============================== */

/* The vector of the Standard Webhooks libraries, and two that Python's hmac made. */
static void signatures_are_standard(void **state)
{
    static const struct {
        const char *secret, *id, *body, *signature;
        int64_t timestamp;
    } cases[] = {
        {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
         "{\"test\": 2432232314}", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", 1614265330},
        {"plain secret", "1", "{}", "v1,umxTjlGQXNDAj5nr8WEMToyMHFEtfRr90uO+xnGP6v4=", 1},
        {"whsec_AA==", "a", "", "v1,bgTtLRZwJ7Vl4qiHkyGQ/EK5IJ9kqBwQsfukbZGFDAQ=", 0},
    };
    char signature[CALL_BACK_SIGNATURE];
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(call_back_sign(cases[i].secret, cases[i].id, cases[i].timestamp,
                                        str_from(cases[i].body), signature, &e),
                         0);
        assert_string_equal(signature, cases[i].signature);
    }
}

static void broken_secrets_are_refused(void **state)
{
    static const char *const broken[] = {
        "",           "whsec_",     "whsec_A",    "whsec_AAA",    "whsec_A===",   "whsec_AA=A",
        "whsec_A A=", "whsec_====", "whsec_AA_-", "whsec_AAAA\n", "whsec_AAAAAA="};
    char signature[CALL_BACK_SIGNATURE], long_one[600];
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        assert_int_equal(call_back_sign(broken[i], "a", 1, STR(""), signature, &e), ERR_ARG);
    memset(long_one, 'A', sizeof long_one - 1);
    long_one[sizeof long_one - 1] = 0;
    assert_int_equal(call_back_sign(long_one, "a", 1, STR(""), signature, &e), ERR_ARG);
    memcpy(long_one, "whsec_", 6);
    assert_int_equal(call_back_sign(long_one, "a", 1, STR(""), signature, &e), ERR_ARG);
}

/* ============================== Pauses ============================== */

static void retry_after_is_read(void **state)
{
    enum { NOW = 784111777 }; /* Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110 */
    static const struct {
        const char *value;
        int64_t ms;
    } cases[] = {
        {"0", 0},
        {"120", 120000},
        {"9999999999999999", INT64_MAX},
        {"-5", -1},
        {"", -1},
        {"soon", -1},
        {"1.5", -1},
        {"Sun, 06 Nov 1994 08:49:37 GMT", 0},
        {"Sun, 06 Nov 1994 08:50:37 GMT", 60000},
        {"Sun, 06 Nov 1994 08:49:36 GMT", 0},
        {"Sun, 06 Nix 1994 08:49:37 GMT", -1},
        {"Sun, 36 Nov 1994 08:49:37 GMT", -1},
        {"Sun, 06 Nov 1994 08:49:37 CET", -1},
        {"Sun, 06 Nov 1994 08-49-37 GMT", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(retry_after(cases[i].value, NOW * INT64_C(1000)), cases[i].ms);
    assert_int_equal(retry_after(NULL, 0), -1);
}

static void pauses_grow_until_it_is_given_up(void **state)
{
    static const struct pace pace = {5, 3600};
    struct task_document d = {.callbacks = {.give_up = 86400}};
    int64_t now = clock_unix_ms();
    struct callback event = {.since = now, .attempts = 1};

    (void)state;
    struct verdict v = call_back_not_tried(&d, &event, &pace, "no address");
    assert_int_equal(v.fate, CALL_LATER);
    assert_string_equal(v.error, "no address");
    assert_in_range(v.due_at - now, 3750, 7000);
    event.attempts = 30;
    v = call_back_not_tried(&d, &event, &pace, "no address");
    assert_in_range(v.due_at - now, 2700 * SECOND, 4501 * SECOND);
    event.since = now - 86390 * SECOND; /* once more at the very end */
    v = call_back_not_tried(&d, &event, &pace, "no address");
    assert_int_equal(v.fate, CALL_LATER);
    assert_int_equal(v.due_at, event.since + 86400 * SECOND);
    event.since = now - 86400 * SECOND;
    v = call_back_not_tried(&d, &event, &pace, "no address");
    assert_int_equal(v.fate, CALL_DEAD);
}

/* ============================== What may be called ============================== */

static const char *secret_of(void *outside, const char *name)
{
    (void)outside;
    return strcmp(name, "good") == 0 ? "whsec_AAAA" : strcmp(name, "bad") == 0 ? "whsec_?" : NULL;
}

static void private_places_are_not_called(void **state)
{
    static const struct {
        const char *url, *secret;
        bool document_allows, server_allows;
        int code;
    } cases[] = {
        {"https://example.org/hook", NULL, false, false, 0},
        {"https://example.org:8443/hook?a=b", "good", false, true, 0},
        {"http://example.org/hook", NULL, false, false, ERR_ARG},
        {"http://example.org/hook", NULL, true, true, 0},
        {"ftp://example.org/", NULL, true, true, ERR_ARG},
        {"https://me:you@example.org/", NULL, false, false, ERR_ARG},
        {"https://127.0.0.1/", NULL, false, false, ERR_DENIED},
        {"https://127.0.0.1/", NULL, false, true, ERR_DENIED},
        {"https://127.0.0.1/", NULL, true, false, ERR_DENIED},
        {"http://127.0.0.1:1234/", NULL, true, true, 0},
        {"https://localhost/", NULL, false, false, ERR_DENIED},
        {"https://[::1]/", NULL, false, false, ERR_DENIED},
        {"https://[::ffff:10.0.0.1]/", NULL, false, false, ERR_DENIED},
        {"https://10.1.2.3/", NULL, false, false, ERR_DENIED},
        {"https://192.168.1.1/", NULL, false, false, ERR_DENIED},
        {"https://169.254.169.254/latest/meta-data", NULL, false, false, ERR_DENIED},
        {"https://0x7f000001/", NULL, false, false, ERR_DENIED},
        {"https://2130706433/", NULL, false, false, ERR_DENIED},
        {"https://example.org/", "none", false, false, ERR_NOT_FOUND},
        {"https://example.org/", "bad", false, false, ERR_ARG},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tasks t = {.secret = secret_of, .allow_private_callbacks = cases[i].server_allows};
        struct task_callbacks c = {.url = cases[i].url,
                                   .secret = cases[i].secret,
                                   .allow_private = cases[i].document_allows};
        struct err e = {0};
        int rc = call_back_check(&t, &c, &e);
        if (rc != cases[i].code)
            fail_msg("%s: %d %s", cases[i].url, rc, e.message);
    }
}

/* ============================== Events ============================== */

static struct task_document all_events(int64_t batch)
{
    return (struct task_document){.callbacks = {.url = "https://example.org/",
                                                .on_record = true,
                                                .on_batch = true,
                                                .on_end = true,
                                                .on_canary = true,
                                                .batch = batch}};
}

/* Of `n` ready records, the first of them failing, all end; their events are added. */
static void end_records(struct fixture *f, struct tx *tx, const char *id, size_t n,
                        const struct task_document *d)
{
    struct record_lease leases[20];
    struct task_record *rows, *ended;
    size_t m, count;

    assert_int_equal(take(f, tx, RECORD_READY, (int)n, START, &rows), n);
    for (size_t i = 0; i < n; i++)
        if (rows[i].number == 1)
            ok(task_records_fail(tx, record_lease_of(&rows[i]), "storage", "denied", "no", START,
                                 &f->e));
        else
            ok(store(f, tx, &rows[i], START));
    m = take(f, tx, RECORD_STORED, 20, START, &rows);
    for (size_t i = 0; i < m; i++)
        leases[i] = record_lease_of(&rows[i]);
    ok(task_records_end(tx, id, leases, m, 0, START, &f->a, &ended, &count, &f->e));
    struct task t = task_now(f, tx, id);
    ok(call_back_records(tx, d, &t, ended, count, START, &f->a, &f->e));
    ok(call_back_records(tx, d, &t, ended, count, START, &f->a, &f->e)); /* told once */
}

static json_t *body_of(struct fixture *f, struct tx *tx, const char *task, const char *kind,
                       const char *subject)
{
    struct callback_filter filter = {.task_id = task, .status = -1, .kind = kind, .limit = 100};
    struct callback *list;
    const char *next;
    json_t *body;
    size_t n;

    ok(callbacks_list(tx, &filter, &f->a, &list, &n, &next, &f->e));
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].subject, subject) == 0) {
            ok(json_read(str_from(list[i].body), &body, &f->e));
            assert_string_equal(json_text(body, "id", ""), list[i].id);
            assert_string_equal(json_text(body, "type", ""), kind);
            assert_string_equal(json_text(json_object_get(body, "task"), "id", ""), task);
            assert_string_equal(json_text(json_object_get(body, "task"), "name", ""), "a");
            assert_string_equal(json_text(body, "created_at", ""), "1970-01-01T00:16:40.000Z");
            return body;
        }
    fail_msg("no %s event of '%s'", kind, subject);
    return NULL;
}

static int64_t data_int(const json_t *body, const char *name)
{
    return json_int(json_object_get(body, "data"), name, -1);
}

static void every_end_is_told(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    struct task_document d = all_events(3);
    const char *id = a_task(f, tx, "a");
    struct task_record *rows;
    json_t *body, *report = json_pack("{s:i}", "answer", 42);
    size_t n;

    read_task(f, tx, id);
    add_ready(f, tx, id, 1, 7);
    end_records(f, tx, id, 7, &d);
    struct task t = task_now(f, tx, id);
    for (int i = 0; i < 2; i++)
        ok(call_back_end(tx, &d, &t, report, START, &f->a, &f->e));
    json_decref(report);
    ok(call_back_canary(tx, &d, &t, START, &f->a, &f->e));
    assert_int_equal(number(f, tx, "SELECT count(*) FROM callbacks"), 7 + 3 + 1 + 1);

    int64_t records = 0, failed = 0;
    for (int i = 1; i <= 3; i++) {
        int64_t to = i < 3 ? 3 * i : 7;
        body = body_of(f, tx, id, "batch", arena_printf(&f->a, "%d", (int)to));
        assert_int_equal(data_int(body, "number"), i);
        assert_int_equal(data_int(body, "from"), 3 * i - 2);
        assert_int_equal(data_int(body, "to"), to);
        records +=
            (int64_t)json_array_size(json_object_get(json_object_get(body, "data"), "records"));
        failed += data_int(body, "failed");
        assert_int_equal(data_int(body, "succeeded") + data_int(body, "failed"), to - 3 * i + 3);
        json_decref(body);
    }
    assert_int_equal(records, 7);
    assert_int_equal(failed, 1);
    body = body_of(f, tx, id, "end", "1:7");
    assert_int_equal(data_int(body, "answer"), 42);
    json_decref(body);
    body = body_of(f, tx, id, "canary", "1");
    assert_true(json_is_null(json_object_get(json_object_get(body, "data"), "experiment_id")));
    json_decref(body);

    /* The one that failed is retried: its second end is an event of its own, and so is what ends
     * with it. */
    ok(tasks_retry(tx, id, NULL, START, &f->a, &rows, &n, &f->e));
    assert_int_equal(n, 1);
    const char *record = rows[0].id;
    assert_int_equal(take(f, tx, RECORD_READY, 1, START, &rows), 1);
    ok(store(f, tx, rows, START));
    end_records(f, tx, id, 0, &d);
    t = task_now(f, tx, id);
    ok(call_back_end(tx, &d, &t, NULL, START, &f->a, &f->e));
    body = body_of(f, tx, id, "record", arena_printf(&f->a, "%s:8", record));
    const json_t *data = json_object_get(body, "data");
    assert_string_equal(json_text(data, "status", ""), "succeeded");
    assert_string_equal(json_text(data, "url", ""), "gs://b/x.png");
    json_decref(body);
    body = body_of(f, tx, id, "batch", "8");
    assert_int_equal(data_int(body, "from"), 7);
    json_decref(body);
    json_decref(body_of(f, tx, id, "end", "1:8"));
    tx_rollback(tx);
}

static void only_what_was_asked_for_is_told(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    struct task_document none = {.callbacks = {.on_record = true, .batch = 1}},
                         silent = {.callbacks = {.url = "https://example.org/", .batch = 2}};
    const char *id = a_task(f, tx, "a");

    read_task(f, tx, id);
    add_ready(f, tx, id, 1, 4);
    end_records(f, tx, id, 2, &none);
    end_records(f, tx, id, 2, &silent);
    struct task t = task_now(f, tx, id);
    ok(call_back_end(tx, &none, &t, NULL, START, &f->a, &f->e));
    ok(call_back_end(tx, &silent, &t, NULL, START, &f->a, &f->e));
    ok(call_back_canary(tx, &silent, &t, START, &f->a, &f->e));
    assert_int_equal(number(f, tx, "SELECT count(*) FROM callbacks"), 0);
    tx_rollback(tx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_are_standard),
        cmocka_unit_test(broken_secrets_are_refused),
        cmocka_unit_test(retry_after_is_read),
        cmocka_unit_test(pauses_grow_until_it_is_given_up),
        cmocka_unit_test(private_places_are_not_called),
        ON_BOTH(every_end_is_told),
        ON_BOTH(only_what_was_asked_for_is_told),
    };

    return run_on_both("tasks_call_back", tests, sizeof tests / sizeof *tests);
}
