/*
 * Results in a JSON Lines file. While a task runs, lines are appended to PATH.part and fsynced; at
 * the end they are merged with what PATH has, sorted, and PATH is replaced. Who writes holds a lock
 * (flock) on PATH.part, so several processes of one machine may put; one that was killed in the
 * middle of a line leaves a torn one, which the next to get the lock cuts off: it was never
 * answered for. A line begins with its key and number, in that order.
 */
#include "base/buf.h"
#include "base/json.h"
#include "datasets/results_inside.h"
#include "datasets/results_merge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct jsonl_results {
    char *path, *folder_text;
    struct dataset_access access;
    struct place place; /* folder -1: not open */
    char *part;         /* the name of the growing file */
    int fd;             /* of it; -1 */
};

static const struct member members[] = {{"path", is_path, expected_path, MEMBER_REQUIRED}, {0}};

static int check(const json_t *document, const json_t *source, const struct dataset_access *access,
                 struct arena *a, struct dataset_problem *problem, struct err *e)
{
    (void)source;
    return members_check(document, members, access, a, problem, e);
}

/* ============================== Opening ============================== */

static void close_part(struct jsonl_results *j)
{
    if (j->fd >= 0)
        close(j->fd);
    j->fd = -1;
}

static void close_file(struct results *r)
{
    struct jsonl_results *j = r->state;

    if (!j)
        return;
    close_part(j);
    place_close(&j->place);
    free(j->part);
    free(j->path);
    free(j->folder_text);
    free(j);
}

static int open_file(struct results *r, const json_t *document, const json_t *source,
                     const struct dataset_access *access, struct err *e)
{
    struct jsonl_results *j = calloc(1, sizeof *j);

    (void)source;
    if (!j || !(j->path = strdup(json_text(document, "path", "")))) {
        free(j);
        return ERR(e, ERR_NOMEM, "no memory for results");
    }
    r->state = j;
    j->fd = j->place.folder = -1;
    if (access && access->folder)
        j->folder_text = strdup(access->folder);
    j->access =
        (struct dataset_access){.folder = j->folder_text, .inside = access && access->inside};
    return 0;
}

static int cannot_write(const struct jsonl_results *j, struct err *e)
{
    if (errno == ELOOP)
        return ERR(e, ERR_ARG, "cannot write '%s': it is a link", j->path);
    return ERR(e, ERR_IO, "cannot write '%s': %s", j->path, strerror(errno));
}

static int enter(struct jsonl_results *j, bool make, struct err *e)
{
    int rc = j->place.folder >= 0 ? 0 : place_open(j->path, &j->access, make, &j->place, e);

    if (rc == 0 && !j->part && asprintf(&j->part, "%s.part", j->place.name) < 0) {
        j->part = NULL;
        rc = ERR(e, ERR_NOMEM, "no memory for results");
    }
    return rc;
}

static int ping(struct results *r, struct err *e)
{
    struct jsonl_results *j = r->state;
    struct err ignored;
    struct stat st;
    int rc = enter(j, false, &ignored);

    if (rc == ERR_NOT_FOUND)
        return 0; /* folders that are missing are made */
    if (rc) {
        *e = ignored;
        return rc;
    }
    if (faccessat(j->place.folder, ".", W_OK, 0))
        return cannot_write(j, e);
    if (fstatat(j->place.folder, j->place.name, &st, j->place.follow ? AT_SYMLINK_NOFOLLOW : 0))
        return 0;
    if (!S_ISREG(st.st_mode))
        return ERR(e, ERR_ARG, "cannot write '%s': it is not a regular file", j->path);
    return merge_check(j->place.folder, j->place.name, j->path, e);
}

/* Whether the locked file is the one that the name stands for: who finished has removed it. */
static bool is_current(const struct jsonl_results *j)
{
    struct stat here, there;

    return fstat(j->fd, &here) == 0 && fstatat(j->place.folder, j->part, &there, 0) == 0 &&
           here.st_ino == there.st_ino && here.st_dev == there.st_dev;
}

/* Open and lock the growing file. Without `make` a missing one is no error: fd stays -1. */
static int lock(struct jsonl_results *j, bool make, struct err *e)
{
    int flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NONBLOCK | j->place.follow | (make ? O_CREAT : 0);

    for (;;) {
        if (j->fd < 0 && (j->fd = openat(j->place.folder, j->part, flags, 0666)) < 0)
            return !make && errno == ENOENT ? 0 : cannot_write(j, e);
        while (flock(j->fd, LOCK_EX))
            if (errno != EINTR)
                return cannot_write(j, e);
        if (is_current(j))
            return 0;
        close_part(j);
    }
}

static void unlock(struct jsonl_results *j)
{
    if (j->fd >= 0)
        flock(j->fd, LOCK_UN);
}

/* ============================== Appending ============================== */

/* Cut off what comes behind the last end of a line; *size is what is left. */
static int cut_torn(struct jsonl_results *j, off_t *size, struct err *e)
{
    char bytes[4096];
    struct stat st;

    if (fstat(j->fd, &st))
        return cannot_write(j, e);
    off_t end = st.st_size;
    while (end > 0) {
        off_t from = end > (off_t)sizeof bytes ? end - (off_t)sizeof bytes : 0;
        ssize_t got = pread(j->fd, bytes, (size_t)(end - from), from);
        if (got != end - from)
            return cannot_write(j, e);
        const char *last = memrchr(bytes, '\n', (size_t)got);
        end = last ? from + (last - bytes) + 1 : from;
        if (last)
            break;
    }
    if (end < st.st_size && ftruncate(j->fd, end))
        return cannot_write(j, e);
    *size = end;
    return 0;
}

/* A copy in which {"$date": text} is the text. */
static json_t *without_dates(const json_t *value)
{
    const json_t *date = json_object_get(value, "$date");
    const char *name;
    json_t *out, *member;

    if (json_is_string(date) && json_object_size(value) == 1)
        return json_incref((json_t *)(uintptr_t)date);
    if (json_is_array(value)) {
        out = json_array();
        for (size_t i = 0; i < json_array_size(value); i++)
            json_array_append_new(out, without_dates(json_array_get(value, i)));
        return out;
    }
    if (!json_is_object(value))
        return json_incref((json_t *)(uintptr_t)value);
    out = json_object();
    json_object_foreach((json_t *)(uintptr_t)value, name, member)
    {
        json_object_set_new(out, name, without_dates(member));
    }
    return out;
}

static int add_line(struct buf *text, const struct result *row)
{
    json_t *all = json_pack("{s:s, s:I, s:s}", "key", row->key, "number", (json_int_t)row->number,
                            "record_id", row->record_id),
           *body = without_dates(row->body);
    int rc;

    json_object_del(body, "key");
    json_object_del(body, "number");
    json_object_update(all, body);
    rc = json_write(all, text);
    json_decref(body);
    json_decref(all);
    return rc ? rc : buf_add(text, "\n", 1);
}

static bool append(int fd, const struct buf *text)
{
    size_t done = 0;

    while (done < text->n) {
        ssize_t n = write(fd, text->p + done, text->n - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        done += (size_t)n;
    }
    return fsync(fd) == 0;
}

static int put(struct results *r, const struct result *rows, size_t count, int64_t *missing,
               struct err *e)
{
    struct jsonl_results *j = r->state;
    struct buf text;
    off_t size = 0;
    int rc = enter(j, true, e);

    (void)missing;
    buf_init(&text, (size_t)1 << 30);
    for (size_t i = 0; i < count && rc == 0; i++)
        if ((rc = add_line(&text, &rows[i])))
            rc = ERR(e, ERR_ARG, "the result of record '%s' is too large", rows[i].record_id);
    if (rc == 0)
        rc = lock(j, true, e);
    if (rc == 0)
        rc = cut_torn(j, &size, e);
    if (rc == 0 && (!append(j->fd, &text) || (size == 0 && fsync(j->place.folder)))) {
        rc = cannot_write(j, e);
        if (ftruncate(j->fd, size)) /* else whoever is next cuts a torn line */
            close_part(j);
    }
    unlock(j);
    buf_release(&text);
    return rc;
}

static int finish(struct results *r, struct err *e)
{
    struct jsonl_results *j = r->state;
    off_t size;
    int rc = enter(j, true, e);

    if (rc || (rc = lock(j, false, e)))
        return rc;
    if (j->fd >= 0)
        rc = cut_torn(j, &size, e);
    if (rc == 0)
        rc = merge_files(j->place.folder, j->place.name, j->fd, j->path, e);
    if (rc == 0 && j->fd >= 0 && (unlinkat(j->place.folder, j->part, 0) || fsync(j->place.folder)))
        rc = cannot_write(j, e);
    close_part(j); /* and with it the lock */
    return rc;
}

const struct results_backend results_jsonl = {
    .type = "jsonl",
    .local = true,
    .check = check,
    .open = open_file,
    .close = close_file,
    .ping = ping,
    .put = put,
    .finish = finish,
};
