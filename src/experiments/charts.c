#include "experiments/charts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 640, HEIGHT = 330, LEFT = 58, RIGHT = 18, TOP = 14, BOTTOM = 44, COLOURS = 8 };
enum { SMALL = 420, MOST_CURVES = 24, MOST_BANDS = 6, MOST_BARS = 40, BAR = 22, NAMES = 156 };

double scale_at(const struct scale *s, double x)
{
    return s->from + (x - s->low) / (s->high - s->low) * (s->to - s->from);
}

/* Ticks at 1, 2 or 5 times a power of ten (Heckbert 1990, "Nice numbers for graph labels"). */
struct scale scale_of(double low, double high, double from, double to, int ticks)
{
    if (!(high > low)) {
        double pad = low != 0 ? fabs(low) * 0.1 : 1;
        low -= pad;
        high = low + 2 * pad;
    }
    double rough = (high - low) / ticks, power = pow(10, floor(log10(rough))), f = rough / power;
    double tick = power * (f < 1.5 ? 1 : f < 3.5 ? 2 : f < 7.5 ? 5 : 10);
    return (struct scale){floor(low / tick + 1e-9) * tick, ceil(high / tick - 1e-9) * tick, from,
                          to, tick};
}

static void tick_label(struct page *p, const struct scale *s, double v)
{
    int digits = s->tick >= 1 ? 0 : (int)ceil(-log10(s->tick) - 1e-9);

    page_addf(p, "%.*f", digits, fabs(v) < s->tick / 2 ? 0 : v);
}

/* How many there are beside the first. */
static int ticks_of(const struct scale *s)
{
    return (int)floor((s->high - s->low) / s->tick + 0.5);
}

static void draw_ticks(struct page *p, const struct scale *x, const struct scale *y)
{
    for (int i = 0; i <= ticks_of(y); i++) {
        double v = y->low + i * y->tick, at = scale_at(y, v);
        page_addf(p,
                  "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>"
                  "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">",
                  x->from, x->to, at, at, x->from - 8, at + 4);
        tick_label(p, y, v);
        page_add(p, "</text>");
    }
    for (int i = 0; i <= ticks_of(x); i++) {
        double v = x->low + i * x->tick;
        page_addf(p, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">", scale_at(x, v),
                  y->from + 18);
        tick_label(p, x, v);
        page_add(p, "</text>");
    }
    page_addf(p, "<line class=\"axis\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>", x->from,
              x->to, y->from, y->from);
}

static void open_chart(struct page *p, int width, int height, const char *title)
{
    page_addf(p, "<figure class=\"chart%s\"><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"",
              width == SMALL ? " small" : "", width, height);
    page_text(p, title);
    page_add(p, "\">");
}

static void axis_title(struct page *p, double x, double y, const char *text, const char *unit)
{
    page_addf(p, "<text class=\"strong\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">", x, y);
    page_text(p, text);
    if (unit[0]) {
        page_add(p, ", ");
        page_text(p, unit);
    }
    page_add(p, "</text>");
}

static void include(double v, double *low, double *high)
{
    if (isnan(v))
        return;
    *low = v < *low ? v : *low;
    *high = v > *high ? v : *high;
}

/* The interval as a band behind the line. */
static void draw_band(struct page *p, const struct curve *c, int colour, const struct scale *x,
                      const struct scale *y)
{
    bool drawn = false;

    page_addf(p, "<path fill=\"var(--c%d)\" opacity=\".13\" d=\"", colour % COLOURS);
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < c->count; i++) {
            const struct curve_point *q = &c->points[side ? c->count - 1 - i : i];
            if (q->y.n < 2)
                continue;
            double v = side ? q->y.high : q->y.low;
            v = v < y->low ? y->low : v > y->high ? y->high : v;
            page_addf(p, "%s%.1f %.1f", drawn ? "L" : "M", scale_at(x, q->x), scale_at(y, v));
            drawn = true;
        }
    page_add(p, "\"/>");
}

static void draw_curve(struct page *p, const struct curve *c, int colour, const struct scale *x,
                       const struct scale *y)
{
    page_addf(p,
              "<polyline fill=\"none\" stroke=\"var(--c%d)\" stroke-width=\"2.2\" "
              "stroke-linejoin=\"round\"%s points=\"",
              colour % COLOURS, colour < COLOURS ? "" : " stroke-dasharray=\"6 4\"");
    for (size_t i = 0; i < c->count; i++)
        if (c->points[i].y.n)
            page_addf(p, "%.1f,%.1f ", scale_at(x, c->points[i].x),
                      scale_at(y, c->points[i].y.mean));
    page_add(p, "\"/>");
}

static void draw_marks(struct page *p, const struct analysis *a, const struct curve *c, int colour,
                       const struct scale *x, const struct scale *y)
{
    for (size_t i = 0; i < c->count; i++) {
        const struct curve_point *q = &c->points[i];
        if (!q->y.n)
            continue;
        bool knee = i == c->knee, converged = i == c->converged;
        const char *look = knee ? "r=\"6.5\" fill=\"var(--paper)\"" : "r=\"2.2\"";
        page_addf(p,
                  "<circle cx=\"%.1f\" cy=\"%.1f\" %s stroke=\"var(--c%d)\" "
                  "stroke-width=\"2.2\"><title>",
                  scale_at(x, q->x), scale_at(y, q->y.mean), look, colour);
        page_text(p, c->label);
        page_addf(p, ": %.12g ", q->x);
        page_text(p, a->curve_axis);
        page_addf(p, ", %.4f (n = %zu)%s%s</title></circle>", q->y.mean, q->y.n,
                  knee ? ", knee" : "", converged ? ", converged" : "");
        if (converged)
            page_addf(p,
                      "<path d=\"M%.1f %.1fv8m-4 0h8\" stroke=\"var(--c%d)\" stroke-width=\"2\" "
                      "fill=\"none\"/>",
                      scale_at(x, q->x), y->from - 8, colour);
    }
}

static void draw_legend(struct page *p, const struct curve *const *curves, size_t n, size_t all)
{
    page_add(p, "<ul class=\"legend\">");
    for (size_t i = 0; i < n; i++) {
        page_addf(p, "<li><i style=\"background:var(--c%zu)%s\"></i>", i % COLOURS,
                  i < COLOURS ? "" : ";opacity:.5");
        page_text(p, curves[i]->label);
        if (curves[i]->knee != SIZE_MAX)
            page_addf(p, " <span class=\"soft\">knee %.12g</span>",
                      curves[i]->points[curves[i]->knee].x);
        page_add(p, "</li>");
    }
    page_add(p, "</ul>");
    if (n < all)
        page_addf(p, "<p class=\"soft\">%zu of %zu settings; the table has all.</p>", n, all);
}

/* The first curves that have numbers, and what the chart's axes must hold. */
static size_t choose_curves(const struct analysis *a, const struct curve **out, double x[2],
                            double y[2])
{
    size_t n = 0;

    x[0] = y[0] = INFINITY;
    x[1] = y[1] = -INFINITY;
    for (size_t i = 0; i < a->curve_count && n < MOST_CURVES; i++) {
        bool any = false;
        for (size_t k = 0; k < a->curves[i].count; k++)
            if (a->curves[i].points[k].y.n) {
                include(a->curves[i].points[k].x, &x[0], &x[1]);
                include(a->curves[i].points[k].y.mean, &y[0], &y[1]);
                any = true;
            }
        if (any)
            out[n++] = &a->curves[i];
    }
    return n;
}

void chart_curves(struct page *p, const struct analysis *a)
{
    const struct curve *curves[MOST_CURVES];
    double rx[2], ry[2];
    size_t n = choose_curves(a, curves, rx, ry);

    if (!n)
        return;
    struct scale x = scale_of(rx[0] > 0 && rx[0] < rx[1] / 4 ? 0 : rx[0], rx[1], LEFT,
                              WIDTH - RIGHT, 8),
                 y = scale_of(ry[0], ry[1], HEIGHT - BOTTOM, TOP, 5);
    open_chart(p, WIDTH, HEIGHT, "curves of convergence");
    draw_ticks(p, &x, &y);
    axis_title(p, (x.from + x.to) / 2, HEIGHT - 6, a->curve_axis, "");
    for (size_t i = 0; i < n && n <= MOST_BANDS; i++)
        draw_band(p, curves[i], (int)i, &x, &y);
    for (size_t i = 0; i < n; i++)
        draw_curve(p, curves[i], (int)i, &x, &y);
    for (size_t i = 0; i < n; i++)
        draw_marks(p, a, curves[i], (int)(i % COLOURS), &x, &y);
    page_add(p, "</svg>");
    draw_legend(p, curves, n, a->curve_count);
    page_add(p, "<figcaption>");
    page_text(p, measure_infos[a->measure].title);
    page_addf(p,
              ", mean over prompts and replicates%s. Rings: knee of the curve (Kneedle). Marks on "
              "the axis: from here on within the tolerance.</figcaption></figure>",
              n <= MOST_BANDS ? " with its 95 % interval" : "");
}

static void bar_label(struct page *p, double y, const char *text)
{
    char cut[64];
    size_t n = strlen(text);

    /* SVG does not wrap: long names are cut at a whole character. */
    if (n >= 24) {
        for (n = 21; n && (text[n] & 0xC0) == 0x80;)
            n--;
        snprintf(cut, sizeof cut, "%.*s...", (int)n, text);
        text = cut;
    }
    page_addf(p, "<text class=\"strong\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", NAMES - 8, y);
    page_text(p, text);
    page_add(p, "</text>");
}

static void share_bar(struct page *p, int row, const char *name, double share, int colour)
{
    double y = TOP + row * BAR, longest = SMALL - NAMES - 70;

    bar_label(p, y + 13, name);
    page_addf(p,
              "<rect x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"13\" rx=\"3\" "
              "fill=\"var(--c%d)\"/><text x=\"%.1f\" y=\"%.1f\">%.1f %%</text>",
              NAMES, y + 3, fmax(1, longest * share), colour, NAMES + 8 + longest * share, y + 14,
              100 * share);
}

void chart_importance(struct page *p, const struct analysis *a)
{
    double mixed = 0;
    int rows = 0;

    for (size_t i = 0; i < a->interaction_count; i++)
        mixed += a->interactions[i].share;
    bool complete = !isnan(a->rest);
    if (!a->factor_count || isnan(a->factors[0].share))
        return;
    open_chart(p, SMALL, TOP + BAR * ((int)a->factor_count + (complete ? 2 : 0)) + 8,
               "importance of the axes");
    for (size_t i = 0; i < a->factor_count; i++)
        share_bar(p, rows++, a->factors[i].name, a->factors[i].share, 0);
    if (complete) {
        share_bar(p, rows++, "pairs of axes", mixed, 7);
        share_bar(p, rows, "everything else", a->rest, 7);
    }
    page_addf(p,
              "</svg><figcaption>Share of the variance that each axis explains by itself (n = %zu)."
              "%s</figcaption></figure>",
              a->factors[0].n,
              complete ? "" : " Some cells have no number, so shares may overlap.");
}

/* The ticks of a scale that lies across rows. */
static void draw_columns(struct page *p, const struct scale *x, int bottom)
{
    for (int i = 0; i <= ticks_of(x); i++) {
        double v = x->low + i * x->tick, at = scale_at(x, v);
        page_addf(p,
                  "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>"
                  "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">",
                  at, at, TOP, bottom, at, bottom + 18);
        tick_label(p, x, v);
        page_add(p, "</text>");
    }
}

static void effect_row(struct page *p, const struct effect *e, const struct scale *x, double y)
{
    bar_label(p, y + 4, e->label);
    if (e->mean.n > 1)
        page_addf(p,
                  "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"var(--c0)\" "
                  "stroke-width=\"2\"/>",
                  scale_at(x, e->mean.low), scale_at(x, e->mean.high), y, y);
    page_addf(p,
              "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\" fill=\"var(--c0)\"><title>%.5g (n = "
              "%zu)</title></circle>",
              scale_at(x, e->mean.mean), y, e->mean.mean, e->mean.n);
}

void chart_effects(struct page *p, const struct analysis *a, const struct factor *f)
{
    double low = INFINITY, high = -INFINITY;
    int rows = 0;

    for (size_t i = 0; i < f->count && rows < MOST_BARS; i++) {
        include(f->effects[i].mean.mean, &low, &high);
        include(f->effects[i].mean.low, &low, &high);
        include(f->effects[i].mean.high, &low, &high);
        rows += f->effects[i].mean.n > 0;
    }
    if (!rows)
        return;
    int bottom = TOP + rows * BAR + 4, row = 0;
    struct scale x = scale_of(low, high, NAMES + 4, SMALL - 24, 4);
    open_chart(p, SMALL, bottom + 26, f->name);
    draw_columns(p, &x, bottom);
    for (size_t i = 0; i < f->count && row < rows; i++)
        if (f->effects[i].mean.n)
            effect_row(p, &f->effects[i], &x, TOP + row++ * BAR + 11);
    page_add(p, "</svg><figcaption><b>");
    page_text(p, f->name);
    page_add(p, "</b>: ");
    page_text(p, measure_infos[a->measure].title);
    page_add(p, ", mean and 95 % interval.</figcaption></figure>");
}

static void draw_settings(struct page *p, const struct analysis *a, const struct scale *x,
                          const struct scale *y)
{
    for (size_t i = 0; i < a->rank_count; i++) {
        const struct rank *r = &a->ranking[i];
        if (!r->seconds.n || !r->y.n)
            continue;
        page_addf(p,
                  "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%s\" fill=\"var(--%s)\" opacity=\"%s\">"
                  "<title>",
                  scale_at(x, r->seconds.mean), scale_at(y, r->y.mean), r->frontier ? "5" : "3.5",
                  r->frontier ? "c0" : "c7", r->frontier ? "1" : ".55");
        page_text(p, r->label);
        page_addf(p, ": %.3g s, %.4g (n = %zu)</title></circle>", r->seconds.mean, r->y.mean,
                  r->y.n);
    }
}

void chart_frontier(struct page *p, const struct analysis *a)
{
    double rx[2] = {INFINITY, -INFINITY}, ry[2] = {INFINITY, -INFINITY};
    bool any = false;

    for (size_t i = 0; i < a->rank_count; i++)
        if (a->ranking[i].seconds.n && a->ranking[i].y.n) {
            include(a->ranking[i].seconds.mean, &rx[0], &rx[1]);
            include(a->ranking[i].y.mean, &ry[0], &ry[1]);
            any |= a->ranking[i].frontier;
        }
    if (!any)
        return;
    struct scale x = scale_of(0, rx[1], LEFT, WIDTH - RIGHT, 8),
                 y = scale_of(ry[0], ry[1], HEIGHT - BOTTOM, TOP, 5);
    open_chart(p, WIDTH, HEIGHT, "time against quality");
    draw_ticks(p, &x, &y);
    axis_title(p, (x.from + x.to) / 2, HEIGHT - 6, "time per picture", "s");
    draw_settings(p, a, &x, &y);
    page_add(p, "</svg><figcaption>");
    page_text(p, measure_infos[a->measure].title);
    page_add(p,
             " against time, one dot a setting. Strong dots: no other setting is both faster and "
             "better.</figcaption></figure>");
}
