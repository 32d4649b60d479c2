#include "engine/weights/files.h"

#include "engine/weights/config_json.h"

#include <dirent.h>
#include <string.h>

bool files_is_pickle(const char *name)
{
    static const char *const endings[] = {".ckpt", ".bin", ".pt", ".pth"};

    for (int i = 0; i < ARRAY_COUNT(endings); i++)
        if (str_ends(str_from(name), endings[i]))
            return true;
    return false;
}

int files_refuse_pickle(const char *path, struct err *e)
{
    return ERR(e, ERR_UNSUPPORTED,
               "'%s' is a PyTorch pickle, which can run code when it is read: convert it with "
               "python -c 'import sys, torch, safetensors.torch as s; "
               "d = torch.load(sys.argv[1], weights_only=True); d = d.get(\"state_dict\", d); "
               "s.save_file({k: v.contiguous() for k, v in d.items() if torch.is_tensor(v)}, "
               "sys.argv[2])' OLD NEW.safetensors",
               path);
}

bool files_any_weights(const char *folder)
{
    bool found = false;
    DIR *dir = opendir(folder);

    if (!dir)
        return false;
    for (const struct dirent *d; !found && (d = readdir(dir));)
        found = files_is_pickle(d->d_name) || str_ends(str_from(d->d_name), ".safetensors");
    closedir(dir);
    return found;
}

int files_load(struct model *m, const char *path, struct safetensors *out, struct err *e)
{
    if (m->files->count == MAX_WEIGHT_FILES)
        return ERR(e, ERR_FORMAT, "'%s': more than %d weight files", m->path, MAX_WEIGHT_FILES);
    int rc = safetensors_open(&m->arena, path, out, e);
    if (rc == 0)
        m->files->maps[m->files->count++] = out->map;
    return rc;
}

static int visit_file(struct model *m, const char *path, tensor_visitor *visit, void *data,
                      struct err *e)
{
    struct safetensors file = {0};
    int rc = files_load(m, path, &file, e);

    for (int i = 0; rc == 0 && i < file.count; i++)
        rc = visit(m, path, &file.tensors[i], data, e);
    return rc;
}

/* Only plain names of safetensors files beside the index: it must not lead elsewhere. */
static bool plain_name(const char *name)
{
    return name && name[0] != '.' && !strchr(name, '/') && str_ends(str_from(name), ".safetensors");
}

/* An index names the shard of every tensor; all of them must be where it says. */
static int visit_shards(struct model *m, const char *folder, const char *index,
                        tensor_visitor *visit, void *data, struct err *e)
{
    struct str text;
    struct config c;
    struct map shards = {0}, found = {0};
    const char *key;
    json_t *value;
    int rc = file_read(&m->arena, index, 16 << 20, &text, e);

    if (rc == 0)
        rc = config_parse(text, index, &c, e);
    if (rc)
        return rc;
    json_t *names = json_object_get(c.root, "weight_map");
    if (!json_object_size(names))
        rc = ERR(e, ERR_FORMAT, "'%s' has no weight_map", index);
    json_object_foreach(names, key, value)
    {
        const char *shard = json_string_value(value);
        if (rc)
            break;
        if (!plain_name(shard)) {
            rc = ERR(e, ERR_FORMAT, "'%s': tensor '%.200s' is in a file with a bad name", index,
                     key);
        } else if (!map_get(&shards, str_from(shard))) {
            struct safetensors *file = ARENA_NEW(&m->arena, struct safetensors);
            const char *path = arena_printf(&m->arena, "%s/%s", folder, shard);
            map_put(&shards, str_from(shard), file);
            rc = files_load(m, path, file, e);
            for (int i = 0; rc == 0 && i < file->count; i++) {
                if (map_put(&found, file->tensors[i].name, file))
                    rc = ERR(e, ERR_FORMAT, "'%s': tensor '%s' is in two shards", path,
                             file->tensors[i].name.p);
                else
                    rc = visit(m, path, &file->tensors[i], data, e);
            }
        }
    }
    json_object_foreach(names, key, value)
    {
        if (rc == 0 &&
            map_get(&found, str_from(key)) != map_get(&shards, str_from(json_string_value(value))))
            rc = ERR(e, ERR_FORMAT, "'%s': tensor '%.200s' is not in '%s'", index, key,
                     json_string_value(value));
    }
    map_release(&shards);
    map_release(&found);
    json_decref(c.root);
    return rc;
}

/* The files of a folder that could be what we look for. */
struct choice {
    char *plain, *wanted, *fp16, *other; /* paths */
    int others;
    char *pickle;
};

/* The variant in "BASE.VARIANT.safetensors", "BASE.safetensors.index.VARIANT.json", empty for the
 * plain names; false for other files. Training leftovers (non_ema) are no variant of the model. */
static bool variant_of(struct str file, const char *base, struct str *variant)
{
    if (!str_skip(&file, base))
        return false;
    if (str_is(file, ".safetensors") || str_is(file, ".safetensors.index.json")) {
        *variant = (struct str){"", 0};
        return true;
    }
    if (str_skip(&file, ".safetensors.index.") && str_ends(file, ".json"))
        *variant = (struct str){file.p, file.n - 5};
    else if (str_skip(&file, ".") && str_ends(file, ".safetensors"))
        *variant = (struct str){file.p, file.n - 12};
    else
        return false;
    return variant->n && !memchr(variant->p, '.', variant->n) && !strstr(variant->p, "-of-") &&
           !str_is(*variant, "non_ema");
}

static int look(struct model *m, const char *folder, const char *base, const char *wanted,
                struct choice *out, struct err *e)
{
    DIR *dir = opendir(folder);
    struct str first = {0};

    if (!dir)
        return ERR(e, ERR_NOT_FOUND, "'%s' is not a folder that can be read", folder);
    for (const struct dirent *d; (d = readdir(dir));) {
        struct str variant;
        char *path = arena_printf(&m->arena, "%s/%s", folder, d->d_name);
        if (str_starts(str_from(d->d_name), base) && files_is_pickle(d->d_name))
            out->pickle = path;
        if (str_is(str_from(d->d_name), "pytorch_model.bin"))
            out->pickle = path;
        if (!variant_of(str_from(d->d_name), base, &variant))
            continue;
        if (!variant.n) {
            /* A whole file wins over an index of shards, as in diffusers. */
            if (!out->plain || str_ends(str_from(path), ".safetensors"))
                out->plain = path;
            continue;
        }
        if (wanted && str_is(variant, wanted))
            out->wanted = path;
        if (str_is(variant, "fp16"))
            out->fp16 = path;
        if (!first.p) {
            first = str_from(arena_str(&m->arena, variant));
            out->other = path;
            out->others = 1;
        } else if (!str_eq(first, variant)) {
            out->others++;
        }
    }
    closedir(dir);
    return 0;
}

int files_visit(struct model *m, const char *folder, const char *base, const char *variant,
                tensor_visitor *visit, void *data, struct err *e)
{
    struct choice found = {0};
    int rc = look(m, folder, base, variant, &found, e);

    if (rc)
        return rc;
    const char *path = found.wanted  ? found.wanted
                       : found.plain ? found.plain
                       : found.fp16  ? found.fp16
                                     : found.other;
    if (!path && found.pickle)
        return files_refuse_pickle(found.pickle, e);
    if (!path)
        return ERR(e, ERR_NOT_FOUND, "'%s' has no weights: there is no %s.safetensors", folder,
                   base);
    if (!found.wanted && !found.plain && !found.fp16 && found.others > 1)
        return ERR(e, ERR_UNSUPPORTED,
                   "'%s' has several variants of %s.safetensors and no plain one", folder, base);
    return str_ends(str_from(path), ".json") ? visit_shards(m, folder, path, visit, data, e)
                                             : visit_file(m, path, visit, data, e);
}
