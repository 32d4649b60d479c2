#include "objects/store.h"

#include <string.h>

static bool bucket_ok(const char *name)
{
    size_t n = strlen(name);

    /* Google's longest, of dotted names, is 222; S3 allows 63. '_' is Google's alone. */
    if (n < 3 || n > 222 || name[0] == '.' || name[0] == '-' || strstr(name, ".."))
        return false;
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-")] == 0;
}

int store_bucket(struct objects *o, const char *place, struct err *e)
{
    size_t n = strcspn(place, "/");
    char *bucket = arena_str(&o->arena, (struct str){place, n});
    char *prefix = arena_printf(&o->arena, "%s/", place[n] ? place + n + 1 : "");
    size_t end = strlen(prefix);

    if (!bucket_ok(bucket))
        return ERR(e, ERR_ARG, "'%s' is not the name of a bucket: 3 to 222 of a-z, 0-9, '.', '-'",
                   bucket);
    while (end && prefix[end - 1] == '/')
        prefix[--end] = 0;
    if (end && store_check_name("", prefix, e))
        return err_prefix(e, "the prefix below bucket '%s'", bucket);
    o->bucket = bucket;
    o->prefix = end ? arena_printf(&o->arena, "%s/", prefix) : "";
    return 0;
}

static bool part_ok(struct str part)
{
    return part.n && part.n <= 255 && !str_is(part, ".") && !str_is(part, "..");
}

int store_check_name(const char *prefix, const char *name, struct err *e)
{
    struct str rest = str_from(name), part;
    size_t total = strlen(prefix) + rest.n;

    if (!rest.n || total > 1024)
        return ERR(e, ERR_ARG, "the name of an object has 1 to 1024 bytes, this one %zu", total);
    for (size_t i = 0; i < rest.n;) {
        size_t n = str_character((struct str){rest.p + i, rest.n - i});
        unsigned char c = (unsigned char)rest.p[i];
        /* U+0080 to U+009F are control characters, too. */
        if (!n || c < ' ' || c == 127 || c == '\\' ||
            (c == 0xc2 && (unsigned char)rest.p[i + 1] < 0xa0))
            return ERR(e, ERR_ARG,
                       "object name '%s': byte %zu is no UTF-8, a control character or a backslash",
                       name, i + 1);
        i += n;
    }
    while (str_cut(&rest, '/', &part))
        if (!part_ok(part))
            return ERR(e, ERR_ARG,
                       "object name '%s': a part between slashes is empty, '.', '..' or longer "
                       "than 255 bytes",
                       name);
    return 0;
}

char *store_percent(struct arena *a, const char *text, const char *keep)
{
    static const char digits[] = "0123456789ABCDEF", plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                               "abcdefghijklmnopqrstuvwxyz"
                                                               "0123456789-._~";
    char *out = arena_alloc(a, strlen(text) * 3 + 1), *p = out;

    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (strchr(plain, c) || strchr(keep, c)) {
            *p++ = *text;
        } else {
            *p++ = '%';
            *p++ = digits[c >> 4];
            *p++ = digits[c & 15];
        }
    }
    return out;
}

int store_refused(struct err *e, const char *what, const char *name, int status, const char *detail)
{
    enum err_code code = ERR_FORMAT;

    if (status == 401 || status == 403)
        code = ERR_DENIED;
    else if (status == 404)
        code = ERR_NOT_FOUND;
    else if (status == 409 || status == 412)
        code = ERR_CONFLICT;
    else if (status == 408 || status == 429 || status / 100 == 5)
        code = ERR_NETWORK;
    bool more = detail && detail[0];
    return ERR(e, code, "cannot %s '%s': the service answered %d%s%.300s", what, name, status,
               more ? ": " : "", more ? detail : "");
}

int store_same(const struct object_info *there, size_t n, const struct sums *ours)
{
    if (there->size != (int64_t)n)
        return 0;
    if (there->md5[0] && ours->md5[0])
        return strcmp(there->md5, ours->md5) == 0;
    if (there->crc32c[0])
        return strcmp(there->crc32c, ours->crc32c) == 0;
    return -1;
}

int store_conflict(struct err *e, const char *name, const struct object_info *there, size_t n,
                   const struct sums *ours)
{
    return ERR(e, ERR_CONFLICT,
               "'%s' is there already with other content: %lld bytes, crc32c %s, md5 %s; to be "
               "stored were %zu bytes, crc32c %s, md5 %s",
               name, (long long)there->size, there->crc32c[0] ? there->crc32c : "unknown",
               there->md5[0] ? there->md5 : "unknown", n, ours->crc32c, ours->md5);
}

int store_verify(struct err *e, const char *name, const struct object_info *info, struct str bytes)
{
    struct sums s;

    sums_of(bytes.p, bytes.n, &s);
    if (info->size != (int64_t)bytes.n)
        return ERR(e, ERR_FORMAT, "'%s' has %zu bytes, the service says %lld", name, bytes.n,
                   (long long)info->size);
    if (info->crc32c[0] && strcmp(info->crc32c, s.crc32c) != 0)
        return ERR(e, ERR_FORMAT, "'%s' has the CRC32C %s, the service says %s", name, s.crc32c,
                   info->crc32c);
    if (info->md5[0] && strcmp(info->md5, s.md5) != 0)
        return ERR(e, ERR_FORMAT, "'%s' has the MD5 %s, the service says %s", name, s.md5,
                   info->md5);
    return 0;
}
