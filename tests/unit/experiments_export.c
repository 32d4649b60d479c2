#include "test.h"

#include "experiments/charts.h"
#include "experiments/export.h"
#include "experiments/font.h"
#include "experiments/layout.h"
#include "experiments_fixture.h"

#include <math.h>

static struct spec *spec;
static struct plan *plan;
static struct results *results;
static struct analysis *analysis;
static int loads;

static int load(void *user, size_t cell, struct image *out, struct err *e)
{
    (void)user;
    loads++;
    return fixture_picture(plan, cell, 48, out, e);
}

static const struct measure_loader loader = {NULL, load};
static struct export_source source;

/* Names as hostile as a user may give them. */
static int set_up(void **state)
{
    struct err e;

    (void)state;
    spec = fixture_spec(
        "{\"version\":1,\"type\":\"convergence\",\"name\":\"</"
        "script><b>&amp;\",\"notes\":\"\\\"n\\\"\","
        "\"prompts\":[\"=cmd|' /C calc'!A0\",\"two\\nlines, \\\"quoted\\\" </script>\"],"
        "\"samplers\":[\"euler\",\"ddim\"],\"steps\":[5,10,20],\"replicates\":{\"count\":2},"
        "\"constraints\":[{\"where\":{\"sampler\":\"ddim\",\"steps\":5},\"drop\":true},"
        "{\"where\":{\"sampler\":\"ddim\"},\"require\":{\"steps\":{\"max\":10}}}]}");
    plan = fixture_plan(spec);
    results = results_new(plan->count);
    for (size_t i = 0; i < plan->count; i++)
        if (plan->cells[i].state == PLAN_DRAW) {
            results->at[i].state = RESULT_DONE;
            results->at[i].values[MEASURE_SECONDS] = plan->cells[i].steps / 10.0;
        }
    results->at[1].state = RESULT_FAILED;
    results->at[1].error = "@out of memory";
    assert_int_equal(measures_run(plan, &loader, NULL, results, &e), 0);
    assert_int_equal(analysis_new(plan, results, &(struct analysis_options){0}, &analysis, &e), 0);
    source = (struct export_source){plan, results, analysis, &loader};
    loads = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    analysis_free(analysis);
    results_free(results);
    plan_free(plan);
    spec_free(spec);
    return 0;
}

/* Fields of one record of RFC 4180; p moves behind it. */
static int read_record(const char **p, char fields[40][600])
{
    int n = 0;

    for (;; n++) {
        size_t k = 0;
        bool quoted = **p == '"';
        *p += quoted;
        while (quoted ? !(**p == '"' && (*p)[1] != '"') : !strchr(",\r", **p)) {
            *p += quoted && **p == '"';
            assert_true(k < 599 && **p);
            fields[n][k++] = *(*p)++;
        }
        fields[n][k] = 0;
        *p += quoted;
        if (**p == '\r')
            break;
        assert_int_equal(**p, ',');
        ++*p;
    }
    assert_int_equal((*p)[1], '\n');
    *p += 2;
    return n + 1;
}

static void test_csv(void **state)
{
    char head[40][600], fields[40][600];
    struct buf out;
    struct err e;

    (void)state;
    buf_init(&out, EXPORT_MAX);
    assert_int_equal(export_csv(&source, &out, &e), 0);
    const char *p = out.p;
    int columns = read_record(&p, head);
    assert_string_equal(head[4], "prompt");
    assert_string_equal(head[columns - 1], "parameters");
    for (int i = 0; i < columns; i++)
        for (int k = 0; k < i; k++)
            assert_string_not_equal(head[i], head[k]); /* also where an axis is called "steps" */
    for (size_t i = 0; i < plan->count; i++) {
        json_t *parameters;
        if (plan->cells[i].state == PLAN_DROPPED)
            continue;
        assert_int_equal(read_record(&p, fields), columns);
        assert_string_equal(fields[0], plan->cells[i].id);
        for (int k = 0; k < columns; k++)
            assert_true(!fields[k][0] || !strchr("=+@\t", fields[k][0]));
        assert_string_equal(fields[4][0] == '\'' ? fields[4] + 1 : fields[4],
                            spec->axes[0].points[plan_point(plan, i, 0)].label);
        assert_int_equal(json_read(str_from(fields[columns - 1]), &parameters, &e), 0);
        json_decref(parameters);
        if (i == 1) {
            assert_string_equal(fields[2], "failed");
            assert_string_equal(fields[3], "'@out of memory");
        }
    }
    assert_int_equal(*p, 0);
    buf_release(&out);
    buf_init(&out, 100);
    assert_int_equal(export_csv(&source, &out, &e), ERR_NOMEM);
    buf_release(&out);
}

static void test_json(void **state)
{
    json_t *json = export_json(&source);

    (void)state;
    assert_int_equal(json_array_size(json_object_get(json, "cells")), plan->totals.cells);
    assert_true(json_equal(json_object_get(json, "spec"), (json_t *)spec->written));
    assert_non_null(json_object_get(json_object_get(json, "analysis"), "curves"));
    json_decref(json);
}

static size_t count_of(const char *text, const char *word)
{
    size_t n = 0;

    for (const char *p = text; (p = strstr(p, word)); p += strlen(word))
        n++;
    return n;
}

/* The document that the page's script reads. */
static json_t *data_of(const char *html)
{
    const char *start = strstr(html, "id=\"data\">"), *end;
    json_t *data;
    struct err e;

    assert_non_null(start);
    start += strlen("id=\"data\">");
    end = strstr(start, "</script>");
    if (json_read((struct str){start, (size_t)(end - start)}, &data, &e))
        fail_msg("%s", e.message);
    return data;
}

static void test_html(void **state)
{
    struct buf out;
    struct err e;
    json_t *cell, *data;
    size_t i, pictures = 0;

    (void)state;
    buf_init(&out, EXPORT_MAX);
    assert_int_equal(export_html(&source, NULL, &out, &e), 0);
    /* Nothing of the user's text has become markup, and nothing is fetched. */
    assert_int_equal(count_of(out.p, "<script"), 2);
    assert_int_equal(count_of(out.p, "</script>"), 2);
    assert_int_equal(count_of(out.p, "<b>&amp;"), 0);
    assert_non_null(strstr(out.p, "<h1>&lt;/script&gt;&lt;b&gt;&amp;amp;</h1>"));
    assert_null(strstr(out.p, "http://"));
    assert_null(strstr(out.p, "https://"));
    assert_non_null(strstr(out.p, "default-src 'none'"));
    assert_non_null(strstr(out.p, "<polyline"));
    data = data_of(out.p);
    assert_int_equal(json_array_size(json_object_get(data, "cells")), plan->totals.cells);
    json_array_foreach(json_object_get(data, "cells"), i, cell)
        pictures += json_int(cell, "t", -1) >= 0;
    assert_int_equal(pictures, json_array_size(json_object_get(data, "thumbs")));
    assert_int_equal(loads, pictures);
    const char *first = json_string_value(json_array_get(json_object_get(data, "thumbs"), 0));
    assert_true(strncmp(first, "data:image/webp;base64,UklGR", 28) == 0); /* "RIFF" */
    json_decref(data);
    buf_release(&out);
    buf_init(&out, 5000);
    assert_int_equal(export_html(&source, NULL, &out, &e), ERR_NOMEM);
    buf_release(&out);
    assert_int_equal(export_html(&source, &(struct export_options){.rows = "x"}, &out, &e),
                     ERR_ARG);
}

/* Loading it fails half-way: the error comes through. */
static int fail_load(void *user, size_t cell, struct image *out, struct err *e)
{
    (void)user;
    (void)cell;
    (void)out;
    return ERR(e, ERR_IO, "the disk is gone");
}

static void test_failing_loader(void **state)
{
    static const struct measure_loader broken = {NULL, fail_load};
    struct export_source s = {plan, results, NULL, &broken};
    struct image sheet;
    struct buf out;
    struct err e;

    (void)state;
    buf_init(&out, EXPORT_MAX);
    assert_int_equal(export_html(&s, NULL, &out, &e), ERR_IO);
    buf_release(&out);
    assert_int_equal(export_sheet(&s, NULL, &sheet, &e), ERR_IO);
}

static void test_layout(void **state)
{
    struct layout l;
    struct arena a = {0};
    struct err e;

    (void)state;
    assert_int_equal(layout_of(plan, &(struct export_options){0}, &l, &e), 0);
    assert_string_equal(layout_axis(plan, l.column_axis), "steps");
    assert_string_equal(layout_axis(plan, l.row_axis), "prompt");
    assert_int_equal(l.tables, 4);
    bool *seen = arena_alloc(&a, plan->count);
    for (size_t t = 0; t < l.tables; t++)
        for (size_t r = 0; r < l.rows; r++)
            for (size_t c = 0; c < l.columns; c++) {
                size_t cell = layout_cell(plan, &l, t, r, c);
                assert_false(seen[cell]);
                seen[cell] = true;
            }
    assert_string_equal(layout_table(plan, &l, 3, &a), "sampler: ddim  |  seed 1");
    assert_int_equal(layout_of(plan,
                               &(struct export_options){.rows = "replicate", .columns = "sampler"},
                               &l, &e),
                     0);
    assert_string_equal(layout_row(plan, &l, 1, &a), "seed 1");
    assert_int_equal(l.tables, 6);
    assert_int_equal(layout_of(plan, &(struct export_options){.rows = "steps"}, &l, &e), 0);
    assert_true(l.row_axis == 2 && l.column_axis != 2);
    assert_int_equal(
        layout_of(plan, &(struct export_options){.rows = "steps", .columns = "steps"}, &l, &e),
        ERR_ARG);
    arena_release(&a);
}

static void test_sheet(void **state)
{
    struct export_options o = {.thumbnail = 96};
    struct image sheet, want, small;
    bool found = false;
    struct err e;

    (void)state;
    assert_int_equal(export_sheet(&source, &o, &sheet, &e), 0);
    assert_int_equal(sheet.channels, 3);
    /* The first cell's thumbnail lies somewhere on it, pixel by pixel. */
    assert_int_equal(fixture_picture(plan, 0, 48, &want, &e), 0);
    assert_int_equal(image_resize(&want, 96, 96, IMAGE_NEAREST, &small, &e), 0);
    for (int y = 0; y + 96 <= sheet.height && !found; y++)
        for (int x = 0; x + 96 <= sheet.width && !found; x++) {
            int row = 0;
            while (row < 96 && memcmp(sheet.pixels + ((size_t)(y + row) * sheet.width + x) * 3,
                                      small.pixels + (size_t)row * 96 * 3, (size_t)96 * 3) == 0)
                row++;
            found = row == 96;
        }
    assert_true(found);
    image_release(&want);
    image_release(&small);
    image_release(&sheet);
    o.thumbnail = 5;
    assert_int_equal(export_sheet(&source, &o, &sheet, &e), ERR_ARG);
    source.loader = NULL;
    assert_int_equal(export_sheet(&source, NULL, &sheet, &e), 0);
    image_release(&sheet);
}

static void test_huge_sheet(void **state)
{
    struct spec *s = fixture_spec("{\"version\":1,\"type\":\"parameter_sweep\",\"base\":{"
                                  "\"prompt\":\"x\"},\"steps\":\"1..200\","
                                  "\"parameters\":{\"eta\":\"0..1 in 200\"}}");
    struct plan *p = fixture_plan(s);
    struct results *r = results_new(p->count);
    struct export_source huge = {p, r, NULL, NULL};
    struct export_options o = {.thumbnail = 192};
    struct image sheet;
    struct err e;

    (void)state;
    assert_int_equal(export_sheet(&huge, &o, &sheet, &e), ERR_ARG);
    assert_non_null(strstr(e.message, "do"));
    assert_int_equal(export_sheet(&huge, NULL, &sheet, &e), 0); /* smaller thumbnails are chosen */
    assert_true((long long)sheet.width * sheet.height <= IMAGE_MAX_PIXELS);
    image_release(&sheet);
    results_free(r);
    plan_free(p);
    spec_free(s);
}

static size_t ink(const struct image *im)
{
    size_t n = 0;

    for (size_t i = 0; i < (size_t)im->width * (size_t)im->height * 3; i++)
        n += im->pixels[i] < 255;
    return n;
}

static void test_font(void **state)
{
    static const struct colour black = {0, 0, 0};
    struct image im;
    struct err e;

    (void)state;
    assert_true(font_width("ii", 14) < font_width("mm", 14));
    assert_true(font_width("steps", 28) > font_width("steps", 14));
    assert_int_equal(font_width("\xc3\xa9", 14), font_width("\xe6\x97\xa5", 14)); /* one box each */
    int width = font_width("one two", 14);
    assert_int_equal(font_wrap(NULL, 0, 0, width, 9, 14, black, "one two three four"), 3);
    assert_int_equal(font_wrap(NULL, 0, 0, width, 2, 14, black, "one two three four"), 2);
    assert_int_equal(font_wrap(NULL, 0, 0, 3, 4, 14, black, "mmmmmmmm"), 4);
    for (int c = 33; c < 127; c++) { /* every letter leaves ink, inside its line */
        char text[2] = {(char)c, 0};
        assert_int_equal(image_new(40, 40, 3, &im, &e), 0);
        memset(im.pixels, 255, (size_t)40 * 40 * 3);
        font_draw(&im, 8, 8, 14, black, text);
        assert_true(ink(&im) > 0);
        font_draw(&im, -20, -20, 14, black, "outside");
        font_draw(&im, 38, 38, 14, black, "outside");
        image_release(&im);
    }
}

static void test_scale(void **state)
{
    struct scale s = scale_of(0.903, 0.998, 0, 100, 5);

    (void)state;
    assert_true(fabs(s.tick - 0.02) < 1e-12 && fabs(s.low - 0.9) < 1e-12 &&
                fabs(s.high - 1) < 1e-12);
    assert_true(fabs(scale_at(&s, 0.95) - 50) < 1e-9);
    s = scale_of(3, 3, 0, 1, 5);
    assert_true(s.low < 3 && s.high > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_csv, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_json, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_html, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failing_loader, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_layout, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sheet, set_up, tear_down),
        cmocka_unit_test(test_huge_sheet),
        cmocka_unit_test(test_font),
        cmocka_unit_test(test_scale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
