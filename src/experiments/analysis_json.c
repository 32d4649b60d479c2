#include "experiments/analysis.h"

#include "base/json.h"

#include <math.h>

static json_t *number_or_null(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *mean_json(const struct mean *m)
{
    return json_pack("{sIsososo}", "n", (json_int_t)m->n, "mean", number_or_null(m->mean), "low",
                     number_or_null(m->low), "high", number_or_null(m->high));
}

static json_t *whole_or_real(double x)
{
    return x == floor(x) && fabs(x) < 1e15 ? json_integer((json_int_t)x) : json_real(x);
}

static json_t *point_json(const struct curve_point *p)
{
    return json_pack("{sosososb}", "x", whole_or_real(p->x), "y", mean_json(&p->y), "seconds",
                     mean_json(&p->seconds), "reference", p->reference);
}

static json_t *point_or_null(const struct curve *c, size_t i)
{
    return i == SIZE_MAX ? json_null() : point_json(&c->points[i]);
}

/* "converged at 22 steps, 3.1 s" */
static json_t *summary(const struct analysis *a, const struct curve *c)
{
    struct arena s = {0};
    const char *text;

    if (c->converged == SIZE_MAX) {
        text = "not converged within the values tried";
    } else {
        const struct curve_point *p = &c->points[c->converged];
        text = p->seconds.n ? arena_printf(&s, "converged at %.12g %s, %.3g s (n = %zu)", p->x,
                                           a->curve_axis, p->seconds.mean, p->y.n)
                            : arena_printf(&s, "converged at %.12g %s (n = %zu)", p->x,
                                           a->curve_axis, p->y.n);
    }
    json_t *out = json_string(text);
    arena_release(&s);
    return out;
}

static json_t *curves_json(const struct analysis *a)
{
    json_t *out = json_array();

    for (size_t i = 0; i < a->curve_count; i++) {
        const struct curve *c = &a->curves[i];
        json_t *points = json_array();
        for (size_t p = 0; p < c->count; p++)
            json_array_append_new(points, point_json(&c->points[p]));
        json_array_append_new(
            out, json_pack("{sssOsosososo}", "label", c->label, "setting", c->setting, "points",
                           points, "knee", point_or_null(c, c->knee), "converged",
                           point_or_null(c, c->converged), "summary", summary(a, c)));
    }
    return out;
}

static json_t *cheapest_json(const struct analysis *a)
{
    if (a->cheapest_curve == SIZE_MAX)
        return json_null();
    const struct curve *c = &a->curves[a->cheapest_curve];
    return json_pack("{sssOso}", "label", c->label, "setting", c->setting, "point",
                     point_json(&c->points[a->cheapest_point]));
}

static json_t *factors_json(const struct analysis *a)
{
    json_t *out = json_array();

    for (size_t i = 0; i < a->factor_count; i++) {
        const struct factor *f = &a->factors[i];
        json_t *effects = json_array();
        for (size_t k = 0; k < f->count; k++)
            json_array_append_new(effects,
                                  json_pack("{sssOsoso}", "label", f->effects[k].label, "value",
                                            f->effects[k].value ? f->effects[k].value : json_null(),
                                            "mean", mean_json(&f->effects[k].mean), "against_first",
                                            mean_json(&f->effects[k].against)));
        json_array_append_new(out, json_pack("{sssosIso}", "name", f->name, "share",
                                             number_or_null(f->share), "n", (json_int_t)f->n,
                                             "effects", effects));
    }
    return out;
}

static json_t *interactions_json(const struct analysis *a)
{
    json_t *out = json_array();

    for (size_t i = 0; i < a->interaction_count; i++) {
        const struct interaction *x = &a->interactions[i];
        json_array_append_new(out, json_pack("{s[ss]sosI}", "factors", a->factors[x->a].name,
                                             a->factors[x->b].name, "share",
                                             number_or_null(x->share), "n", (json_int_t)x->n));
    }
    return out;
}

static json_t *ranking_json(const struct analysis *a)
{
    json_t *out = json_array();

    for (size_t i = 0; i < a->rank_count; i++) {
        const struct rank *r = &a->ranking[i];
        json_array_append_new(out, json_pack("{sssOsososososb}", "label", r->label, "setting",
                                             r->setting, "y", mean_json(&r->y), "seconds",
                                             mean_json(&r->seconds), "steps_per_second",
                                             mean_json(&r->steps_per_second), "memory",
                                             mean_json(&r->memory), "frontier", r->frontier));
    }
    return out;
}

json_t *analysis_to_json(const struct analysis *a)
{
    const struct measure_info *info = &measure_infos[a->measure];
    json_t *out = json_pack("{s{sssssssi}sfs{sIsIsIsIsI}}", "measure", "name", info->name, "title",
                            info->title, "unit", info->unit, "better", info->better, "tolerance",
                            a->tolerance, "counts", "cells", (json_int_t)a->cells, "done",
                            (json_int_t)a->done, "failed", (json_int_t)a->failed, "impossible",
                            (json_int_t)a->impossible, "measured", (json_int_t)a->measured);

    json_object_set_new(out, "cost",
                        json_pack("{sososo}", "seconds", mean_json(&a->seconds), "steps_per_second",
                                  mean_json(&a->steps_per_second), "memory",
                                  mean_json(&a->memory)));
    json_object_set_new(out, "curve_axis", json_text_or_null(a->curve_axis));
    json_object_set_new(out, "curves", curves_json(a));
    json_object_set_new(out, "cheapest", cheapest_json(a));
    json_object_set_new(out, "importance", factors_json(a));
    json_object_set_new(out, "interactions", interactions_json(a));
    json_object_set_new(out, "unexplained", number_or_null(a->rest));
    json_object_set_new(out, "ranking", ranking_json(a));
    return out;
}
