#include "engine/weights/find.h"

#include "engine/weights/config_json.h"
#include "engine/weights/safetensors.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_ENTRIES = 10000 };

static bool is_folder_model(struct arena *a, const char *path)
{
    return file_exists(arena_printf(a, "%s/model_index.json", path));
}

/* Whether a name stays inside the folder that it is looked up in. */
static bool stays_inside(const char *name)
{
    struct str rest = str_from(name), part;

    if (!name[0] || name[0] == '/')
        return false;
    while (str_cut(&rest, '/', &part))
        if (part.n == 0 || str_is(part, ".") || str_is(part, ".."))
            return false;
    return true;
}

static char *find_in_folder(struct arena *a, const char *folder, const char *name)
{
    char *path = arena_printf(a, "%s/%s", folder, name);

    if (is_folder_model(a, path) || file_exists(path))
        return path;
    path = arena_printf(a, "%s.safetensors", path);
    return file_exists(path) ? path : NULL;
}

/* A snapshot of a model's folder in the cache; `revision` is a branch, tag or commit. */
static char *snapshot(struct arena *a, const char *folder, const char *revision)
{
    struct err ignored;
    struct str text;
    const char *ref = arena_printf(a, "%s/refs/%s", folder, revision);
    const char *commit = revision;

    if (file_exists(ref) && file_read(a, ref, 256, &text, &ignored) == 0) {
        while (text.n && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
            text.n--;
        commit = arena_str(a, text);
    }
    char *path = arena_printf(a, "%s/snapshots/%s", folder, commit);
    return stays_inside(commit) && file_is_dir(path) ? path : NULL;
}

/* ORG/NAME[@REVISION][/FILE] to models--ORG--NAME/snapshots/COMMIT[/FILE]. */
static char *find_in_hub(struct arena *a, const char *hub, const char *name)
{
    struct str rest = str_from(name), org, model, revision;

    if (!str_cut(&rest, '/', &org) || !rest.p || !str_cut(&rest, '/', &model))
        return NULL;
    struct str full = model;
    str_cut(&full, '@', &model);
    revision = full.p ? full : STR("main");
    char *path = snapshot(
        a, arena_printf(a, "%s/models--%.*s--%.*s", hub, (int)org.n, org.p, (int)model.n, model.p),
        arena_str(a, revision));
    if (path && rest.p)
        path = arena_printf(a, "%s/%s", path, arena_str(a, rest));
    if (path && (is_folder_model(a, path) || file_exists(path)))
        return path;
    path = path ? arena_printf(a, "%s.safetensors", path) : NULL;
    return path && file_exists(path) ? path : NULL;
}

static int not_found(struct arena *a, const char *name, const struct model_paths *paths,
                     struct err *e)
{
    struct model_entry *list;
    int count;
    char *installed = arena_strdup(a, "");

    model_list(a, paths, &list, &count);
    for (int i = 0; i < count && strlen(installed) < 500; i++)
        installed = arena_printf(a, "%s%s%s", installed, i ? ", " : "", list[i].name);
    return ERR(e, ERR_NOT_FOUND,
               "no model '%.200s' is installed; %s%s; get it with 'cauldron models pull %.200s'",
               name, count ? "installed: " : "none is installed", installed, name);
}

int model_find_installed(struct arena *a, const char *name, const struct model_paths *paths,
                         char **path, struct err *e)
{
    char *found = NULL;

    if (stays_inside(name)) {
        for (int i = 0; i < paths->count && !found; i++)
            found = find_in_folder(a, paths->folders[i], name);
        if (!found && paths->hub)
            found = find_in_hub(a, paths->hub, name);
    }
    if (!found)
        return not_found(a, name, paths, e);
    *path = found;
    return 0;
}

int model_find(struct arena *a, const char *name, const struct model_paths *paths, char **path,
               struct err *e)
{
    if (!name[0])
        return ERR(e, ERR_ARG, "the model's name is empty");
    if (is_folder_model(a, name) || file_exists(name)) {
        *path = arena_strdup(a, name);
        return 0;
    }
    if (file_is_dir(name) && strchr("./", name[0]))
        return ERR(e, ERR_NOT_FOUND, "'%s' is no model: it has no model_index.json", name);
    return model_find_installed(a, name, paths, path, e);
}

/* A look at a folder's configs; they are checked when the model is opened. */
static const char *guess_folder(struct arena *a, const char *path)
{
    struct err ignored;
    struct config c;
    const char *guess = "?";

    if (config_open(a, arena_printf(a, "%s/model_index.json", path), &c, &ignored))
        return guess;
    const char *class = json_string_value(json_object_get(c.root, "_class_name"));
    bool xl = class && strstr(class, "StableDiffusionXL");
    bool known = class && (strstr(class, "StableDiffusion") || strstr(class, "LatentConsistency"));
    json_decref(c.root);
    if (!known || xl)
        return xl ? "sdxl" : guess;
    if (config_open(a, arena_printf(a, "%s/unet/config.json", path), &c, &ignored))
        return guess;
    guess = json_is_true(json_object_get(c.root, "use_linear_projection")) ? "sd2" : "sd1";
    json_decref(c.root);
    return guess;
}

static const char *guess_file(const char *path)
{
    static const struct {
        const char *prefix, *architecture;
    } signs[] = {{"conditioner.embedders.1.model.", "sdxl"},
                 {"cond_stage_model.model.", "sd2"},
                 {"cond_stage_model.transformer.", "sd1"}};
    struct arena scratch = {0};
    struct err ignored;
    struct safetensors file;
    const char *guess = "?";

    if (safetensors_open(&scratch, path, &file, &ignored) == 0) {
        for (int i = 0; i < file.count; i++)
            for (int s = 0; s < ARRAY_COUNT(signs); s++)
                if (str_starts(file.tensors[i].name, signs[s].prefix))
                    guess = signs[s].architecture;
        safetensors_close(&file);
    }
    arena_release(&scratch);
    return guess;
}

/* Bytes of the weight files in a folder and the folders in it. */
static int64_t weight_bytes(struct arena *a, const char *path, int depth)
{
    struct stat st;
    int64_t bytes = 0;
    DIR *dir = opendir(path);

    if (!dir)
        return stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
    for (const struct dirent *d; (d = readdir(dir));) {
        const char *inside = arena_printf(a, "%s/%s", path, d->d_name);
        if (d->d_name[0] == '.')
            continue;
        if (str_ends(str_from(d->d_name), ".safetensors") && stat(inside, &st) == 0)
            bytes += (int64_t)st.st_size;
        else if (depth > 0 && file_is_dir(inside))
            bytes += weight_bytes(a, inside, depth - 1);
    }
    closedir(dir);
    return bytes;
}

struct listing {
    struct arena *arena;
    struct model_entry *entries; /* malloc'ed while it grows */
    int count, room;
    int where;
};

static void add(struct listing *l, const char *name, const char *path, bool folder)
{
    if (l->count == MAX_ENTRIES)
        return;
    if (l->count == l->room) {
        l->room = l->room ? 2 * l->room : 16;
        struct model_entry *more = realloc(l->entries, (size_t)l->room * sizeof *more);
        if (!more)
            abort();
        l->entries = more;
    }
    l->entries[l->count++] = (struct model_entry){
        .name = name,
        .path = path,
        .architecture = folder ? guess_folder(l->arena, path) : guess_file(path),
        .bytes = weight_bytes(l->arena, path, 1),
        .where = l->where};
}

/* Models in a folder; one level deeper for ORG/NAME. */
static void list_folder(struct listing *l, const char *folder, const char *prefix, int depth)
{
    struct arena *a = l->arena;
    DIR *dir = opendir(folder);

    if (!dir)
        return;
    for (const struct dirent *d; (d = readdir(dir));) {
        struct str stem = str_from(d->d_name);
        const char *path = arena_printf(a, "%s/%s", folder, d->d_name);
        const char *name = arena_printf(a, "%s%s", prefix, d->d_name);
        if (d->d_name[0] == '.')
            continue;
        if (file_is_dir(path)) {
            /* Configs beside a checkpoint file are no model of their own. */
            if (is_folder_model(a, path) && !str_ends(stem, ".config"))
                add(l, name, path, true);
            else if (depth > 0)
                list_folder(l, path, arena_printf(a, "%s/", name), depth - 1);
        } else if (str_ends(stem, ".safetensors") && !str_starts(stem, "taesd")) {
            stem.n -= strlen(".safetensors");
            add(l, arena_printf(a, "%s%.*s", prefix, (int)stem.n, stem.p), path, false);
        }
    }
    closedir(dir);
}

static void list_hub(struct listing *l, const char *hub)
{
    struct arena *a = l->arena;
    DIR *dir = opendir(hub);

    if (!dir)
        return;
    for (const struct dirent *d; (d = readdir(dir));) {
        struct str rest = str_from(d->d_name);
        if (!str_skip(&rest, "models--"))
            continue;
        const char *path = snapshot(a, arena_printf(a, "%s/%s", hub, d->d_name), "main");
        const char *dashes = strstr(rest.p, "--");
        if (!path || !dashes)
            continue;
        const char *name = arena_printf(a, "%.*s/%s", (int)(dashes - rest.p), rest.p, dashes + 2);
        if (is_folder_model(a, path))
            add(l, name, path, true);
        else
            list_folder(l, path, arena_printf(a, "%s/", name), 0);
    }
    closedir(dir);
}

static int by_place(const void *a, const void *b)
{
    const struct model_entry *x = a, *y = b;

    return x->where != y->where ? x->where - y->where : strcmp(x->name, y->name);
}

void model_list(struct arena *a, const struct model_paths *paths, struct model_entry **out,
                int *count)
{
    struct listing l = {.arena = a};

    for (; l.where < paths->count; l.where++)
        list_folder(&l, paths->folders[l.where], "", 1);
    if (paths->hub)
        list_hub(&l, paths->hub);
    if (l.count)
        qsort(l.entries, (size_t)l.count, sizeof *l.entries, by_place);
    *out = arena_alloc(a, ((size_t)l.count + 1) * sizeof **out);
    if (l.count)
        memcpy(*out, l.entries, (size_t)l.count * sizeof **out);
    *count = l.count;
    free(l.entries);
}
