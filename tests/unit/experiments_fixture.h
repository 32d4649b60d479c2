/* experiments_fixture.h: specs and plans for the tests of measures, analysis and export. */
#ifndef TESTS_EXPERIMENTS_FIXTURE_H
#define TESTS_EXPERIMENTS_FIXTURE_H

#include "base/json.h"
#include "experiments/measures.h"

static inline struct spec *fixture_spec(const char *text)
{
    struct spec_problems problems = {0};
    struct spec *spec = NULL;
    json_t *document;
    struct err e;

    if (json_read(str_from(text), &document, &e))
        fail_msg("%s in %s", e.message, text);
    if (spec_read(document, NULL, &spec, &problems))
        fail_msg("%s in %s", spec_problems_line(&problems), text);
    json_decref(document);
    spec_problems_release(&problems);
    return spec;
}

static inline struct plan *fixture_plan(const struct spec *spec)
{
    struct plan *plan;
    struct err e;

    if (plan_new(spec, NULL, &plan, &e))
        fail_msg("%s", e.message);
    return plan;
}

/* A picture that depends on the cell's seed and steps: the more steps, the less noise is left. */
static inline int fixture_picture(const struct plan *p, size_t cell, int side, struct image *out,
                                  struct err *e)
{
    uint64_t s = p->cells[cell].seed * 7919 + 13;
    int steps = p->cells[cell].steps ? p->cells[cell].steps : 10;

    if (image_new(side, side, 3, out, e))
        return e->code;
    for (int i = 0; i < side * side * 3; i++) {
        s = s * 6364136223846793005u + 1442695040888963407u;
        int noise = (int)(s >> 40) % 200 / steps;
        out->pixels[i] = (unsigned char)(20 + i / 3 % side * 150 / side + noise);
    }
    return 0;
}

#endif
