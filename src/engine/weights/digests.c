#include "engine/weights/digests.h"

#include "base/file.h"
#include "engine/weights/model.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_CACHE = 4 << 20, MAX_DEPTH = 3, FORMAT = 1 };

/* ============================== The state of the files ============================== */

static void add_file(const struct stat *st, struct model_stamp *s)
{
    int64_t time = st->st_mtim.tv_sec * (int64_t)1000000000 + st->st_mtim.tv_nsec;

    s->size += st->st_size;
    s->files++;
    if (time > s->time)
        s->time = time;
}

static int walk(const char *folder, int depth, struct model_stamp *s, struct err *e)
{
    DIR *d = opendir(folder);
    int rc = 0;

    if (!d)
        return ERR(e, ERR_IO, "cannot read '%s': %s", folder, strerror(errno));
    for (struct dirent *entry; rc == 0 && (entry = readdir(d));) {
        struct arena a = {0};
        struct stat st;
        const char *path = arena_printf(&a, "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] == '.' || stat(path, &st))
            ;
        else if (S_ISDIR(st.st_mode) && depth < MAX_DEPTH)
            rc = walk(path, depth + 1, s, e);
        else if (S_ISREG(st.st_mode) && str_ends(str_from(path), ".safetensors"))
            add_file(&st, s);
        arena_release(&a);
    }
    closedir(d);
    return rc;
}

int model_stamp_read(const char *path, struct model_stamp *out, struct err *e)
{
    struct model_stamp s = {0};
    struct stat st;
    int rc = 0;

    if (stat(path, &st))
        return ERR(e, ERR_NOT_FOUND, "cannot open '%s': %s", path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        rc = walk(path, 0, &s, e);
    else
        add_file(&st, &s);
    if (rc == 0)
        *out = s;
    return rc;
}

/* ============================== The memory ============================== */

static const char *cache_path(const char *folder, struct arena *a)
{
    return arena_printf(a, "%s/digests.json", folder);
}

/* The "digests" object of the file, an empty one when there is no usable file. */
static json_t *load(const char *folder, struct arena *a)
{
    struct str text;
    struct err ignored;
    json_t *root = NULL, *digests;

    if (folder && file_read(a, cache_path(folder, a), MAX_CACHE, &text, &ignored) == 0)
        root = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    digests = json_object_get(root, "digests");
    digests = json_integer_value(json_object_get(root, "format")) == FORMAT &&
                      json_is_object(digests)
                  ? json_incref(digests)
                  : json_object();
    json_decref(root);
    return digests;
}

static void forget_missing(json_t *digests)
{
    const char *key;
    json_t *value;
    void *next;

    json_object_foreach_safe(digests, next, key, value)
    {
        const char *path = json_string_value(json_object_get(value, "path"));
        if (!path || (!file_exists(path) && !file_is_dir(path)))
            json_object_del(digests, key);
    }
}

static void save(const char *folder, json_t *digests, struct arena *a)
{
    struct err ignored;

    forget_missing(digests);
    json_t *root = json_pack("{s:i, s:O}", "format", FORMAT, "digests", digests);
    char *text = json_dumps(root, JSON_INDENT(1) | JSON_SORT_KEYS);
    if (text && file_make_dirs(folder, &ignored) == 0 &&
        file_write(cache_path(folder, a), text, strlen(text), &ignored) == 0)
        ignored = (struct err){0};
    free(text);
    json_decref(root);
}

static const char *key_of(const char *path, const char *variant, struct arena *a)
{
    char *whole = realpath(path, NULL);
    const char *key =
        arena_printf(a, "%s%s%s", whole ? whole : path, variant ? "#" : "", variant ? variant : "");
    free(whole);
    return key;
}

/* The digest of an entry that describes this very state. */
static bool recall(json_t *digests, const char *key, const struct model_stamp *s, char out[65])
{
    json_t *entry = json_object_get(digests, key);
    const char *digest = json_string_value(json_object_get(entry, "digest"));

    if (!digest || strlen(digest) != 64 ||
        json_integer_value(json_object_get(entry, "size")) != s->size ||
        json_integer_value(json_object_get(entry, "time")) != s->time ||
        json_integer_value(json_object_get(entry, "files")) != s->files)
        return false;
    memcpy(out, digest, 65);
    return true;
}

static void remember(const char *folder, json_t *digests, const char *key, const char *path,
                     const struct model_stamp *s, const char *digest, struct arena *a)
{
    char *whole = realpath(path, NULL);
    json_t *entry = json_pack("{s:s, s:I, s:I, s:i, s:s}", "path", whole ? whole : path, "size",
                              (json_int_t)s->size, "time", (json_int_t)s->time, "files", s->files,
                              "digest", digest);
    free(whole);
    if (entry && json_object_set_new(digests, key, entry) == 0 && folder)
        save(folder, digests, a);
}

/* ============================== Digests ============================== */

static int compute(const char *path, const char *variant, const struct reading *reading,
                   char out[65], struct err *e)
{
    struct model *m;
    int rc = model_open(path, variant, &m, e);

    if (rc == 0) {
        rc = model_digest(m, reading, out, e);
        model_close(m);
    }
    return rc;
}

bool model_digest_known(struct arena *a, const char *folder, const char *path, const char *variant,
                        const struct model_stamp *stamp, char out[65])
{
    json_t *digests = load(folder, a);
    bool known = recall(digests, key_of(path, variant, a), stamp, out);

    json_decref(digests);
    return known;
}

int model_digest_cached(struct arena *a, const char *folder, const char *path, const char *variant,
                        char out[65], struct err *e)
{
    struct model_stamp stamp;
    const char *key = key_of(path, variant, a);
    int rc = model_stamp_read(path, &stamp, e);

    if (rc)
        return rc;
    json_t *digests = load(folder, a);
    if (!recall(digests, key, &stamp, out) && (rc = compute(path, variant, NULL, out, e)) == 0)
        remember(folder, digests, key, path, &stamp, out, a);
    json_decref(digests);
    return rc;
}

int model_digest_fresh(struct arena *a, const char *folder, const char *path, const char *variant,
                       const struct reading *reading, char out[65], bool *known, char former[65],
                       struct err *e)
{
    struct model_stamp stamp;
    char digest[65];
    const char *key = key_of(path, variant, a);
    int rc = model_stamp_read(path, &stamp, e);

    if (rc == 0)
        rc = compute(path, variant, reading, digest, e);
    if (rc)
        return rc;
    json_t *digests = load(folder, a);
    *known = recall(digests, key, &stamp, former);
    if (!*known)
        remember(folder, digests, key, path, &stamp, digest, a);
    json_decref(digests);
    memcpy(out, digest, sizeof digest);
    return 0;
}
