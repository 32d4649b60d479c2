#include "experiments/spec.h"

#include "base/json.h"
#include "experiments/normalise.h"
#include "experiments/parameters.h"

#include <stdlib.h>
#include <string.h>

static const char *const type_names[] = {"convergence", "cfg", "parameter_sweep"};
static const char *const order_names[] = {"coarse", "interleaved", "listed"};

const char *spec_type_name(enum spec_type type)
{
    return type_names[type];
}

const char *spec_order_name(enum spec_order order)
{
    return order_names[order];
}

static int index_of(const char *const *names, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return 0; /* normalised documents hold no other names */
}

static struct spec_part bind_part(const json_t *part)
{
    static const char *const kinds[] = {"parameter", "variable", "replace"};

    for (int i = 0; i < 3; i++)
        if (json_object_get(part, kinds[i]))
            return (struct spec_part){(enum spec_target)i, json_text(part, kinds[i], "")};
    return (struct spec_part){SPEC_SETTINGS, NULL};
}

static struct spec_point bind_point(struct spec *s, const json_t *axis, size_t parts, size_t i)
{
    struct spec_point out = {.label = ""};

    out.values = arena_alloc(&s->arena, parts * sizeof *out.values);
    out.sets = arena_alloc(&s->arena, parts * sizeof *out.sets);
    for (size_t p = 0; p < parts; p++) {
        const json_t *point = json_array_get(json_object_get(axis_part(axis, p), "values"), i);
        const char *label = axes_label(point, &s->arena);
        out.label = p ? arena_printf(&s->arena, "%s, %s", out.label, label) : label;
        out.values[p] = json_object_get(point, "value");
        out.sets[p] = json_object_get(point, "set");
    }
    return out;
}

static void bind_axis(struct spec *s, const json_t *axis, struct spec_axis *out)
{
    out->name = json_text(axis, "name", "");
    out->part_count = axis_parts(axis);
    out->point_count = axis_points(axis);
    out->parts = arena_alloc(&s->arena, out->part_count * sizeof *out->parts);
    out->points = arena_alloc(&s->arena, out->point_count * sizeof *out->points);
    for (size_t p = 0; p < out->part_count; p++)
        out->parts[p] = bind_part(axis_part(axis, p));
    out->numeric = out->part_count == 1;
    for (size_t i = 0; i < out->point_count; i++) {
        out->points[i] = bind_point(s, axis, out->part_count, i);
        out->numeric = out->numeric && json_is_number(out->points[i].values[0]);
    }
}

static void bind_reference(struct spec *s, const json_t *reference)
{
    s->reference_axis = s->reference_point = SIZE_MAX;
    if (!json_is_object(reference))
        return;
    s->reference_axis = spec_axis_by_name(s, json_text(reference, "axis", ""));
    const json_t *axis =
        axis_part(json_array_get(json_object_get(s->normalised, "axes"), s->reference_axis), 0);
    const json_t *values = json_object_get(axis, "values");
    for (size_t i = 0; s->reference_point == SIZE_MAX && i < json_array_size(values); i++)
        if (strcmp(axes_label(json_array_get(values, i), &s->arena),
                   json_text(reference, "value", "")) == 0)
            s->reference_point = i;
}

static void bind(struct spec *s)
{
    const json_t *n = s->normalised, *axes = json_object_get(n, "axes"),
                 *seeds = json_object_get(json_object_get(n, "replicates"), "seeds"),
                 *budget = json_object_get(n, "budget");

    s->type = (enum spec_type)index_of(type_names, 3, json_text(n, "type", ""));
    s->order = (enum spec_order)index_of(order_names, 3, json_text(n, "order", ""));
    s->name = json_text(n, "name", "");
    s->notes = json_text(n, "notes", "");
    s->base_generation = json_text(n, "base_generation", NULL);
    s->base = json_object_get(n, "base");
    s->constraints = json_object_get(n, "constraints");
    s->budget_seconds = json_num(budget, "seconds", 0);
    s->budget_cells = (uint64_t)json_int(budget, "cells", 0);
    s->seed_count = seeds ? json_array_size(seeds) : 1;
    s->seeds = arena_alloc(&s->arena, s->seed_count * sizeof *s->seeds);
    for (size_t i = 0; i < s->seed_count && seeds; i++)
        s->seeds[i] = parameter_seed(json_array_get(seeds, i));
    s->axis_count = json_array_size(axes);
    s->axes = arena_alloc(&s->arena, (s->axis_count + 1) * sizeof *s->axes);
    s->cells = s->seed_count;
    for (size_t i = 0; i < s->axis_count; i++) {
        bind_axis(s, json_array_get(axes, i), &s->axes[i]);
        s->cells *= s->axes[i].point_count;
    }
    bind_reference(s, json_object_get(n, "reference"));
}

int spec_read(const json_t *document, const struct spec_lookup *lookup, struct spec **out,
              struct spec_problems *problems)
{
    json_t *normalised = spec_normalise(document, lookup, problems);

    if (!normalised)
        return ERR_ARG;
    struct spec *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    s->normalised = normalised;
    s->written = json_deep_copy(document);
    bind(s);
    *out = s;
    return 0;
}

void spec_free(struct spec *s)
{
    if (!s)
        return;
    json_decref((json_t *)s->normalised);
    json_decref((json_t *)s->written);
    arena_release(&s->arena);
    free(s);
}

size_t spec_axis_by_name(const struct spec *s, const char *name)
{
    for (size_t i = 0; i < s->axis_count; i++)
        if (strcmp(s->axes[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

bool spec_axis_is_setting(const struct spec_axis *axis)
{
    static const char *const averaged[] = {"prompt", "negative_prompt", "seed", "init_image",
                                           "mask"};

    for (size_t p = 0; p < axis->part_count; p++) {
        bool tried = axis->parts[p].target == SPEC_VARIABLE ||
                     axis->parts[p].target == SPEC_REPLACE;
        for (size_t i = 0; i < sizeof averaged / sizeof *averaged; i++)
            tried |= axis->parts[p].word && axis->parts[p].target == SPEC_PARAMETER &&
                     strcmp(axis->parts[p].word, averaged[i]) == 0;
        if (!tried)
            return true;
    }
    return false;
}

json_t *spec_point_value(const struct spec_axis *axis, size_t point)
{
    const struct spec_point *at = &axis->points[point];

    if (axis->parts[0].target == SPEC_SETTINGS)
        return json_string(at->label);
    if (axis->part_count == 1)
        return json_incref((json_t *)at->values[0]);
    json_t *parts = json_object();
    for (size_t p = 0; p < axis->part_count; p++)
        json_object_set(parts, axis->parts[p].word, (json_t *)at->values[p]);
    return parts;
}
