#include "tasks_fixture.h"

#include "base/sha256.h"
#include "image/image.h"

#define DOCUMENT(model, rest)                                                                      \
    "{\"version\": 1, \"name\": \"set\", \"source\": {\"type\": \"jsonl\", \"path\": "             \
    "\"in.jsonl\"},"                                                                               \
    " \"model\": " model ", \"destination\": {\"url\": \"file:out\"}" rest "}"
#define FAKE "{\"model\": \"fake\", \"parameters\": {\"steps\": 3, \"seed\": 5}}"

static struct work *works;
static size_t work_count;
static struct mapping_problem problem;

static int plan(struct bench *b, const char *record)
{
    struct record r = {.id = "r/1", .number = 7, .fields = json_of(record)};

    problem = (struct mapping_problem){0};
    int rc = b->d->kind->plan(&b->context, &r, &b->a, &works, &work_count, &problem, &b->e);
    json_decref(r.fields);
    return rc;
}

static void problem_is(struct bench *b, const char *record, const char *field, const char *text)
{
    assert_int_equal(plan(b, record), ERR_ARG);
    assert_string_equal(problem.field, field);
    if (!strstr(problem.message, text))
        fail_msg("%s", problem.message);
}

static void seed_is(struct bench *b, const char *record, unsigned long long seed)
{
    if (plan(b, record))
        fail_msg("%s", b->e.message);
    assert_int_equal(works[0].wish.recipe->seed, seed);
}

/* ==== plans ==== */

static void test_plan(void **unused)
{
    struct bench b;
    char key[65];

    (void)unused;
    bench_open(&b);
    assert_int_equal(bench_read(&b, DOCUMENT(FAKE, ", \"count\": 2")), 0);
    assert_int_equal(plan(&b, "{\"prompt\": \"cat\", \"seed\": \"11\", \"overrides\": "
                              "{\"cfg_scale\": 6, \"steps\": 9}}"),
                     0);
    assert_int_equal(work_count, 2);
    const struct recipe *r = works[0].wish.recipe;
    assert_string_equal(r->prompt, "cat");
    assert_int_equal(r->steps, 9);
    assert_true(r->guidance == 6);
    assert_int_equal(r->seed, 11);
    assert_int_equal(works[1].wish.recipe->seed, 12);
    assert_string_equal(works[0].object, "in/r-1/11.png");
    assert_string_equal(works[1].object, "in/r-1/12.png");
    assert_string_equal(works[0].stratum, "fake, short");
    recipe_key(r, "fake", "1", key);
    assert_string_equal(works[0].key, key);
    assert_string_equal(works[0].wish.key, works[0].key);
    assert_string_not_equal(works[0].key, works[1].key);
    json_t *request = json_of(works[0].request);
    assert_string_equal(json_text(request, "record", ""), "r/1");
    assert_int_equal(json_int(request, "number", 0), 7);
    assert_string_equal(json_text(json_object_get(request, "parameters"), "seed", ""), "11");
    json_decref(request);
    bench_close(&b);
}

static void test_seeds(void **unused)
{
    struct bench b;

    (void)unused;
    bench_open(&b);
    assert_int_equal(bench_read(&b, DOCUMENT(FAKE, "")), 0);
    seed_is(&b, "{\"prompt\": \"x\"}", 5); /* the configuration's */
    seed_is(&b, "{\"prompt\": \"x\", \"overrides\": {\"seed\": 6}}", 6);
    seed_is(&b, "{\"prompt\": \"x\", \"overrides\": {\"seed\": 6}, \"seed\": 7}", 7);
    bench_forget(&b);
    assert_int_equal(bench_read(&b, DOCUMENT(FAKE, ", \"seed\": {\"base\": 100}")), 0);
    seed_is(&b, "{\"prompt\": \"x\"}", 107);
    seed_is(&b, "{\"prompt\": \"x\", \"overrides\": {\"seed\": 6}}", 6);
    bench_forget(&b);
    assert_int_equal(bench_read(&b, DOCUMENT(FAKE, ", \"seed\": 9")), 0);
    seed_is(&b, "{\"prompt\": \"x\"}", 9);
    bench_forget(&b);
    assert_int_equal(bench_read(&b, DOCUMENT("{\"model\": \"fake\"}", "")), 0);
    assert_int_equal(plan(&b, "{\"prompt\": \"x\"}"), 0);
    uint64_t seed = works[0].wish.recipe->seed;
    assert_true(seed < (uint64_t)1 << 32);
    seed_is(&b, "{\"prompt\": \"another\"}", seed); /* of the names alone */
    seed_is(&b, "{\"prompt\": \"x\", \"seed\": \"18446744073709551615\"}", UINT64_MAX);
    bench_close(&b);
}

static void test_mapping_problems(void **unused)
{
    struct bench b;

    (void)unused;
    bench_open(&b);
    assert_int_equal(
        bench_read(&b, DOCUMENT(FAKE, ", \"fields\": {\"prompt\": \"text.en\", \"parameters\":"
                                      " {\"steps\": {\"field\": \"n\", \"optional\": true}}}")),
        0);
    problem_is(&b, "{}", "text.en", "the record has none");
    problem_is(&b, "{\"text\": {\"en\": 7}}", "text.en", "expected a text, got a number (7)");
    problem_is(&b, "{\"text\": {\"en\": \"x\"}, \"seed\": -1}", "seed", "expected a seed");
    problem_is(&b, "{\"text\": {\"en\": \"x\"}, \"n\": \"many\"}", "n", "expected a number");
    problem_is(&b, "{\"text\": {\"en\": \"x\"}, \"n\": 5000}", "steps", "1 to 1000");
    problem_is(&b, "{\"text\": {\"en\": \"x\"}, \"overrides\": [1]}", "overrides", "an object");
    problem_is(&b, "{\"text\": {\"en\": \"x\"}, \"overrides\": {\"model\": \"none\"}}", "model",
               "no model 'none'");
    problem_is(&b, "{\"text\": {\"en\": \"x\"}, \"overrides\": {\"init_image\": \"AAAA\"}}",
               "init_image", "id of a generation");
    assert_int_equal(plan(&b, "{\"text\": {\"en\": \"x\"}, \"n\": \"8\"}"), 0);
    assert_int_equal(works[0].wish.recipe->steps, 8);
    bench_close(&b);
}

static void test_models(void **unused)
{
    struct bench b;
    char digest[65];

    (void)unused;
    bench_open(&b);
    assert_int_equal(bench_read(&b, DOCUMENT("{\"model\": \"none\"}", "")), ERR_NOT_FOUND);
    bench_forget(&b);
    assert_int_equal(
        bench_read(&b, DOCUMENT("{\"model\": \"fake\", \"digest\": \"sha256:00000000\"}", "")),
        ERR_UNSUPPORTED);
    assert_non_null(strstr(b.e.message, "digest"));
    bench_forget(&b);
    sha256_hex("fake", 4, digest);
    digest[12] = 0;
    const char *text = arena_printf(
        &b.a, DOCUMENT("{\"model\": \"fake\", \"digest\": \"sha256:%s\"}", ""), digest);
    assert_int_equal(bench_read(&b, text), 0);
    bench_close(&b);
}

/* Configurations of single records, found once. */
static void test_configurations(void **unused)
{
    static const char configs[] =
        "{\"name\": \"a\", \"version\": 1, \"model\": \"fake\", \"parameters\": {\"steps\": 11}}\n"
        "{\"name\": \"a\", \"version\": 2, \"model\": \"fake\", \"parameters\": {\"steps\": 12}}\n"
        "{\"name\": \"b\", \"version\": 1, \"model\": \"other\"}\n";
    struct bench b;
    FILE *f;

    (void)unused;
    bench_open(&b);
    f = fopen(arena_printf(&b.a, "%s/configs.jsonl", b.shop.folder), "w");
    assert_non_null(f);
    fputs(configs, f);
    fclose(f);
    assert_int_equal(
        bench_read(&b, DOCUMENT("{\"model\": \"fake\", \"from\": {\"type\": \"jsonl\", \"path\":"
                                " \"configs.jsonl\"}}",
                                ", \"fields\": {\"model_config\": {\"field\": \"look\","
                                " \"optional\": true}}")),
        0);
    assert_int_equal(plan(&b, "{\"prompt\": \"x\", \"look\": \"a\"}"), 0);
    assert_int_equal(works[0].wish.recipe->steps, 12);
    assert_int_equal(plan(&b, "{\"prompt\": \"x\", \"look\": \"a@1\"}"), 0);
    assert_int_equal(works[0].wish.recipe->steps, 11);
    assert_int_equal(plan(&b, "{\"prompt\": \"x\", \"look\": \"b\"}"), 0);
    assert_string_equal(works[0].wish.recipe->model, "other");
    assert_string_equal(works[0].stratum, "b, short");
    assert_int_equal(plan(&b, "{\"prompt\": \"x\"}"), 0);
    problem_is(&b, "{\"prompt\": \"x\", \"look\": \"c\"}", "look", "c");
    problem_is(&b, "{\"prompt\": \"x\", \"look\": \"c\"}", "look", "c");
    bench_close(&b);
}

static void test_sample(void **unused)
{
    struct bench b;
    struct record r = {.id = "r1"};

    (void)unused;
    bench_open(&b);
    assert_int_equal(
        bench_read(&b, DOCUMENT(FAKE, ", \"canary\": {\"count\": 1, \"by\": [\"lang\"]}")), 0);
    assert_int_equal(plan(&b, "{\"prompt\": \"x\", \"lang\": \"de\"}"), 0);
    assert_string_equal(works[0].stratum, "de");
    json_t *sample = b.d->kind->sample(&b.context, &works[0], &r);
    assert_string_equal(json_text(sample, "label", ""), "r1");
    const json_t *set = json_object_get(sample, "set");
    assert_string_equal(json_text(set, "prompt", ""), "x");
    assert_null(json_object_get(set, "seed"));
    assert_null(json_object_get(set, "model_digest"));
    json_decref(sample);
    bench_close(&b);
}

/* ==== what was drawn ==== */

static struct task_record drawn(struct bench *b)
{
    struct generation *g;
    size_t bad;

    assert_int_equal(submit(&b->shop.submitter, &works[0].wish, 1, &b->a, &g, NULL, &bad, &b->e),
                     0);
    workshop_start(&b->shop);
    workshop_wait(&b->shop);
    workshop_stop(&b->shop, 5);
    return (struct task_record){.record_id = "r/1",
                                .key = works[0].key,
                                .generation_id = g->id,
                                .request = works[0].request,
                                .object = works[0].object};
}

static void test_make(void **unused)
{
    struct bench b;
    struct made made, again;

    (void)unused;
    bench_open(&b);
    assert_int_equal(bench_read(&b, DOCUMENT(FAKE, "")), 0);
    assert_int_equal(plan(&b, "{\"prompt\": \"cat\"}"), 0);
    struct task_record row = drawn(&b);
    assert_int_equal(b.d->kind->make(&b.context, &row, &b.a, &made, &b.e), 0);
    assert_string_equal(made.type, "image/png");
    assert_int_equal(image_format_of_bytes(made.bytes.p, made.bytes.n), IMAGE_PNG);
    assert_false(made.reused);
    assert_string_equal(json_text(made.outcome, "model", ""), "fake");
    assert_string_equal(json_text(made.outcome, "seed", ""), "5");
    assert_string_equal(json_text(made.outcome, "generation_id", ""), row.generation_id);
    assert_int_equal(json_int(made.outcome, "width", 0), 16);
    assert_true(json_num(json_object_get(made.outcome, "timings"), "drawn_seconds", 0) > 0);
    json_decref(made.outcome);

    const char *old = b.d->format; /* the same picture in another format, twice the same bytes */
    b.d->format = "jpeg";
    b.d->quality = 80;
    assert_int_equal(b.d->kind->make(&b.context, &row, &b.a, &made, &b.e), 0);
    assert_int_equal(b.d->kind->make(&b.context, &row, &b.a, &again, &b.e), 0);
    assert_string_equal(made.type, "image/jpeg");
    assert_int_equal(image_format_of_bytes(made.bytes.p, made.bytes.n), IMAGE_JPEG);
    assert_int_equal(made.bytes.n, again.bytes.n);
    assert_memory_equal(made.bytes.p, again.bytes.p, made.bytes.n);
    assert_string_equal(made.sha256, again.sha256);
    json_decref(made.outcome);
    json_decref(again.outcome);
    b.d->format = old;

    row.key = "0000000000000000000000000000000000000000000000000000000000000000";
    assert_int_equal(b.d->kind->make(&b.context, &row, &b.a, &made, &b.e), ERR_NOT_FOUND);
    bench_close(&b);
}

/* ==== captions ==== */

static void test_captions(void **unused)
{
    struct bench b;
    struct made made, again;

    (void)unused;
    bench_open(&b);
    assert_int_equal(bench_read(&b, DOCUMENT(FAKE, "")), 0);
    assert_int_equal(plan(&b, "{\"prompt\": \"cat\"}"), 0);
    struct task_record picture = drawn(&b);
    bench_forget(&b);
    static const char text[] =
        "{\"version\": 1, \"name\": \"set\", \"kind\": \"caption\", \"source\": {\"type\":"
        " \"jsonl\", \"path\": \"in.jsonl\"}, \"destination\": {\"url\": \"file:out\"}}";
    assert_int_equal(bench_read(&b, text), ERR_UNSUPPORTED); /* no describer */
    bench_forget(&b);
    assert_int_equal(
        describer_open("measured:", &(struct describer_options){0}, &b.tasks.describer, &b.e), 0);
    assert_int_equal(bench_read(&b, text), 0);

    const char *record = arena_printf(&b.a, "{\"image\": \"%s\"}", picture.generation_id);
    assert_int_equal(plan(&b, record), 0);
    assert_int_equal(work_count, 1);
    assert_string_equal(works[0].object, "in/r-1.json");
    struct task_record row = {.record_id = "r/1",
                              .key = arena_strdup(&b.a, works[0].key),
                              .object = works[0].object,
                              .request = works[0].request};
    assert_int_equal(b.d->kind->make(&b.context, &row, &b.a, &made, &b.e), 0);
    assert_false(made.reused);
    assert_non_null(strstr(json_text(made.outcome, "description", ""), "16 x 16 pixels"));
    assert_string_equal(json_text(made.outcome, "describer", ""), "measured 1");
    assert_int_equal(b.d->kind->make(&b.context, &row, &b.a, &again, &b.e), 0);
    assert_true(again.reused); /* what was said is kept */
    assert_string_equal(made.sha256, again.sha256);
    json_decref(made.outcome);
    json_decref(again.outcome);

    record = arena_printf(&b.a, "{\"image\": \"%s\", \"hint\": \"a cat\"}", picture.generation_id);
    assert_int_equal(plan(&b, record), 0);
    assert_string_not_equal(works[0].key, row.key);
    problem_is(&b, "{}", "image", "the record has none");
    problem_is(&b, "{\"image\": \"http://example.org/x.png\"}", "image", "https:");
    problem_is(&b, "{\"image\": \"01890000-0000-7000-8000-000000000009\"}", "image", "no such");
    problem_is(&b, "{\"image\": \"file:none.png\"}", "image", "none.png");
    problem_is(&b, "{\"image\": \"file:../../etc/passwd\"}", "image", "");
    b.task.trusted = false; /* nobody's picture is not this user's */
    b.task.user_id = "01890000-0000-7000-8000-00000000000a";
    problem_is(&b, record, "image", "no such");
    b.d->access.inside = true;
    problem_is(&b, "{\"image\": \"file:/etc/passwd\"}", "image", "only files below");
    problem_is(&b, "{\"image\": \"gs://other/x.png\"}", "image", "only objects in the bucket");
    problem_is(&b, "{\"image\": \"gs://other\"}", "image", "URL of an object");
    describer_close(b.tasks.describer);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plan),   cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_models), cmocka_unit_test(test_mapping_problems),
        cmocka_unit_test(test_sample), cmocka_unit_test(test_configurations),
        cmocka_unit_test(test_make),   cmocka_unit_test(test_captions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
