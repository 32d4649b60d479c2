/*
 * Blobs in object storage (gs://, s3://), with a folder here of what was read last (blob_nearby.h):
 *
 *   ab/cd/<sha256>      a blob
 *   cache/ab/<name>     can be made again; ab are the first digits of the SHA-256 of the name
 *
 * What is read is fetched whole, verified, and opened from the folder. Of the cache entries those
 * that begin with the hash of a blob never change and are kept here, too; others are asked for each
 * time.
 *
 * A put that finds the blob there makes it young again when it has become old, so that who removes
 * what nobody wants and is older than an hour (blob_remove_old) does not remove what was just put.
 * No service deletes on the condition of an age: a put in the milliseconds between the look at
 * the age and the removal is the one that can be lost.
 */
#include "base/clock.h"
#include "base/sha256.h"
#include "objects/objects.h"
#include "storage/blob_inside.h"
#include "storage/blob_nearby.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PATH = 256, TRIES = 3, PAGE = 1000 };
static const size_t BLOB_MOST = (size_t)1 << 30;
static const int64_t CACHE_USUAL = (int64_t)4 << 30, OLD_MS = 30 * 60 * 1000;
static const double CHECKED_SECONDS = 10;

/* One that is on its way here. */
struct fetch {
    struct fetch *next;
    const char *name;
};
struct remote {
    struct objects *objects;
    struct nearby nearby;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct fetch *fetching;
    double checked_at; /* when blobs_check last was content; 0: never */
};

static void object_name(char kind, const char *name, char out[PATH])
{
    char hex[65];

    if (kind == 'b') {
        snprintf(out, PATH, "%.2s/%.2s/%s", name, name + 2, name);
        return;
    }
    sha256_hex(name, strlen(name), hex);
    snprintf(out, PATH, "cache/%.2s/%s", hex, name);
}

static bool is_digest(const char *text)
{
    return strspn(text, "0123456789abcdef") >= 64;
}

/* ============================== Asking the service ============================== */

/* The service may refuse us, which is not the fault of who asked this program. */
static int as_ours(int rc, struct err *e)
{
    if (rc == ERR_DENIED || rc == ERR_ARG || rc == ERR_CONFLICT)
        e->code = rc = ERR_IO;
    return rc;
}

/* Whether another try is worth it; waits a little. */
static bool again(int rc, int tries)
{
    static const useconds_t pauses[TRIES] = {100000, 400000};

    if (rc != ERR_NETWORK || tries + 1 >= TRIES)
        return false;
    usleep(pauses[tries]);
    return true;
}

static int get(struct remote *r, const char *object, struct arena *a, struct str *out,
               struct err *e)
{
    int rc;

    for (int i = 0;; i++) {
        rc = object_get(r->objects, object, BLOB_MOST, a, out, NULL, e);
        if (!again(rc, i))
            return as_ours(rc, e);
    }
}

static int put(struct remote *r, const char *object, struct str bytes, bool replace, bool *existed,
               struct err *e)
{
    const struct object_put p = {.name = object, .bytes = bytes, .replace = replace};
    struct object_info info;
    int rc;

    for (int i = 0;; i++) {
        struct arena a = {0};
        rc = object_put(r->objects, &p, &a, &info, e);
        arena_release(&a);
        if (!again(rc, i))
            break;
    }
    if (rc == 0)
        *existed = info.existed;
    return rc;
}

/* When it was put, ms; ERR_NOT_FOUND. A listing is the one answer that has it at every service. */
static int put_at(struct remote *r, const char *object, int64_t *out, struct err *e)
{
    struct object_entry *entries;
    struct arena a = {0};
    const char *next;
    size_t count = 0;
    int rc = objects_list(r->objects, object, 1, NULL, &a, &entries, &count, &next, e);

    if (rc == 0 && (!count || strcmp(entries[0].name, object) != 0))
        rc = ERR(e, ERR_NOT_FOUND, "there is no object '%s'", object);
    if (rc == 0)
        *out = entries[0].updated_at;
    arena_release(&a);
    return as_ours(rc, e);
}

static int in_memory(const char *name, struct str bytes, int *fd, int64_t *size, struct err *e)
{
    int memory = memfd_create("blob", MFD_CLOEXEC);
    size_t done = 0;

    while (memory >= 0 && done < bytes.n) {
        ssize_t n = write(memory, bytes.p + done, bytes.n - done);
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    if (memory < 0 || done < bytes.n || lseek(memory, 0, SEEK_SET)) {
        if (memory >= 0)
            close(memory);
        return ERR(e, ERR_NOMEM, "no memory for the %zu bytes of '%s'", bytes.n, name);
    }
    *fd = memory;
    *size = (int64_t)bytes.n;
    return 0;
}

/* ============================== Reading ============================== */

/* Waits while another thread fetches it; true: this thread is the one that does, until leave(). */
static bool enter(struct remote *r, struct fetch *mine)
{
    bool waited = false;

    pthread_mutex_lock(&r->lock);
    for (;;) {
        const struct fetch *f = r->fetching;
        while (f && strcmp(f->name, mine->name) != 0)
            f = f->next;
        if (!f)
            break;
        waited = true;
        pthread_cond_wait(&r->changed, &r->lock);
    }
    if (!waited) {
        mine->next = r->fetching;
        r->fetching = mine;
    }
    pthread_mutex_unlock(&r->lock);
    return !waited;
}

static void leave(struct remote *r, struct fetch *mine)
{
    pthread_mutex_lock(&r->lock);
    struct fetch **at = &r->fetching;
    while (*at != mine)
        at = &(*at)->next;
    *at = mine->next;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

static int fetch(struct remote *r, char kind, const char *name, bool kept, int *fd, int64_t *size,
                 struct err *e)
{
    char object[PATH], found[65];
    struct arena a = {0};
    struct str bytes;

    object_name(kind, name, object);
    int rc = get(r, object, &a, &bytes, e);
    if (rc == 0 && kind == 'b') {
        sha256_hex(bytes.p, bytes.n, found);
        if (strcmp(found, name) != 0)
            rc = ERR(e, ERR_FORMAT, "blob %s is damaged: its content is %s", name, found);
    }
    if (rc == 0) {
        bool here = kept && nearby_keep(&r->nearby, kind, name, bytes);
        if (!here || !nearby_find(&r->nearby, kind, name, fd, size))
            rc = in_memory(name, bytes, fd, size, e);
        if (here)
            nearby_count(&r->nearby, (int64_t)bytes.n);
    }
    arena_release(&a);
    return rc;
}

static int open_kept(struct remote *r, char kind, const char *name, int *fd, int64_t *size,
                     struct err *e)
{
    struct fetch mine = {.name = name};

    for (;;) {
        if (nearby_find(&r->nearby, kind, name, fd, size))
            return 0;
        if (enter(r, &mine))
            break;
    }
    /* Who was on the way may have come between the look and the entry. */
    int rc =
        nearby_find(&r->nearby, kind, name, fd, size) ? 0 : fetch(r, kind, name, true, fd, size, e);
    leave(r, &mine);
    return rc;
}

static int remote_open_blob(struct blobs *b, const char *sha256, int *fd, int64_t *size,
                            struct err *e)
{
    return open_kept(b->state, 'b', sha256, fd, size, e);
}

static int remote_cache_open(struct blobs *b, const char *name, int *fd, int64_t *size,
                             struct err *e)
{
    if (is_digest(name))
        return open_kept(b->state, 'c', name, fd, size, e);
    return fetch(b->state, 'c', name, false, fd, size, e);
}

static bool remote_exists(struct blobs *b, const char *sha256)
{
    struct remote *r = b->state;
    struct object_info info;
    struct arena a = {0};
    struct err ignored;
    char object[PATH];

    object_name('b', sha256, object);
    /* Not known to be gone: it is there. Who removes what belongs to it may come again. */
    bool there = object_head(r->objects, object, &a, &info, &ignored) != ERR_NOT_FOUND;
    arena_release(&a);
    return there;
}

static void remote_forget(struct blobs *b, const char *sha256)
{
    struct remote *r = b->state;

    nearby_forget(&r->nearby, 'b', sha256);
}

/* ============================== Writing ============================== */

static int remote_put(struct blobs *b, const void *bytes, size_t n, char sha256[65], struct err *e)
{
    struct remote *r = b->state;
    struct str content = {bytes, n};
    char name[65], object[PATH];
    int64_t at = 0;
    bool existed = false;

    sha256_hex(bytes, n, name);
    object_name('b', name, object);
    int rc = put(r, object, content, false, &existed, e);
    bool damaged = rc == ERR_CONFLICT; /* other bytes under the name of these */
    if (rc == 0 && existed) {
        rc = put_at(r, object, &at, e);
        damaged = rc == ERR_NOT_FOUND; /* removed since */
    }
    if (damaged || (rc == 0 && existed && clock_unix_ms() - at > OLD_MS))
        rc = put(r, object, content, true, &existed, e);
    if (rc == ERR_NOT_FOUND) /* the bucket */
        e->code = rc = ERR_IO;
    if (rc)
        return as_ours(rc, e);
    if (nearby_keep(&r->nearby, 'b', name, content))
        nearby_count(&r->nearby, (int64_t)n);
    memcpy(sha256, name, sizeof name);
    return 0;
}

static int remote_remove(struct blobs *b, const char *sha256, double seconds, struct err *e)
{
    struct remote *r = b->state;
    char object[PATH];
    int64_t at = 0;

    object_name('b', sha256, object);
    int rc = put_at(r, object, &at, e);
    if (rc == 0) {
        double age = (double)(clock_unix_ms() - at) / 1000;
        if (seconds > 0 && age < seconds)
            return ERR(e, ERR_CONFLICT, "blob %s was put %.0f seconds ago", sha256, age);
        rc = as_ours(object_delete(r->objects, object, e), e);
    }
    if (rc == 0 || rc == ERR_NOT_FOUND)
        remote_forget(b, sha256);
    return rc;
}

static int remote_cache_put(struct blobs *b, const char *name, const void *bytes, size_t n,
                            struct err *e)
{
    struct remote *r = b->state;
    struct str content = {bytes, n};
    char object[PATH];
    bool existed;

    object_name('c', name, object);
    int rc = put(r, object, content, true, &existed, e);
    if (rc == ERR_NOT_FOUND)
        e->code = rc = ERR_IO;
    if (rc == 0 && is_digest(name) && nearby_keep(&r->nearby, 'c', name, content))
        nearby_count(&r->nearby, (int64_t)n);
    return as_ours(rc, e);
}

static int remote_discard(struct blobs *b, char kind, const char *name, struct err *e)
{
    struct remote *r = b->state;
    char object[PATH];

    if (kind != 'c')
        return ERR(e, ERR_NOT_FOUND, "object storage has no temporary files");
    object_name('c', name, object);
    nearby_forget(&r->nearby, 'c', name);
    return as_ours(object_delete(r->objects, object, e), e);
}

/* ============================== All of them ============================== */

static bool hex_folder(struct str *rest)
{
    bool good = rest->n > 3 && rest->p[2] == '/' && strspn(rest->p, "0123456789abcdef") >= 2;

    if (good)
        *rest = (struct str){rest->p + 3, rest->n - 3};
    return good;
}

/* 'b', 'c', or 0 for what others put into the bucket; *name: what it is called here. */
static char kind_of(const char *object, const char **name)
{
    struct str rest = str_from(object);
    char kind = str_skip(&rest, "cache/") ? 'c' : 'b';

    if (!hex_folder(&rest) || (kind == 'b' && !hex_folder(&rest)) || memchr(rest.p, '/', rest.n) ||
        rest.n > 128 || (kind == 'b' && (rest.n != 64 || !is_digest(rest.p))))
        return 0;
    *name = rest.p;
    return kind;
}

static int remote_walk(struct blobs *b,
                       int (*each)(void *user, char kind, const char *name, int64_t size,
                                   double age),
                       void *user, struct err *e)
{
    struct remote *r = b->state;
    struct arena last = {0};
    const char *cursor = NULL;
    int rc = 0;

    do {
        struct object_entry *entries;
        struct arena a = {0};
        const char *name;
        size_t count = 0;
        for (int i = 0;; i++) {
            rc = objects_list(r->objects, "", PAGE, cursor, &a, &entries, &count, &cursor, e);
            if (!again(rc, i))
                break;
        }
        rc = as_ours(rc, e);
        for (size_t i = 0; i < count && rc == 0; i++) {
            char kind = kind_of(entries[i].name, &name);
            double age = (double)(clock_unix_ms() - entries[i].updated_at) / 1000;
            if (kind)
                rc = each(user, kind, name, entries[i].size, age);
        }
        arena_release(&last);
        last = a; /* the cursor lies in it */
    } while (rc == 0 && cursor);
    arena_release(&last);
    return rc;
}

static int64_t remote_free_space(struct blobs *b)
{
    (void)b;
    return -1;
}

/* Servers are asked whether they are ready every few seconds, and services count requests. */
static int remote_check(struct blobs *b, struct err *e)
{
    struct remote *r = b->state;

    pthread_mutex_lock(&r->lock);
    bool fresh = r->checked_at > 0 && clock_seconds() - r->checked_at < CHECKED_SECONDS;
    pthread_mutex_unlock(&r->lock);
    if (fresh)
        return 0;
    int rc = blobs_write_and_read(b, e);
    if (rc)
        return rc;
    pthread_mutex_lock(&r->lock);
    r->checked_at = clock_seconds();
    pthread_mutex_unlock(&r->lock);
    return 0;
}

/* ============================== Opening ============================== */

static int remote_open(struct blobs *b, const char *url, const struct blobs_options *o,
                       struct err *e)
{
    static const struct objects_settings none;
    struct remote *r = calloc(1, sizeof *r);

    if (!o || !o->net) {
        free(r);
        return ERR(e, ERR_ARG, "blobs in object storage need a network");
    }
    if (!r)
        return ERR(e, ERR_NOMEM, "no memory for a blob store");
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->changed, NULL);
    const struct objects_options options = {
        .net = o->net,
        .settings = o->settings ? *o->settings : none,
        .resumable_from = (size_t)16 << 20, /* sessions are of no use here: the next put begins */
    };
    int rc = nearby_open(&r->nearby, o->cache_bytes >= 0 ? o->cache : NULL,
                         o->cache_bytes > 0 ? o->cache_bytes : CACHE_USUAL, e);
    if (rc == 0)
        rc = objects_open(url, &options, &r->objects, e);
    b->state = r;
    if (rc)
        b->backend->close(b);
    return rc;
}

static void remote_close(struct blobs *b)
{
    struct remote *r = b->state;

    nearby_close(&r->nearby);
    objects_close(r->objects);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

#define BLOB_OBJECTS(name)                                                                         \
    {                                                                                              \
        .scheme = (name),                                                                          \
        .open = remote_open,                                                                       \
        .close = remote_close,                                                                     \
        .put = remote_put,                                                                         \
        .open_blob = remote_open_blob,                                                             \
        .exists = remote_exists,                                                                   \
        .forget = remote_forget,                                                                   \
        .remove = remote_remove,                                                                   \
        .discard = remote_discard,                                                                 \
        .cache_put = remote_cache_put,                                                             \
        .cache_open = remote_cache_open,                                                           \
        .walk = remote_walk,                                                                       \
        .free_space = remote_free_space,                                                           \
        .check = remote_check,                                                                     \
    }
const struct blob_backend blob_gs = BLOB_OBJECTS("gs"), blob_s3 = BLOB_OBJECTS("s3");
