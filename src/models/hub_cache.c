#include "models/hub_cache.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *blob(const struct hub_cache *c, const char *etag)
{
    return arena_printf(c->arena, "%s/blobs/%s", c->folder, etag);
}

static const char *incomplete(const struct hub_cache *c, const char *etag)
{
    return arena_printf(c->arena, "%s/blobs/%s.incomplete", c->folder, etag);
}

bool hub_cache_has(const struct hub_cache *c, const struct hub_meta *meta)
{
    struct stat st;
    return stat(blob(c, meta->etag), &st) == 0 && S_ISREG(st.st_mode) && st.st_size == meta->size;
}

/* ============================== Hashes ============================== */

static int hash_file(int fd, EVP_MD_CTX *digest, const struct reading *reading, struct err *e)
{
    unsigned char bytes[65536];
    off_t at = 0;

    for (;;) {
        ssize_t n = pread(fd, bytes, sizeof bytes, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ERR(e, ERR_IO, "cannot read it: %s", strerror(errno));
        if (n == 0)
            return 0;
        EVP_DigestUpdate(digest, bytes, (size_t)n);
        at += n;
        if (!reading_tell(reading, (size_t)n))
            return ERR(e, ERR_CANCELLED, "interrupted");
    }
}

int hub_check_hash(int fd, const char *etag, const struct reading *reading, bool *right,
                   struct err *e)
{
    size_t n = strlen(etag);
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    char hex[2 * EVP_MAX_MD_SIZE + 1];
    struct stat st;
    int rc;

    *right = true;
    if ((n != 40 && n != 64) || etag[strspn(etag, "0123456789abcdefABCDEF")])
        return 0;
    if (fstat(fd, &st))
        return ERR(e, ERR_IO, "cannot read it: %s", strerror(errno));
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    if (!digest || !EVP_DigestInit_ex(digest, n == 64 ? EVP_sha256() : EVP_sha1(), NULL)) {
        EVP_MD_CTX_free(digest);
        return ERR(e, ERR_UNSUPPORTED, "OpenSSL has no SHA-%s", n == 64 ? "256" : "1");
    }
    if (n == 40) { /* git hashes a header first, its NUL included */
        int head = snprintf(hex, sizeof hex, "blob %lld", (long long)st.st_size);
        EVP_DigestUpdate(digest, hex, (size_t)head + 1);
    }
    rc = hash_file(fd, digest, reading, e);
    EVP_DigestFinal_ex(digest, sum, &length);
    EVP_MD_CTX_free(digest);
    for (unsigned i = 0; i < length; i++)
        snprintf(hex + 2 * i, 3, "%02x", sum[i]);
    if (rc == 0)
        *right = strcasecmp(hex, etag) == 0;
    return rc;
}

/* ============================== Blobs ============================== */

int hub_cache_open(const struct hub_cache *c, const char *etag, int *fd, int64_t *have,
                   struct err *e)
{
    const char *path = incomplete(c, etag);
    struct stat st;
    int rc = file_make_dirs(arena_printf(c->arena, "%s/blobs", c->folder), e);

    if (rc)
        return rc;
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (file < 0)
        return ERR(e, ERR_IO, "cannot write '%s': %s", path, strerror(errno));
    if (flock(file, LOCK_EX | LOCK_NB)) {
        close(file);
        return ERR(e, ERR_IO, "another process is downloading '%s'; wait for it", path);
    }
    if (fstat(file, &st)) {
        close(file);
        return ERR(e, ERR_IO, "cannot read '%s': %s", path, strerror(errno));
    }
    *have = st.st_size;
    *fd = file;
    return 0;
}

int hub_cache_finish(const struct hub_cache *c, int fd, const struct hub_meta *meta, struct err *e)
{
    const char *from = incomplete(c, meta->etag), *to = blob(c, meta->etag);
    bool right = false;
    int rc = 0;

    /* Longer than announced: left by somebody else, or by a server that changed its mind. */
    if (ftruncate(fd, meta->size))
        rc = ERR(e, ERR_IO, "cannot write '%s': %s", from, strerror(errno));
    if (rc == 0)
        rc = hub_check_hash(fd, meta->etag, &c->reading, &right, e);
    if (rc == 0 && !right) {
        unlink(from);
        rc = ERR(e, ERR_FORMAT,
                 "the download does not have the checksum that the server announced (%s); it was "
                 "thrown away",
                 meta->etag);
    }
    if (rc == 0 && (fsync(fd) || rename(from, to)))
        rc = ERR(e, ERR_IO, "cannot write '%s': %s", to, strerror(errno));
    close(fd);
    return rc;
}

/* ============================== Snapshots and refs ============================== */

int hub_cache_link(const struct hub_cache *c, const char *commit, const char *path,
                   const char *etag, struct err *e)
{
    struct arena *a = c->arena;
    const char *link = arena_printf(a, "%s/snapshots/%s/%s", c->folder, commit, path);
    const char *up = "../..";
    int rc =
        file_make_dirs(arena_str(a, (struct str){link, (size_t)(strrchr(link, '/') - link)}), e);

    if (rc)
        return rc;
    for (const char *p = path; *p; p++)
        if (*p == '/')
            up = arena_printf(a, "%s/..", up);
    const char *target = arena_printf(a, "%s/blobs/%s", up, etag);
    const char *temporary = arena_printf(a, "%s.tmp-%d", link, (int)getpid());
    unlink(temporary);
    if (symlink(target, temporary) || rename(temporary, link)) {
        rc = ERR(e, ERR_IO, "cannot make the link '%s': %s", link, strerror(errno));
        unlink(temporary);
    }
    return rc;
}

int hub_cache_write_ref(const struct hub_cache *c, const char *revision, const char *commit,
                        struct err *e)
{
    const char *path = arena_printf(c->arena, "%s/refs/%s", c->folder, revision);
    size_t folder = (size_t)(strrchr(path, '/') - path);
    int rc = file_make_dirs(arena_str(c->arena, (struct str){path, folder}), e);

    return rc ? rc : file_write(path, commit, strlen(commit), e);
}
