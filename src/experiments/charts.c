#include "experiments/charts.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 640, HEIGHT = 330, LEFT = 58, RIGHT = 18, TOP = 14, BOTTOM = 44, COLOURS = 8 };
enum { MOST_CURVES = 24, MOST_BARS = 40, BAR = 22 };

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

static void draw_ticks(struct page *p, const struct scale *x, const struct scale *y)
{
    for (double v = y->low; v <= y->high + y->tick / 2; v += y->tick) {
        double at = scale_at(y, v);
        page_addf(p,
                  "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>"
                  "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">",
                  x->from, x->to, at, at, x->from - 8, at + 4);
        tick_label(p, y, v);
        page_add(p, "</text>");
    }
    for (double v = x->low; v <= x->high + x->tick / 2; v += x->tick) {
        page_addf(p, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">", scale_at(x, v),
                  y->from + 18);
        tick_label(p, x, v);
        page_add(p, "</text>");
    }
    page_addf(p, "<line class=\"axis\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>", x->from,
              x->to, y->from, y->from);
}

static void open_chart(struct page *p, const char *kind, int height, const char *title)
{
    page_addf(p, "<figure class=\"chart%s\"><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"",
              kind, WIDTH, height);
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

static void draw_curve(struct page *p, const struct curve *c, int colour, const struct scale *x,
                       const struct scale *y)
{
    bool drawn = false;

    /* The interval as a band behind the line. */
    page_addf(p, "<path fill=\"var(--c%d)\" opacity=\".13\" d=\"", colour);
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
    page_addf(p,
              "\"/><polyline fill=\"none\" stroke=\"var(--c%d)\" stroke-width=\"2.2\" "
              "stroke-linejoin=\"round\" points=\"",
              colour);
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
        page_addf(p,
                  "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%s\" fill=\"var(--%s)\" "
                  "stroke=\"var(--c%d)\" stroke-width=\"2.2\"><title>",
                  scale_at(x, q->x), scale_at(y, q->y.mean), knee ? "6.5" : "3",
                  knee ? "paper" : "none", colour);
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

static void draw_legend(struct page *p, const struct analysis *a, size_t shown)
{
    page_add(p, "<ul class=\"legend\">");
    for (size_t i = 0; i < shown; i++) {
        const struct curve *c = &a->curves[i];
        page_addf(p, "<li><i style=\"background:var(--c%zu)\"></i>", i % COLOURS);
        page_text(p, c->label);
        if (c->knee != SIZE_MAX)
            page_addf(p, " <span class=\"soft\">knee %.12g</span>", c->points[c->knee].x);
        page_add(p, "</li>");
    }
    page_add(p, "</ul>");
    if (shown < a->curve_count)
        page_addf(p, "<p class=\"soft\">The first %zu of %zu settings; the table has all.</p>",
                  shown, a->curve_count);
}

/* What the axes of the curves must hold. */
static bool curve_ranges(const struct analysis *a, size_t shown, double x[2], double y[2])
{
    x[0] = y[0] = INFINITY;
    x[1] = y[1] = -INFINITY;
    for (size_t i = 0; i < shown; i++)
        for (size_t k = 0; k < a->curves[i].count; k++)
            if (a->curves[i].points[k].y.n) {
                include(a->curves[i].points[k].x, &x[0], &x[1]);
                include(a->curves[i].points[k].y.mean, &y[0], &y[1]);
            }
    return x[0] <= x[1];
}

void chart_curves(struct page *p, const struct analysis *a)
{
    size_t shown = a->curve_count < MOST_CURVES ? a->curve_count : MOST_CURVES;
    double rx[2], ry[2];

    if (!curve_ranges(a, shown, rx, ry))
        return;
    struct scale x = scale_of(rx[0] > 0 && rx[0] < rx[1] / 4 ? 0 : rx[0], rx[1], LEFT,
                              WIDTH - RIGHT, 8),
                 y = scale_of(ry[0], ry[1], HEIGHT - BOTTOM, TOP, 5);
    open_chart(p, "", HEIGHT, "curves of convergence");
    draw_ticks(p, &x, &y);
    axis_title(p, (x.from + x.to) / 2, HEIGHT - 6, a->curve_axis, "");
    for (size_t i = 0; i < shown; i++)
        draw_curve(p, &a->curves[i], (int)(i % COLOURS), &x, &y);
    for (size_t i = 0; i < shown; i++)
        draw_marks(p, a, &a->curves[i], (int)(i % COLOURS), &x, &y);
    page_add(p, "</svg>");
    draw_legend(p, a, shown);
    page_add(p, "<figcaption>");
    page_text(p, measure_infos[a->measure].title);
    page_add(p,
             ", mean over prompts and replicates with its 95 % interval. Rings: knee of the "
             "curve (Kneedle). Marks on the axis: from here on within the tolerance.</figcaption>"
             "</figure>");
}

static void bar_label(struct page *p, double y, const char *text)
{
    char cut[64];
    size_t n = strlen(text);

    /* SVG does not wrap: long names are cut at a whole character. */
    if (n >= 26) {
        for (n = 23; n && (text[n] & 0xC0) == 0x80;)
            n--;
        memcpy(cut, text, n);
        memcpy(cut + n, "...", 4);
        text = cut;
    }
    page_addf(p, "<text class=\"strong\" x=\"176\" y=\"%.1f\" text-anchor=\"end\">", y);
    page_text(p, text);
    page_add(p, "</text>");
}

static void share_bar(struct page *p, int row, const char *name, double share, int colour)
{
    double y = TOP + row * BAR;

    bar_label(p, y + 13, name);
    page_addf(p,
              "<rect x=\"184\" y=\"%.1f\" width=\"%.1f\" height=\"13\" rx=\"3\" "
              "fill=\"var(--c%d)\"/><text x=\"%.1f\" y=\"%.1f\">%.1f %%</text>",
              y + 3, fmax(1, 380 * share), colour, 192 + 380 * share, y + 14, 100 * share);
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
    open_chart(p, " small", TOP + BAR * ((int)a->factor_count + (complete ? 2 : 0)) + 8,
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

void chart_effects(struct page *p, const struct analysis *a, const struct factor *f)
{
    size_t shown = f->count < MOST_BARS ? f->count : MOST_BARS;
    double low = INFINITY, high = -INFINITY;
    int row = 0;

    for (size_t i = 0; i < shown; i++) {
        include(f->effects[i].mean.mean, &low, &high);
        include(f->effects[i].mean.low, &low, &high);
        include(f->effects[i].mean.high, &low, &high);
    }
    if (!(low <= high))
        return;
    int bottom = TOP + (int)shown * BAR + 6;
    struct scale x = scale_of(low, high, 190, WIDTH - 60, 4);
    open_chart(p, " small", bottom + 28, f->name);
    for (double v = x.low; v <= x.high + x.tick / 2; v += x.tick) {
        double at = scale_at(&x, v);
        page_addf(p,
                  "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>"
                  "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">",
                  at, at, TOP, bottom, at, bottom + 18);
        tick_label(p, &x, v);
        page_add(p, "</text>");
    }
    for (size_t i = 0; i < shown; i++, row++) {
        const struct mean *m = &f->effects[i].mean;
        double at = TOP + row * BAR + 11;
        bar_label(p, at + 4, f->effects[i].label);
        if (m->n > 1)
            page_addf(p,
                      "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" "
                      "stroke=\"var(--c0)\" stroke-width=\"2\"/>",
                      scale_at(&x, m->low), scale_at(&x, m->high), at, at);
        if (m->n)
            page_addf(p,
                      "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\" fill=\"var(--c0)\"><title>%.5g "
                      "(n = %zu)</title></circle>",
                      scale_at(&x, m->mean), at, m->mean, m->n);
    }
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
    open_chart(p, "", HEIGHT, "time against quality");
    draw_ticks(p, &x, &y);
    axis_title(p, (x.from + x.to) / 2, HEIGHT - 6, "time per picture", "s");
    draw_settings(p, a, &x, &y);
    page_add(p, "</svg><figcaption>");
    page_text(p, measure_infos[a->measure].title);
    page_add(p,
             " against time, one dot a setting. Strong dots: no other setting is both faster and "
             "better.</figcaption></figure>");
}
