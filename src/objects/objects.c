#include "objects/store.h"

#include <stdlib.h>
#include <string.h>

static const struct objects_backend *const backends[] = {&objects_gcs, &objects_s3,
                                                         &objects_folder};

enum { RESUMABLE_FROM = 1 << 20, PAIRS_MOST = 32, SESSION_MOST = 8192, LIST_MOST = 1000 };

/* ============================== Opening ============================== */

static void keep_settings(struct objects *o)
{
    struct objects_settings *s = &o->settings;
    const char **const texts[] = {
        &s->google_credentials,    &s->google_metadata,
        &s->google_endpoint,       &s->google_https,
        &s->aws_access_key,        &s->aws_secret_key,
        &s->aws_session_token,     &s->aws_region,
        &s->aws_endpoint,          &s->aws_role,
        &s->aws_web_identity_file, &s->aws_role_session,
        &s->aws_sts_endpoint,      &s->aws_container,
        &s->aws_container_token,   &s->aws_container_token_file,
        &s->aws_profile,
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = *texts[i] && **texts[i] ? arena_strdup(&o->arena, *texts[i]) : NULL;
}

static const struct objects_backend *backend_of(struct str *url)
{
    for (size_t i = 0; i < sizeof backends / sizeof *backends; i++) {
        struct str rest = *url;
        if (str_skip(&rest, backends[i]->scheme) && str_skip(&rest, ":")) {
            *url = rest;
            return backends[i];
        }
    }
    return NULL;
}

int objects_open(const char *url, const struct objects_options *options, struct objects **out,
                 struct err *e)
{
    struct str place = str_from(url);
    const struct objects_backend *backend = backend_of(&place);

    if (!backend || (backend != &objects_folder && !str_skip(&place, "//")))
        return ERR(e, ERR_ARG, "'%.300s' is not gs://BUCKET, s3://BUCKET or file:///DIR", url);
    struct objects *o = calloc(1, sizeof *o);
    if (!o)
        return ERR(e, ERR_NOMEM, "no memory for an object store");
    o->backend = backend;
    o->net = options->net;
    o->settings = options->settings;
    o->resumable_from = options->resumable_from ? options->resumable_from : RESUMABLE_FROM;
    o->part = options->part;
    o->prefix = "";
    keep_settings(o);
    if (backend->open(o, place.p, e)) {
        arena_release(&o->arena);
        free(o);
        return e->code;
    }
    *out = o;
    return 0;
}

void objects_close(struct objects *o)
{
    if (!o)
        return;
    o->backend->close(o);
    arena_release(&o->arena);
    free(o);
}

/* ============================== What is asked for ============================== */

/* With the store's prefix; NULL and an error. */
static const char *full_name(const struct objects *o, const char *name, struct arena *a,
                             struct err *e)
{
    return store_check_name(o->prefix, name, e) ? NULL : arena_printf(a, "%s%s", o->prefix, name);
}

static bool printable(const char *text, size_t most)
{
    size_t n = 0;

    for (; text[n] >= ' ' && text[n] <= '~'; n++)
        ;
    return !text[n] && n <= most;
}

static bool pair_ok(const struct object_pair *p)
{
    return p->name[0] && strlen(p->name) <= 64 &&
           !p->name[strspn(p->name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                    "0123456789-")] &&
           printable(p->value, 1024);
}

static int check_put(const struct object_put *put, struct err *e)
{
    if ((put->type && !printable(put->type, 255)) ||
        (put->cache_control && !printable(put->cache_control, 255)))
        return ERR(e, ERR_ARG, "object '%s': its type or cache control is not plain text",
                   put->name);
    if (put->session && !printable(put->session, SESSION_MOST))
        return ERR(e, ERR_ARG, "object '%s': that is no session of an upload", put->name);
    if (put->pair_count > PAIRS_MOST)
        return ERR(e, ERR_ARG, "object '%s': %zu pairs of metadata, at most %d are stored",
                   put->name, put->pair_count, PAIRS_MOST);
    for (size_t i = 0; i < put->pair_count; i++)
        if (!pair_ok(&put->pairs[i]))
            return ERR(e, ERR_ARG,
                       "object '%s': metadata '%.64s' is not letters, digits and '-' with a value "
                       "of printable ASCII",
                       put->name, put->pairs[i].name);
    return 0;
}

int object_put(struct objects *o, const struct object_put *put, struct arena *a,
               struct object_info *out, struct err *e)
{
    struct object_put full = *put;
    struct object_info info = {0};

    if (!(full.name = full_name(o, put->name, a, e)) || check_put(put, e))
        return e->code;
    if (!full.type)
        full.type = "application/octet-stream";
    o->backend->address(o, full.name, a, &info);
    int rc = o->backend->put(o, &full, a, &info, e);
    o->bytes_sent += info.sent; /* also of a try that failed */
    if (rc) {
        o->failures++;
        return rc;
    }
    *(info.existed ? &o->existed : &o->puts) += 1;
    *out = info;
    return 0;
}

int object_head(struct objects *o, const char *name, struct arena *a, struct object_info *out,
                struct err *e)
{
    struct object_info info = {0};
    const char *full = full_name(o, name, a, e);

    if (!full)
        return e->code;
    o->backend->address(o, full, a, &info);
    int rc = o->backend->head(o, full, a, &info, e);
    if (rc == 0)
        *out = info;
    return rc;
}

int object_get(struct objects *o, const char *name, size_t max, struct arena *a, struct str *out,
               struct object_info *info, struct err *e)
{
    struct object_info here = {0};
    struct str bytes;
    const char *full = full_name(o, name, a, e);

    if (!full)
        return e->code;
    o->backend->address(o, full, a, &here);
    int rc = o->backend->get(o, full, max, a, &bytes, &here, e);
    if (rc) {
        o->failures++;
        return rc;
    }
    o->gets++;
    *out = bytes;
    if (info)
        *info = here;
    return 0;
}

static int with_name(struct objects *o, const char *name, const char *session,
                     int (*call)(struct objects *o, const char *full, const char *session,
                                 struct err *e),
                     struct err *e)
{
    struct arena a = {0};
    const char *full = full_name(o, name, &a, e);
    int rc = full ? call(o, full, session, e) : (int)e->code;

    arena_release(&a);
    return rc;
}

static int remove_one(struct objects *o, const char *full, const char *unused, struct err *e)
{
    (void)unused;
    return o->backend->remove(o, full, e);
}

int object_delete(struct objects *o, const char *name, struct err *e)
{
    return with_name(o, name, NULL, remove_one, e);
}

static int abandon_one(struct objects *o, const char *full, const char *session, struct err *e)
{
    if (!session || !printable(session, SESSION_MOST))
        return ERR(e, ERR_ARG, "object '%s': that is no session of an upload", full);
    return o->backend->abandon(o, full, session, e);
}

int object_abandon(struct objects *o, const char *name, const char *session, struct err *e)
{
    return with_name(o, name, session, abandon_one, e);
}

int objects_list(struct objects *o, const char *below, size_t limit, const char *cursor,
                 struct arena *a, struct object_entry **out, size_t *count, const char **next,
                 struct err *e)
{
    size_t n = strlen(below), skip = strlen(o->prefix), found;
    char *bare = arena_str(a, (struct str){below, n && below[n - 1] == '/' ? n - 1 : n});
    struct object_entry *entries;
    const char *more;

    if (n && store_check_name(o->prefix, bare, e))
        return e->code;
    if (!limit || limit > LIST_MOST)
        limit = LIST_MOST;
    if (o->backend->list(o, arena_printf(a, "%s%s", o->prefix, below), limit, cursor, a, &entries,
                         &found, &more, e))
        return e->code;
    for (size_t i = 0; i < found; i++) {
        if (strncmp(entries[i].name, o->prefix, skip) != 0)
            return ERR(e, ERR_FORMAT, "the service lists '%.200s', which is not below '%s'",
                       entries[i].name, o->prefix);
        entries[i].name += skip;
    }
    *out = entries;
    *count = found;
    *next = more;
    return 0;
}

int objects_check(struct objects *o, struct err *e)
{
    return o->backend->check(o, e);
}

int object_address(struct objects *o, const char *name, struct arena *a, struct object_info *out,
                   struct err *e)
{
    struct object_info info = {0};
    const char *full = full_name(o, name, a, e);

    if (!full)
        return e->code;
    o->backend->address(o, full, a, &info);
    *out = info;
    return 0;
}

void objects_stats(struct objects *o, struct objects_stats *out)
{
    *out = (struct objects_stats){
        .puts = o->puts,
        .existed = o->existed,
        .gets = o->gets,
        .failures = o->failures,
        .bytes_sent = o->bytes_sent,
        .resumed = o->resumed,
    };
}
