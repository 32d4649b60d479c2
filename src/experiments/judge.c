/* judge.c: axes, values and votes; what is counted. */
#include "experiments/judge.h"

#include "base/json.h"

#include <math.h>
#include <stdlib.h>

static void *grown(void *list, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return list;
    size_t more = *room ? *room * 2 : 16;
    void *bigger = reallocarray(list, more, size);
    if (!bigger)
        abort(); /* a few thousand small things */
    *room = more;
    return bigger;
}

/* The index of a value of an axis, which is added when it is not known. `label` NULL: as the value
 * is written. */
static size_t level_of(struct judge *j, size_t axis, const json_t *value, const char *label)
{
    struct judge_axis *x = &j->axes[axis];
    struct arena a = {0};
    struct str key = str_from(arena_printf(&a, "%zu:%s", axis, json_canonical(value, &a)));
    size_t known = (size_t)(uintptr_t)map_get(&j->values, key);

    if (!known) {
        x->values = grown(x->values, x->count, &x->room, sizeof *x->values);
        known = ++x->count;
        map_put(&j->values, key, (void *)(uintptr_t)known);
        x->values[known - 1] = (struct judge_value){
            .label = label                   ? arena_strdup(&j->arena, label)
                     : json_is_string(value) ? arena_strdup(&j->arena, json_string_value(value))
                                             : json_compact(value, &j->arena),
            .value = json_incref((json_t *)value),
            .strength = NAN,
            .low = NAN,
            .high = NAN,
            .win_rate = NAN,
            .parameter = SIZE_MAX,
        };
    }
    arena_release(&a);
    return known - 1;
}

static void add_axis(struct judge *j, const struct spec *spec, size_t of_spec)
{
    const struct spec_axis *from = &spec->axes[of_spec];
    size_t axis = j->axis_count++;
    struct judge_axis *x = &j->axes[axis];

    *x = (struct judge_axis){.name = arena_strdup(&j->arena, from->name), .of_spec = of_spec};
    x->levels = arena_alloc(&j->arena, (from->point_count + 1) * sizeof *x->levels);
    for (size_t i = 0; i < from->point_count; i++) {
        json_t *value = spec_point_value(from, i);
        x->levels[i] = level_of(j, axis, value, from->points[i].label);
        json_decref(value);
    }
}

struct judge *judge_new(const struct spec *spec)
{
    struct judge *j = calloc(1, sizeof *j);

    if (!j)
        abort();
    j->axes = arena_alloc(&j->arena, (spec->axis_count + 1) * sizeof *j->axes);
    for (size_t i = 0; i < spec->axis_count; i++)
        if (spec_axis_is_setting(&spec->axes[i]))
            add_axis(j, spec, i);
    return j;
}

void judge_free(struct judge *j)
{
    if (!j)
        return;
    for (size_t i = 0; i < j->axis_count; i++) {
        for (size_t k = 0; k < j->axes[i].count; k++)
            json_decref(j->axes[i].values[k].value);
        free(j->axes[i].values);
    }
    free(j->verdicts);
    free(j->strengths);
    free(j->covariance);
    map_release(&j->values);
    map_release(&j->pictures);
    arena_release(&j->arena);
    free(j);
}

/* Read once for each picture. NULL: its axes cannot be read. */
static const size_t *levels_of(struct judge *j, const char *id, const char *axes)
{
    size_t *levels = map_get(&j->pictures, str_from(id));
    json_t *object;
    struct err e;

    if (levels || json_read(str_from(axes), &object, &e))
        return levels;
    levels = arena_alloc(&j->arena, (j->axis_count + 1) * sizeof *levels);
    for (size_t i = 0; i < j->axis_count; i++) {
        const json_t *value = json_object_get(object, j->axes[i].name);
        levels[i] = value ? level_of(j, i, value, NULL) : SIZE_MAX;
    }
    json_decref(object);
    map_put(&j->pictures, str_from(id), levels);
    return levels;
}

static void count(struct judge *j, struct judge_value *v, double won)
{
    v->votes++;
    v->wins += won == 1;
    v->losses += won == 0;
    v->ties += won > 0 && won < 1;
    if (v->parameter == SIZE_MAX && j->parameters < JUDGE_PARAMETERS)
        v->parameter = j->parameters++;
}

void judge_add(struct judge *j, const struct judge_vote *v)
{
    const size_t *left = levels_of(j, v->left, v->left_axes),
                 *right = levels_of(j, v->right, v->right_axes);

    if (!left || !right)
        return;
    for (size_t i = 0; i < j->axis_count; i++) {
        if (left[i] == right[i] || left[i] == SIZE_MAX || right[i] == SIZE_MAX)
            continue;
        j->axes[i].votes++;
        count(j, &j->axes[i].values[left[i]], v->won);
        count(j, &j->axes[i].values[right[i]], 1 - v->won);
    }
    j->verdicts = grown(j->verdicts, j->verdict_count, &j->verdict_room, sizeof *j->verdicts);
    j->verdicts[j->verdict_count++] = (struct judge_verdict){left, right, v->won};
}
