#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_regular(const char *path, size_t *size, struct err *e)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return ERR(e, errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_IO,
                   "cannot open '%s': %s", path, strerror(errno));
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        close(fd);
        return ERR(e, ERR_IO, "cannot read '%s': not a regular file", path);
    }
    *size = (size_t)st.st_size;
    return fd;
}

int file_map(const char *path, struct mapping *out, struct err *e)
{
    size_t size;
    int fd = open_regular(path, &size, e);

    if (fd < 0)
        return fd;
    void *p = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
    close(fd);
    if (p == MAP_FAILED)
        return ERR(e, ERR_NOMEM, "cannot map '%s': %s", path, strerror(errno));
    *out = (struct mapping){p, size};
    return 0;
}

void file_unmap(struct mapping *m)
{
    if (m->p)
        munmap((void *)(uintptr_t)m->p, m->n);
    *m = (struct mapping){0};
}

void file_forget(const struct mapping *m)
{
    if (m->p)
        madvise((void *)(uintptr_t)m->p, m->n, MADV_DONTNEED);
}

int file_read(struct arena *a, const char *path, size_t max, struct str *out, struct err *e)
{
    size_t size, done = 0;
    int fd = open_regular(path, &size, e);

    if (fd < 0)
        return fd;
    if (size > max) {
        close(fd);
        return ERR(e, ERR_FORMAT, "'%s' has %zu bytes, more than the %zu expected of such a file",
                   path, size, max);
    }
    char *p = arena_try(a, size + 1, 1);
    if (!p) {
        close(fd);
        return ERR(e, ERR_NOMEM, "no memory for the %zu bytes of '%s'", size, path);
    }
    while (done < size) {
        ssize_t n = read(fd, p + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    close(fd);
    if (done < size)
        return ERR(e, ERR_IO, "cannot read '%s': it ends after %zu of %zu bytes", path, done, size);
    *out = (struct str){p, size};
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

/* A new file beside `path`, with the permissions that open gives; *name is its name. mkstemp would
 * make it private, and the process's umask cannot be read without setting it for a moment, for all
 * threads. */
static int open_temporary(struct arena *a, const char *path, char **name)
{
    for (int attempt = 0; attempt < 100; attempt++) {
        unsigned long long tag;
        if (getrandom(&tag, sizeof tag, 0) != (ssize_t)sizeof tag)
            return -1;
        *name = arena_printf(a, "%s.tmp-%016llx", path, tag);
        int fd = open(*name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

int file_write(const char *path, const void *bytes, size_t n, struct err *e)
{
    struct arena a = {0};
    char *temporary;
    int rc = 0, fd = open_temporary(&a, path, &temporary);

    if (fd < 0) {
        rc = ERR(e, ERR_IO, "cannot write '%s': %s", path, strerror(errno));
        goto out;
    }
    if (write_all(fd, bytes, n) || rename(temporary, path)) {
        rc = ERR(e, ERR_IO, "cannot write '%s': %s", path, strerror(errno));
        unlink(temporary);
    }
    close(fd);
out:
    arena_release(&a);
    return rc;
}

bool file_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool file_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int file_make_dirs(const char *path, struct err *e)
{
    struct arena a = {0};
    char *copy = arena_strdup(&a, path);
    int rc = 0;

    for (char *slash = copy; slash && rc == 0;) {
        slash = strchr(slash + 1, '/');
        if (slash)
            *slash = 0;
        if (copy[0] && mkdir(copy, 0777) && errno != EEXIST)
            rc = ERR(e, ERR_IO, "cannot make folder '%s': %s", copy, strerror(errno));
        if (slash)
            *slash = '/';
    }
    if (rc == 0 && !file_is_dir(path))
        rc = ERR(e, ERR_IO, "cannot make folder '%s': a file is in the way", path);
    arena_release(&a);
    return rc;
}
