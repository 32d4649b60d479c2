#include "tasks/template.h"

#include "image/text.h"

#include "test.h"

static const char *const names[] = {"dataset", "record_id", "seed", "key8", "ext", NULL};

static uint64_t state = 7;
static unsigned below(unsigned n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)((state >> 11) % n);
}

/* ==== what templates are ==== */

static void wrong(const char *template, const char *part)
{
    struct arena a = {0};
    const char *problem = template_name_problem(template, names, &a);

    if (!problem || !strstr(problem, part))
        fail_msg("'%s': %s", template, problem ? problem : "no problem");
    arena_release(&a);
}

static void test_problems(void **unused)
{
    struct arena a = {0};

    (void)unused;
    assert_null(template_name_problem("{dataset}/{record_id}/{seed}.{ext}", names, &a));
    assert_null(template_name_problem("{field:text.en}/{{x}}.png", names, &a));
    assert_null(template_problem("a photo of {name.first}, {tags.0}", NULL, &a));
    wrong("{recordid}.png", "did you mean {record_id}");
    wrong("{nothing at all}", "one of {dataset}");
    wrong("{seed", "write {{ and }}");
    wrong("seed}", "write {{ and }}");
    wrong("{}", "not {}");
    wrong("{field:}", "path of a field");
    wrong("{field:a..b}", "path of a field");
    wrong("/{seed}", "relative");
    wrong("a//{seed}", "relative");
    wrong("../{seed}", "relative");
    wrong("{seed}/..", "relative");
    wrong("{seed}/", "not end with '/'");
    wrong("a\\{seed}", "backslashes");
    wrong("a\n{seed}", "control characters");
    wrong("", "relative");
    arena_release(&a);
}

static void test_uses(void **unused)
{
    (void)unused;
    assert_true(template_uses("{dataset}/{key8}.png", "key8"));
    assert_false(template_uses("{dataset}/{key8}.png", "key"));
    assert_true(template_uses("{field:a.b}", "field"));
    assert_false(template_uses("{{seed}}", "seed"));
}

/* ==== what they give ==== */

static const char *name_of(struct arena *a, const char *template, const char *id,
                           const json_t *record)
{
    const struct template_value values[] = {{"dataset", "set"}, {"record_id", id}, {"seed", "42"},
                                            {"key8", "0a"},     {"ext", "png"},    {NULL, NULL}};
    struct mapping_problem problem = {0};
    const char *name = NULL;
    struct err e;

    if (template_name(template, values, record, 1024, a, &name, &problem, &e))
        return problem.message;
    return name;
}

static void test_names(void **unused)
{
    struct arena a = {0};
    json_t *record = json_pack("{s:s, s:i, s:[s], s:{s:s}}", "path", "cats/../1", "n", 7, "tags",
                               "x y", "id", "$oid", "65ab");

    (void)unused;
    assert_string_equal(name_of(&a, "{dataset}/{record_id}/{seed}.{ext}", "7", record),
                        "set/7/42.png");
    assert_string_equal(name_of(&a, "{record_id}", "../../etc/passwd", record), "..-..-etc-passwd");
    assert_string_equal(name_of(&a, "a/{record_id}/b", "..", record), "a/-/b");
    assert_string_equal(name_of(&a, "a/{record_id}/b", "", record), "a/-/b");
    assert_string_equal(name_of(&a, "{field:path}.png", "", record), "cats/-/1.png");
    assert_string_equal(name_of(&a, "{field:n}-{field:tags.0}", "", record), "7-x y");
    assert_string_equal(name_of(&a, "{field:id}", "", record), "65ab");
    assert_string_equal(
        name_of(&a, "{record_id}", "\xe7\x8c\xab \xf0\x9f\x98\xba\xe2\x80\xae", record),
        "\xe7\x8c\xab --"); /* letters of any script; no signs, no bidi controls */
    assert_string_equal(name_of(&a, "{{{record_id}}}", "7", record), "{7}");
    assert_non_null(strstr(name_of(&a, "{field:none}", "", record), "got nothing"));
    assert_non_null(strstr(name_of(&a, "{field:tags}", "", record), "got a list of 1"));
    json_decref(record);
    arena_release(&a);
}

static void test_too_long(void **unused)
{
    struct arena a = {0};
    char id[1100];

    (void)unused;
    memset(id, 'x', sizeof id);
    id[1024] = 0;
    assert_int_equal(strlen(name_of(&a, "{record_id}", id, NULL)), 1024);
    assert_non_null(strstr(name_of(&a, "{record_id}{seed}", id, NULL), "longer than 1024"));
    memset(id, '/', 1024); /* each part becomes a byte longer */
    json_t *record = json_pack("{s:s}", "p", id);
    assert_non_null(strstr(name_of(&a, "{field:p}", "", record), "longer than 1024"));
    json_decref(record);
    arena_release(&a);
}

static void test_texts(void **unused)
{
    struct arena a = {0};
    json_t *record = json_pack("{s:s, s:f}", "name", "a/b\n", "x", 0.5);
    struct mapping_problem problem = {0};
    const char *text;
    struct err e;

    (void)unused;
    assert_int_equal(
        template_text("a photo of {name}{{{x}}}", NULL, record, 100, &a, &text, &problem, &e), 0);
    assert_string_equal(text, "a photo of a/b\n{0.5}");
    assert_int_equal(template_text("{none}", NULL, record, 100, &a, &text, &problem, &e), ERR_ARG);
    assert_string_equal(problem.field, "none");
    json_decref(record);
    arena_release(&a);
}

/* ==== whatever is in a record ==== */

static void random_text(char *out, size_t most)
{
    static const char *const pieces[] = {"/",
                                         "..",
                                         ".",
                                         "\\",
                                         "\n",
                                         "a",
                                         "7",
                                         " ",
                                         "%2e",
                                         "\x7f",
                                         "\xc3\xa9",
                                         "{seed}",
                                         "~",
                                         "\xe2\x80\xae",
                                         ":",
                                         "\x01",
                                         "\xf0\x9f\x98\xba",
                                         "//"};
    size_t n = 0;

    out[0] = 0;
    for (unsigned i = below(12); i; i--) {
        const char *piece = pieces[below(sizeof pieces / sizeof *pieces)];
        if (n + strlen(piece) >= most)
            break;
        memcpy(out + n, piece, strlen(piece) + 1);
        n += strlen(piece);
    }
}

static void stays_inside(const char *name)
{
    struct str rest = str_from(name), part;

    assert_true(strlen(name) >= 1 && strlen(name) <= 1024);
    assert_true(text_is_utf8(name, strlen(name)));
    for (const char *p = name; *p; p++)
        assert_true((unsigned char)*p >= 0x20 && *p != 0x7f && *p != '\\');
    while (str_cut(&rest, '/', &part))
        if (!part.n || str_is(part, ".") || str_is(part, ".."))
            fail_msg("'%s' has a part that leads out", name);
}

static void test_never_escapes(void **unused)
{
    static const char *const templates[] = {
        "{record_id}",      "{dataset}/{record_id}/{seed}.{ext}",
        "{field:f}",        "{field:f}{record_id}/{field:f}",
        ".{record_id}",     "{record_id}.",
        "a/{field:f}.{ext}"};
    char id[64], field[64];

    (void)unused;
    for (int i = 0; i < 20000; i++) {
        struct arena a = {0};
        random_text(id, sizeof id);
        random_text(field, sizeof field);
        json_t *record = json_pack("{s:s}", "f", field);
        stays_inside(name_of(&a, templates[below(7)], id, record));
        json_decref(record);
        arena_release(&a);
    }
}

/* Ids that are fit for names give distinct names. */
static void test_distinct(void **unused)
{
    struct arena a = {0};

    (void)unused;
    for (int i = 0; i < 1000; i++) {
        const char *x = arena_printf(&a, "rec_%d", i), *y = arena_printf(&a, "rec_%d", i + 1);
        assert_string_not_equal(name_of(&a, "{dataset}/{record_id}/{seed}.{ext}", x, NULL),
                                name_of(&a, "{dataset}/{record_id}/{seed}.{ext}", y, NULL));
    }
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_problems), cmocka_unit_test(test_uses),
        cmocka_unit_test(test_names),    cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_texts),    cmocka_unit_test(test_never_escapes),
        cmocka_unit_test(test_distinct),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
