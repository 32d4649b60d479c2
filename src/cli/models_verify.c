/* Are the bytes of a model still those they should be? Three witnesses, whichever there are: the
 * digest remembered from earlier, a SHA256SUMS file, and the names of the blobs in the Hugging Face
 * cache. */
#include "base/file.h"
#include "cli/find_model.h"
#include "cli/hub.h"
#include "cli/hub_cache.h"
#include "cli/models.h"
#include "cli/options.h"
#include "cli/terminal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_SUMS = 1 << 20, MAX_DEPTH = 4 };

static const struct opt table[] = {{0}};
static const struct opt_spec spec = {
    .command = "models verify",
    .usage = "[NAME|DIR|FILE ...]",
    .summary = "Read every byte of the models (all of them, when none is named) and compare with "
               "what is recorded: SHA256SUMS beside or inside the folder, the hashes in the "
               "Hugging Face cache, and the digest remembered from earlier.",
    .table = table,
    .max_rest = -1,
};

struct check {
    struct arena *arena;
    const char *path;
    int sums, blobs; /* files compared */
    bool remembered;
};

/* ============================== Files ============================== */

static int check_file(const char *path, const char *hash, struct err *e)
{
    bool right;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (interrupted())
        return ERR(e, ERR_CANCELLED, "interrupted");
    if (fd < 0)
        return ERR(e, ERR_NOT_FOUND, "cannot open '%s': %s", path, strerror(errno));
    int rc = hub_check_hash(fd, hash, &right, e);
    close(fd);
    if (rc == 0 && !right)
        rc = ERR(e, ERR_FORMAT,
                 "'%s' is not what it was: its checksum should be %s; fetch it again", path, hash);
    return rc;
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
static int check_sums(struct check *c, const char *folder, const char *below, struct err *e)
{
    const char *path = arena_printf(c->arena, "%s/SHA256SUMS", folder);
    struct str text, line, hash, file;
    int rc;

    if (!file_exists(path))
        return 0;
    if ((rc = file_read(c->arena, path, MAX_SUMS, &text, e)))
        return rc;
    while (rc == 0 && str_cut(&text, '\n', &line)) {
        if (line.n == 0)
            continue;
        if (!parse_sum(line, &hash, &file) || !hub_path_ok(arena_str(c->arena, file)))
            return ERR(e, ERR_FORMAT, "'%s' has a line that is not a checksum: '%.*s'", path,
                       line.n > 80 ? 80 : (int)line.n, line.p);
        if (!str_starts(file, below))
            continue;
        rc = check_file(arena_printf(c->arena, "%s/%.*s", folder, (int)file.n, file.p),
                        arena_str(c->arena, hash), e);
        c->sums++;
    }
    return rc;
}

/* In the Hugging Face cache a snapshot's files are links to blobs that are named by their hash. */
static int check_blobs(struct check *c, const char *folder, int depth, struct err *e)
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
                rc = check_blobs(c, path, depth + 1, e);
            continue;
        }
        target[n] = 0;
        const char *hash = strrchr(target, '/');
        if (hash && strstr(target, "/blobs/")) {
            rc = check_file(path, hash + 1, e);
            c->blobs++;
        }
    }
    closedir(d);
    return rc;
}

/* ============================== One model ============================== */

static int check_recorded(struct check *c, struct err *e)
{
    char *whole = realpath(c->path, NULL);
    const char *path = arena_strdup(c->arena, whole ? whole : c->path);
    bool folder = file_is_dir(path);
    const char *slash = strrchr(path, '/');
    int rc = 0;

    free(whole);
    if (slash) {
        const char *parent = arena_str(c->arena, (struct str){path, (size_t)(slash - path)});
        rc = check_sums(c, parent, arena_printf(c->arena, "%s%s", slash + 1, folder ? "/" : ""), e);
    }
    if (rc == 0 && folder)
        rc = check_sums(c, path, "", e);
    if (rc == 0 && folder)
        rc = check_blobs(c, path, 0, e);
    return rc;
}

static int verify(struct arena *a, const char *name, const char *path, struct err *e)
{
    struct check c = {.arena = a, .path = path};
    char digest[65], former[65];
    int rc = check_recorded(&c, e);

    if (rc == 0)
        rc = model_digest_fresh(a, data_folder(), path, NULL, digest, &c.remembered, former, e);
    if (rc)
        return rc;
    if (c.remembered && strcmp(digest, former) != 0)
        return ERR(e, ERR_FORMAT,
                   "'%s' is not what it was: the digest over its tensors was %.16s..., now it is "
                   "%.16s..., though no file looks changed; fetch it again",
                   path, former, digest);
    printf("%s: ok, digest %s", name, digest);
    if (c.sums)
        printf(", %d files as in SHA256SUMS", c.sums);
    if (c.blobs)
        printf(", %d files as their blobs are named", c.blobs);
    puts(c.remembered ? ", as remembered" : c.sums || c.blobs ? "" : ", remembered from now on");
    return 0;
}

static int verify_named(struct arena *a, int count, char **names)
{
    int status = EXIT_DONE;
    struct err e;
    char *path;

    for (int i = 0; i < count && !interrupted(); i++)
        if (find_model(a, names[i], &path, &e) || verify(a, names[i], path, &e))
            status = fail(EXIT_FAILED, &e);
    return status;
}

static int verify_all(struct arena *a)
{
    struct model_paths places = model_places(a);
    struct model_entry *entries;
    int count, status = EXIT_DONE;
    struct err e;

    model_list(a, &places, &entries, &count);
    for (int i = 0; i < count && !interrupted(); i++)
        if (verify(a, entries[i].name, entries[i].path, &e))
            status = fail(EXIT_FAILED, &e);
    if (count == 0)
        fputs("no models to verify\n", stderr);
    return status;
}

static int run(int argc, char **argv)
{
    struct options o;
    struct arena a = {0};
    int status = options_parse(&spec, argc, argv, NULL, &o);

    if (status >= 0)
        return status;
    interrupt_catch();
    status = o.rest_count ? verify_named(&a, o.rest_count, o.rest) : verify_all(&a);
    if (interrupted())
        status = interrupt_status();
    arena_release(&a);
    options_release(&o);
    return status;
}

const struct command models_verify = {
    .name = "verify",
    .summary = "compare models with their recorded checksums",
    .run = run,
};
