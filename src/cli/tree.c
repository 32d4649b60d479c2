#include "cli/tree.h"

#include "base/arena.h"
#include "base/file.h"
#include "cli/terminal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_DEPTH = 16, PIECE = 64 << 20 };

/* ============================== Removing ============================== */

static int remove_below(const char *path, int depth, struct err *e)
{
    struct stat st;
    DIR *d;
    int rc = 0;

    if (lstat(path, &st))
        return ERR(e, ERR_NOT_FOUND, "cannot remove '%s': %s", path, strerror(errno));
    if (S_ISDIR(st.st_mode)) {
        if (depth == MAX_DEPTH || !(d = opendir(path)))
            return ERR(e, ERR_IO, "cannot remove '%s': %s", path,
                       depth == MAX_DEPTH ? "too many folders in folders" : strerror(errno));
        for (struct dirent *entry; rc == 0 && (entry = readdir(d));) {
            struct arena a = {0};
            if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                rc = remove_below(arena_printf(&a, "%s/%s", path, entry->d_name), depth + 1, e);
            arena_release(&a);
        }
        closedir(d);
    }
    if (rc == 0 && remove(path))
        rc = ERR(e, ERR_IO, "cannot remove '%s': %s", path, strerror(errno));
    return rc;
}

int tree_remove(const char *path, struct err *e)
{
    return remove_below(path, 0, e);
}

/* ============================== Copying ============================== */

static int copy_bytes(int in, int out, const char *to, struct err *e)
{
    for (;;) {
        if (interrupted())
            return ERR(e, ERR_CANCELLED, "interrupted");
        ssize_t n = copy_file_range(in, NULL, out, NULL, PIECE, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP))
            break; /* these two file systems cannot; by hand below */
        if (n < 0)
            return ERR(e, ERR_IO, "cannot write '%s': %s", to, strerror(errno));
        if (n == 0)
            return 0;
    }
    for (char bytes[65536];;) {
        ssize_t n = read(in, bytes, sizeof bytes);
        if (n == 0)
            return 0;
        if (interrupted())
            return ERR(e, ERR_CANCELLED, "interrupted");
        if (n < 0 || write(out, bytes, (size_t)n) != n)
            return ERR(e, ERR_IO, "cannot write '%s': %s", to, strerror(errno));
    }
}

static int copy_file(const char *from, const char *to, struct err *e)
{
    int in = open(from, O_RDONLY | O_CLOEXEC), out, rc;

    if (in < 0)
        return ERR(e, ERR_IO, "cannot open '%s': %s", from, strerror(errno));
    out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (out < 0) {
        rc = ERR(e, ERR_IO, "cannot write '%s': %s", to, strerror(errno));
        close(in);
        return rc;
    }
    rc = copy_bytes(in, out, to, e);
    if (close(out) && rc == 0)
        rc = ERR(e, ERR_IO, "cannot write '%s': %s", to, strerror(errno));
    close(in);
    return rc;
}

static int copy_below(const char *from, const char *to, int depth, struct err *e)
{
    DIR *d;
    int rc = 0;

    if (!file_is_dir(from))
        return copy_file(from, to, e);
    if (depth == MAX_DEPTH || mkdir(to, 0777) || !(d = opendir(from)))
        return ERR(e, ERR_IO, "cannot copy '%s': %s", from,
                   depth == MAX_DEPTH ? "too many folders in folders" : strerror(errno));
    for (struct dirent *entry; rc == 0 && (entry = readdir(d));) {
        struct arena a = {0};
        if (entry->d_name[0] != '.')
            rc = copy_below(arena_printf(&a, "%s/%s", from, entry->d_name),
                            arena_printf(&a, "%s/%s", to, entry->d_name), depth + 1, e);
        arena_release(&a);
    }
    closedir(d);
    return rc;
}

int tree_copy(const char *from, const char *to, struct err *e)
{
    struct arena a = {0};
    struct err ignored;
    const char *slash = strrchr(to, '/');
    int folder = slash ? (int)(slash - to) + 1 : 0;
    /* Hidden, so that nothing takes it for a model meanwhile. */
    const char *temporary =
        arena_printf(&a, "%.*s.%s.tmp-%d", folder, to, to + folder, (int)getpid());
    int rc = copy_below(from, temporary, 0, e);

    if (rc == 0 && rename(temporary, to))
        rc = ERR(e, ERR_IO, "cannot write '%s': %s", to, strerror(errno));
    if (rc && tree_remove(temporary, &ignored)) {
        /* Nothing had been written yet. */
    }
    arena_release(&a);
    return rc;
}
