#include "base/json.h"
#include "experiments/normalise.h"
#include "experiments/parameters.h"

#include <string.h>

static json_t *counted_seeds(struct spec_problems *problems, const json_t *written, uint64_t first,
                             const struct at *at)
{
    const json_t *count = json_object_get(written, "count"),
                 *seed = json_object_get(written, "seed");
    json_t *seeds = json_array(), *value;

    if (!json_is_integer(count) || json_integer_value(count) < 1 ||
        json_integer_value(count) > SPEC_MAX_REPLICATES) {
        problem(problems, &(struct at){at, "count", 0}, "an integer from 1 to %d",
                SPEC_MAX_REPLICATES);
        return seeds;
    }
    if (seed) {
        value =
            parameter_value(parameter_by_name("seed"), seed, problems, &(struct at){at, "seed", 0});
        first = parameter_seed(value);
        json_decref(value);
    }
    if (first > UINT64_MAX - SPEC_MAX_REPLICATES) {
        problem(problems, &(struct at){at, "seed", 0}, "a first seed with room for the others");
        return seeds;
    }
    for (uint64_t i = 0; i < (uint64_t)json_integer_value(count); i++)
        json_array_append_new(seeds, parameter_seed_json(first + i));
    return seeds;
}

static json_t *listed_seeds(struct spec_problems *problems, const json_t *list, const struct at *at)
{
    json_t *seeds = json_array(), *item, *other;
    size_t i, j;

    if (!json_is_array(list) || !json_array_size(list) ||
        json_array_size(list) > SPEC_MAX_REPLICATES) {
        problem(problems, at, "a list of 1 to %d seeds", SPEC_MAX_REPLICATES);
        return seeds;
    }
    json_array_foreach((json_t *)list, i, item)
    {
        struct at here = {at, NULL, i};
        json_t *seed = parameter_value(parameter_by_name("seed"), item, problems, &here);
        if (!seed)
            continue;
        json_array_foreach(seeds, j, other)
        {
            if (json_equal(seed, other)) {
                problem(problems, &here, "every seed once");
                break;
            }
        }
        json_array_append_new(seeds, seed);
    }
    return seeds;
}

static bool has_seed_axis(const struct axes *axes)
{
    json_t *axis;
    size_t i;

    json_array_foreach(axes->list, i, axis)
    {
        for (size_t p = 0; p < axis_parts(axis); p++)
            if (strcmp(json_text(axis_part(axis, p), "parameter", ""), "seed") == 0)
                return true;
    }
    return false;
}

size_t replicates_read(const json_t *document, const struct axes *axes, json_t *general,
                       struct spec_problems *problems)
{
    static const char *const known[] = {"count", "seed", "seeds", NULL};
    struct at at = {&axes->root, "replicates", 0};
    const json_t *written = json_object_get(document, "replicates");
    json_t *seeds = NULL, *base_seed = json_object_get(json_object_get(general, "base"), "seed");

    if (has_seed_axis(axes)) {
        if (written && !json_is_null(written))
            problem(problems, &at, "either replicates or an axis of seeds");
        return 1;
    }
    if (!written || json_is_null(written)) {
        seeds = json_array();
        json_array_append_new(seeds, base_seed ? json_incref(base_seed) : json_integer(0));
    } else if (!json_is_object(written)) {
        problem(problems, &at, "an object with a count, or with seeds");
        return 1;
    } else {
        problem_members(problems, &at, written, known);
        const json_t *list = json_object_get(written, "seeds");
        if (list && (json_object_get(written, "count") || json_object_get(written, "seed")))
            problem(problems, &at, "either a count or seeds");
        seeds = list ? listed_seeds(problems, list, &(struct at){&at, "seeds", 0})
                     : counted_seeds(problems, written, parameter_seed(base_seed), &at);
    }
    size_t count = json_array_size(seeds);
    json_object_set_new(general, "replicates", json_pack("{so}", "seeds", seeds));
    return count;
}
