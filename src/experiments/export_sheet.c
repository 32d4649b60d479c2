#include "experiments/export.h"

#include "experiments/font.h"
#include "experiments/layout.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MARGIN = 20, GAP = 4, TITLE = 18, HEAD = 13, SMALL = 10, LEAST_THUMB = 24, THUMB = 192 };
enum { LABEL_LINES = 4, ROW_WIDTH = 180, COLUMN_LINES = 3 };

static const struct colour ink = {24, 24, 27}, soft = {113, 113, 122}, rule = {228, 228, 231},
                           empty = {244, 244, 245}, bad = {185, 28, 28};

/* Where everything goes. */
struct sheet {
    const struct export_source *s;
    struct layout l;
    int thumb_w, thumb_h;
    int row_width, column_height, table_title, title_height;
    long long width, height;
    struct image im;
    struct arena arena;
};

static void fill(struct image *im, int x, int y, int w, int h, struct colour c)
{
    for (int j = y; j < y + h && j < im->height; j++)
        for (int i = x; i < x + w && i < im->width; i++)
            memcpy(im->pixels + ((size_t)j * (size_t)im->width + (size_t)i) * 3, &c, 3);
}

/* The largest width and height over the pictures, in which every thumbnail is fitted. */
static void picture_box(const struct plan *p, int *w, int *h)
{
    *w = *h = 0;
    for (size_t i = 0; i < p->count; i++) {
        *w = p->cells[i].width > *w ? p->cells[i].width : *w;
        *h = p->cells[i].height > *h ? p->cells[i].height : *h;
    }
    if (!*w || !*h)
        *w = *h = 512;
}

static void measure_labels(struct sheet *t)
{
    const struct plan *p = t->s->plan;
    int widest = 0, lines = 1;

    for (size_t i = 0; i < t->l.rows; i++) {
        int w = font_width(layout_row(p, &t->l, i, &t->arena), HEAD);
        widest = w > widest ? w : widest;
    }
    t->row_width = widest > ROW_WIDTH ? ROW_WIDTH : widest;
    for (size_t i = 0; i < t->l.columns; i++) {
        int n = font_wrap(NULL, 0, 0, t->thumb_w, COLUMN_LINES, HEAD, ink,
                          layout_column(p, &t->l, i, &t->arena));
        lines = n > lines ? n : lines;
    }
    t->column_height = t->l.column_axis == SIZE_MAX ? 0 : lines * font_line(HEAD);
    t->table_title = t->l.tables > 1 ? font_line(HEAD) + MARGIN / 2 : 0;
}

/* Sizes for thumbnails of that longest side. */
static void measure_sheet(struct sheet *t, int side)
{
    int w, h;

    picture_box(t->s->plan, &w, &h);
    double scale = (double)side / (w > h ? w : h);
    scale = scale > 1 ? fmin(floor(scale), 4) : scale;
    t->thumb_w = (int)fmax(1, round(w * scale));
    t->thumb_h = (int)fmax(1, round(h * scale));
    measure_labels(t);
    t->title_height = font_line(TITLE) + font_line(SMALL) + MARGIN;
    t->width = 2LL * MARGIN + t->row_width + (t->row_width ? 2 * GAP : 0) +
               (long long)t->l.columns * (t->thumb_w + GAP);
    t->height = 2LL * MARGIN + t->title_height +
                (long long)t->l.tables * (t->table_title + t->column_height +
                                          (long long)t->l.rows * (t->thumb_h + GAP) + MARGIN);
    if (t->width < 480)
        t->width = 480;
}

static bool fits(const struct sheet *t)
{
    return t->width <= IMAGE_MAX_SIDE && t->height <= IMAGE_MAX_SIDE &&
           t->width * t->height <= IMAGE_MAX_PIXELS;
}

static int choose_size(struct sheet *t, int wanted, struct err *e)
{
    int side = wanted ? wanted : THUMB;

    measure_sheet(t, side);
    while (!fits(t) && side > LEAST_THUMB) {
        side = side * 7 / 8 < LEAST_THUMB ? LEAST_THUMB : side * 7 / 8;
        measure_sheet(t, side);
    }
    if (!fits(t))
        return ERR(e, ERR_ARG,
                   "%zu tables of %zu rows and %zu columns do not fit one picture; export HTML, or "
                   "choose other rows and columns",
                   t->l.tables, t->l.rows, t->l.columns);
    if (wanted && side < wanted)
        return ERR(e, ERR_ARG, "thumbnails of %d pixels do not fit one picture; %d do", wanted,
                   side);
    return 0;
}

static void paste(struct image *to, const struct image *from, int x, int y)
{
    for (int j = 0; j < from->height; j++)
        memcpy(to->pixels + ((size_t)(y + j) * (size_t)to->width + (size_t)x) * 3,
               from->pixels + (size_t)j * (size_t)from->width * 3, (size_t)from->width * 3);
}

static int draw_picture(struct sheet *t, const struct image *im, int x, int y, struct err *e)
{
    struct image rgb = {0}, small = {0};
    double scale = fmin((double)t->thumb_w / im->width, (double)t->thumb_h / im->height);
    scale = scale > 1 ? floor(scale) : scale; /* small pictures keep their pixels square */
    int w = (int)fmax(1, floor(im->width * scale + 1e-6)),
        h = (int)fmax(1, floor(im->height * scale + 1e-6));
    int rc = image_flatten(im, &rgb, e);

    if (rc == 0 && rgb.channels != 3) {
        struct image grey = rgb;
        rgb = (struct image){0};
        rc = image_to_rgb(&grey, &rgb, e);
        image_release(&grey);
    }
    if (rc == 0)
        rc = image_resize(&rgb, w, h, scale > 1 ? IMAGE_NEAREST : IMAGE_BOX, &small, e);
    if (rc == 0)
        paste(&t->im, &small, x + (t->thumb_w - w) / 2, y + (t->thumb_h - h) / 2);
    image_release(&rgb);
    image_release(&small);
    return rc;
}

static void draw_words(struct sheet *t, size_t cell, int x, int y)
{
    const struct plan_cell *c = &t->s->plan->cells[cell];
    const struct result *r = &t->s->results->at[cell];
    bool failed = r->state == RESULT_FAILED;
    const char *head = failed                        ? "failed"
                       : c->state == PLAN_IMPOSSIBLE ? "not possible"
                       : c->state == PLAN_DROPPED    ? "left out"
                       : c->state == PLAN_CUT        ? "over budget"
                                                     : "not drawn";
    const char *why = failed ? r->error : c->reason;
    int lines = t->thumb_h / font_line(SMALL) - 1, step = font_line(SMALL);

    fill(&t->im, x, y, t->thumb_w, t->thumb_h, empty);
    if (lines < 1)
        return;
    (void)font_wrap(&t->im, x + 6, y + 8, t->thumb_w - 12, 1, SMALL, failed ? bad : soft, head);
    if (why && lines > 1)
        (void)font_wrap(&t->im, x + 6, y + 8 + step, t->thumb_w - 12, lines - 1, SMALL, soft, why);
}

static int draw_cell(struct sheet *t, size_t cell, int x, int y, struct err *e)
{
    struct image im = {0};
    int rc = ERR_NOT_FOUND;

    if (t->s->loader && t->s->results->at[cell].state == RESULT_DONE)
        rc = t->s->loader->load(t->s->loader->user, cell, &im, e);
    if (rc == 0)
        rc = draw_picture(t, &im, x, y, e);
    else if (rc == ERR_NOT_FOUND) {
        draw_words(t, cell, x, y);
        rc = 0;
    }
    image_release(&im);
    return rc;
}

static int draw_table(struct sheet *t, size_t table, int top, struct err *e)
{
    const struct plan *p = t->s->plan;
    int left = MARGIN + t->row_width + (t->row_width ? 2 * GAP : 0);

    if (t->table_title) {
        fill(&t->im, MARGIN, top, (int)t->width - 2 * MARGIN, 1, rule);
        (void)font_wrap(&t->im, MARGIN, top + MARGIN / 2, (int)t->width - 2 * MARGIN, 1, HEAD, ink,
                        layout_table(p, &t->l, table, &t->arena));
        top += t->table_title;
    }
    for (size_t c = 0; c < t->l.columns; c++)
        (void)font_wrap(&t->im, left + (int)c * (t->thumb_w + GAP), top, t->thumb_w, COLUMN_LINES,
                        HEAD, ink, layout_column(p, &t->l, c, &t->arena));
    top += t->column_height;
    for (size_t r = 0; r < t->l.rows; r++) {
        int y = top + (int)r * (t->thumb_h + GAP);
        int lines = t->thumb_h / font_line(HEAD);
        (void)font_wrap(&t->im, MARGIN, y + 2, t->row_width,
                        lines < 1             ? 1
                        : lines > LABEL_LINES ? LABEL_LINES
                                              : lines,
                        HEAD, ink, layout_row(p, &t->l, r, &t->arena));
        for (size_t c = 0; c < t->l.columns; c++)
            if (draw_cell(t, layout_cell(p, &t->l, table, r, c), left + (int)c * (t->thumb_w + GAP),
                          y, e))
                return e->code;
    }
    return 0;
}

static int draw_sheet(struct sheet *t, struct err *e)
{
    const struct spec *spec = t->s->plan->spec;
    long long y = MARGIN + t->title_height;
    long long step = t->table_title + t->column_height + (long long)t->l.rows * (t->thumb_h + GAP) +
                     MARGIN;
    const char *axes = arena_printf(&t->arena, "rows: %s   columns: %s",
                                    layout_axis(t->s->plan, t->l.row_axis),
                                    layout_axis(t->s->plan, t->l.column_axis));

    if (image_new((int)t->width, (int)t->height, 3, &t->im, e))
        return e->code;
    memset(t->im.pixels, 255, (size_t)t->width * (size_t)t->height * 3);
    (void)font_wrap(&t->im, MARGIN, MARGIN, (int)t->width - 2 * MARGIN, 1, TITLE, ink,
                    spec->name[0] ? spec->name : spec_type_name(spec->type));
    (void)font_wrap(&t->im, MARGIN, MARGIN + font_line(TITLE), (int)t->width - 2 * MARGIN, 1, SMALL,
                    soft, axes);
    for (size_t i = 0; i < t->l.tables; i++)
        if (draw_table(t, i, (int)(y + (long long)i * step), e))
            return e->code;
    return 0;
}

int export_sheet(const struct export_source *s, const struct export_options *o, struct image *out,
                 struct err *e)
{
    static const struct export_options none = {0};
    struct sheet t = {.s = s};
    int rc;

    o = o ? o : &none;
    if (o->thumbnail && (o->thumbnail < LEAST_THUMB || o->thumbnail > 2048))
        return ERR(e, ERR_ARG, "thumbnails are from %d to 2048 pixels", LEAST_THUMB);
    rc = layout_of(s->plan, o, &t.l, e);
    if (rc == 0)
        rc = choose_size(&t, o->thumbnail, e);
    if (rc == 0)
        rc = draw_sheet(&t, e);
    if (rc == 0)
        *out = t.im;
    else
        image_release(&t.im);
    arena_release(&t.arena);
    return rc;
}
