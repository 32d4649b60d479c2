#include "experiments/plan.h"

#include "base/json.h"

#include <math.h>

static json_t *number_or_null(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

json_t *plan_coordinates(const struct plan *p, size_t cell)
{
    json_t *out = json_object();

    for (size_t i = 0; i < p->spec->axis_count; i++)
        json_object_set_new(out, p->spec->axes[i].name,
                            spec_point_value(&p->spec->axes[i], plan_point(p, cell, i)));
    return out;
}

json_t *plan_labels(const struct plan *p, size_t cell)
{
    json_t *out = json_object();

    for (size_t i = 0; i < p->spec->axis_count; i++)
        json_object_set_new(out, p->spec->axes[i].name,
                            json_string(p->spec->axes[i].points[plan_point(p, cell, i)].label));
    return out;
}

static json_t *totals_json(const struct plan *p)
{
    const struct plan_totals *t = &p->totals;

    return json_pack("{sIsIsIsIsIsIsIsIsIsI}", "product", (json_int_t)t->product, "cells",
                     (json_int_t)t->cells, "pictures", (json_int_t)t->pictures, "drawn",
                     (json_int_t)t->drawn, "to_draw", (json_int_t)t->to_draw, "cut",
                     (json_int_t)t->cut, "impossible", (json_int_t)t->impossible, "dropped",
                     (json_int_t)t->dropped, "models", (json_int_t)t->models, "model_loads",
                     (json_int_t)t->model_loads);
}

/* Numbers with what they rest on; null where nothing is known. */
static json_t *estimate_json(const struct plan *p)
{
    const struct plan_totals *t = &p->totals;
    struct arena a = {0};
    bool known = t->estimated > 0 || t->to_draw == 0;
    const char *basis;

    if (t->to_draw == 0)
        basis = "nothing has to be drawn";
    else if (t->estimated == 0)
        basis = "no picture like these was measured yet";
    else if (t->estimated < t->to_draw)
        basis = arena_printf(&a,
                             "measured pictures like %zu of the %zu; the others are not counted",
                             t->estimated, t->to_draw);
    else
        basis = arena_printf(&a, "%zu measured pictures, at least %zu of each kind", t->samples,
                             t->samples_min);
    json_t *out = json_pack("{soso sIsI sIss}", "seconds", number_or_null(known ? t->seconds : NAN),
                            "bytes", number_or_null(known ? t->bytes : NAN), "pictures",
                            (json_int_t)t->estimated, "samples", (json_int_t)t->samples,
                            "samples_min", (json_int_t)t->samples_min, "basis", basis);
    arena_release(&a);
    return out;
}

static json_t *axes_json(const struct spec *s)
{
    json_t *out = json_array();

    for (size_t i = 0; i < s->axis_count; i++) {
        json_t *labels = json_array(), *values = json_array();
        for (size_t k = 0; k < s->axes[i].point_count; k++) {
            json_array_append_new(labels, json_string(s->axes[i].points[k].label));
            json_array_append_new(values, spec_point_value(&s->axes[i], k));
        }
        json_array_append_new(out,
                              json_pack("{sssososb}", "name", s->axes[i].name, "labels", labels,
                                        "values", values, "numeric", s->axes[i].numeric));
    }
    return out;
}

static json_t *cell_json(const struct plan *p, size_t cell)
{
    const struct plan_cell *c = &p->cells[cell];

    return json_pack("{sssosIsssososo}", "id", c->id, "axes", plan_coordinates(p, cell),
                     "replicate", (json_int_t)plan_replicate(p, cell), "state",
                     plan_state_name(c->state), "reason", json_text_or_null(c->reason), "key",
                     json_text_or_null(c->key[0] ? c->key : NULL), "seconds",
                     number_or_null(c->seconds));
}

json_t *plan_to_json(const struct plan *p, size_t cells)
{
    json_t *reasons = json_array(), *list = json_array();

    for (size_t i = 0; i < p->reason_count; i++)
        json_array_append_new(
            reasons, json_pack("{sssssI}", "state", plan_state_name(p->reasons[i].state), "reason",
                               p->reasons[i].text, "cells", (json_int_t)p->reasons[i].cells));
    for (size_t i = 0; i < p->count && i < cells; i++)
        json_array_append_new(list, cell_json(p, p->order[i]));
    return json_pack("{sssososososo}", "order", spec_order_name(p->spec->order), "totals",
                     totals_json(p), "estimate", estimate_json(p), "axes", axes_json(p->spec),
                     "reasons", reasons, "cells", list);
}
