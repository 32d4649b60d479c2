/* Objects as files below a folder. Links below it are not followed: every part of a name is opened
 * by itself. Custom metadata, media types and cache control are not kept; there are no sessions. */
#include "objects/folder.h"
#include "base/file.h"
#include "base/uuid.h"
#include "objects/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 64 << 10 };

static int open_folder(struct objects *o, const char *place, struct err *e)
{
    char here[PATH_MAX] = "";

    if (strncmp(place, "//", 2) == 0 && place[2] != '/')
        return ERR(e, ERR_ARG, "'file:%.200s' names a host; write file:///DIR", place);
    if (strncmp(place, "//", 2) == 0)
        place += 2;
    if (!place[0])
        return ERR(e, ERR_ARG, "'file:' names no folder; write file:///DIR or file:DIR");
    if (place[0] != '/' && !getcwd(here, sizeof here))
        return ERR(e, ERR_IO, "the current folder is gone: %s", strerror(errno));
    char *root = here[0] ? arena_printf(&o->arena, "%s/%s", here, place)
                         : arena_strdup(&o->arena, place);
    for (size_t n = strlen(root); n > 1 && root[n - 1] == '/'; n--)
        root[n - 1] = 0;
    o->state = root;
    return 0;
}

static void close_folder(struct objects *o)
{
    (void)o;
}

static const char *root_of(const struct objects *o)
{
    return o->state;
}

/* The folder, or where it would be made: there and writable. */
static int check_folder(struct objects *o, struct err *e)
{
    struct arena a = {0};
    char *at = arena_strdup(&a, root_of(o));
    struct stat st;
    int rc = 0;

    while (stat(at, &st) && errno == ENOENT && strlen(at) > 1) {
        char *slash = strrchr(at, '/');
        slash[slash == at] = 0;
    }
    if (stat(at, &st) || !S_ISDIR(st.st_mode))
        rc = ERR(e, ERR_IO, "'%s' cannot be a folder of objects: '%s' is none", root_of(o), at);
    else if (access(at, R_OK | W_OK | X_OK))
        rc = ERR(e, ERR_DENIED, "folder '%s' cannot be written: %s", at, strerror(errno));
    arena_release(&a);
    return rc;
}

/* ============================== Ways to a file ============================== */

static int away(struct err *e, const char *what, const char *name)
{
    enum err_code code = errno == ENOENT                     ? ERR_NOT_FOUND
                         : errno == EACCES || errno == EPERM ? ERR_DENIED
                                                             : ERR_IO;

    return ERR(e, code, "cannot %s '%s': %s", what, name,
               errno == ELOOP ? "a link is in the way, which is not followed" : strerror(errno));
}

/* A part of a name that is to be a folder; made when `make` says so, and durable then. */
static int step(int at, const char *part, bool make)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int next = openat(at, part, flags);
    struct stat st;

    if (next < 0 && errno == ENOENT && make) {
        if (mkdirat(at, part, 0777) && errno != EEXIST)
            return -1;
        if (fsync(at))
            return -1;
        next = openat(at, part, flags);
    }
    /* With O_DIRECTORY a link is ENOTDIR, as a file is. */
    if (next < 0 && errno == ENOTDIR && fstatat(at, part, &st, AT_SYMLINK_NOFOLLOW) == 0)
        errno = S_ISLNK(st.st_mode) ? ELOOP : ENOTDIR;
    return next;
}

int folder_walk(const char *root, const char *name, bool make, const char **base)
{
    const char *slash;
    char part[256];
    int at = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    for (; at >= 0 && (slash = strchr(name, '/')); name = slash + 1) {
        size_t n = (size_t)(slash - name);
        memcpy(part, name, n < sizeof part ? n : 0);
        part[n < sizeof part ? n : 0] = 0;
        int next = step(at, part, make), failed = errno;
        close(at);
        errno = failed;
        at = next;
    }
    *base = name;
    return at;
}

static int open_file(const struct objects *o, const char *name, int *out, struct err *e)
{
    const char *base;
    struct stat st;
    int at = folder_walk(root_of(o), name, false, &base), rc = 0;
    int fd = at < 0 ? -1 : openat(at, base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        rc = away(e, "read", name);
    else if (fstat(fd, &st) || !S_ISREG(st.st_mode))
        rc = ERR(e, ERR_IO, "cannot read '%s': not a regular file", name);
    if (at >= 0)
        close(at);
    if (rc == 0)
        *out = fd;
    else if (fd >= 0)
        close(fd);
    return rc;
}

/* ============================== Contents ============================== */

/* Size and CRC32C of an open file, and whether it has exactly these bytes. */
static int read_info(int fd, const char *name, struct str bytes, struct object_info *info,
                     bool *same, struct err *e)
{
    unsigned char *piece = malloc(PIECE);
    uint32_t crc = 0;
    size_t at = 0;
    ssize_t n;

    if (!piece)
        return ERR(e, ERR_NOMEM, "no memory to read '%s'", name);
    *same = true;
    while ((n = pread(fd, piece, PIECE, (off_t)at)) > 0) {
        size_t k = (size_t)n;
        *same = *same && at + k <= bytes.n && memcmp(piece, bytes.p + at, k) == 0;
        crc = crc32c(crc, piece, k);
        at += k;
    }
    free(piece);
    if (n < 0)
        return away(e, "read", name);
    *same = *same && at == bytes.n;
    info->size = (int64_t)at;
    crc32c_text(crc, info->crc32c);
    return 0;
}

static int head_folder(struct objects *o, const char *name, struct arena *a,
                       struct object_info *out, struct err *e)
{
    bool unused;
    int fd;

    (void)a;
    if (open_file(o, name, &fd, e))
        return e->code;
    int rc = read_info(fd, name, (struct str){"", 0}, out, &unused, e);
    close(fd);
    return rc;
}

static int get_folder(struct objects *o, const char *name, size_t max, struct arena *a,
                      struct str *out, struct object_info *info, struct err *e)
{
    struct stat st;
    struct sums s;
    size_t at = 0;
    ssize_t n = 1;
    int fd, rc = 0;

    if (open_file(o, name, &fd, e))
        return e->code;
    size_t size = fstat(fd, &st) ? 0 : (size_t)st.st_size;
    char *p = size > max ? NULL : arena_try(a, size + 1, 1);
    if (size > max)
        rc = ERR(e, ERR_FORMAT, "'%s' has %zu bytes, more than %zu", name, size, max);
    else if (!p)
        rc = ERR(e, ERR_NOMEM, "no memory for the %zu bytes of '%s'", size, name);
    while (rc == 0 && at < size && (n = pread(fd, p + at, size - at, (off_t)at)) > 0)
        at += (size_t)n;
    if (rc == 0 && n < 0)
        rc = away(e, "read", name);
    close(fd);
    if (rc)
        return rc;
    sums_of(p, at, &s);
    info->size = (int64_t)at;
    memcpy(info->crc32c, s.crc32c, sizeof s.crc32c);
    memcpy(info->md5, s.md5, sizeof s.md5);
    *out = (struct str){p, at};
    return 0;
}

/* ============================== Putting ============================== */

/* 0: nothing there; 1: these bytes are there already; else an error. */
static int look_before(const struct objects *o, const struct object_put *put,
                       const struct sums *sums, struct object_info *out, struct err *e)
{
    struct object_info there = {0};
    bool same = false;
    int fd, rc = open_file(o, put->name, &fd, e);

    if (rc)
        return rc == ERR_NOT_FOUND ? 0 : rc;
    rc = read_info(fd, put->name, put->bytes, &there, &same, e);
    close(fd);
    if (rc)
        return rc;
    if (!same)
        return store_conflict(e, put->name, &there, put->bytes.n, sums);
    out->existed = true;
    return 1;
}

static int write_whole(int fd, struct str bytes)
{
    while (bytes.n) {
        ssize_t done = write(fd, bytes.p, bytes.n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return -1;
        bytes.p += done;
        bytes.n -= (size_t)done;
    }
    return fsync(fd);
}

/* A file without a name leaves nothing behind when the process is killed. Where the file system has
 * none (NFS, FUSE), one with a name that is hidden from lists. */
static int open_nameless(int at, char temporary[FOLDER_TEMPORARY])
{
    char tag[17];
    int fd = openat(at, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);

    temporary[0] = 0;
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL && errno != ENOENT))
        return fd;
    random_hex(tag, 8);
    snprintf(temporary, FOLDER_TEMPORARY, FOLDER_HIDDEN "%s", tag);
    return openat(at, temporary, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0666);
}

/* Give the file its name, unless something has it: errno EEXIST. */
static int link_new(int at, int fd, const char *temporary, const char *base)
{
    char path[40];

    if (temporary[0]) {
        if (renameat2(at, temporary, at, base, RENAME_NOREPLACE) == 0)
            return 0;
        if (errno != EINVAL && errno != ENOSYS)
            return -1;
        return linkat(at, temporary, at, base, 0);
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, path, at, base, AT_SYMLINK_FOLLOW);
}

static int link_over(int at, int fd, char temporary[FOLDER_TEMPORARY], const char *base)
{
    char tag[17], name[FOLDER_TEMPORARY];

    if (!temporary[0]) {
        random_hex(tag, 8);
        snprintf(name, sizeof name, FOLDER_HIDDEN "%s", tag);
        if (link_new(at, fd, "", name))
            return -1;
        memcpy(temporary, name, sizeof name);
    }
    return renameat(at, temporary, at, base);
}

static int put_file(int at, const char *base, const struct object_put *put, struct err *e)
{
    char temporary[FOLDER_TEMPORARY];
    struct object_info unused = {0};
    bool same = false;
    int rc = 0, fd = open_nameless(at, temporary);

    if (fd < 0)
        return away(e, "write", put->name);
    if (write_whole(fd, put->bytes))
        rc = away(e, "write", put->name);
    if (rc == 0)
        rc = read_info(fd, put->name, put->bytes, &unused, &same, e);
    if (rc == 0 && !same)
        rc = ERR(e, ERR_FORMAT, "'%s' reads back as other bytes than were written", put->name);
    if (rc == 0 &&
        (put->replace ? link_over(at, fd, temporary, base) : link_new(at, fd, temporary, base)))
        rc = errno == EEXIST ? ERR(e, ERR_CONFLICT, "'%s' is there already", put->name)
                             : away(e, "write", put->name);
    if (temporary[0])
        unlinkat(at, temporary, 0); /* renamed away: nothing has that name */
    if (rc == 0 && fsync(at))
        rc = away(e, "write", put->name);
    close(fd);
    return rc;
}

static int put_folder(struct objects *o, const struct object_put *put, struct arena *a,
                      struct object_info *out, struct err *e)
{
    const char *base;
    struct sums sums;
    int rc, at;

    (void)a;
    sums_of(put->bytes.p, put->bytes.n, &sums);
    out->size = (int64_t)put->bytes.n;
    memcpy(out->crc32c, sums.crc32c, sizeof sums.crc32c);
    memcpy(out->md5, sums.md5, sizeof sums.md5);
    if (!put->replace && (rc = look_before(o, put, &sums, out, e)))
        return rc > 0 ? 0 : rc;
    if (file_make_dirs(root_of(o), e))
        return e->code;
    if ((at = folder_walk(root_of(o), put->name, true, &base)) < 0)
        return away(e, "write", put->name);
    rc = put_file(at, base, put, e);
    close(at);
    /* Somebody was faster: perhaps with the same bytes. */
    if (rc == ERR_CONFLICT && (rc = look_before(o, put, &sums, out, e)) > 0)
        rc = 0;
    else if (rc == 0 && !out->existed)
        out->sent = (int64_t)put->bytes.n;
    return rc;
}

static int remove_folder(struct objects *o, const char *name, struct err *e)
{
    const char *base;
    int rc = 0, at = folder_walk(root_of(o), name, false, &base);

    if (at < 0)
        return errno == ENOENT ? 0 : away(e, "delete", name);
    if (unlinkat(at, base, 0) && errno != ENOENT)
        rc = away(e, "delete", name);
    close(at);
    return rc;
}

static int abandon_folder(struct objects *o, const char *name, const char *session, struct err *e)
{
    (void)o, (void)name, (void)session, (void)e;
    return 0; /* a put that was cut off left nothing */
}

static int list_folder(struct objects *o, const char *below, size_t limit, const char *cursor,
                       struct arena *a, struct object_entry **out, size_t *count, const char **next,
                       struct err *e)
{
    return folder_list(root_of(o), below, limit, cursor, a, out, count, next, e);
}

static void address_folder(struct objects *o, const char *name, struct arena *a,
                           struct object_info *out)
{
    const char *path = arena_printf(a, "%s/%s", root_of(o), name);

    out->url = out->https = arena_printf(a, "file://%s", store_percent(a, path, "/"));
}

const struct objects_backend objects_folder = {
    .scheme = "file",
    .open = open_folder,
    .close = close_folder,
    .check = check_folder,
    .put = put_folder,
    .head = head_folder,
    .get = get_folder,
    .remove = remove_folder,
    .abandon = abandon_folder,
    .list = list_folder,
    .address = address_folder,
};
