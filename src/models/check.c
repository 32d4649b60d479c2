#include "models/check.h"

#include "base/file.h"
#include "engine/weights/digests.h"
#include "models/hub.h"
#include "models/hub_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_SUMS = 1 << 20, MAX_DEPTH = 4 };

/* A file whose hash is recorded. */
struct recorded {
    const char *path, *hash;
    struct recorded *next;
};

struct check {
    struct arena *arena;
    const char *path;
    const struct model_watch *watch;
    struct recorded *files, **last;
    struct model_progress progress;
    struct model_check found;
};

/* ============================== What is recorded ============================== */

static void record(struct check *c, const char *path, const char *hash)
{
    struct recorded *r = ARENA_NEW(c->arena, struct recorded);
    struct stat st;

    r->path = path;
    r->hash = hash;
    *c->last = r;
    c->last = &r->next;
    if (stat(path, &st) == 0)
        c->progress.total += st.st_size;
}

/* "<64 hex digits>  <path>", or '*' before the path, as sha256sum writes them. */
static bool parse_sum(struct str line, struct str *hash, struct str *file)
{
    if (line.n < 67 || line.p[64] != ' ' || (line.p[65] != ' ' && line.p[65] != '*'))
        return false;
    *hash = (struct str){line.p, 64};
    *file = (struct str){line.p + 66, line.n - 66};
    return strspn(line.p, "0123456789abcdef") == 64;
}

/* The lines of a SHA256SUMS file that lie under `below` ("demo/", "" for all). */
static int find_sums(struct check *c, const char *folder, const char *below, struct err *e)
{
    const char *path = arena_printf(c->arena, "%s/SHA256SUMS", folder);
    struct str text, line, hash, file;
    int rc;

    if (!file_exists(path))
        return 0;
    if ((rc = file_read(c->arena, path, MAX_SUMS, &text, e)))
        return rc;
    while (str_cut(&text, '\n', &line)) {
        if (line.n == 0)
            continue;
        if (!parse_sum(line, &hash, &file) || !hub_path_ok(arena_str(c->arena, file)))
            return ERR(e, ERR_FORMAT, "'%s' has a line that is not a checksum: '%.*s'", path,
                       line.n > 80 ? 80 : (int)line.n, line.p);
        if (!str_starts(file, below))
            continue;
        record(c, arena_printf(c->arena, "%s/%.*s", folder, (int)file.n, file.p),
               arena_str(c->arena, hash));
        c->found.sums++;
    }
    return 0;
}

/* In the Hugging Face cache a snapshot's files are links to blobs that are named by their hash. */
static int find_blobs(struct check *c, const char *folder, int depth, struct err *e)
{
    DIR *d = opendir(folder);
    int rc = 0;

    if (!d)
        return ERR(e, ERR_IO, "cannot read '%s': %s", folder, strerror(errno));
    for (struct dirent *entry; rc == 0 && (entry = readdir(d));) {
        char target[512];
        const char *path = arena_printf(c->arena, "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] == '.')
            continue;
        ssize_t n = readlink(path, target, sizeof target - 1);
        if (n < 0) {
            if (file_is_dir(path) && depth < MAX_DEPTH)
                rc = find_blobs(c, path, depth + 1, e);
            continue;
        }
        target[n] = 0;
        const char *hash = strrchr(target, '/');
        if (hash && strstr(target, "/blobs/")) {
            record(c, path, arena_strdup(c->arena, hash + 1));
            c->found.blobs++;
        }
    }
    closedir(d);
    return rc;
}

static int find_recorded(struct check *c, struct err *e)
{
    char *whole = realpath(c->path, NULL);
    const char *path = arena_strdup(c->arena, whole ? whole : c->path);
    bool folder = file_is_dir(path);
    const char *slash = strrchr(path, '/');
    int rc = 0;

    free(whole);
    if (slash) {
        const char *parent = arena_str(c->arena, (struct str){path, (size_t)(slash - path)});
        rc = find_sums(c, parent, arena_printf(c->arena, "%s%s", slash + 1, folder ? "/" : ""), e);
    }
    if (rc == 0 && folder)
        rc = find_sums(c, path, "", e);
    if (rc == 0 && folder)
        rc = find_blobs(c, path, 0, e);
    return rc;
}

/* ============================== Reading ============================== */

static bool go_on(void *user, int64_t bytes)
{
    struct check *c = user;

    c->progress.done += bytes;
    c->progress.moved = c->progress.done;
    /* Files that grow meanwhile, and tensors of one file that two networks share. */
    if (c->progress.done > c->progress.total)
        c->progress.total = c->progress.done;
    model_watch_tell(c->watch, &c->progress);
    return !model_watch_stopped(c->watch);
}

static int check_file(struct check *c, const struct recorded *r, struct err *e)
{
    bool right;
    int fd = open(r->path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return ERR(e, ERR_NOT_FOUND, "cannot open '%s': %s", r->path, strerror(errno));
    const char *slash = strrchr(r->path, '/');
    c->progress.file = slash ? slash + 1 : r->path;
    int rc = hub_check_hash(fd, r->hash, &(struct reading){go_on, c}, &right, e);
    close(fd);
    if (rc && rc != ERR_CANCELLED)
        return err_prefix(e, "'%s'", r->path);
    if (rc == 0 && !right)
        rc = ERR(e, ERR_FORMAT,
                 "'%s' is not what it was: its checksum should be %s; fetch it again", r->path,
                 r->hash);
    return rc;
}

static int check_digest(struct check *c, const char *data_folder, struct err *e)
{
    struct model_check *found = &c->found;
    char former[65];
    int rc;

    c->progress.file = NULL;
    rc = model_digest_fresh(c->arena, data_folder, c->path, NULL, &(struct reading){go_on, c},
                            found->digest, &found->remembered, former, e);
    if (rc == 0 && found->remembered && strcmp(found->digest, former) != 0)
        rc = ERR(e, ERR_FORMAT,
                 "'%s' is not what it was: the digest over its tensors was %.16s..., now it is "
                 "%.16s..., though no file looks changed; fetch it again",
                 c->path, former, found->digest);
    return rc;
}

int model_check(struct arena *a, const char *path, const char *data_folder,
                const struct model_watch *watch, struct model_check *out, struct err *e)
{
    struct check c = {.arena = a, .path = path, .watch = watch, .last = &c.files};
    struct model_stamp stamp;
    int rc = find_recorded(&c, e);

    if (rc == 0 && (rc = model_stamp_read(path, &stamp, e)) == 0)
        c.progress.total += stamp.size;
    for (const struct recorded *r = c.files; r && rc == 0; r = r->next)
        rc = check_file(&c, r, e);
    if (rc == 0)
        rc = check_digest(&c, data_folder, e);
    if (rc == 0)
        *out = c.found;
    return rc;
}

const char *model_check_text(const struct model_check *c, struct arena *a)
{
    const char *text = arena_printf(a, "digest %s", c->digest);

    if (c->sums)
        text = arena_printf(a, "%s, %d files as in SHA256SUMS", text, c->sums);
    if (c->blobs)
        text = arena_printf(a, "%s, %d files as their blobs are named", text, c->blobs);
    return arena_printf(a, "%s%s", text,
                        c->remembered         ? ", as remembered"
                        : c->sums || c->blobs ? ""
                                              : ", remembered from now on");
}
