/*
 * Blobs in a folder:
 *
 *   ab/cd/<sha256>      complete and durable: written in tmp/, fsynced, renamed, folder fsynced
 *   cache/ab/<name>     can be made again; ab are the first digits of the SHA-256 of the name
 *   tmp/<random>        being written; what a crash leaves is found by its age
 *
 * A put holds the blob's folder with a shared flock, a removal with an exclusive one: of two that
 * meet, either the put comes first and the removal sees a young blob, or it comes second and sees
 * none.
 */
#include "base/file.h"
#include "base/sha256.h"
#include "base/uuid.h"
#include "storage/blob_inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum { PATH = 256 };

struct folder {
    int fd; /* everything is named relative to it */
    char *path;
};

static int disk_open(struct blobs *b, const char *url, const struct blobs_options *o, struct err *e)
{
    struct str path = str_from(url);
    char temporary[] = "tmp", cache[] = "cache";

    (void)o;
    (void)str_skip(&path, "file:");
    (void)str_skip(&path, "//"); /* file:///absolute, file:relative */
    if (!path.n)
        return ERR(e, ERR_ARG, "the URL of the blob store names no folder: file:///folder");
    int rc = file_make_dirs(path.p, e);
    if (rc)
        return rc;
    int fd = open(path.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return ERR(e, ERR_IO, "cannot open folder '%s': %s", path.p, strerror(errno));
    if ((mkdirat(fd, temporary, 0777) && errno != EEXIST) ||
        (mkdirat(fd, cache, 0777) && errno != EEXIST)) {
        rc = ERR(e, ERR_IO, "cannot write into folder '%s': %s", path.p, strerror(errno));
        close(fd);
        return rc;
    }
    struct folder *f = calloc(1, sizeof *f);
    if (!f || !(f->path = strdup(path.p))) {
        free(f);
        close(fd);
        return ERR(e, ERR_NOMEM, "no memory for a blob store");
    }
    f->fd = fd;
    b->state = f;
    return 0;
}

static void disk_close(struct blobs *b)
{
    struct folder *f = b->state;

    close(f->fd);
    free(f->path);
    free(f);
}

static void blob_folder(const char *sha256, char out[PATH])
{
    snprintf(out, PATH, "%.2s/%.2s", sha256, sha256 + 2);
}

static void blob_path(const char *sha256, char out[PATH])
{
    snprintf(out, PATH, "%.2s/%.2s/%s", sha256, sha256 + 2, sha256);
}

static void cache_path(const char *name, char out[PATH])
{
    char hex[65];

    sha256_hex(name, strlen(name), hex);
    snprintf(out, PATH, "cache/%.2s/%s", hex, name);
}

static int sync_folder(int at, const char *path)
{
    int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return -1;
    int rc = fsync(fd);
    close(fd);
    return rc;
}

/* The folders above a name, each made durable in the one above it. */
static int make_folders(int at, const char *path)
{
    char above[PATH] = ".", part[PATH];

    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
        if (mkdirat(at, part, 0777) == 0) {
            if (sync_folder(at, above))
                return -1;
        } else if (errno != EEXIST) {
            return -1;
        }
        memcpy(above, part, sizeof above);
    }
    return 0;
}

static int write_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -1;
        p += done;
        n -= (size_t)done;
    }
    return fsync(fd);
}

/* A complete, synced file in tmp/; its name in `out`. */
static int write_temporary(const struct folder *f, const void *bytes, size_t n, char out[PATH])
{
    char token[33];

    random_hex(token, 16);
    snprintf(out, PATH, "tmp/%s", token);
    int fd = openat(f->fd, out, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return -1;
    int rc = write_all(fd, bytes, n);
    int why = errno;
    if (close(fd) && rc == 0) {
        why = errno;
        rc = -1;
    }
    if (rc)
        unlinkat(f->fd, out, 0);
    errno = why;
    return rc;
}

static int open_regular(const struct folder *f, const char *path, const char *what, int *out,
                        int64_t *size, struct err *e)
{
    struct stat st;
    int fd = openat(f->fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd < 0)
        return ERR(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot open %s: %s", what,
                   strerror(errno));
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        close(fd);
        return ERR(e, ERR_IO, "cannot open %s: not a regular file", what);
    }
    *out = fd;
    *size = st.st_size;
    return 0;
}

static int disk_open_blob(struct blobs *b, const char *sha256, int *fd, int64_t *size,
                          struct err *e)
{
    char path[PATH];

    blob_path(sha256, path);
    return open_regular(b->state, path, sha256, fd, size, e);
}

static bool same_bytes(int fd, const char *p, size_t n)
{
    char piece[65536];

    for (ssize_t got; n; p += got, n -= (size_t)got) {
        got = read(fd, piece, n < sizeof piece ? n : sizeof piece);
        if (got < 0 && errno == EINTR)
            got = 0;
        else if (got <= 0 || memcmp(piece, p, (size_t)got) != 0)
            return false;
    }
    return true;
}

/* Whether it is there and whole; it is young from now on. */
static bool freshen(struct blobs *b, const char *sha256, const void *bytes, size_t n)
{
    struct err ignored;
    int64_t size;
    int fd;

    if (disk_open_blob(b, sha256, &fd, &size, &ignored))
        return false;
    bool good = size == (int64_t)n && same_bytes(fd, bytes, n) && futimens(fd, NULL) == 0;
    close(fd);
    return good;
}

static int lock_folder(const struct folder *f, const char *path, int how)
{
    int fd = openat(f->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    while (fd >= 0 && flock(fd, how))
        if (errno != EINTR) {
            close(fd);
            return -1;
        }
    return fd;
}

static int disk_put(struct blobs *b, const void *bytes, size_t n, char sha256[65], struct err *e)
{
    const struct folder *f = b->state;
    char name[65], path[PATH], folder[PATH], temporary[PATH] = "";
    int rc = 0;

    sha256_hex(bytes, n, name);
    blob_path(name, path);
    blob_folder(name, folder);
    int lock = make_folders(f->fd, path) ? -1 : lock_folder(f, folder, LOCK_SH);
    /* Also when it is there: who put it may not have come to the folder's fsync. */
    if (lock < 0 ||
        (!freshen(b, name, bytes, n) &&
         (write_temporary(f, bytes, n, temporary) || renameat(f->fd, temporary, f->fd, path))) ||
        fsync(lock)) {
        rc = ERR(e, ERR_IO, "cannot store %zu bytes in '%s': %s", n, f->path, strerror(errno));
        if (temporary[0])
            unlinkat(f->fd, temporary, 0);
    }
    if (lock >= 0)
        close(lock);
    if (rc == 0)
        memcpy(sha256, name, sizeof name);
    return rc;
}

static double age_of(const struct stat *st)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (double)(now.tv_sec - st->st_mtim.tv_sec) +
           1e-9 * (double)(now.tv_nsec - st->st_mtim.tv_nsec);
}

static int cannot_remove(const char *name, struct err *e)
{
    int why = errno;

    return ERR(e, why == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot remove '%s': %s", name,
               strerror(why));
}

static int disk_remove(struct blobs *b, const char *sha256, double seconds, struct err *e)
{
    const struct folder *f = b->state;
    char path[PATH], folder[PATH];
    struct stat st;
    int rc = 0;

    blob_path(sha256, path);
    blob_folder(sha256, folder);
    int lock = lock_folder(f, folder, LOCK_EX);
    if (lock < 0)
        return cannot_remove(sha256, e);
    if (fstatat(f->fd, path, &st, AT_SYMLINK_NOFOLLOW))
        rc = cannot_remove(sha256, e);
    else if (seconds > 0 && age_of(&st) < seconds)
        rc = ERR(e, ERR_CONFLICT, "blob %s was put %.0f seconds ago", sha256, age_of(&st));
    else if (unlinkat(f->fd, path, 0))
        rc = cannot_remove(sha256, e);
    close(lock);
    return rc;
}

static int disk_cache_put(struct blobs *b, const char *name, const void *bytes, size_t n,
                          struct err *e)
{
    const struct folder *f = b->state;
    char path[PATH], temporary[PATH] = "";

    cache_path(name, path);
    if (make_folders(f->fd, path) == 0 && write_temporary(f, bytes, n, temporary) == 0 &&
        renameat(f->fd, temporary, f->fd, path) == 0)
        return 0;
    int rc = ERR(e, ERR_IO, "cannot store '%s' in '%s': %s", name, f->path, strerror(errno));
    if (temporary[0])
        unlinkat(f->fd, temporary, 0);
    return rc;
}

static int disk_cache_open(struct blobs *b, const char *name, int *fd, int64_t *size, struct err *e)
{
    char path[PATH];

    cache_path(name, path);
    return open_regular(b->state, path, name, fd, size, e);
}

static int disk_discard(struct blobs *b, char kind, const char *name, struct err *e)
{
    const struct folder *f = b->state;
    char path[PATH];

    if (kind == 'c')
        cache_path(name, path);
    else
        snprintf(path, sizeof path, "tmp/%s", name);
    return unlinkat(f->fd, path, 0) ? cannot_remove(path, e) : 0;
}

struct walk {
    int (*each)(void *user, char kind, const char *name, int64_t size, double age);
    void *user;
};

static bool hex_digits(const char *name, size_t n)
{
    return strlen(name) == n && strspn(name, "0123456789abcdef") == n;
}

/* Call `visit` for all names of a folder that is not there any more, too: then there are none. */
static int list(int at, const char *name, int (*visit)(const struct walk *, int, const char *, int),
                const struct walk *w, int level)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;
    int rc = 0;

    if (!dir) {
        if (fd >= 0)
            close(fd);
        return 0;
    }
    while (rc == 0 && (entry = readdir(dir)))
        if (entry->d_name[0] != '.')
            rc = visit(w, fd, entry->d_name, level);
    closedir(dir);
    return rc;
}

static int visit_file(const struct walk *w, int at, const char *name, char kind)
{
    struct stat st;

    if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
        return 0;
    return w->each(w->user, kind, name, st.st_size, age_of(&st));
}

static int visit_blobs(const struct walk *w, int at, const char *name, int level)
{
    if (level < 2)
        return hex_digits(name, 2) ? list(at, name, visit_blobs, w, level + 1) : 0;
    return hex_digits(name, 64) ? visit_file(w, at, name, 'b') : 0;
}

static int visit_cache(const struct walk *w, int at, const char *name, int level)
{
    if (level < 1)
        return list(at, name, visit_cache, w, level + 1);
    return visit_file(w, at, name, 'c');
}

static int visit_temporary(const struct walk *w, int at, const char *name, int level)
{
    (void)level;
    return visit_file(w, at, name, 't');
}

static int disk_walk(struct blobs *b,
                     int (*each)(void *user, char kind, const char *name, int64_t size, double age),
                     void *user, struct err *e)
{
    const struct folder *f = b->state;
    struct walk w = {each, user};

    (void)e; /* folders that go away while they are read are no error */
    int rc = list(f->fd, ".", visit_blobs, &w, 0);
    if (rc == 0)
        rc = list(f->fd, "cache", visit_cache, &w, 0);
    if (rc == 0)
        rc = list(f->fd, "tmp", visit_temporary, &w, 0);
    return rc;
}

static int64_t disk_free_space(struct blobs *b)
{
    const struct folder *f = b->state;
    struct statvfs st;

    return fstatvfs(f->fd, &st) ? -1 : (int64_t)(st.f_bavail * st.f_frsize);
}

const struct blob_backend blob_disk = {
    .scheme = "file",
    .open = disk_open,
    .close = disk_close,
    .put = disk_put,
    .open_blob = disk_open_blob,
    .remove = disk_remove,
    .discard = disk_discard,
    .cache_put = disk_cache_put,
    .cache_open = disk_cache_open,
    .walk = disk_walk,
    .free_space = disk_free_space,
};
