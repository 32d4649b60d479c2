#include "base/json.h"
#include "base/map.h"
#include "experiments/normalise.h"
#include "experiments/parameters.h"
#include "experiments/spec_diff.h"
#include "experiments/values.h"

#include <string.h>

static json_t *axis_named(json_t *document, const char *name)
{
    json_t *axis;
    size_t i;

    json_array_foreach(json_object_get(document, "axes"), i, axis)
    {
        if (strcmp(json_text(axis, "name", ""), name) == 0)
            return axis;
    }
    return NULL;
}

static json_t *values_of(json_t *axis, const json_t *written, struct spec_problems *problems,
                         const struct at *at)
{
    const char *parameter = json_text(axis, "parameter", NULL);
    bool settings = !parameter && !json_object_get(axis, "variable") &&
                    !json_object_get(axis, "replace");

    return values_read(parameter ? parameter_by_name(parameter) : NULL, settings, written, problems,
                       at);
}

/* What point i is, over all parts, whatever its label; named settings have nothing else. */
static const char *identity(json_t *const *lists, size_t parts, size_t i, struct arena *a)
{
    const char *text = "";

    for (size_t p = 0; p < parts; p++) {
        json_t *bare = json_copy(json_array_get(lists[p], i));
        if (json_object_get(bare, "value"))
            json_object_del(bare, "label");
        else
            json_object_del(bare, "set");
        text = arena_printf(a, "%s%s", text, json_canonical(bare, a));
        json_decref(bare);
    }
    return text;
}

/* Append the points that are new: of one axis, or of the parts of a zip in lock-step. */
static void append_points(json_t *const *axes, json_t *const *more, size_t parts)
{
    json_t *lists[SPEC_MAX_ZIP];
    struct arena a = {0};
    struct map seen = {0};

    for (size_t p = 0; p < parts; p++)
        lists[p] = json_object_get(axes[p], "values");
    for (size_t i = 0; i < json_array_size(lists[0]); i++)
        map_put(&seen, str_from(identity(lists, parts, i, &a)), &seen);
    for (size_t i = 0; i < json_array_size(more[0]); i++) {
        if (map_put(&seen, str_from(identity(more, parts, i, &a)), &seen))
            continue;
        for (size_t p = 0; p < parts; p++)
            json_array_append(lists[p], json_array_get(more[p], i));
    }
    map_release(&seen);
    arena_release(&a);
}

static void extend_zip(json_t *axis, const json_t *written, struct spec_problems *problems,
                       const struct at *at)
{
    const json_t *zip = json_object_get(axis, "zip");
    json_t *parts[SPEC_MAX_ZIP], *more[SPEC_MAX_ZIP] = {NULL};
    size_t n = json_array_size(zip);
    bool good = json_is_object(written) && json_object_size(written) == n;

    for (size_t p = 0; p < n && good; p++) {
        parts[p] = json_array_get(zip, p);
        const char *name = json_text(parts[p], "name", "");
        const json_t *values = json_object_get(written, name);
        more[p] = values ? values_of(parts[p], values, problems, &(struct at){at, name, 0}) : NULL;
        good = more[p] && json_array_size(more[p]) == json_array_size(more[0]);
    }
    if (good)
        append_points(parts, more, n);
    else
        problem(problems, at, "an object with as many values for each axis that is zipped here");
    for (size_t p = 0; p < n; p++)
        json_decref(more[p]);
}

static void extend_axes(json_t *document, const json_t *written, struct spec_problems *problems,
                        const struct at *at)
{
    const char *name;
    json_t *values;

    if (!json_is_object(written)) {
        problem(problems, at, "an object of axes and their new values");
        return;
    }
    json_object_foreach((json_t *)written, name, values)
    {
        struct at here = {at, name, 0};
        json_t *axis = axis_named(document, name), *more;
        if (!axis) {
            problem(problems, &here, "the name of an axis of this experiment");
        } else if (json_object_get(axis, "zip")) {
            extend_zip(axis, values, problems, &here);
        } else if ((more = values_of(axis, values, problems, &here))) {
            append_points(&axis, &more, 1);
            json_decref(more);
        }
    }
}

static bool has_seed(const json_t *seeds, const json_t *seed)
{
    json_t *other;
    size_t i;

    json_array_foreach((json_t *)seeds, i, other)
    {
        if (json_equal(other, (json_t *)seed))
            return true;
    }
    return false;
}

static void add_seed(json_t *seeds, uint64_t seed)
{
    json_t *value = parameter_seed_json(seed);

    if (!has_seed(seeds, value))
        json_array_append(seeds, value);
    json_decref(value);
}

/* {"count"}: so many in all, the new ones after the last; {"seeds"}: these too. */
static void extend_replicates(json_t *document, const json_t *written,
                              struct spec_problems *problems, const struct at *at)
{
    static const char *const known[] = {"count", "seeds", NULL};
    json_t *seeds = json_object_get(json_object_get(document, "replicates"), "seeds"), *item;
    const json_t *count = json_object_get(written, "count"),
                 *list = json_object_get(written, "seeds");
    size_t i;

    if (!json_is_object(written) || !count == !list) {
        problem(problems, at, "an object with either a count in all, or seeds");
        return;
    }
    problem_members(problems, at, written, known);
    if (!seeds) {
        problem(problems, at, "no replicates: this experiment has an axis of seeds");
    } else if (list) {
        if (!json_is_array(list) || json_array_size(list) > SPEC_MAX_REPLICATES)
            problem(problems, &(struct at){at, "seeds", 0}, "a list of at most %d seeds",
                    SPEC_MAX_REPLICATES);
        else
            json_array_foreach((json_t *)list, i, item)
            {
                json_t *seed = parameter_value(parameter_by_name("seed"), item, problems,
                                               &(struct at){&(struct at){at, "seeds", 0}, NULL, i});
                if (seed)
                    add_seed(seeds, parameter_seed(seed));
                json_decref(seed);
            }
    } else if (!json_is_integer(count) || json_integer_value(count) < 1 ||
               json_integer_value(count) > SPEC_MAX_REPLICATES) {
        problem(problems, &(struct at){at, "count", 0}, "an integer from 1 to %d",
                SPEC_MAX_REPLICATES);
    } else {
        uint64_t next = parameter_seed(json_array_get(seeds, json_array_size(seeds) - 1));
        while (json_array_size(seeds) < (size_t)json_integer_value(count))
            add_seed(seeds, ++next);
    }
}

/* A reference that followed from the axis follows from the longer axis, too. */
static void loosen_reference(json_t *document, const json_t *written)
{
    const json_t *reference = json_object_get(written, "reference");

    if (!reference)
        json_object_del(document, "reference");
    else if (json_is_object(reference) && !json_object_get(reference, "value"))
        json_object_set(document, "reference", (json_t *)reference);
}

int spec_extend(const struct spec *spec, const json_t *addition, json_t **out,
                struct spec_problems *problems)
{
    static const char *const known[] = {"axes", "replicates", "budget", NULL};
    struct at root = {0};
    json_t *document = json_deep_copy(spec->normalised);
    const json_t *axes = json_object_get(addition, "axes"),
                 *replicates = json_object_get(addition, "replicates"),
                 *budget = json_object_get(addition, "budget");
    size_t before = problems->count;

    if (json_is_object(addition)) {
        problem_members(problems, &root, addition, known);
        loosen_reference(document, spec->written);
        if (axes)
            extend_axes(document, axes, problems, &(struct at){&root, "axes", 0});
        if (replicates)
            extend_replicates(document, replicates, problems, &(struct at){&root, "replicates", 0});
        if (budget)
            json_object_set(document, "budget", (json_t *)budget);
    } else {
        problem(problems, &root, "an object with axes, replicates or budget");
    }
    if (problems->count == before) /* limits hold for the whole, and new values get their labels */
        json_decref(spec_normalise(document, NULL, problems));
    if (problems->count > before) {
        json_decref(document);
        return ERR_ARG;
    }
    *out = document;
    return 0;
}
