#include "storage/blob.h"

#include "base/sha256.h"
#include "base/uuid.h"
#include "storage/blob_inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct blob_backend *const backends[] = {&blob_disk, &blob_gs, &blob_s3};

int blobs_open(const char *url, const struct blobs_options *o, struct blobs **out, struct err *e)
{
    for (size_t i = 0; i < sizeof backends / sizeof *backends; i++) {
        size_t n = strlen(backends[i]->scheme);
        if (strncmp(url, backends[i]->scheme, n) != 0 || url[n] != ':')
            continue;
        struct blobs *b = calloc(1, sizeof *b);
        if (!b)
            return ERR(e, ERR_NOMEM, "no memory for a blob store");
        b->backend = backends[i];
        int rc = b->backend->open(b, url, o, e);
        if (rc)
            free(b);
        else
            *out = b;
        return rc;
    }
    return ERR(e, ERR_ARG,
               "'%s' is not the URL of a blob store: give file:///folder, gs://bucket or "
               "s3://bucket",
               url);
}

void blobs_close(struct blobs *b)
{
    if (!b)
        return;
    b->backend->close(b);
    free(b);
}

static int check_digest(const char *sha256, struct err *e)
{
    size_t n = strspn(sha256, "0123456789abcdef");

    return n == 64 && !sha256[n] ? 0 : ERR(e, ERR_ARG, "the name of a blob is 64 hex digits");
}

/* No folders, no hidden files, nothing long. */
static int check_name(const char *name, struct err *e)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

    if (n == 0 || name[n] || n > 128 || name[0] == '.')
        return ERR(e, ERR_ARG,
                   "the name of a cache entry has letters, digits, '-', '_' and '.' only");
    return 0;
}

int blob_put(struct blobs *b, const void *bytes, size_t n, char sha256[65], struct err *e)
{
    return b->backend->put(b, bytes, n, sha256, e);
}

int blob_open(struct blobs *b, const char *sha256, int *fd, int64_t *size, struct err *e)
{
    int rc = check_digest(sha256, e);

    return rc ? rc : b->backend->open_blob(b, sha256, fd, size, e);
}

static int read_all(int fd, char *p, size_t n, struct err *e)
{
    size_t done = 0;

    while (done < n) {
        ssize_t got = read(fd, p + done, n - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return ERR(e, ERR_IO, "reading ended after %zu of %zu bytes%s%s", done, n,
                       got < 0 ? ": " : "", got < 0 ? strerror(errno) : "");
        done += (size_t)got;
    }
    return 0;
}

static int get_once(struct blobs *b, const char *sha256, size_t max, struct arena *a,
                    struct str *out, bool *damaged, struct err *e)
{
    char found[65], *p = NULL;
    int64_t size;
    int fd, rc = blob_open(b, sha256, &fd, &size, e);

    if (rc)
        return rc;
    size_t n = (size_t)size;
    if (size < 0 || n > max)
        rc = ERR(e, ERR_FORMAT, "blob %s has %lld bytes, more than the %zu expected", sha256,
                 (long long)size, max);
    else if (!(p = arena_try(a, n + 1, 1)))
        rc = ERR(e, ERR_NOMEM, "no memory for the %zu bytes of blob %s", n, sha256);
    else if ((rc = read_all(fd, p, n, e)))
        err_prefix(e, "blob %s", sha256);
    close(fd);
    if (rc)
        return rc;
    sha256_hex(p, n, found);
    *damaged = strcmp(found, sha256) != 0;
    if (*damaged)
        return ERR(e, ERR_FORMAT, "blob %s is damaged: its content is %s", sha256, found);
    *out = (struct str){p, n};
    return 0;
}

int blob_get(struct blobs *b, const char *sha256, size_t max, struct arena *a, struct str *out,
             struct err *e)
{
    bool damaged = false;
    int rc = get_once(b, sha256, max, a, out, &damaged, e);

    if (!damaged || !b->backend->forget)
        return rc;
    b->backend->forget(b, sha256);
    return get_once(b, sha256, max, a, out, &damaged, e);
}

int blob_remove(struct blobs *b, const char *sha256, struct err *e)
{
    return blob_remove_old(b, sha256, 0, e);
}

int blob_remove_old(struct blobs *b, const char *sha256, double seconds, struct err *e)
{
    int rc = check_digest(sha256, e);

    return rc ? rc : b->backend->remove(b, sha256, seconds, e);
}

bool blob_exists(struct blobs *b, const char *sha256)
{
    struct err ignored;
    int64_t size;
    int fd;

    if (b->backend->exists)
        return check_digest(sha256, &ignored) == 0 && b->backend->exists(b, sha256);
    if (blob_open(b, sha256, &fd, &size, &ignored))
        return false;
    close(fd);
    return true;
}

int cache_put(struct blobs *b, const char *name, const void *bytes, size_t n, struct err *e)
{
    int rc = check_name(name, e);

    return rc ? rc : b->backend->cache_put(b, name, bytes, n, e);
}

int cache_open(struct blobs *b, const char *name, int *fd, int64_t *size, struct err *e)
{
    int rc = check_name(name, e);

    return rc ? rc : b->backend->cache_open(b, name, fd, size, e);
}

int blobs_walk(struct blobs *b,
               int (*each)(void *user, char kind, const char *name, int64_t size, double age),
               void *user, struct err *e)
{
    return b->backend->walk(b, each, user, e);
}

int blobs_discard(struct blobs *b, char kind, const char *name, struct err *e)
{
    int rc = check_name(name, e);

    if (rc == 0 && kind != 'c' && kind != 't')
        rc = ERR(e, ERR_ARG, "only cache entries and temporary files are discarded");
    return rc ? rc : b->backend->discard(b, kind, name, e);
}

int64_t blobs_free_space(struct blobs *b)
{
    return b->backend->free_space(b);
}

int blobs_write_and_read(struct blobs *b, struct err *e)
{
    char token[33], name[40], read_back[32];
    int64_t size = 0;
    int fd;

    random_hex(token, 16);
    snprintf(name, sizeof name, "check-%s", token);
    int rc = cache_put(b, name, token, 32, e);
    if (rc)
        return rc;
    rc = cache_open(b, name, &fd, &size, e);
    if (rc == 0) {
        rc = size == 32 ? read_all(fd, read_back, 32, e)
                        : ERR(e, ERR_IO, "the blob store gives other bytes than it got");
        close(fd);
    }
    if (rc == 0 && memcmp(read_back, token, 32) != 0)
        rc = ERR(e, ERR_IO, "the blob store gives other bytes than it got");
    struct err ignored;
    int removed = blobs_discard(b, 'c', name, rc ? &ignored : e);
    return rc ? rc : removed;
}

int blobs_check(struct blobs *b, struct err *e)
{
    return b->backend->check ? b->backend->check(b, e) : blobs_write_and_read(b, e);
}
