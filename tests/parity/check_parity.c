/*
 * check_parity: draw every case of tests/parity/cases with the engine and compare it with what
 * diffusers drew (tools/parity made the files; README.md says how).
 *
 *   check_parity [--executor ref|cpu] [--isa NAME] [--threads N] [--low-memory] [--verbose]
 * [PATTERN...]
 *
 * Prints TAP. A failed case names the first tensor that differs and by how much: since tensors come
 * in the order of the computation, that is where to look. Bounds: text embeddings 1e-4, latents of
 * every step 1e-3 (relative root mean square), every pixel within one level of 255.
 */
#include "base/arena.h"
#include "cauldron.h"
#include "engine/pipeline.h"
#include "engine/weights/safetensors.h"
#include "image/image.h"

#include <dirent.h>
#include <fnmatch.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_MODELS = 16, MAX_COUNT = 8 };

static const double NOISE_BOUND = 1e-5, TEXT_BOUND = 1e-4, LATENT_BOUND = 1e-3;

struct runner {
    const char *root; /* tests/parity */
    const char *source;
    struct cauldron_options options;
    bool verbose;
    struct {
        char *name;
        struct cauldron_model *model;
        struct scheduler_config scheduler; /* the model's own */
    } open[MAX_MODELS];
    int count;
};

/* One case while it is drawn. */
struct check {
    const struct safetensors *golden;
    int latents[MAX_COUNT]; /* traced, by picture */
    int compared;
    double text, latent; /* worst relative errors */
    int pixel;           /* worst difference in levels */
    char failure[256];   /* the first; empty: none */
};

static void fail(struct check *c, const char *format, ...) PRINTF_LIKE(2, 3);

static void fail(struct check *c, const char *format, ...)
{
    va_list list;

    if (c->failure[0])
        return;
    va_start(list, format);
    (void)vsnprintf(c->failure, sizeof c->failure, format, list);
    va_end(list);
}

/* Tensors of picture i have the prefix "i." from the second picture on. */
static const struct tensor *golden(const struct check *c, int picture, const char *name)
{
    char full[64];

    if (picture)
        (void)snprintf(full, sizeof full, "%d.%s", picture, name);
    else
        (void)snprintf(full, sizeof full, "%s", name);
    for (int i = 0; i < c->golden->count; i++)
        if (str_is(c->golden->tensors[i].name, full))
            return &c->golden->tensors[i];
    return NULL;
}

/* |x - y| / |y|, or |x - y| where y is zero. */
static double relative(const float *x, const float *y, size_t n)
{
    double difference = 0, size = 0;

    for (size_t i = 0; i < n; i++) {
        difference += ((double)x[i] - (double)y[i]) * ((double)x[i] - (double)y[i]);
        size += (double)y[i] * (double)y[i];
    }
    return size > 0 ? sqrt(difference / size) : sqrt(difference);
}

static void on_trace(void *user, const struct cauldron_trace *t)
{
    struct check *c = user;
    bool latent = strncmp(t->name, "latent.", 7) == 0, text = strncmp(t->name, "text.", 5) == 0;
    const struct tensor *want = golden(c, t->request, t->name);
    size_t n = 1;

    if (latent)
        c->latents[t->request]++;
    if (!want)
        return;
    c->compared++;
    if (want->dtype != DTYPE_F32 || want->dims != t->dims) {
        fail(c, "%s has %d dimensions instead of %d", t->name, t->dims, want->dims);
        return;
    }
    for (int i = 0; i < t->dims; i++) {
        if (want->shape[i] != t->shape[i]) {
            fail(c, "%s: dimension %d is %lld instead of %lld", t->name, i, (long long)t->shape[i],
                 (long long)want->shape[i]);
            return;
        }
        n *= (size_t)t->shape[i];
    }
    double error = relative(t->data, want->data, n);
    double bound = text ? TEXT_BOUND : latent ? LATENT_BOUND : NOISE_BOUND;
    if (latent)
        c->latent = fmax(c->latent, error);
    if (text)
        c->text = fmax(c->text, error);
    if (!(error <= bound))
        fail(c, "picture %d: %s is off by %.3g (relative; bound %g)", t->request, t->name, error,
             bound);
}

static void compare_picture(struct check *c, int i, const struct cauldron_picture *p)
{
    const struct tensor *want = golden(c, i, "pixels"), *steps = golden(c, i, "evaluations");
    const unsigned char *bytes = want ? want->data : NULL;

    if (!want || !steps || want->dtype != DTYPE_U8 || want->dims != 3 || want->shape[2] != 3 ||
        steps->dtype != DTYPE_I32) {
        fail(c, "picture %d: the stored case is incomplete", i);
        return;
    }
    if (c->latents[i] != *(const int32_t *)steps->data)
        fail(c, "picture %d: %d evaluations of the network instead of %d", i, c->latents[i],
             *(const int32_t *)steps->data);
    if (p->status || p->height != want->shape[0] || p->width != want->shape[1]) {
        fail(c, "picture %d: %dx%d (status %d) instead of %lldx%lld", i, p->width, p->height,
             p->status, (long long)want->shape[1], (long long)want->shape[0]);
        return;
    }
    int worst = 0, at = 0;
    for (int k = 0; k < 3 * p->width * p->height; k++) {
        int difference = abs((int)p->pixels[k] - (int)bytes[k]);
        if (difference > worst) {
            worst = difference;
            at = k;
        }
    }
    c->pixel = worst > c->pixel ? worst : c->pixel;
    if (worst > 1)
        fail(c, "picture %d: pixel %d,%d channel %d is %d instead of %d", i, at / 3 % p->width,
             at / 3 / p->width, at % 3, p->pixels[at], bytes[at]);
}

/* ==== the request ==== */

static const char *text(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

static double number(const json_t *o, const char *key, double otherwise)
{
    const json_t *v = json_object_get(o, key);

    return v ? json_number_value(v) : otherwise;
}

static int whole(const json_t *o, const char *key, int otherwise)
{
    return (int)number(o, key, otherwise);
}

/* [first, second] of an array. */
static void pair(const json_t *o, const char *key, int *first, int *second)
{
    const json_t *v = json_object_get(o, key);

    if (!v)
        return;
    *first = (int)json_integer_value(json_array_get(v, 0));
    *second = (int)json_integer_value(json_array_get(v, 1));
}

static int read_image(struct runner *r, const char *name, int channels, struct image *out,
                      struct cauldron_pixels *pixels, struct err *e)
{
    struct arena a = {0};
    struct image im = {0};
    int rc = image_read(arena_printf(&a, "%s/cases/images/%s", r->root, name), &im, NULL, e);

    if (!rc)
        rc = channels == 3 ? image_to_rgb(&im, out, e) : image_to_grey(&im, out, e);
    if (!rc)
        *pixels = (struct cauldron_pixels){out->width, out->height, out->pixels};
    image_release(&im);
    arena_release(&a);
    return rc;
}

/* Image to image takes the picture's size, rounded down to what the model can do. */
static void size_of_init(const struct cauldron_model *m, struct cauldron_request *q)
{
    struct cauldron_info info;

    cauldron_describe(m, &info);
    q->width = q->init.width / info.multiple * info.multiple;
    q->height = q->init.height / info.multiple * info.multiple;
}

static struct cauldron_request make_request(const struct cauldron_model *m, const json_t *o)
{
    struct cauldron_request q = cauldron_request(m);

    q.prompt = text(o, "prompt");
    q.negative = text(o, "negative");
    q.seed = strtoull(text(o, "seed"), NULL, 10); /* -1 is 2^64 - 1, as in torch */
    q.steps = whole(o, "steps", q.steps);
    q.guidance = number(o, "cfg", q.guidance);
    q.guidance_rescale = number(o, "guidance_rescale", 0);
    q.width = whole(o, "width", q.width);
    q.height = whole(o, "height", q.height);
    q.sampler = text(o, "sampler");
    q.schedule = text(o, "schedule");
    q.spacing = text(o, "spacing");
    q.rng = text(o, "rng");
    q.eta = number(o, "eta", 0);
    q.clip_skip = whole(o, "clip_skip", 0);
    q.strength = number(o, "strength", q.strength);
    pair(o, "original_size", &q.original_height, &q.original_width);
    pair(o, "target_size", &q.target_height, &q.target_width);
    pair(o, "crop", &q.crop_top, &q.crop_left);
    q.on_trace = on_trace;
    return q;
}

/* ==== models ==== */

/* tests/parity/models/NAME, NAME.safetensors there, or models/NAME of the repository. */
static char *model_path(struct runner *r, struct arena *a, const char *name)
{
    char *folder = arena_printf(a, "%s/models/%s", r->root, name);
    char *file = arena_printf(a, "%s.safetensors", folder);

    if (file_exists(file))
        return file;
    return file_is_dir(folder) ? folder : arena_printf(a, "%s/models/%s", r->source, name);
}

static int open_model(struct runner *r, const char *name, struct cauldron_model **out,
                      const struct scheduler_config **own, struct cauldron_error *e)
{
    struct arena a = {0};
    int rc = 0, i;

    for (i = 0; i < r->count && strcmp(r->open[i].name, name) != 0; i++)
        continue;
    if (i == r->count) {
        if (r->count == MAX_MODELS)
            abort();
        rc = cauldron_open(model_path(r, &a, name), &r->options, &r->open[i].model, e);
        if (!rc) {
            r->open[i].name = strdup(name);
            r->open[i].scheduler = r->open[i].model->files->scheduler;
            r->count++;
        }
    }
    arena_release(&a);
    if (rc)
        return rc;
    *out = r->open[i].model;
    *own = &r->open[i].scheduler;
    return 0;
}

/* A case may bring a scheduler_config.json of its own. */
static int set_scheduler(struct cauldron_model *m, const struct scheduler_config *own,
                         const json_t *o, struct err *e)
{
    const json_t *config = json_object_get(o, "scheduler_config");
    int rc = 0;

    m->files->scheduler = *own;
    if (config) {
        char *json = json_dumps(config, 0);
        rc = scheduler_config_parse(str_from(json), &m->files->scheduler, e);
        free(json);
    }
    return rc;
}

/* ==== cases ==== */

static void draw(struct runner *r, struct cauldron_model *m, const json_t *o, struct check *c)
{
    struct cauldron_request q = make_request(m, o), all[MAX_COUNT];
    struct cauldron_picture pictures[MAX_COUNT] = {{0}};
    struct cauldron_error problem = {0};
    struct image init = {0}, mask = {0};
    struct err e = {0};
    int count = whole(o, "count", 1);

    if (count < 1 || count > MAX_COUNT)
        abort();
    if ((text(o, "init") && read_image(r, text(o, "init"), 3, &init, &q.init, &e)) ||
        (text(o, "mask") && read_image(r, text(o, "mask"), 1, &mask, &q.mask, &e))) {
        fail(c, "%s", e.message);
        goto out;
    }
    if (q.init.pixels)
        size_of_init(m, &q);
    q.user = c;
    for (int i = 0; i < count; i++) {
        all[i] = q;
        all[i].seed += (uint64_t)i;
    }
    if (cauldron_generate(m, all, count, pictures, &problem)) {
        fail(c, "%s", problem.message);
        goto out;
    }
    for (int i = 0; i < count; i++) {
        compare_picture(c, i, &pictures[i]);
        cauldron_picture_free(&pictures[i]);
    }
    /* All but pixels and evaluations come as traces. */
    if (c->compared != c->golden->count - 2 * count)
        fail(c, "only %d of %d stored tensors were traced", c->compared,
             c->golden->count - 2 * count);
out:
    image_release(&init);
    image_release(&mask);
}

/* 0, or CAULDRON_UNSUPPORTED when the machine cannot do what the options ask for. */
static int run_case(struct runner *r, const char *path, struct check *c)
{
    struct arena a = {0};
    struct safetensors file = {0};
    struct err e = {0};
    struct cauldron_error problem = {0};
    const struct scheduler_config *own;
    struct cauldron_model *m;
    json_t *o = NULL;
    int rc = 0;

    if (safetensors_open(&a, path, &file, &e)) {
        fail(c, "%s", e.message);
        goto out;
    }
    struct str note = safetensors_note(&file, "case");
    o = json_loadb(note.p, note.n, 0, NULL);
    c->golden = &file;
    if (!o || !text(o, "model") || !text(o, "seed")) {
        fail(c, "the stored case has no options");
        goto out;
    }
    rc = open_model(r, text(o, "model"), &m, &own, &problem);
    if (rc) {
        fail(c, "%s", problem.message);
        goto out;
    }
    if (set_scheduler(m, own, o, &e))
        fail(c, "%s", e.message);
    else
        draw(r, m, o, c);
out:
    json_decref(o);
    safetensors_close(&file);
    arena_release(&a);
    return rc;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool wanted(const char *name, char **patterns, int count)
{
    char stem[256];
    size_t n = strlen(name), end = strlen(".safetensors");

    if (n <= end || n >= sizeof stem || strcmp(name + n - end, ".safetensors") != 0)
        return false;
    (void)snprintf(stem, sizeof stem, "%.*s", (int)(n - end), name);
    for (int i = 0; i < count; i++)
        if (fnmatch(patterns[i], stem, 0) == 0)
            return true;
    return count == 0;
}

static int list_cases(struct arena *a, const char *folder, char **patterns, int count, char ***out)
{
    enum { MOST = 4096 };
    char **names = arena_alloc(a, MOST * sizeof *names);
    DIR *d = opendir(folder);
    int n = 0;

    for (struct dirent *entry; d && n < MOST && (entry = readdir(d));)
        if (wanted(entry->d_name, patterns, count))
            names[n++] = arena_strdup(a, entry->d_name);
    if (d)
        closedir(d);
    qsort(names, (size_t)n, sizeof *names, by_name);
    *out = names;
    return n;
}

static int run_all(struct runner *r, char **patterns, int count)
{
    struct arena a = {0};
    char **names;
    int failed = 0, worst_pixel = 0;
    double worst_text = 0, worst_latent = 0;
    const char *folder = arena_printf(&a, "%s/cases", r->root);
    int n = list_cases(&a, folder, patterns, count, &names);

    if (n == 0)
        printf("Bail out! no case in %s\n", folder);
    for (int i = 0; i < n; i++) {
        struct check c = {0};
        int rc = run_case(r, arena_printf(&a, "%s/%s", folder, names[i]), &c);
        if (i == 0 && rc == CAULDRON_UNSUPPORTED && r->options.isa) {
            printf("1..0 # SKIP %s\n", c.failure);
            n = 0;
            break;
        }
        if (i == 0)
            printf("1..%d\n", n);
        failed += c.failure[0] != 0;
        worst_text = fmax(worst_text, c.text);
        worst_latent = fmax(worst_latent, c.latent);
        worst_pixel = c.pixel > worst_pixel ? c.pixel : worst_pixel;
        names[i][strlen(names[i]) - strlen(".safetensors")] = 0;
        printf("%s %d - %s%s%s\n", c.failure[0] ? "not ok" : "ok", i + 1, names[i],
               c.failure[0] ? ": " : "", c.failure);
        if (r->verbose)
            printf("# text %.2g latents %.2g pixels %d\n", c.text, c.latent, c.pixel);
        (void)fflush(stdout);
    }
    if (n)
        printf("# %d passed, %d failed; worst: text %.2g, latents %.2g, pixels %d\n", n - failed,
               failed, worst_text, worst_latent, worst_pixel);
    arena_release(&a);
    return failed || (n == 0 && !r->options.isa);
}

/* One option; the number of arguments it took, 0 for the first pattern, -1 when it is not known. */
static int parse_option(struct runner *r, char **argv)
{
    int64_t threads = 0;

    if (argv[0][0] != '-')
        return 0;
    if (strcmp(argv[0], "--verbose") == 0 || strcmp(argv[0], "-v") == 0) {
        r->verbose = true;
        return 1;
    }
    if (strcmp(argv[0], "--low-memory") == 0) {
        r->options.low_memory = 1;
        return 1;
    }
    if (strcmp(argv[0], "--executor") == 0 && argv[1])
        r->options.executor = argv[1];
    else if (strcmp(argv[0], "--isa") == 0 && argv[1])
        r->options.isa = argv[1];
    else if (strcmp(argv[0], "--threads") == 0 && argv[1] &&
             str_to_i64(str_from(argv[1]), &threads))
        r->options.threads = (int)threads;
    else
        return -1;
    return 2;
}

int main(int argc, char **argv)
{
    struct runner r = {.options = cauldron_options(), .source = getenv("CAULDRON_SOURCE")};
    struct arena a = {0};
    int at = 1, took = 1, rc;

    r.options.dtype = "f32";
    while (at < argc && (took = parse_option(&r, argv + at)) > 0)
        at += took;
    if (took < 0) {
        fprintf(stderr, "check_parity: option '%s' is not known or lacks its value\n", argv[at]);
        return 2;
    }
    r.source = r.source ? r.source : ".";
    r.root = arena_printf(&a, "%s/tests/parity", r.source);
    rc = run_all(&r, argv + at, argc - at);
    while (r.count) {
        r.count--;
        free(r.open[r.count].name);
        cauldron_close(r.open[r.count].model);
    }
    arena_release(&a);
    return rc;
}
