#include "storage/blob_nearby.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

struct kept {
    char name[129], kind;
    int64_t size;
    double age;
};
struct inventory {
    struct kept *items;
    size_t count, room;
    int64_t bytes;
};

static int note(void *user, char kind, const char *name, int64_t size, double age)
{
    struct inventory *v = user;

    v->bytes += size;
    if (v->count == v->room) {
        size_t room = v->room ? 2 * v->room : 256;
        struct kept *more = realloc(v->items, room * sizeof *more);
        if (!more)
            return ERR_NOMEM;
        v->items = more;
        v->room = room;
    }
    struct kept *k = &v->items[v->count++];
    *k = (struct kept){.kind = kind, .size = size, .age = age};
    snprintf(k->name, sizeof k->name, "%s", name);
    return 0;
}

static int by_age(const void *x, const void *y)
{
    const struct kept *a = x, *b = y;

    return a->age > b->age ? -1 : a->age < b->age;
}

/* What was not used for the longest goes until a tenth of the room is free. Temporary files are of
 * who writes at this moment, unless they are an hour old. */
static int64_t make_room(const struct nearby *n)
{
    struct inventory v = {0};
    struct err ignored;

    if (blobs_walk(n->blobs, note, &v, &ignored))
        LOG(LOG_WARNING, "the cache of blobs cannot be looked through");
    if (v.count)
        qsort(v.items, v.count, sizeof *v.items, by_age);
    for (size_t i = 0; i < v.count; i++) {
        const struct kept *k = &v.items[i];
        if (k->kind == 't' ? k->age < 3600 : v.bytes <= n->most - n->most / 10)
            continue;
        int rc = k->kind == 'b' ? blob_remove(n->blobs, k->name, &ignored)
                                : blobs_discard(n->blobs, k->kind, k->name, &ignored);
        if (rc == 0 || rc == ERR_NOT_FOUND) /* another process was quicker */
            v.bytes -= k->size;
    }
    free(v.items);
    return v.bytes;
}

void nearby_count(struct nearby *n, int64_t bytes)
{
    pthread_mutex_lock(&n->lock);
    n->held += bytes;
    bool sweep = n->held > n->most && !n->sweeping;
    n->sweeping = n->sweeping || sweep;
    pthread_mutex_unlock(&n->lock);
    if (!sweep)
        return;
    int64_t held = make_room(n);
    pthread_mutex_lock(&n->lock);
    n->held = held;
    n->sweeping = false;
    pthread_mutex_unlock(&n->lock);
}

/* The age of a file here is the time since somebody wanted it. */
static void touch(int fd)
{
    struct stat st;

    if (fstat(fd, &st) == 0 && clock_unix_ms() / 1000 - st.st_mtim.tv_sec > 60)
        (void)!futimens(fd, NULL);
}

bool nearby_find(struct nearby *n, char kind, const char *name, int *fd, int64_t *size)
{
    struct err ignored;

    if (!n->blobs)
        return false;
    int rc = kind == 'b' ? blob_open(n->blobs, name, fd, size, &ignored)
                         : cache_open(n->blobs, name, fd, size, &ignored);
    if (rc == 0)
        touch(*fd);
    return rc == 0;
}

bool nearby_keep(struct nearby *n, char kind, const char *name, struct str bytes)
{
    char sha256[65];
    struct err e;

    if (!n->blobs)
        return false;
    int rc = kind == 'b' ? blob_put(n->blobs, bytes.p, bytes.n, sha256, &e)
                         : cache_put(n->blobs, name, bytes.p, bytes.n, &e);
    if (rc)
        LOG(LOG_WARNING, "a blob is not kept here", LOG_TEXT("blob", name), LOG_ERR(&e));
    return rc == 0;
}

void nearby_forget(struct nearby *n, char kind, const char *name)
{
    struct err ignored;

    if (n->blobs && kind == 'b')
        (void)!blob_remove(n->blobs, name, &ignored);
    else if (n->blobs)
        (void)!blobs_discard(n->blobs, kind, name, &ignored);
}

int nearby_open(struct nearby *n, const char *folder, int64_t most, struct err *e)
{
    struct arena a = {0};
    int rc = 0;

    *n = (struct nearby){.most = most};
    pthread_mutex_init(&n->lock, NULL);
    if (folder)
        rc = blobs_open(arena_printf(&a, "file:%s", folder), NULL, &n->blobs, e);
    arena_release(&a);
    if (rc)
        return err_prefix(e, "the cache of blobs");
    if (n->blobs)
        nearby_count(n, most + 1); /* look what is there, and count again */
    return 0;
}

void nearby_close(struct nearby *n)
{
    blobs_close(n->blobs);
    pthread_mutex_destroy(&n->lock);
}
