/*
 * config.c: scheduler_config.json. Every key that changes a result is honoured or refused by name.
 *
 * One key lands in one field, whatever class wrote it: diffusers passes a config from class to
 * class (from_config) and each takes the keys that it knows.
 */
#include "engine/sampling/family.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { CONFIG_MAX = 1 << 20, TRAIN_MAX = 10000 };

void scheduler_config_init(struct scheduler_config *c)
{
    *c = (struct scheduler_config){
        .num_train_timesteps = -1,
        .beta_start = NAN,
        .beta_end = NAN,
        .beta_schedule_absent = true,
        .prediction_absent = true,
        .steps_offset = -1,
        .clip_sample_range = NAN,
        .solver_order = -1,
        .original_inference_steps = NAN,
        .timestep_scaling = NAN,
    };
}

/* ---- values ---- */

struct word {
    const char *text;
    int value;
};

struct reader {
    const json_t *root;
    struct err *e;
    int rc; /* the first failure */
};

static const json_t *get(const struct reader *r, const char *key)
{
    return r->rc ? NULL : json_object_get(r->root, key);
}

static void wrong(struct reader *r, const char *key, const char *what)
{
    if (!r->rc)
        r->rc = ERR(r->e, ERR_FORMAT, "scheduler config: %s is not %s", key, what);
}

static void refuse(struct reader *r, const char *key, const char *value)
{
    if (!r->rc)
        r->rc = ERR(r->e, ERR_UNSUPPORTED, "scheduler config: %s %s is not supported", key, value);
}

static void read_option(struct reader *r, const char *key, enum option *out)
{
    const json_t *v = get(r, key);

    if (!v)
        return;
    if (!json_is_boolean(v))
        wrong(r, key, "true or false");
    else
        *out = json_is_true(v) ? OPTION_TRUE : OPTION_FALSE;
}

static void read_number(struct reader *r, const char *key, double low, double high, double *out)
{
    const json_t *v = get(r, key);
    double x;

    if (!v)
        return;
    x = json_number_value(v);
    if (!json_is_number(v) || !(x >= low && x <= high)) {
        char what[80];
        snprintf(what, sizeof what, "a number from %g to %g", low, high);
        wrong(r, key, what);
    } else {
        *out = x;
    }
}

static void read_int(struct reader *r, const char *key, int low, int high, int *out)
{
    double x = low;
    const json_t *v = get(r, key);

    if (!v)
        return;
    read_number(r, key, low, high, &x);
    if (!r->rc && !json_is_integer(v))
        wrong(r, key, "a whole number");
    else if (!r->rc)
        *out = (int)x;
}

/* The value of the word under key, or `absent`; unknown words and other types are refused. */
static int read_word(struct reader *r, const char *key, const struct word *words, int absent)
{
    const json_t *v = get(r, key);
    const char *text = v ? json_string_value(v) : NULL;

    if (!v)
        return absent;
    if (!text) {
        wrong(r, key, "text");
        return absent;
    }
    for (; words->text; words++)
        if (!strcmp(words->text, text))
            return words->value;
    refuse(r, key, text);
    return absent;
}

/* ---- keys that are legal only with the value that changes nothing ---- */

static void must_be_false(struct reader *r, const char *key)
{
    const json_t *v = get(r, key);

    if (!v || json_is_false(v) || json_is_null(v))
        return;
    if (json_is_true(v))
        refuse(r, key, "true");
    else
        wrong(r, key, "true or false");
}

static void must_be_null(struct reader *r, const char *key)
{
    const json_t *v = get(r, key);

    if (v && !json_is_null(v))
        refuse(r, key, "other than null");
}

static void must_be_word(struct reader *r, const char *key, const char *word)
{
    const json_t *v = get(r, key);
    const char *text = v ? json_string_value(v) : NULL;

    if (v && !json_is_null(v) && (!text || strcmp(text, word) != 0))
        refuse(r, key, text ? text : "of this kind");
}

static void read_refused(struct reader *r)
{
    static const char *const falses[] = {"thresholding", "use_lu_lambdas", "use_flow_sigmas",
                                         "use_dynamic_shifting", NULL};
    static const char *const nulls[] = {
        "trained_betas",      "sigma_min",      "sigma_max",          "solver_p",
        "noise_sampler_seed", "shift_terminal", "lambda_min_clipped", NULL};
    const json_t *v;

    for (int i = 0; falses[i]; i++)
        must_be_false(r, falses[i]);
    for (int i = 0; nulls[i]; i++)
        must_be_null(r, nulls[i]);
    must_be_word(r, "interpolation_type", "linear");
    must_be_word(r, "timestep_type", "discrete");
    must_be_word(r, "variance_type", "fixed_small");
    v = get(r, "predict_x0");
    if (v && !json_is_true(v))
        refuse(r, "predict_x0", "false");
    v = get(r, "disable_corrector");
    if (v && !json_is_null(v) && json_array_size(v))
        refuse(r, "disable_corrector", "with entries");
}

/* ---- the whole ---- */

static void read_class(struct reader *r, enum sampler_kind *out)
{
    const json_t *v = get(r, "_class_name");
    const char *name = v ? json_string_value(v) : NULL;

    if (!name) {
        wrong(r, "_class_name", "the name of a scheduler class");
        return;
    }
    for (int i = 0; i < SAMPLER_COUNT; i++)
        if (!strcmp(name, sampler_classes[i].class_name)) {
            *out = (enum sampler_kind)i;
            return;
        }
    refuse(r, "_class_name", name);
}

static void read_solver(struct reader *r, struct scheduler_config *c)
{
    static const struct word algorithms[] = {{"dpmsolver++", OPTION_FALSE},
                                             {"sde-dpmsolver++", OPTION_TRUE},
                                             {"deis", OPTION_ABSENT},
                                             {NULL, 0}};
    /* Each class maps the others' solver types to its own default. */
    enum { MIDPOINT, HEUN, LOGRHO, BH1, BH2, NONE };
    static const struct word solvers[] = {{"midpoint", MIDPOINT}, {"heun", HEUN},
                                          {"logrho", LOGRHO},     {"bh1", BH1},
                                          {"bh2", BH2},           {NULL, 0}};
    int solver = read_word(r, "solver_type", solvers, NONE);

    c->sde = (enum option)read_word(r, "algorithm_type", algorithms, OPTION_ABSENT);
    if (solver == MIDPOINT || solver == HEUN)
        c->solver_heun = solver == HEUN ? OPTION_TRUE : OPTION_FALSE;
    if (solver == BH1 || solver == BH2)
        c->uni_bh1 = solver == BH1 ? OPTION_TRUE : OPTION_FALSE;
    read_int(r, "solver_order", 1, 3, &c->solver_order);
    read_option(r, "lower_order_final", &c->lower_order_final);
    read_option(r, "euler_at_final", &c->euler_at_final);
}

static void read_words(struct reader *r, struct scheduler_config *c)
{
    static const struct word betas[] = {{"linear", BETA_LINEAR},
                                        {"scaled_linear", BETA_SCALED_LINEAR},
                                        {"squaredcos_cap_v2", BETA_SQUAREDCOS},
                                        {NULL, 0}};
    static const struct word predictions[] = {{"epsilon", PREDICT_EPSILON},
                                              {"v_prediction", PREDICT_V},
                                              {"sample", PREDICT_SAMPLE},
                                              {NULL, 0}};
    static const struct word spacings[] = {{"leading", SPACING_LEADING},
                                           {"linspace", SPACING_LINSPACE},
                                           {"trailing", SPACING_TRAILING},
                                           {NULL, 0}};
    static const struct word finals[] = {
        {"zero", OPTION_FALSE}, {"sigma_min", OPTION_TRUE}, {NULL, 0}};

    c->beta_schedule_absent = !get(r, "beta_schedule");
    c->beta_schedule = (enum beta_kind)read_word(r, "beta_schedule", betas, BETA_LINEAR);
    c->prediction_absent = !get(r, "prediction_type");
    c->prediction =
        (enum prediction_kind)read_word(r, "prediction_type", predictions, PREDICT_EPSILON);
    c->spacing = (enum spacing_kind)read_word(r, "timestep_spacing", spacings, SPACING_MODEL);
    c->final_sigma_min = (enum option)read_word(r, "final_sigmas_type", finals, OPTION_ABSENT);
}

static void read_all(struct reader *r, struct scheduler_config *c)
{
    read_class(r, &c->kind);
    read_int(r, "num_train_timesteps", 1, TRAIN_MAX, &c->num_train_timesteps);
    read_number(r, "beta_start", 1e-12, 0.999, &c->beta_start);
    read_number(r, "beta_end", 1e-12, 0.999, &c->beta_end);
    read_words(r, c);
    read_int(r, "steps_offset", 0, TRAIN_MAX, &c->steps_offset);
    read_option(r, "set_alpha_to_one", &c->set_alpha_to_one);
    read_option(r, "clip_sample", &c->clip_sample);
    read_number(r, "clip_sample_range", 0, 1e30, &c->clip_sample_range);
    read_option(r, "rescale_betas_zero_snr", &c->rescale_betas_zero_snr);
    read_option(r, "skip_prk_steps", &c->skip_prk_steps);
    read_option(r, "use_karras_sigmas", &c->use_karras_sigmas);
    read_option(r, "use_exponential_sigmas", &c->use_exponential_sigmas);
    read_option(r, "use_beta_sigmas", &c->use_beta_sigmas);
    read_solver(r, c);
    read_number(r, "original_inference_steps", 1, TRAIN_MAX, &c->original_inference_steps);
    read_number(r, "timestep_scaling", 0, 1e30, &c->timestep_scaling);
    read_refused(r);
    if (c->kind == SAMPLER_DPMPP_2M && c->sde == OPTION_TRUE)
        c->kind = SAMPLER_DPMPP_2M_SDE;
}

/* Python writes lambda_min_clipped's default as -Infinity, which is not JSON; it becomes null. */
static void blank_infinities(char *text, size_t n)
{
    static const char token[] = "-Infinity";
    bool quoted = false;

    for (size_t i = 0; i < n; i++) {
        if (quoted && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            quoted = !quoted;
        else if (!quoted && n - i >= sizeof token - 1 && !memcmp(text + i, token, sizeof token - 1))
            memcpy(text + i, "null     ", sizeof token - 1);
    }
}

int scheduler_config_parse(struct str json, struct scheduler_config *out, struct err *e)
{
    struct scheduler_config c;
    struct reader r = {.e = e};
    json_error_t error;
    json_t *root = NULL;
    char *text = NULL;

    if (json.n > CONFIG_MAX)
        return ERR(e, ERR_FORMAT, "scheduler config of %zu bytes; the limit is %d", json.n,
                   CONFIG_MAX);
    text = malloc(json.n + 1);
    if (!text)
        return ERR(e, ERR_NOMEM, "no memory for a scheduler config of %zu bytes", json.n);
    if (json.n)
        memcpy(text, json.p, json.n);
    blank_infinities(text, json.n);

    root = json_loadb(text, json.n, JSON_REJECT_DUPLICATES, &error);
    if (!root) {
        r.rc = ERR(e, ERR_FORMAT, "scheduler config, line %d: %s", error.line, error.text);
        goto out;
    }
    if (!json_is_object(root)) {
        r.rc = ERR(e, ERR_FORMAT, "scheduler config is not an object");
        goto out;
    }
    r.root = root;
    scheduler_config_init(&c);
    read_all(&r, &c);
    if (!r.rc)
        *out = c;
out:
    json_decref(root);
    free(text);
    return r.rc;
}
