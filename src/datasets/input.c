#include "datasets/input.h"

#include "base/sha256.h"
#include "datasets/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PRINT_MOST = 64 << 10, READ_AHEAD = 256 << 10 };
static const char byte_order_mark[] = "\xef\xbb\xbf";

static int cannot_read(const struct input *in, struct err *e)
{
    return ERR(e, ERR_IO, "cannot read '%s': %s", in->path, strerror(errno));
}

/* As many of n bytes from `at` on as the file has. */
static ssize_t read_at(int fd, char *p, size_t n, int64_t at)
{
    size_t done = 0;

    while (done < n) {
        ssize_t got = pread(fd, p + done, n - done, at + (int64_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

int input_size(const struct input *in, int64_t *out, struct err *e)
{
    struct stat st;

    if (fstat(in->fd, &st))
        return cannot_read(in, e);
    *out = st.st_size;
    return 0;
}

/* Of the first n bytes; *n becomes what there is of them, *marked whether a byte order mark is. */
static int fingerprint(const struct input *in, size_t *n, char hex[65], bool *marked, struct err *e)
{
    char *p = malloc(PRINT_MOST);

    if (!p)
        return ERR(e, ERR_NOMEM, "no memory to read '%s'", in->path);
    ssize_t got = read_at(in->fd, p, *n, 0);
    if (got < 0) {
        free(p);
        return cannot_read(in, e);
    }
    *n = (size_t)got;
    *marked = got >= 3 && memcmp(p, byte_order_mark, 3) == 0;
    sha256_hex(p, *n, hex);
    free(p);
    return 0;
}

static int open_file(const char *path, const struct dataset_access *access, int *fd, struct err *e)
{
    struct place place;
    struct stat st;
    int rc = place_open(path, access, false, &place, e);

    if (rc)
        return rc;
    *fd = openat(place.folder, place.name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | place.follow);
    int error = errno;
    place_close(&place);
    if (*fd < 0 && error == ELOOP)
        return ERR(e, ERR_ARG, "cannot open '%s': it is a link", path);
    if (*fd < 0)
        return ERR(e, error == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot open '%s': %s", path,
                   strerror(error));
    if (fstat(*fd, &st) || !S_ISREG(st.st_mode)) {
        close(*fd);
        return ERR(e, ERR_ARG, "cannot read '%s': not a regular file", path);
    }
    return 0;
}

int input_open(struct input *in, const char *path, const struct dataset_access *access,
               struct err *e)
{
    struct input fresh = {.printed = PRINT_MOST, .path = strdup(path)};
    bool marked;
    int rc;

    if (!fresh.path)
        return ERR(e, ERR_NOMEM, "no memory to read '%s'", path);
    if ((rc = open_file(path, access, &fresh.fd, e))) {
        free(fresh.path);
        return rc;
    }
    if ((rc = fingerprint(&fresh, &fresh.printed, fresh.print, &marked, e))) {
        input_close(&fresh);
        return rc;
    }
    fresh.offset = marked ? 3 : 0;
    *in = fresh;
    return 0;
}

void input_forget(struct input *in)
{
    free(in->bytes);
    in->bytes = NULL;
    in->from = in->to = in->room = 0;
}

void input_close(struct input *in)
{
    input_forget(in);
    free(in->path);
    close(in->fd);
    *in = (struct input){.fd = -1};
}

void input_again(const struct input *in, struct input *out)
{
    char start[3];

    *out = *in;
    out->bytes = NULL;
    out->from = out->to = out->room = 0;
    out->number = out->line = 0;
    out->offset = read_at(in->fd, start, 3, 0) == 3 && memcmp(start, byte_order_mark, 3) == 0 ? 3
                                                                                              : 0;
}

/* Read more behind what is there; *more is false at the end of the file. */
static int fill(struct input *in, bool *more, struct err *e)
{
    if (in->from && (in->from == in->to || in->room - in->to < READ_AHEAD)) {
        memmove(in->bytes, in->bytes + in->from, in->to - in->from);
        in->to -= in->from;
        in->from = 0;
    }
    if (in->room - in->to < READ_AHEAD) {
        size_t room = in->room ? 2 * in->room : 2 * READ_AHEAD;
        char *p = realloc(in->bytes, room);
        if (!p)
            return ERR(e, ERR_NOMEM, "no memory for a record of '%s'", in->path);
        in->bytes = p;
        in->room = room;
    }
    ssize_t got =
        read_at(in->fd, in->bytes + in->to, READ_AHEAD, in->offset + (int64_t)(in->to - in->from));
    if (got < 0)
        return cannot_read(in, e);
    in->to += (size_t)got;
    *more = got > 0;
    return 0;
}

/* Of a record that is too large only the beginning stays in memory: the bytes from `kept` to `used`
 * are forgotten. */
static void forget_middle(struct input *in, size_t kept, size_t used)
{
    memmove(in->bytes + in->from + kept, in->bytes + in->from + used, in->to - in->from - used);
    in->to -= used - kept;
    in->offset += (int64_t)(used - kept);
}

int input_next(struct input *in, struct scan *s, struct piece *out, struct err *e)
{
    size_t used = 0, bytes = 0;
    bool done = false, more = true, large = false;

    s->lines = 0;
    if (s->begin)
        s->begin(s);
    while (!done && more) {
        if (in->from + used == in->to) {
            int rc = fill(in, &more, e);
            if (rc) {
                in->offset -= (int64_t)(bytes - used);
                input_forget(in);
                return rc;
            }
        }
        size_t n = s->step(s, in->bytes + in->from + used, in->to - in->from - used, &done);
        used += n;
        bytes += n;
        if (used > DATASET_RECORD_MOST) {
            large = true;
            forget_middle(in, READ_AHEAD, used);
            used = READ_AHEAD;
        }
    }
    *out = (struct piece){.text = {in->bytes + in->from, used},
                          .first_line = in->line + 1,
                          .bytes = bytes,
                          .too_large = large,
                          .end = bytes == 0};
    in->from += used;
    in->offset += (int64_t)used;
    in->line += s->lines + (!done && bytes);
    return 0;
}

/* ============================== Positions ============================== */

const char *input_position(const struct input *in, struct arena *a)
{
    return arena_printf(a, "1:%lld:%lld:%lld:%zu:%s", (long long)in->offset, (long long)in->number,
                        (long long)in->line, in->printed, in->print);
}

struct position {
    int64_t version, offset, number, line, printed;
    struct str print;
};

static bool read_position(const char *text, struct position *out)
{
    int64_t *numbers[] = {&out->version, &out->offset, &out->number, &out->line, &out->printed};
    struct str rest = str_from(text), part;

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!str_cut(&rest, ':', &part) || !str_to_i64(part, numbers[i]) || *numbers[i] < 0)
            return false;
    out->print = rest;
    return out->version == 1 && out->printed <= PRINT_MOST && rest.p && rest.n == 64;
}

/* What lies before the position ends a line, or has got its end since: *offset is behind it. */
static int at_boundary(const struct input *in, int64_t *offset, struct err *e)
{
    char around[3] = "";
    ssize_t got = read_at(in->fd, around, 3, *offset - 1);

    if (got < 0)
        return cannot_read(in, e);
    if (got <= 1 || around[0] == '\n')
        return 0;
    if (around[1] == '\n')
        *offset += 1;
    else if (got == 3 && around[1] == '\r' && around[2] == '\n')
        *offset += 2;
    else
        return ERR(e, ERR_CONFLICT, "'%s' has changed: what was its last line goes on", in->path);
    return 0;
}

int input_seek(struct input *in, const char *position, struct err *e)
{
    struct position p = {0};
    int64_t size;
    char hex[65];
    bool marked = false;
    size_t n = PRINT_MOST;
    int rc = 0;

    if (position && !read_position(position, &p))
        return ERR(e, ERR_ARG, "'%s' is no position in a file", position);
    if (position)
        n = (size_t)p.printed;
    if ((rc = input_size(in, &size, e)) || (rc = fingerprint(in, &n, hex, &marked, e)))
        return rc;
    if (position && (n != (size_t)p.printed || !str_is(p.print, hex)))
        return ERR(e, ERR_CONFLICT, "'%s' has changed: its beginning is not what was read before",
                   in->path);
    if (p.offset > size)
        return ERR(e, ERR_CONFLICT,
                   "'%s' has changed: it has %lld bytes, and %lld were read before", in->path,
                   (long long)size, (long long)p.offset);
    if (p.offset > 0 && (rc = at_boundary(in, &p.offset, e)))
        return rc;
    if (!position)
        p.offset = marked ? 3 : 0;
    input_forget(in);
    in->offset = p.offset;
    in->number = p.number;
    in->line = p.line;
    in->printed = n;
    memcpy(in->print, hex, sizeof hex);
    return 0;
}

/* ============================== Lines ============================== */

static size_t step_line(struct scan *s, const char *p, size_t n, bool *done)
{
    const char *end = n ? memchr(p, '\n', n) : NULL;

    *done = end;
    s->lines += end != NULL;
    return end ? (size_t)(end - p) + 1 : n;
}

const struct scan scan_line = {.step = step_line};
