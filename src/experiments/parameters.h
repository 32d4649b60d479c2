/*
 * parameters.h: the fields of a generate request that an experiment may set or vary; private to
 * experiments/.
 *
 *   const struct parameter *p = parameter_by_name("steps");
 *   json_t *value = parameter_value(p, written, problems, &at);       NULL: problem noted
 *
 * Limits here are those of the form; what a model allows is found when a plan is made.
 */
#ifndef EXPERIMENTS_PARAMETERS_H
#define EXPERIMENTS_PARAMETERS_H

#include "experiments/problems.h"

/* The longest prompt, also after variables and replacements. */
enum { PARAMETER_PROMPT_BYTES = 10000 };

enum parameter_kind {
    PARAMETER_PROMPT, /* text in which variables and replacements work */
    PARAMETER_NAME,   /* text; lists of it may be written with commas */
    PARAMETER_TEXT,   /* other text */
    PARAMETER_INTEGER,
    PARAMETER_NUMBER,
    PARAMETER_SEED, /* 0 .. 2^64 - 1; decimal text where JSON's integers end */
};
struct parameter {
    const char *name;
    enum parameter_kind kind;
    double min, max;            /* numbers; longest text in bytes is max */
    bool optional;              /* may be null */
    const char *const *choices; /* NULL: any */
};

const struct parameter *parameter_by_name(const char *name); /* NULL */
bool parameter_is_numeric(const struct parameter *p);
/* What is expected, in words. */
const char *parameter_expected(const struct parameter *p, char out[128]);

/* The scalar in its one form (whole numbers as integers, seeds as integers up to 2^63 - 1): a new
 * reference, or NULL with the problem noted. `p` NULL: any text or number. */
json_t *parameter_value(const struct parameter *p, const json_t *written,
                        struct spec_problems *problems, const struct at *at);
/* An object of parameters; `seeds`: whether a seed may be among them. A new reference, always. */
json_t *parameter_object(const json_t *written, bool seeds, struct spec_problems *problems,
                         const struct at *at);
/* A text of so many code points, without a NUL inside. */
bool parameter_text(const json_t *v, size_t least, size_t most);
/* The seed that a scalar in its one form says. */
uint64_t parameter_seed(const json_t *value);
/* The reverse: a new reference. */
json_t *parameter_seed_json(uint64_t seed);

#endif
