#include "experiments/export.h"

#include "base/json.h"
#include "experiments/charts.h"
#include "experiments/layout.h"
#include "experiments/page.h"

#include <math.h>
#include <report_css.h>
#include <report_js.h>
#include <stdlib.h>
#include <string.h>

enum { THUMB = 192, QUALITY = 80, THUMB_MAX = 1 << 22 };

/* What the functions below share. */
struct report {
    const struct export_source *s;
    struct page page;
    struct layout layout;
    int side, quality;
    size_t *thumb; /* per cell: index of its thumbnail; SIZE_MAX: none */
    size_t thumbs;
    struct arena arena;
    struct err *e;
};

/* Every picture once: cells with the same file share a thumbnail. */
static int add_thumbnail(struct report *r, const struct image *im)
{
    struct image flat = {0}, small = {0};
    struct buf bytes;
    double scale = (double)r->side / (im->width > im->height ? im->width : im->height);
    int rc = image_flatten(im, &flat, r->e);

    buf_init(&bytes, THUMB_MAX);
    scale = scale > 1 ? 1 : scale;
    if (rc == 0)
        rc = image_resize(&flat, (int)fmax(1, round(im->width * scale)),
                          (int)fmax(1, round(im->height * scale)), IMAGE_BOX, &small, r->e);
    if (rc == 0)
        rc = image_encode(&small, (struct image_encoding){IMAGE_WEBP, r->quality, false}, NULL,
                          &bytes, r->e);
    if (rc == 0) {
        page_add(&r->page, r->thumbs++ ? ",\"" : "\"");
        page_add(&r->page, "data:image/webp;base64,");
        page_base64(&r->page, (const unsigned char *)bytes.p, bytes.n);
        page_add(&r->page, "\"\n");
    }
    buf_release(&bytes);
    image_release(&flat);
    image_release(&small);
    return rc;
}

static int add_thumbnails(struct report *r)
{
    const struct plan *p = r->s->plan;
    int rc = 0;

    for (size_t i = 0; i < p->count; i++)
        r->thumb[i] = SIZE_MAX;
    for (size_t i = 0; i < p->count && rc == 0 && r->s->loader; i++) {
        struct image im = {0};
        size_t twin = p->cells[i].twin;
        bool same = twin != i && r->thumb[twin] != SIZE_MAX &&
                    strcmp(r->s->results->at[twin].sha256, r->s->results->at[i].sha256) == 0;
        if (r->s->results->at[i].state != RESULT_DONE)
            continue;
        if (same) {
            r->thumb[i] = r->thumb[twin];
            continue;
        }
        rc = r->s->loader->load(r->s->loader->user, i, &im, r->e);
        if (rc == 0) {
            r->thumb[i] = r->thumbs;
            rc = add_thumbnail(r, &im);
        } else if (rc == ERR_NOT_FOUND) {
            rc = 0;
        }
        image_release(&im);
    }
    return rc;
}

static json_t *axes_json(const struct plan *p)
{
    json_t *out = json_array();

    for (size_t i = 0; i < p->spec->axis_count; i++) {
        json_t *labels = json_array();
        for (size_t k = 0; k < p->spec->axes[i].point_count; k++)
            json_array_append_new(labels, json_string(p->spec->axes[i].points[k].label));
        json_array_append_new(out,
                              json_pack("{ssso}", "name", p->spec->axes[i].name, "labels", labels));
    }
    return out;
}

static const char *state_name(const struct report *r, size_t cell)
{
    static const char *const names[] = {"none", "waiting", "done", "failed"};
    const struct plan_cell *c = &r->s->plan->cells[cell];
    const struct result *x = &r->s->results->at[cell];

    return x->state == RESULT_NONE || c->state >= PLAN_IMPOSSIBLE ? plan_state_name(c->state)
                                                                  : names[x->state];
}

static json_t *cell_json(const struct report *r, size_t cell)
{
    const struct plan *p = r->s->plan;
    const struct plan_cell *c = &p->cells[cell];
    const struct result *x = &r->s->results->at[cell];
    json_t *points = json_array(), *parameters = plan_parameters(p, cell);
    json_int_t thumb = r->thumb[cell] == SIZE_MAX ? -1 : (json_int_t)r->thumb[cell];
    bool reference = p->spec->reference_axis != SIZE_MAX &&
                     plan_point(p, cell, p->spec->reference_axis) == p->spec->reference_point;

    for (size_t i = 0; i < p->spec->axis_count; i++)
        json_array_append_new(points, json_integer((json_int_t)plan_point(p, cell, i)));
    /* A picture inside a parameter would be larger than all thumbnails. */
    if (strncmp(json_text(parameters, "init_image", ""), "data:", 5) == 0)
        json_object_set_new(parameters, "init_image", json_string("(a picture)"));
    if (strncmp(json_text(parameters, "mask", ""), "data:", 5) == 0)
        json_object_set_new(parameters, "mask", json_string("(a picture)"));
    return json_pack(
        "{sosIsssosIsososisisb}", "a", points, "r", (json_int_t)plan_replicate(p, cell), "s",
        state_name(r, cell), "why", json_text_or_null(c->reason ? c->reason : x->error), "t", thumb,
        "m", measures_to_json(x->values), "p", parameters, "w", c->width ? c->width : r->side, "h",
        c->height ? c->height : r->side, "reference", reference);
}

static json_t *measures_info_json(void)
{
    json_t *out = json_array();

    for (int i = 0; i < MEASURE_COUNT; i++)
        json_array_append_new(out, json_pack("{sssssssisi}", "key", measure_infos[i].name, "title",
                                             measure_infos[i].title, "unit", measure_infos[i].unit,
                                             "better", measure_infos[i].better, "digits",
                                             measure_infos[i].digits));
    return out;
}

static void add_object(struct report *r, const char *name, json_t *value)
{
    page_addf(&r->page, "\"%s\":", name);
    page_json(&r->page, json_compact(value, &r->arena));
    page_add(&r->page, ",\n");
    json_decref(value);
}

/* The one JSON document that report.js reads. */
static int add_data(struct report *r)
{
    const struct plan *p = r->s->plan;
    json_t *seeds = json_array(), *reference = json_null();

    for (size_t i = 0; i < p->spec->seed_count; i++)
        json_array_append_new(
            seeds,
            json_string(arena_printf(&r->arena, "%llu", (unsigned long long)p->spec->seeds[i])));
    if (p->spec->reference_axis != SIZE_MAX)
        reference = json_pack("{sIsI}", "axis", (json_int_t)p->spec->reference_axis, "point",
                              (json_int_t)p->spec->reference_point);
    page_add(&r->page, "<script type=\"application/json\" id=\"data\">{\n");
    add_object(r, "axes", axes_json(p));
    add_object(r, "seeds", seeds);
    add_object(r, "measures", measures_info_json());
    add_object(r, "reference", reference);
    add_object(r, "rows", json_string(layout_axis(p, r->layout.row_axis)));
    add_object(r, "columns", json_string(layout_axis(p, r->layout.column_axis)));
    page_addf(&r->page, "\"thumbnail\":%d,\n\"thumbs\":[", r->side);
    int rc = add_thumbnails(r);
    page_add(&r->page, "],\n\"cells\":[");
    for (size_t i = 0, n = 0; i < p->count && rc == 0; i++) {
        struct arena a = {0};
        if (p->cells[i].state == PLAN_DROPPED)
            continue;
        json_t *cell = cell_json(r, i);
        page_add(&r->page, n++ ? ",\n" : "\n");
        page_json(&r->page, json_compact(cell, &a));
        json_decref(cell);
        arena_release(&a);
    }
    page_add(&r->page, "]}</script>\n");
    return rc;
}

static void add_head(struct report *r, const char *title)
{
    struct page *p = &r->page;

    page_add(p,
             "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
             "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src "
             "data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">"
             "<meta name=\"generator\" content=\"Shadow Cauldron\">");
    page_tag(p, "title", title);
    page_add(p, "<style>\n");
    page_bytes(p, report_css, sizeof report_css);
    page_add(p, "</style></head>\n<body><header>");
    page_tag(p, "h1", title);
    if (r->s->plan->spec->notes[0])
        page_tag(p, "p", r->s->plan->spec->notes);
}

static void add_facts(struct report *r)
{
    const struct plan_totals *t = &r->s->plan->totals;
    size_t done = 0, failed = 0;

    for (size_t i = 0; i < r->s->plan->count; i++) {
        done += r->s->results->at[i].state == RESULT_DONE;
        failed += r->s->results->at[i].state == RESULT_FAILED;
    }
    page_addf(&r->page, "<p class=\"soft\">%zu cells, %zu drawn", t->cells, done);
    if (failed)
        page_addf(&r->page, ", %zu failed", failed);
    if (t->impossible)
        page_addf(&r->page, ", %zu not possible", t->impossible);
    page_add(&r->page, "</p></header>\n");
}

static void add_body(struct report *r)
{
    static const char *const views[][2] = {
        {"grid", "Grid"}, {"table", "Table"}, {"analysis", "Analysis"}, {"spec", "Specification"}};
    struct page *p = &r->page;
    char *spec = json_dumps(r->s->plan->spec->written, JSON_INDENT(2) | JSON_REAL_PRECISION(12));

    page_add(p, "<nav role=\"tablist\" aria-label=\"views\">");
    for (size_t i = 0; i < 4; i++)
        page_addf(p,
                  "<button type=\"button\" role=\"tab\" data-for=\"%s\" aria-selected=\"%s\">%s"
                  "</button>",
                  views[i][0], i ? "false" : "true", views[i][1]);
    page_add(p, "</nav>\n<main><section id=\"view-grid\"><details id=\"arrange\" "
                "open><summary>Arrange</summary>"
                "<div class=\"controls\" id=\"controls\"></div></details>"
                "<div id=\"sheets\"></div><noscript>The grid needs JavaScript; the analysis below "
                "does not.</noscript></section>\n"
                "<section id=\"view-table\"><div id=\"cells\"></div></section>\n<section "
                "id=\"view-analysis\">");
    report_analysis(p, r->s->analysis);
    page_add(p, "</section>\n<section id=\"view-spec\"><pre>");
    page_text(p, spec ? spec : "");
    page_add(p, "</pre></section></main>\n<dialog id=\"detail\"></dialog><div id=\"tip\" "
                "role=\"tooltip\"></div>\n");
    free(spec);
}

static int write_report(struct report *r)
{
    const struct spec *spec = r->s->plan->spec;

    add_head(r, spec->name[0] ? spec->name : spec_type_name(spec->type));
    add_facts(r);
    add_body(r);
    int rc = add_data(r);
    if (rc)
        return rc;
    page_add(&r->page, "<script>\n");
    page_bytes(&r->page, report_js, sizeof report_js);
    page_add(&r->page, "</script></body></html>\n");
    return r->page.rc ? ERR(r->e, ERR_NOMEM, "the page is longer than %zu bytes", r->page.out->max)
                      : 0;
}

int export_html(const struct export_source *s, const struct export_options *o, struct buf *out,
                struct err *e)
{
    static const struct export_options none = {0};
    struct report r = {.s = s, .page = {out, 0}, .e = e};

    o = o ? o : &none;
    r.side = o->thumbnail ? o->thumbnail : THUMB;
    r.quality = o->quality ? o->quality : QUALITY;
    if (r.side < 16 || r.side > 2048 || r.quality < 1 || r.quality > 100)
        return ERR(e, ERR_ARG, "thumbnails are from 16 to 2048 pixels, of quality 1 to 100");
    if (layout_of(s->plan, o, &r.layout, e))
        return e->code;
    r.thumb = arena_try(&r.arena, s->plan->count, sizeof *r.thumb);
    int rc = r.thumb ? write_report(&r)
                     : ERR(e, ERR_NOMEM, "no memory for a page of %zu cells", s->plan->count);
    arena_release(&r.arena);
    return rc;
}
