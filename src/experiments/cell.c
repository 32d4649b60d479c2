#include "experiments/cell.h"

#include "base/buf.h"
#include "base/json.h"
#include "experiments/condition.h"
#include "experiments/parameters.h"

#include <string.h>

/* A text to look for and what to put in its place. */
struct exchange {
    struct str from;
    const char *to;
};
enum { MOST_EXCHANGES = SPEC_MAX_AXES * SPEC_MAX_ZIP };

/* All exchanges in one pass from left to right, so that two words can change places. False: too
 * long. */
static bool exchange_all(const char *text, const struct exchange *x, size_t count, struct buf *out)
{
    for (const char *p = text; *p;) {
        size_t i = 0;
        while (i < count && (*p != x[i].from.p[0] || strncmp(p, x[i].from.p, x[i].from.n) != 0))
            i++;
        if (i == count ? buf_add(out, p, 1) : buf_add(out, x[i].to, strlen(x[i].to)))
            return false;
        p += i == count ? 1 : x[i].from.n;
    }
    return true;
}

static bool rewrite(json_t *parameters, const char *name, const struct exchange *x, size_t count)
{
    const char *text = json_text(parameters, name, NULL);
    struct buf out;

    if (!text || !count)
        return true;
    buf_init(&out, PARAMETER_PROMPT_BYTES);
    bool good = exchange_all(text, x, count, &out);
    if (good)
        json_object_set_new(parameters, name, json_stringn(out.p ? out.p : "", out.n));
    buf_release(&out);
    return good;
}

static const char *value_text(const json_t *v, struct arena *a)
{
    if (json_is_real(v))
        return arena_printf(a, "%.12g", json_real_value(v));
    return json_is_string(v) ? json_string_value(v) : json_compact(v, a);
}

/* Variables first, then replacements: a replacement may look for what a variable brought. */
static bool rewrite_prompts(const struct spec *s, const size_t *points, struct cell_draft *d,
                            struct arena *a)
{
    static const char *const names[] = {"prompt", "negative_prompt"};
    static const enum spec_target targets[] = {SPEC_VARIABLE, SPEC_REPLACE};
    struct exchange x[MOST_EXCHANGES];

    for (int t = 0; t < 2; t++) {
        size_t count = 0;
        for (size_t i = 0; i < s->axis_count; i++)
            for (size_t p = 0; p < s->axes[i].part_count; p++) {
                const struct spec_part *part = &s->axes[i].parts[p];
                if (part->target != targets[t])
                    continue;
                const char *from = t == 0 ? arena_printf(a, "{%s}", part->word) : part->word;
                x[count++] = (struct exchange){
                    str_from(from), value_text(s->axes[i].points[points[i]].values[p], a)};
            }
        for (int n = 0; n < 2; n++)
            if (!rewrite(d->parameters, names[n], x, count))
                return false;
    }
    return true;
}

/* Base, values of the axes, what the values set. */
static void merge(const struct spec *s, const size_t *points, size_t replicate,
                  struct cell_draft *d)
{
    bool seeded = false;

    d->parameters = json_copy((json_t *)s->base);
    d->variables = json_object();
    for (size_t i = 0; i < s->axis_count; i++)
        for (size_t p = 0; p < s->axes[i].part_count; p++) {
            const struct spec_part *part = &s->axes[i].parts[p];
            json_t *value = (json_t *)s->axes[i].points[points[i]].values[p];
            if (part->target == SPEC_PARAMETER)
                json_object_set(d->parameters, part->word, value);
            else if (part->target == SPEC_VARIABLE)
                json_object_set(d->variables, part->word, value);
            seeded |= part->target == SPEC_PARAMETER && strcmp(part->word, "seed") == 0;
        }
    for (size_t i = 0; i < s->axis_count; i++)
        for (size_t p = 0; p < s->axes[i].part_count; p++) {
            const json_t *set = s->axes[i].points[points[i]].sets[p];
            if (set)
                json_object_update(d->parameters, (json_t *)set);
        }
    if (!seeded)
        json_object_set_new(d->parameters, "seed", parameter_seed_json(s->seeds[replicate]));
}

static const char *why_not(const json_t *constraint, struct arena *a)
{
    const char *reason = json_text(constraint, "reason", NULL);
    const json_t *where = json_object_get(constraint, "where"),
                 *require = json_object_get(constraint, "require");

    if (reason)
        return reason;
    if (!require)
        return where ? arena_printf(a, "not wanted where %s", condition_text(where, a))
                     : "not wanted";
    return where ? arena_printf(a, "needs %s where %s", condition_text(require, a),
                                condition_text(where, a))
                 : arena_printf(a, "needs %s", condition_text(require, a));
}

static void constrain(const struct spec *s, struct cell_draft *d, struct arena *a)
{
    json_t *c;
    size_t i;

    json_array_foreach((json_t *)s->constraints, i, c)
    {
        const json_t *where = json_object_get(c, "where"), *set = json_object_get(c, "set"),
                     *require = json_object_get(c, "require");
        if (where && condition_truth(where, d->parameters, d->variables) != TRUTH_TRUE)
            continue;
        if (set) {
            json_object_update(d->parameters, (json_t *)set);
        } else if (require) {
            enum truth t = condition_truth(require, d->parameters, d->variables);
            d->pending |= t == TRUTH_UNKNOWN;
            if (t == TRUTH_FALSE && d->state == PLAN_DRAW) {
                d->state = PLAN_IMPOSSIBLE;
                d->reason = why_not(c, a);
            }
        } else if (d->state != PLAN_DROPPED) {
            d->state = PLAN_DROPPED;
            d->reason = why_not(c, a);
        }
    }
}

void cell_make(const struct spec *s, const size_t *points, size_t replicate, struct arena *a,
               struct cell_draft *out)
{
    *out = (struct cell_draft){.state = PLAN_DRAW};
    merge(s, points, replicate, out);
    if (!rewrite_prompts(s, points, out, a)) {
        out->state = PLAN_IMPOSSIBLE;
        out->reason = arena_printf(a, "a prompt grows beyond %d bytes", PARAMETER_PROMPT_BYTES);
    }
    constrain(s, out, a);
}

const char *cell_recheck(const struct spec *s, const struct cell_draft *d, const json_t *complete,
                         struct arena *a)
{
    json_t *c;
    size_t i;

    json_array_foreach((json_t *)s->constraints, i, c)
    {
        const json_t *where = json_object_get(c, "where"), *require = json_object_get(c, "require");
        if (require &&
            (!where || condition_truth(where, d->parameters, d->variables) == TRUTH_TRUE) &&
            condition_truth(require, complete, d->variables) == TRUTH_FALSE)
            return why_not(c, a);
    }
    return NULL;
}

void cell_release(struct cell_draft *d)
{
    json_decref(d->parameters);
    json_decref(d->variables);
}

const char *cell_point_identity(const struct spec_axis *axis, size_t point, struct arena *a)
{
    const struct spec_point *at = &axis->points[point];
    json_t *identity = json_array();
    bool settings = axis->parts[0].target == SPEC_SETTINGS;

    /* Named settings have nothing but their name; values may be relabelled. */
    json_array_append_new(identity, json_string(axis->name));
    if (settings)
        json_array_append_new(identity, json_string(at->label));
    for (size_t p = 0; p < axis->part_count; p++) {
        if (!settings)
            json_array_append(identity, (json_t *)at->values[p]);
        if (at->sets[p])
            json_array_append(identity, (json_t *)at->sets[p]);
    }
    const char *text = json_canonical(identity, a);
    json_decref(identity);
    return text;
}
