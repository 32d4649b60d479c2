#include "experiments/charts.h"

#include <math.h>

enum { MOST_RANKS = 60 };

static void cell_number(struct page *p, const struct mean *m, int digits)
{
    if (!m->n)
        page_add(p, "<td class=\"n\">");
    else if (m->n == 1)
        page_addf(p, "<td class=\"n\">%.*f", digits, m->mean);
    else
        page_addf(p, "<td class=\"n\">%.*f &plusmn; %.*f", digits, m->mean, digits,
                  m->high - m->mean);
    page_add(p, "</td>");
}

static void add_ranking(struct page *p, const struct analysis *a)
{
    const struct measure_info *info = &measure_infos[a->measure];
    size_t shown = a->rank_count < MOST_RANKS ? a->rank_count : MOST_RANKS;

    page_add(p, "<h2>Ranking</h2><div class=\"scroll\"><table class=\"list\"><thead><tr><th "
                "class=\"n\">#</th><th>setting</th><th class=\"n\">");
    page_text(p, info->title);
    page_add(p, "</th><th class=\"n\">time, s</th><th class=\"n\">steps/s</th><th "
                "class=\"n\">n</th><th></th></tr></thead><tbody>");
    for (size_t i = 0; i < shown; i++) {
        const struct rank *r = &a->ranking[i];
        if (!r->y.n)
            continue; /* the reference, which is compared with nothing, and what was not drawn */
        page_addf(p, "<tr><td class=\"n\">%zu</td>", i + 1);
        page_tag(p, "td", r->label);
        cell_number(p, &r->y, info->digits);
        cell_number(p, &r->seconds, 2);
        cell_number(p, &r->steps_per_second, 1);
        page_addf(p, "<td class=\"n\">%zu</td><td class=\"soft\">%s</td></tr>", r->y.n,
                  r->frontier ? "nothing is faster and better" : "");
    }
    page_add(p, "</tbody></table></div>");
    if (shown < a->rank_count)
        page_addf(p, "<p class=\"soft\">The first %zu of %zu settings.</p>", shown, a->rank_count);
}

static void add_convergence(struct page *p, const struct analysis *a)
{
    page_add(p, "<h2>Convergence</h2>");
    if (a->cheapest_curve != SIZE_MAX) {
        const struct curve *c = &a->curves[a->cheapest_curve];
        const struct curve_point *q = &c->points[a->cheapest_point];
        page_add(p, "<p>Cheapest within the tolerance: <b>");
        page_text(p, c->label);
        page_addf(p, ", %.12g ", q->x);
        page_text(p, a->curve_axis);
        page_addf(p, "</b>, %.3g s a picture (n = %zu).</p>", q->seconds.mean, q->y.n);
    }
    chart_curves(p, a);
    page_add(p, "<div class=\"scroll\"><table class=\"list\"><thead><tr><th>setting</th><th "
                "class=\"n\">knee</th><th class=\"n\">converged at</th><th class=\"n\">time, "
                "s</th><th class=\"n\">n</th></tr></thead><tbody>");
    for (size_t i = 0; i < a->curve_count; i++) {
        const struct curve *c = &a->curves[i];
        size_t measured = 0;
        for (size_t k = 0; k < c->count; k++)
            measured += c->points[k].y.n;
        if (!measured)
            continue;
        page_add(p, "<tr>");
        page_tag(p, "td", c->label);
        if (c->knee == SIZE_MAX)
            page_add(p, "<td class=\"n soft\">none</td>");
        else
            page_addf(p, "<td class=\"n\">%.12g</td>", c->points[c->knee].x);
        if (c->converged == SIZE_MAX) {
            page_add(p, "<td class=\"n soft\">not within the values tried</td><td></td><td></td>");
        } else {
            const struct curve_point *q = &c->points[c->converged];
            page_addf(p, "<td class=\"n\">%.12g</td>", q->x);
            cell_number(p, &q->seconds, 2);
            page_addf(p, "<td class=\"n\">%zu</td>", q->y.n);
        }
        page_add(p, "</tr>");
    }
    page_addf(p,
              "</tbody></table></div><p class=\"soft\">Converged: this and every larger value is "
              "within a tolerance of %g of the reference. n: pictures behind the number.</p>",
              a->tolerance);
}

void report_analysis(struct page *p, const struct analysis *a)
{
    if (!a || !a->done) {
        page_add(p, "<p class=\"soft\">Nothing is drawn yet.</p>");
        return;
    }
    page_addf(p, "<p class=\"soft\">%zu of %zu cells drawn, %zu measured, %zu failed.", a->done,
              a->cells, a->measured, a->failed);
    if (a->seconds.n)
        page_addf(p, " %.3g s a picture on average (n = %zu).", a->seconds.mean, a->seconds.n);
    page_add(p, "</p>");
    if (a->curve_count)
        add_convergence(p, a);
    page_add(p, "<h2>What matters</h2><div class=\"charts\">");
    chart_importance(p, a);
    for (size_t i = 0; i < a->factor_count; i++)
        chart_effects(p, a, &a->factors[i]);
    page_add(p, "</div>");
    if (measure_infos[a->measure].better && a->rank_count > 1) {
        page_add(p, "<h2>Time and quality</h2>");
        chart_frontier(p, a);
    }
    add_ranking(p, a);
}
