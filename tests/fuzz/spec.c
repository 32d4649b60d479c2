/* Any bytes as the specification of an experiment: refused with at least one problem, or read,
 * and then its general form reads as itself and its plan is a permutation. */
#include "fuzz.h"

#include "base/json.h"
#include "experiments/plan.h"
#include "experiments/spec_diff.h"

#include <stdlib.h>

/* Larger grids are legal, but would make the search slow. */
enum { MOST_CELLS = 2000 };

static void check_plan(const struct spec *spec)
{
    struct plan *plan;
    struct err e;

    if (spec->cells > MOST_CELLS)
        return;
    if (plan_new(spec, NULL, &plan, &e) || plan->count != spec->cells)
        abort();
    bool *seen = calloc(plan->count, sizeof *seen);
    for (size_t i = 0; i < plan->count; i++) {
        if (!seen || plan->order[i] >= plan->count || seen[plan->order[i]])
            abort();
        seen[plan->order[i]] = true;
    }
    free(seen);
    json_decref(plan_to_json(plan, 10));
    plan_free(plan);
}

static void check_again(const struct spec *spec)
{
    struct spec_problems problems = {0};
    struct spec *again;

    if (spec_read(spec->normalised, NULL, &again, &problems))
        abort();
    json_t *changes = spec_diff(spec, again);
    if (json_array_size(changes))
        abort();
    json_decref(changes);
    spec_free(again);
    spec_problems_release(&problems);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct spec_problems problems = {0};
    struct spec *spec;
    json_t *document;
    struct err e;

    if (json_read((struct str){(const char *)bytes, n}, &document, &e))
        return 0;
    if (spec_read(document, NULL, &spec, &problems) == 0) {
        check_again(spec);
        check_plan(spec);
        spec_free(spec);
    } else if (!problems.count) {
        abort();
    }
    json_decref(document);
    spec_problems_release(&problems);
    return 0;
}
