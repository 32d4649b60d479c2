#include "datasets/results_merge.h"

#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct line {
    struct str text; /* with its end */
    struct str key;
    int64_t number;
    size_t place; /* the later one counts */
};
struct lines {
    struct line *p;
    size_t count, room;
};

/* {"key":"0af3...","number":12, */
static bool read_line(struct str text, struct line *out)
{
    struct str rest = text, key, number;

    if (!str_skip(&rest, "{\"key\":\"") || !str_cut(&rest, '"', &key) || key.n == 0 ||
        !str_skip(&rest, ",\"number\":") || !str_cut(&rest, ',', &number) || !rest.p)
        return false;
    *out = (struct line){.text = text, .key = key};
    return str_to_i64(number, &out->number) && text.n >= 2 && text.p[text.n - 2] == '}';
}

static int add_lines(struct lines *lines, struct str text, const char *path, struct err *e)
{
    struct line line;
    long long number = 1;

    for (; text.n; number++) {
        const char *end = memchr(text.p, '\n', text.n);
        size_t n = end ? (size_t)(end - text.p) + 1 : text.n;
        if (!end || !read_line((struct str){text.p, n}, &line))
            return ERR(e, ERR_CONFLICT, "line %lld of '%s' is no result: move that file away",
                       number, path);
        if (lines->count == lines->room) {
            size_t room = lines->room ? 2 * lines->room : 1024;
            struct line *p = reallocarray(lines->p, room, sizeof *p);
            if (!p)
                return ERR(e, ERR_NOMEM, "no memory to sort '%s'", path);
            lines->p = p;
            lines->room = room;
        }
        line.place = lines->count;
        lines->p[lines->count++] = line;
        text.p += n;
        text.n -= n;
    }
    return 0;
}

static int by_bytes(struct str a, struct str b)
{
    int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

    return order ? order : (a.n > b.n) - (a.n < b.n);
}

static int by_key(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    int order = by_bytes(x->key, y->key);

    return order ? order : (x->place > y->place) - (x->place < y->place);
}

static int by_number(const void *a, const void *b)
{
    const struct line *x = a, *y = b;

    return x->number != y->number ? (x->number > y->number) - (x->number < y->number)
                                  : by_bytes(x->key, y->key);
}

static void sort_lines(struct lines *lines)
{
    size_t kept = 0;

    if (lines->count == 0)
        return;
    qsort(lines->p, lines->count, sizeof *lines->p, by_key);
    for (size_t i = 0; i < lines->count; i++)
        if (i + 1 == lines->count || by_bytes(lines->p[i].key, lines->p[i + 1].key) != 0)
            lines->p[kept++] = lines->p[i];
    lines->count = kept;
    qsort(lines->p, lines->count, sizeof *lines->p, by_number);
}

static int map_file(int fd, struct str *out, const char *path, struct err *e)
{
    struct stat st;

    if (fstat(fd, &st))
        return ERR(e, ERR_IO, "cannot read '%s': %s", path, strerror(errno));
    if (st.st_size == 0)
        return 0;
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return ERR(e, ERR_IO, "cannot read '%s': %s", path, strerror(errno));
    *out = (struct str){p, (size_t)st.st_size};
    return 0;
}

static void unmap(struct str text)
{
    if (text.p)
        munmap((void *)(uintptr_t)text.p, text.n);
}

/* Written beside it, fsynced, renamed. */
static int write_lines(const struct lines *lines, int folder, const char *name, const char *path,
                       struct err *e)
{
    char *beside = NULL;
    FILE *file = NULL;
    int fd = -1, rc = 0;

    if (asprintf(&beside, "%s.sorted", name) < 0)
        return ERR(e, ERR_NOMEM, "no memory to write '%s'", path);
    if (unlinkat(folder, beside, 0) && errno != ENOENT)
        goto failed;
    fd = openat(folder, beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 || !(file = fdopen(fd, "w")))
        goto failed;
    for (size_t i = 0; i < lines->count; i++)
        if (fwrite(lines->p[i].text.p, 1, lines->p[i].text.n, file) != lines->p[i].text.n)
            goto failed;
    if (fflush(file) || fsync(fd) || renameat(folder, beside, folder, name) || fsync(folder))
        goto failed;
    goto out;
failed:
    rc = ERR(e, ERR_IO, "cannot write '%s': %s", path, strerror(errno));
    unlinkat(folder, beside, 0);
out:
    if (file)
        fclose(file);
    else if (fd >= 0)
        close(fd);
    free(beside);
    return rc;
}

int merge_files(int folder, const char *name, int growing, const char *path, struct err *e)
{
    struct lines lines = {0};
    struct str former = {0}, grown = {0};
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW), rc = 0;

    if (fd < 0 && errno != ENOENT)
        return ERR(e, ERR_IO, "cannot read '%s': %s", path, strerror(errno));
    if (growing < 0) { /* an empty one in place: somebody else may merge at this moment */
        if (fd < 0 &&
            (fd = openat(folder, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666)) < 0)
            rc = ERR(e, ERR_IO, "cannot write '%s': %s", path, strerror(errno));
        goto out;
    }
    if ((fd >= 0 && (rc = map_file(fd, &former, path, e))) ||
        (rc = map_file(growing, &grown, path, e)) || (rc = add_lines(&lines, former, path, e)) ||
        (rc = add_lines(&lines, grown, path, e)))
        goto out;
    sort_lines(&lines);
    rc = write_lines(&lines, folder, name, path, e);
out:
    if (fd >= 0)
        close(fd);
    unmap(former);
    unmap(grown);
    free(lines.p);
    return rc;
}

int merge_check(int folder, const char *name, const char *path, struct err *e)
{
    static const char beginning[] = "{\"key\":\"";
    char bytes[sizeof beginning - 1];
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    ssize_t n = fd >= 0 ? pread(fd, bytes, sizeof bytes, 0) : 0;

    if (fd >= 0)
        close(fd);
    if (n > 0 && ((size_t)n < sizeof bytes || memcmp(bytes, beginning, sizeof bytes) != 0))
        return ERR(e, ERR_CONFLICT, "'%s' is there and holds no results: move that file away",
                   path);
    return 0;
}
