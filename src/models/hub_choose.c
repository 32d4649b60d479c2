/* Which files of a repository make a pipeline. Repositories hold much more: other formats, other
 * precisions, training checkpoints. */
#include "models/hub.h"

#include <jansson.h>
#include <string.h>

enum { MAX_COMPONENT = 255, MAX_PATH = 1024 };

static const char plain[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._-";

bool hub_name_ok(const char *name)
{
    struct str rest = str_from(name), part;
    int parts = 0;

    if (rest.n == 0 || rest.n > 96 || strstr(name, "..") || strstr(name, "--"))
        return false;
    while (str_cut(&rest, '/', &part)) {
        parts++;
        if (part.n == 0 || strchr(".-", part.p[0]) || strchr(".-", part.p[part.n - 1]))
            return false;
        for (size_t i = 0; i < part.n; i++)
            if (!strchr(plain, part.p[i]))
                return false;
    }
    return parts <= 2;
}

bool hub_path_ok(const char *path)
{
    struct str rest = str_from(path), part;

    if (rest.n == 0 || rest.n > MAX_PATH)
        return false;
    for (const char *p = path; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == '\\')
            return false;
    while (str_cut(&rest, '/', &part))
        if (part.n == 0 || part.n > MAX_COMPONENT || str_is(part, ".") || str_is(part, ".."))
            return false;
    return true;
}

/* ============================== One file's name ============================== */

/* unet/diffusion_pytorch_model.fp16-00001-of-00002.safetensors, taken apart. */
struct weight_name {
    struct str variant; /* empty: the plain files */
    bool shard, index;
};

/* "-00001-of-00002" */
enum { SHARD = 15 };

static bool is_shard(const char *p)
{
    if (p[0] != '-' || memcmp(p + 6, "-of-", 4) != 0)
        return false;
    for (int i = 1; i < 6; i++)
        if (p[i] < '0' || p[i] > '9' || p[i + 9] < '0' || p[i + 9] > '9')
            return false;
    return true;
}

/* At the end: BASE.fp16-00001-of-00002. */
static bool cut_shard(struct str *s)
{
    if (s->n < SHARD || !is_shard(s->p + s->n - SHARD))
        return false;
    s->n -= SHARD;
    return true;
}

/* In front, as older releases wrote it: BASE-00001-of-00002.fp16. */
static bool skip_shard(struct str *s)
{
    if (s->n < SHARD || !is_shard(s->p))
        return false;
    s->p += SHARD;
    s->n -= SHARD;
    return true;
}

static bool cut_end(struct str *s, const char *end)
{
    if (!str_ends(*s, end))
        return false;
    s->n -= strlen(end);
    return true;
}

static bool parse_weight_name(struct str file, struct weight_name *out)
{
    struct weight_name w = {0};

    if (!str_skip(&file, "diffusion_pytorch_model") && !str_skip(&file, "model"))
        return false;
    if (cut_end(&file, ".json")) {
        /* BASE.safetensors.index.json, BASE.safetensors.index.fp16.json */
        w.index = str_skip(&file, ".safetensors.index");
        if (!w.index || (file.n && !str_skip(&file, ".")))
            return false;
        w.variant = file;
    } else if (cut_end(&file, ".safetensors")) {
        w.shard = cut_shard(&file) || skip_shard(&file);
        if (file.n && !str_skip(&file, "."))
            return false;
        w.variant = file;
    } else {
        return false;
    }
    *out = w;
    return true;
}

/* ============================== One component ============================== */

struct chooser {
    const char *const *files;
    size_t count;
    const char *variant;
    struct arena *arena;
    const char **out;
    size_t out_count;
};

static void take(struct chooser *c, const char *file)
{
    c->out[c->out_count++] = file;
}

/* The part of file behind "folder/", when nothing more than a name follows. */
static bool inside(const char *file, const char *folder, struct str *name)
{
    struct str s = str_from(file);
    if (!str_skip(&s, folder) || !str_skip(&s, "/") || memchr(s.p, '/', s.n))
        return false;
    *name = s;
    return true;
}

static bool is_settings(struct str name)
{
    struct weight_name w;
    return (str_ends(name, ".json") && !parse_weight_name(name, &w)) || str_is(name, "merges.txt");
}

/* Whether the component has weights of this variant, as one file or in shards. */
static void find_variant(const struct chooser *c, const char *folder, struct str variant,
                         bool *whole, bool *sharded)
{
    struct weight_name w;
    struct str name;

    *whole = *sharded = false;
    for (size_t i = 0; i < c->count; i++)
        if (inside(c->files[i], folder, &name) && parse_weight_name(name, &w) &&
            str_eq(w.variant, variant) && !w.index)
            *(w.shard ? sharded : whole) = true;
}

/* Without plain files: the only variant there is. False when there are none, or several. */
static bool only_variant(const struct chooser *c, const char *folder, struct str *out)
{
    struct weight_name w;
    struct str name, found = {0};

    for (size_t i = 0; i < c->count; i++) {
        if (!inside(c->files[i], folder, &name) || !parse_weight_name(name, &w) || w.index ||
            w.variant.n == 0)
            continue;
        if (found.p && !str_eq(found, w.variant))
            return false;
        found = w.variant;
    }
    *out = found;
    return found.p != NULL;
}

static int choose_weights(struct chooser *c, const char *folder, struct err *e)
{
    struct str variant = str_from(c->variant ? c->variant : ""), name;
    bool whole, sharded;
    struct weight_name w;

    find_variant(c, folder, variant, &whole, &sharded);
    if (!whole && !sharded && variant.n) {
        variant = STR(""); /* as diffusers: a component without the variant comes plain */
        find_variant(c, folder, variant, &whole, &sharded);
    }
    if (!whole && !sharded && only_variant(c, folder, &variant))
        find_variant(c, folder, variant, &whole, &sharded);
    if (!whole && !sharded)
        return ERR(e, ERR_NOT_FOUND, "the repository has no safetensors for '%s'%s", folder,
                   c->variant ? "" : "; if it has several variants, choose one with --variant");
    for (size_t i = 0; i < c->count; i++)
        if (inside(c->files[i], folder, &name) && parse_weight_name(name, &w) &&
            str_eq(w.variant, variant) && (whole ? !w.shard && !w.index : w.shard || w.index))
            take(c, c->files[i]);
    return 0;
}

static bool has_weights(const char *component)
{
    /* The safety checker and its friends are not run: their settings do. */
    static const char *const names[] = {"unet", "vae", "text_encoder", "text_encoder_2"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], component) == 0)
            return true;
    return false;
}

int hub_choose(struct str index, const char *const *files, size_t count, const char *variant,
               struct arena *a, const char ***out, size_t *out_count, struct err *e)
{
    struct chooser c = {files, count, variant, a, NULL, 0};
    json_error_t broken;
    json_t *root = json_loadb(index.p ? index.p : "", index.n, JSON_REJECT_DUPLICATES, &broken);
    const char *key;
    json_t *value;
    int rc = 0;

    if (!json_is_object(root)) {
        json_decref(root);
        return ERR(e, ERR_FORMAT, "model_index.json is not a JSON object: %s", broken.text);
    }
    /* Every file is taken once at most: components have different names. */
    c.out = arena_alloc(a, (count + 1) * sizeof *c.out);
    take(&c, "model_index.json");
    json_object_foreach(root, key, value)
    {
        struct str name;
        if (rc || !json_is_string(json_array_get(value, 1)) || !hub_path_ok(key))
            continue;
        for (size_t i = 0; i < count; i++)
            if (inside(files[i], key, &name) && is_settings(name))
                take(&c, files[i]);
        if (has_weights(key))
            rc = choose_weights(&c, key, e);
    }
    json_decref(root);
    if (rc)
        return rc;
    *out = c.out;
    *out_count = c.out_count;
    return 0;
}
