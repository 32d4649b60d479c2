#include "tasks/document.h"

#include "base/json.h"
#include "tasks/kind.h"

#include <math.h>

#include "test.h"

static const char whole[] =
    "{\"version\": 1, \"name\": \"shoes\","
    " \"source\": {\"type\": \"jsonl\", \"path\": \"sets/autumn.jsonl\"},"
    " \"model\": {\"model\": \"demo\", \"digest\": \"sha256:abcdef0123\","
    "  \"parameters\": {\"steps\": 4}},"
    " \"fields\": {\"prompt\": \"text.en\", \"negative_prompt\": {\"value\": \"blurry\"},"
    "  \"seed\": {\"field\": \"s\", \"optional\": true}, \"parameters\": {\"cfg_scale\": \"cfg\"}},"
    " \"seed\": {\"base\": 100}, \"count\": 2,"
    " \"destination\": {\"url\": \"gs://bucket/prefix\", \"format\": \"jpeg\", \"quality\": 90,"
    "  \"metadata\": {\"who\": \"{record_id}\"}, \"cache_control\": \"no-store\"},"
    " \"results\": {\"type\": \"jsonl\", \"path\": \"done.jsonl\"},"
    " \"callbacks\": {\"url\": \"https://example.org/hook\", \"on\": [\"record\", \"end\"],"
    "  \"headers\": {\"X-Team\": \"a\"}, \"batch\": 7, \"give_up_after_hours\": 0.5},"
    " \"canary\": {\"count\": 5, \"by\": [\"lang\"]}, \"priority\": \"interactive\","
    " \"window\": 9, \"cost\": {\"per_hour\": 1.5}, \"notes\": \"n\"}";

struct fixture {
    struct arena a;
    struct task_problems problems;
    struct task_document *d;
    struct err e;
};

static int read_json(struct fixture *f, const char *text, bool trusted, const char *folder)
{
    struct tasks t = {.data = "/data"};
    json_error_t error;
    json_t *json = json_loads(text, 0, &error);

    if (!json)
        fail_msg("%s", error.text);
    int rc = task_document_read(&t, json, trusted, folder, &f->a, &f->d, &f->problems, &f->e);
    json_decref(json);
    return rc;
}

static void release(struct fixture *f)
{
    task_document_free(f->d);
    arena_release(&f->a);
}

static void test_whole(void **unused)
{
    struct fixture f = {0};

    (void)unused;
    if (read_json(&f, whole, true, "/here"))
        fail_msg("%s", f.e.message);
    const struct task_document *d = f.d;
    assert_string_equal(d->name, "shoes");
    assert_string_equal(d->dataset, "autumn");
    assert_ptr_equal(d->kind, &task_kind_image);
    assert_int_equal(d->count, 2);
    assert_int_equal(d->seed_rule, TASK_SEED_BASE);
    assert_int_equal(d->seed, 100);
    assert_string_equal(d->url, "gs://bucket/prefix");
    assert_string_equal(d->object, "{dataset}/{record_id}/{seed}.{ext}");
    assert_string_equal(d->format, "jpeg");
    assert_int_equal(d->quality, 90);
    assert_true(d->recipe && !d->replace);
    assert_true(d->callbacks.on_record && d->callbacks.on_end && !d->callbacks.on_batch);
    assert_string_equal(d->callbacks.headers[0], "X-Team: a");
    assert_null(d->callbacks.headers[1]);
    assert_int_equal(d->callbacks.batch, 7);
    assert_true(d->callbacks.give_up == 1800 && d->callbacks.timeout == 10);
    assert_int_equal(d->canary_count, 5);
    assert_int_equal(d->priority, PRIORITY_INTERACTIVE);
    assert_int_equal(d->window, 9);
    assert_true(d->cost_per_hour == 1.5);
    assert_string_equal(d->currency, "EUR");
    assert_string_equal(d->access.folder, "/here");
    assert_false(d->access.inside);
    assert_true(task_document_is_local(d));
    release(&f);
}

static void test_defaults(void **unused)
{
    struct fixture f = {0};

    (void)unused;
    assert_int_equal(read_json(&f,
                               "{\"version\": 1, \"name\": \"x\", \"source\": {\"type\": \"jsonl\","
                               "\"path\": \"a.jsonl\"}, \"model\": {\"model\": \"demo\"},"
                               "\"destination\": {\"url\": \"file:out\"}}",
                               false, NULL),
                     0);
    assert_string_equal(f.d->url, "file:/data/exports/out");
    assert_string_equal(f.d->access.folder, "/data/datasets");
    assert_string_equal(f.d->results_access.folder, "/data/exports");
    assert_true(f.d->access.inside);
    assert_int_equal(f.d->seed_rule, TASK_SEED_RECORD);
    assert_false(f.d->seed_written);
    assert_true(isnan(f.d->cost_per_hour));
    assert_null(f.d->callbacks.url);
    assert_int_equal(f.d->canary_count, 0);
    assert_int_equal(f.d->priority, PRIORITY_BATCH);
    release(&f);
}

/* The document with one member replaced, in JSON. */
static char *with(const char *member, const char *value)
{
    json_error_t error;
    json_t *json = json_loads(whole, 0, &error), *at = json;
    char path[100], *part = path, *dot;

    snprintf(path, sizeof path, "%s", member);
    for (; (dot = strchr(part, '.')); part = dot + 1) {
        *dot = 0;
        at = json_object_get(at, part);
    }
    if (value)
        json_object_set_new(at, part, json_loads(value, JSON_DECODE_ANY, &error));
    else
        json_object_del(at, part);
    char *text = json_dumps(json, 0);
    json_decref(json);
    return text;
}

static void bad(const char *member, const char *value, const char *pointer, const char *expected)
{
    struct fixture f = {0};
    char *text = with(member, value);

    assert_int_equal(read_json(&f, text, false, NULL), ERR_ARG);
    bool found = false;
    for (size_t i = 0; i < f.problems.count; i++)
        found = found || (strcmp(f.problems.at[i].pointer, pointer) == 0 &&
                          strstr(f.problems.at[i].expected, expected));
    if (!found)
        fail_msg("%s = %s: %s: %s", member, value ? value : "-", f.problems.at[0].pointer,
                 f.problems.at[0].expected);
    free(text);
    release(&f);
}

static void test_problems(void **unused)
{
    (void)unused;
    bad("version", "2", "/version", "1");
    bad("version", NULL, "/version", "1");
    bad("namee", "\"x\"", "/namee", "did you mean 'name'");
    bad("name", "\"a/b\"", "/name", "letters");
    bad("name", "\"..\"", "/name", "letters");
    bad("name", NULL, "/name", "letters");
    bad("kind", "\"imgae\"", "/kind", "did you mean 'image'");
    bad("source", NULL, "/source", "object");
    bad("source.path", "\"/etc/passwd\"", "/source/path", "relative");
    bad("source.path", "\"../x\"", "/source/path", "relative");
    bad("model", NULL, "/model", "object");
    bad("model.model", "7", "/model/model", "text");
    bad("model.digest", "\"xyz\"", "/model/digest", "hex digits");
    bad("model.parameters", "{\"stpes\": 1}", "/model/parameters/stpes", "did you mean 'steps'");
    bad("model.parameters", "{\"steps\": [1]}", "/model/parameters/steps", "number");
    bad("fields.prompr", "\"x\"", "/fields/prompr", "did you mean 'prompt'");
    bad("fields.prompt", "\"a..b\"", "/fields/prompt", "path");
    bad("fields.prompt", "{\"template\": \"{\"}", "/fields/prompt/template", "{{");
    bad("fields.prompt", "{\"fiedld\": \"x\"}", "/fields/prompt/fiedld", "did you mean 'field'");
    bad("fields.parameters", "{\"seed\": \"x\"}", "/fields/parameters/seed", "no seed");
    bad("fields.parameters", "{\"widht\": \"x\"}", "/fields/parameters/widht", "'width'");
    bad("fields.model_config", "\"c\"", "/fields/model_config", "\"from\"");
    bad("seed", "-1", "/seed", "integer");
    bad("seed", "{\"base\": 1, \"x\": 2}", "/seed", "alone");
    bad("count", "101", "/count", "1 to 100");
    bad("destination.url", "\"http://x\"", "/destination/url", "gs://");
    bad("destination.url", "\"file:/etc\"", "/destination/url", "relative");
    bad("destination.url", "\"file:a/../../b\"", "/destination/url", "'..'");
    bad("destination.object", "\"{dataset}.{ext}\"", "/destination/object", "differs between");
    bad("destination.object", "\"{record_id}.{ext}\"", "/destination/object", "2 pictures");
    bad("destination.object", "\"../{seed}\"", "/destination/object", "relative");
    bad("destination.object", "\"{key}.{seed}\"", "/destination/object", "ends with .{ext}");
    bad("destination.format", "\"gif\"", "/destination/format", "one of png");
    bad("destination.format", "\"png\"", "/destination/quality", "jpeg");
    bad("destination.metadata", "{\"A b\": \"x\"}", "/destination/metadata/A b", "lower-case");
    bad("destination.metadata", "{\"a\": \"{x}\"}", "/destination/metadata/a", "{field:PATH}");
    bad("destination.if_exists", "\"overwrite\"", "/destination/if_exists", "fail, replace");
    bad("callbacks.url", "\"http://example.org\"", "/callbacks/url", "allow_private");
    bad("callbacks.url", "\"https://u:p@example.org\"", "/callbacks/url", "user");
    bad("callbacks.on", "[\"recordd\"]", "/callbacks/on", "record, batch");
    bad("callbacks.on", "[]", "/callbacks/on", "record, batch");
    bad("callbacks.headers", "{\"Host\": \"x\"}", "/callbacks/headers/Host", "already");
    bad("callbacks.headers", "{\"Webhook-Id\": \"x\"}", "/callbacks/headers/Webhook-Id", "already");
    bad("callbacks.headers", "{\"X\": \"a\\nb\"}", "/callbacks/headers/X", "ASCII");
    bad("callbacks.secret", "\"a b\"", "/callbacks/secret", "name of a secret");
    bad("canary.count", "0", "/canary/count", "1 to 200");
    bad("canary.by", "[\"a..b\"]", "/canary/by", "list");
    bad("window", "0", "/window", "1 to 100000");
    bad("cost", "{\"per_huor\": 1}", "/cost/per_huor", "per_hour");
    bad("notes", "7", "/notes", "text");
}

static void test_kinds_have_their_own(void **unused)
{
    (void)unused;
    bad("kind", "\"caption\"", "/model", "none");
    bad("kind", "\"caption\"", "/count", "1");
    bad("kind", "\"caption\"", "/canary", "none");
    bad("kind", "\"caption\"", "/fields/prompt", "no member");
    bad("kind", "\"caption\"", "/destination/format", "none");
}

static void test_passwords_stay_out(void **unused)
{
    struct fixture f = {0};
    char *text = with("source", "{\"type\": \"mongodb\", \"uri\": \"mongodb://me:pw@h/\","
                                " \"database\": \"d\", \"collection\": \"c\"}");

    (void)unused;
    assert_int_equal(read_json(&f, text, true, "/here"), ERR_ARG);
    assert_string_equal(f.problems.at[0].pointer, "/source/uri");
    assert_non_null(strstr(f.problems.at[0].expected, "connection"));
    assert_null(strstr(f.e.message, "pw"));
    free(text);
    release(&f);
}

/* All problems come at once, but at most fifty; the line says the first. */
static void test_many_problems(void **unused)
{
    struct fixture f = {0};
    json_t *json = json_object();

    (void)unused;
    for (int i = 0; i < 100; i++) {
        char name[20];
        snprintf(name, sizeof name, "x%d", i);
        json_object_set_new(json, name, json_null());
    }
    char *text = json_dumps(json, 0);
    assert_int_equal(read_json(&f, text, true, NULL), ERR_ARG);
    assert_int_equal(f.problems.count, TASK_MAX_PROBLEMS);
    assert_non_null(strstr(f.e.message, "and 49 more problems"));
    free(text);
    json_decref(json);
    release(&f);
}

/* What was stored is read again as it was; what is shown can be sent back. */
static void test_stored(void **unused)
{
    struct fixture f = {0};
    struct tasks t = {.data = "/data"};
    struct task_document *again;

    (void)unused;
    assert_int_equal(read_json(&f, whole, true, "/here"), 0);
    struct task task = {.name = "shoes",
                        .spec = json_compact(f.d->written, &f.a),
                        .trusted = true,
                        .folder = "/here"};
    assert_int_equal(task_document_of(&t, &task, &again, &f.e), 0);
    assert_string_equal(json_compact(again->written, &f.a), task.spec);
    task_document_free(again);
    task.spec = "{\"version\": 1";
    assert_int_equal(task_document_of(&t, &task, &again, &f.e), ERR_FORMAT);
    release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_problems),
        cmocka_unit_test(test_kinds_have_their_own),
        cmocka_unit_test(test_passwords_stay_out),
        cmocka_unit_test(test_many_problems),
        cmocka_unit_test(test_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
