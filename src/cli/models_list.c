#include "cli/find_model.h"
#include "cli/models.h"
#include "cli/options.h"
#include "engine/weights/model.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Digests of weights up to this size are computed unasked: it takes less than a second. */
static const int64_t small = 1 << 30;

struct component_facts {
    const char *name;
    int64_t parameters;
};

/* What is known about one model. */
struct facts {
    const char *name, *path, *place;
    const char *error;        /* why it cannot be opened; NULL when it can */
    const char *architecture; /* the rest is set when it can be opened */
    const char *dtype;        /* "f16", "f32", "mixed" */
    const char *sampler, *prediction;
    bool inpainting;
    int width, height;
    int64_t bytes, parameters;
    struct component_facts components[4];
    char digest[65]; /* "" when it was not computed */
};

/* ============================== Gathering ============================== */

static int64_t add_weights(const struct weights *w, bool seen[DTYPE_COUNT])
{
    int64_t count = 0;

    for (size_t i = 0; i < w->tensors.room; i++) {
        const struct tensor *t = w->tensors.slots[i].value;
        if (t) {
            count += tensor_count(t);
            seen[t->dtype] = true;
        }
    }
    return count;
}

static const char *dtype_of(const bool seen[DTYPE_COUNT])
{
    const char *name = "?";
    int count = 0;

    /* Integers are position ids: not what people mean by a model's precision. */
    for (int d = DTYPE_F32; d <= DTYPE_F64; d++)
        if (seen[d]) {
            name = dtype_name((enum dtype)d);
            count++;
        }
    return count > 1 ? "mixed" : name;
}

static void describe(const struct model *m, struct facts *f)
{
    static const char *const predictions[] = {"epsilon", "v_prediction", "sample"};
    const struct component_facts components[] = {
        {"text_encoder", 0}, {"text_encoder_2", 0}, {"unet", 0}, {"vae", 0}};
    const struct weights *weights[] = {&m->clip_weights[0], &m->clip_weights[1], &m->unet_weights,
                                       &m->vae_weights};
    bool seen[DTYPE_COUNT] = {false};

    memcpy(f->components, components, sizeof components);
    for (int i = 0; i < 4; i++) {
        f->components[i].parameters = add_weights(weights[i], seen);
        f->parameters += f->components[i].parameters;
    }
    f->architecture = architecture_name(m->architecture);
    f->dtype = dtype_of(seen);
    f->sampler = sampler_name(m->scheduler.kind);
    f->prediction = predictions[m->scheduler.prediction];
    f->inpainting = m->inpainting;
    f->width = f->height = m->unet.sample_size << (m->vae.levels - 1);
    f->bytes = (int64_t)model_bytes(m);
}

static void gather(struct arena *a, struct facts *f, bool digest)
{
    struct model *m;
    struct err e;

    if (model_open(f->path, NULL, &m, &e)) {
        f->error = arena_strdup(a, e.message);
        return;
    }
    describe(m, f);
    model_close(m);
    if ((digest || f->bytes <= small) &&
        model_digest_cached(a, data_folder(), f->path, NULL, f->digest, &e)) {
        f->digest[0] = 0;
        f->error = arena_strdup(a, e.message);
    }
}

/* ============================== Showing ============================== */

static const char *size_text(int64_t bytes, struct arena *a)
{
    if (bytes < 1000000)
        return arena_printf(a, "%.1f kB", (double)bytes / 1e3);
    if (bytes < 1000000000)
        return arena_printf(a, "%.1f MB", (double)bytes / 1e6);
    return arena_printf(a, "%.2f GB", (double)bytes / 1e9);
}

static const char *count_text(int64_t n, struct arena *a)
{
    if (n < 1000000)
        return arena_printf(a, "%.1f thousand", (double)n / 1e3);
    if (n < 1000000000)
        return arena_printf(a, "%.1f million", (double)n / 1e6);
    return arena_printf(a, "%.2f billion", (double)n / 1e9);
}

static void set(json_t *object, const char *key, const char *text)
{
    json_object_set_new(object, key, text && text[0] ? json_string(text) : json_null());
}

static void print_json(const struct facts *f)
{
    json_t *o = json_object(), *parts = json_object();

    set(o, "name", f->name);
    set(o, "path", f->path);
    set(o, "place", f->place);
    set(o, "error", f->error);
    if (f->architecture) {
        set(o, "architecture", f->architecture);
        set(o, "dtype", f->dtype);
        set(o, "digest", f->digest);
        set(o, "sampler", f->sampler);
        set(o, "prediction", f->prediction);
        json_object_set_new(o, "inpainting", json_boolean(f->inpainting));
        json_object_set_new(o, "width", json_integer(f->width));
        json_object_set_new(o, "height", json_integer(f->height));
        json_object_set_new(o, "bytes", json_integer(f->bytes));
        json_object_set_new(o, "parameters", json_integer(f->parameters));
        for (int i = 0; i < 4; i++)
            if (f->components[i].parameters)
                json_object_set_new(parts, f->components[i].name,
                                    json_integer(f->components[i].parameters));
        json_object_set(o, "components", parts);
    }
    char *text = json_dumps(o, JSON_COMPACT);
    puts(text ? text : "{}");
    free(text);
    json_decref(parts);
    json_decref(o);
}

static void print_row(const struct facts *f, int width, struct arena *a)
{
    if (f->error)
        printf("%-*s  %-12s %s\n", width, f->name, "unusable:", f->error);
    else
        printf("%-*s  %-5s %-5s %9s  %.12s  %s\n", width, f->name, f->architecture, f->dtype,
               size_text(f->bytes, a), f->digest[0] ? f->digest : "-           ", f->path);
}

static void print_facts(const struct facts *f, struct arena *a)
{
    printf("name          %s\npath          %s\n", f->name, f->path);
    printf("architecture  %s%s\n", f->architecture, f->inpainting ? ", inpainting" : "");
    printf("size          %s in %s, %s parameters\n", size_text(f->bytes, a), f->dtype,
           count_text(f->parameters, a));
    for (int i = 0; i < 4; i++)
        if (f->components[i].parameters)
            printf("  %-14s %s\n", f->components[i].name,
                   count_text(f->components[i].parameters, a));
    printf("pictures      %d x %d\n", f->width, f->height);
    printf("sampler       %s, %s\n", f->sampler, f->prediction);
    printf("digest        %s\n", f->digest);
}

/* ============================== Commands ============================== */

struct want {
    bool json, digests;
};

static const struct opt list_table[] = {
    {.name = "json",
     .type = OPT_FLAG,
     OPT_INTO(struct want, json),
     .help = "print one JSON object per model"},
    {.name = "digests",
     .type = OPT_FLAG,
     OPT_INTO(struct want, digests),
     .help = "compute the digests of large models too, which reads all of them once"},
    {0},
};
static const struct opt_spec list_spec = {
    .command = "models list",
    .usage = "[options]",
    .summary =
        "List the models of this machine: name, architecture, precision, size, the beginning "
        "of the digest over the tensors, path.",
    .table = list_table,
};

static const char *place_of(const struct model_paths *places, int where)
{
    return where < places->count ? places->folders[where] : "hugging face cache";
}

static void list(struct arena *a, const struct want *w)
{
    struct model_paths places = model_places(a);
    struct model_entry *entries;
    int count, width = 4;

    model_list(a, &places, &entries, &count);
    for (int i = 0; i < count; i++)
        width = (int)strlen(entries[i].name) > width ? (int)strlen(entries[i].name) : width;
    for (int i = 0; i < count; i++) {
        struct facts f = {.name = entries[i].name,
                          .path = entries[i].path,
                          .place = place_of(&places, entries[i].where)};
        gather(a, &f, w->digests);
        if (w->json)
            print_json(&f);
        else
            print_row(&f, width, a);
        fflush(stdout);
    }
    if (count == 0 && !w->json)
        fputs("no models; 'cauldron models pull NAME' downloads one\n", stderr);
}

static int run_list(int argc, char **argv)
{
    struct want w = {0};
    struct options o;
    struct arena a = {0};
    int status = options_parse(&list_spec, argc, argv, &w, &o);

    if (status >= 0)
        return status;
    list(&a, &w);
    arena_release(&a);
    options_release(&o);
    return EXIT_DONE;
}

static const struct opt info_table[] = {
    {.name = "json", .type = OPT_FLAG, OPT_INTO(struct want, json), .help = "print a JSON object"},
    {0},
};
static const struct opt_spec info_spec = {
    .command = "models info",
    .usage = "[options] NAME|DIR|FILE",
    .summary = "What one model is: architecture, precision, size of every part, sampler, digest "
               "over the tensors.",
    .table = info_table,
    .min_rest = 1,
    .max_rest = 1,
    .rest = "a model's name or path",
};

static int run_info(int argc, char **argv)
{
    struct want w = {0};
    struct options o;
    struct arena a = {0};
    struct err e;
    char *path;
    int status = options_parse(&info_spec, argc, argv, &w, &o);

    if (status >= 0)
        return status;
    if (find_model(&a, o.rest[0], &path, &e)) {
        status = fail(EXIT_FAILED, &e);
    } else {
        struct facts f = {.name = o.rest[0], .path = path};
        gather(&a, &f, true);
        status = EXIT_DONE;
        if (f.error)
            status = fail_with(EXIT_FAILED, "%s", f.error);
        else if (w.json)
            print_json(&f);
        else
            print_facts(&f, &a);
    }
    arena_release(&a);
    options_release(&o);
    return status;
}

const struct command models_list = {
    .name = "list",
    .summary = "the models of this machine",
    .run = run_list,
};
const struct command models_info = {
    .name = "info",
    .summary = "what one model is",
    .run = run_info,
};
