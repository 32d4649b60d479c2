#include "models/hub.h"

#include "base/file.h"
#include "models/hub_cache.h"
#include "models/hub_http.h"

#include <jansson.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    MAX_LISTING = 16 << 20,
    MAX_INDEX = 1 << 20,
    MAX_FILES = 20000,
    MAX_TRIES = 5,       /* without a single new byte */
    FIRST_WAIT_MS = 250, /* doubled after every failure */
};

/* One pull on its way. */
struct pull {
    const struct model_hub *hub;
    struct hub_http *http;
    struct arena *arena;
    struct hub_cache cache;
    const char *name, *commit;
    const char **files;
    struct hub_meta *metas;
    size_t count;
    int64_t done, total; /* bytes of finished files; of all */
    const char *file;    /* being fetched, of which */
    int64_t have;        /* bytes are there */
    int64_t moved;
    int fetched;
};

const char *hub_folder(const char *cache, const char *name, struct arena *a)
{
    struct str rest = str_from(name), part;
    const char *folder = arena_printf(a, "%s/models", cache);

    while (str_cut(&rest, '/', &part))
        folder = arena_printf(a, "%s--%.*s", folder, (int)part.n, part.p);
    return folder;
}

/* ============================== Trying again ============================== */

/* Sleep before try number `tries`, in slices, so that an interrupt is noticed. */
static int wait_for(const struct pull *p, int tries, struct err *e)
{
    for (int ms = FIRST_WAIT_MS << (tries - 1); ms > 0; ms -= 50) {
        if (model_watch_stopped(&p->hub->watch))
            return ERR(e, ERR_CANCELLED, "interrupted");
        nanosleep(&(struct timespec){.tv_nsec = 50 * 1000 * 1000}, NULL);
    }
    return 0;
}

/* Percent-encoded for a URL's path; slashes stay. */
static const char *escaped(const char *text, struct arena *a)
{
    char *out = arena_alloc(a, 3 * strlen(text) + 1), *p = out;

    for (; *text; text++) {
        if (strchr("-._~/", *text) || (*text >= '0' && *text <= '9') ||
            (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z'))
            *p++ = *text;
        else
            p += snprintf(p, 4, "%%%02X", (unsigned char)*text);
    }
    return out;
}

static const char *resolve_url(const struct pull *p, const char *file)
{
    return arena_printf(p->arena, "%s/%s/resolve/%s/%s", p->hub->endpoint, p->name, p->commit,
                        escaped(file, p->arena));
}

static int get(struct pull *p, const char *url, size_t max, struct str *out, struct err *e)
{
    struct buf body;
    int rc = ERR_NETWORK;

    for (int tries = 0; rc == ERR_NETWORK && tries < MAX_TRIES; tries++) {
        if (tries && wait_for(p, tries, e))
            return ERR_CANCELLED;
        buf_init(&body, max);
        rc = hub_http_get(p->http, url, &body, e);
        if (rc == 0)
            *out = (struct str){arena_str(p->arena, (struct str){body.p, body.n}), body.n};
        buf_release(&body);
    }
    return rc;
}

/* ============================== What is there ============================== */

static int read_listing(struct pull *p, struct str json, const char ***files, size_t *count,
                        struct err *e)
{
    json_error_t broken;
    json_t *root = json_loadb(json.p, json.n, JSON_REJECT_DUPLICATES, &broken);
    json_t *siblings = json_object_get(root, "siblings");
    const char *commit = json_string_value(json_object_get(root, "sha"));
    size_t n = json_array_size(siblings);
    int rc = 0;

    if (!commit || strlen(commit) != 40 || commit[strspn(commit, "0123456789abcdef")])
        rc = ERR(e, ERR_FORMAT, "the server's answer about '%s' names no commit", p->name);
    else if (!json_is_array(siblings) || n > MAX_FILES)
        rc = ERR(e, ERR_FORMAT, "the server's answer about '%s' has no usable list of files",
                 p->name);
    const char **list = rc ? NULL : arena_alloc(p->arena, (n + 1) * sizeof *list);
    for (size_t i = 0; i < n && rc == 0; i++) {
        const char *file =
            json_string_value(json_object_get(json_array_get(siblings, i), "rfilename"));
        if (!file || !hub_path_ok(file))
            rc = ERR(
                e, ERR_FORMAT,
                "the server names a file '%.100s' in '%s', which would leave its folder; nothing "
                "was downloaded",
                file ? file : "", p->name);
        else
            list[i] = arena_strdup(p->arena, file);
    }
    if (rc == 0) {
        p->commit = arena_strdup(p->arena, commit);
        *files = list;
        *count = n;
    }
    json_decref(root);
    return rc;
}

static bool lists(const char *const *files, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(files[i], name) == 0)
            return true;
    return false;
}

static int find_files(struct pull *p, const char *revision, const char *variant, struct err *e)
{
    const char **files;
    size_t count;
    struct str json, index;
    int rc = get(p,
                 arena_printf(p->arena, "%s/api/models/%s/revision/%s", p->hub->endpoint, p->name,
                              escaped(revision, p->arena)),
                 MAX_LISTING, &json, e);

    if (rc == 0)
        rc = read_listing(p, json, &files, &count, e);
    if (rc)
        return rc;
    if (!lists(files, count, "model_index.json"))
        return ERR(e, ERR_UNSUPPORTED,
                   "'%s' has no model_index.json: it is not a Diffusers pipeline (a single "
                   "checkpoint file can be downloaded by other means and given as a path)",
                   p->name);
    rc = get(p, resolve_url(p, "model_index.json"), MAX_INDEX, &index, e);
    if (rc == 0)
        rc = hub_choose(index, files, count, variant, p->arena, &p->files, &p->count, e);
    return rc == ERR_NOT_FOUND || rc == ERR_FORMAT ? err_prefix(e, "'%s'", p->name) : rc;
}

static int read_metas(struct pull *p, struct err *e)
{
    p->metas = arena_alloc(p->arena, (p->count + 1) * sizeof *p->metas);
    for (size_t i = 0; i < p->count; i++) {
        int rc = ERR_NETWORK;
        for (int tries = 0; rc == ERR_NETWORK && tries < MAX_TRIES; tries++) {
            if (tries && wait_for(p, tries, e))
                return ERR_CANCELLED;
            rc = hub_http_meta(p->http, resolve_url(p, p->files[i]), &p->metas[i], e);
        }
        if (rc)
            return err_prefix(e, "'%s'", p->files[i]);
        if (p->metas[i].size > INT64_MAX / MAX_FILES)
            return ERR(e, ERR_FORMAT, "'%s' is said to have %lld bytes", p->files[i],
                       (long long)p->metas[i].size);
        p->total += p->metas[i].size;
    }
    return 0;
}

/* ============================== Bringing it here ============================== */

static void tell(const struct pull *p)
{
    model_watch_tell(&p->hub->watch, &(struct model_progress){.file = p->file,
                                                              .done = p->done + p->have,
                                                              .total = p->total,
                                                              .moved = p->moved});
}

static void on_bytes(void *context, int64_t have)
{
    struct pull *p = context;

    if (have > p->have)
        p->moved += have - p->have;
    p->have = have;
    tell(p);
}

/* Hashing what was fetched takes seconds for large files. */
static bool go_on(void *context, int64_t bytes)
{
    const struct pull *p = context;

    (void)bytes;
    return !model_watch_stopped(&p->hub->watch);
}

static int fetch_blob(struct pull *p, const char *file, const struct hub_meta *meta, struct err *e)
{
    const char *url = resolve_url(p, file);
    int fd, tries = 0;
    int64_t have;
    int rc = hub_cache_open(&p->cache, meta->etag, &fd, &have, e);

    if (rc)
        return rc;
    if (have > meta->size)
        have = 0;
    p->file = file;
    p->have = have;
    tell(p);
    while (rc == 0 && have < meta->size) {
        int64_t before = have;
        rc = hub_http_fetch(p->http, url, fd, meta->size, &have, e);
        if (rc != ERR_NETWORK)
            break;
        tries = have > before ? 1 : tries + 1;
        if (tries < MAX_TRIES)
            rc = wait_for(p, tries, e);
    }
    if (rc) { /* what has come stays for the next try */
        close(fd);
        return rc;
    }
    p->fetched++;
    return hub_cache_finish(&p->cache, fd, meta, e);
}

static int fetch_all(struct pull *p, struct err *e)
{
    int rc = 0;

    hub_http_on_bytes(p->http, on_bytes, p);
    for (size_t i = 0; i < p->count && rc == 0; i++) {
        const struct hub_meta *meta = &p->metas[i];
        if (!hub_cache_has(&p->cache, meta) && (rc = fetch_blob(p, p->files[i], meta, e)))
            return err_prefix(e, "'%s'", p->files[i]);
        p->done += meta->size;
        p->file = NULL;
        p->have = 0;
        tell(p);
    }
    /* model_index.json, which makes it a model, is linked last: its place is the first. */
    for (size_t i = p->count; i-- > 0 && rc == 0;)
        rc = hub_cache_link(&p->cache, p->commit, p->files[i], p->metas[i].etag, e);
    return rc;
}

/* A folder that we made may be removed by us; one that others filled too may not. */
static int claim(const struct pull *p, struct err *e)
{
    int rc = file_make_dirs(p->cache.folder, e);
    return rc ? rc : file_write(arena_printf(p->arena, "%s/" HUB_MARK, p->cache.folder), "", 0, e);
}

int hub_pull(const struct model_hub *hub, const char *name, const char *revision,
             const char *variant, struct arena *a, struct hub_result *out, struct err *e)
{
    struct pull p = {.hub = hub, .arena = a, .name = name};
    int rc;

    if (!hub_name_ok(name))
        return ERR(e, ERR_ARG,
                   "'%s' is not a model's name; the Hub's are like "
                   "'stabilityai/stable-diffusion-xl-base-1.0'",
                   name);
    if (!hub_path_ok(revision))
        return ERR(e, ERR_ARG, "'%s' is not a revision: a branch, a tag or a commit", revision);
    if ((rc = hub_http_new(hub, &p.http, e)))
        return rc;
    p.cache = (struct hub_cache){hub_folder(hub->cache, name, a), a, {go_on, &p}};
    rc = find_files(&p, revision, variant, e);
    if (rc == 0)
        rc = read_metas(&p, e);
    if (rc == 0 && !file_is_dir(p.cache.folder))
        rc = claim(&p, e);
    if (rc == 0)
        rc = fetch_all(&p, e);
    if (rc == 0 && strcmp(revision, p.commit) != 0)
        rc = hub_cache_write_ref(&p.cache, revision, p.commit, e);
    hub_http_free(p.http);
    if (rc)
        return rc;
    *out = (struct hub_result){
        .snapshot = arena_printf(a, "%s/snapshots/%s", p.cache.folder, p.commit),
        .commit = p.commit,
        .files = (int)p.count,
        .fetched = p.fetched,
        .bytes = p.total,
    };
    return 0;
}
