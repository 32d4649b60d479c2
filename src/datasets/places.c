#include "datasets/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDER = O_RDONLY | O_DIRECTORY | O_CLOEXEC };

static int cannot_enter(const char *path, const char *part, struct err *e)
{
    if (errno == ELOOP || errno == ENOTDIR)
        return ERR(e, ERR_ARG, "cannot open '%s': '%s' is a link or no folder", path, part);
    return ERR(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot open folder '%s' of '%s': %s",
               part, path, strerror(errno));
}

/* One folder further down; `from` is closed. */
static int enter(int from, const char *part, int follow, bool make)
{
    int fd = openat(from, part, FOLDER | follow);

    if (fd < 0 && errno == ENOENT && make && (mkdirat(from, part, 0777) == 0 || errno == EEXIST))
        fd = openat(from, part, FOLDER | follow);
    int error = errno;
    if (from != AT_FDCWD)
        close(from);
    errno = error;
    return fd;
}

/* Where a path starts: at the root, in the folder of `access`, or here. */
static int start_of(const char *path, const struct dataset_access *access)
{
    if (path[0] == '/')
        return open("/", FOLDER);
    return open(access && access->folder && access->folder[0] ? access->folder : ".", FOLDER);
}

int place_open(const char *path, const struct dataset_access *access, bool make, struct place *out,
               struct err *e)
{
    bool inside = access && access->inside;
    int follow = inside ? O_NOFOLLOW : 0, rc = 0, at;
    char *copy = strdup(path), *part, *next;

    if (!copy)
        return ERR(e, ERR_NOMEM, "no memory for a path");
    if (inside && path[0] == '/') {
        rc = ERR(e, ERR_ARG, "'%s' is outside of the folder of the task", path);
        goto out;
    }
    if ((at = start_of(path, access)) < 0) {
        rc = cannot_enter(path, path[0] == '/' || !access || !access->folder ? "." : access->folder,
                          e);
        goto out;
    }
    for (part = copy; (next = strchr(part, '/')); part = next + 1) {
        *next = 0;
        if (!part[0] || strcmp(part, ".") == 0)
            continue;
        if (inside && strcmp(part, "..") == 0) {
            close(at);
            rc = ERR(e, ERR_ARG, "'%s' is outside of the folder of the task", path);
            goto out;
        }
        if ((at = enter(at, part, follow, make)) < 0) {
            rc = cannot_enter(path, part, e);
            goto out;
        }
    }
    *out = (struct place){at, path + (part - copy), follow};
out:
    free(copy);
    return rc;
}

void place_close(struct place *p)
{
    if (p->folder >= 0)
        close(p->folder);
    *p = (struct place){.folder = -1};
}

char *name_of_file(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');

    return strndup(name, dot && dot > name ? (size_t)(dot - name) : strlen(name));
}
