/* What speaks S3: Amazon's, and servers with the same protocol. "Amazon S3 API Reference". */
#include "base/clock.h"
#include "base/sha256.h"
#include "objects/s3_inside.h"
#include "objects/s3_xml.h"

#include <stdlib.h>
#include <string.h>

/* ============================== Opening ============================== */

static int place_bucket(struct objects *o, struct s3 *s3, struct err *e)
{
    const char *region = s3->region, *endpoint = o->settings.aws_endpoint;
    struct net_url url;

    if (!endpoint) {
        /* A certificate's "*" stands for one label: names with dots go into the path. */
        bool dotted = strchr(o->bucket, '.') != NULL;
        const char *domain = strncmp(region, "cn-", 3) == 0 ? "amazonaws.com.cn" : "amazonaws.com";
        s3->host = arena_printf(&o->arena, "%s%ss3.%s.%s", dotted ? "" : o->bucket,
                                dotted ? "" : ".", region, domain);
        s3->origin = arena_printf(&o->arena, "https://%s", s3->host);
        s3->base = dotted ? arena_printf(&o->arena, "/%s", o->bucket) : "";
        return 0;
    }
    if (net_url_read(endpoint, &o->arena, &url, e))
        return err_prefix(e, "the endpoint of S3 (AWS_ENDPOINT_URL)");
    size_t n = strlen(url.path);
    if (strchr(url.path, '?'))
        return ERR(e, ERR_ARG, "the endpoint of S3 (AWS_ENDPOINT_URL) has a query");
    while (n && url.path[n - 1] == '/')
        n--;
    bool usual = url.port == (strcmp(url.scheme, "https") == 0 ? 443 : 80);
    s3->host = usual ? url.host : arena_printf(&o->arena, "%s:%d", url.host, url.port);
    s3->origin = arena_printf(&o->arena, "%s://%s", url.scheme, s3->host);
    s3->base = arena_printf(&o->arena, "%.*s/%s", (int)n, url.path, o->bucket);
    return 0;
}

static bool plain(const char *text)
{
    for (; *text; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

static int check_host(const struct objects *o, const struct s3 *s3, struct err *e)
{
    struct arena a = {0};
    struct net_url url;
    int rc = net_url_read(s3->origin, &a, &url, e);

    if (rc == 0 && egress_check(net_egress(o->net), url.host, url.port, e))
        rc = err_prefix(e, "s3://%s", o->bucket);
    arena_release(&a);
    return rc;
}

static void s3_close(struct objects *o)
{
    struct s3 *s3 = o->state;

    s3_login_free(s3->login);
    free(s3);
}

static int s3_open(struct objects *o, const char *place, struct err *e)
{
    const struct objects_settings *set = &o->settings;

    if (store_bucket(o, place, e))
        return e->code;
    if (!o->net)
        return ERR(e, ERR_ARG, "s3://%s needs a network", o->bucket);
    const char *region = set->aws_region ? set->aws_region : "us-east-1";
    if (!plain(region) || strchr(region, '/'))
        return ERR(e, ERR_ARG, "'%s' is not the name of a region (AWS_REGION)", region);
    struct s3 *s3 = calloc(1, sizeof *s3);
    if (!s3)
        return ERR(e, ERR_NOMEM, "no memory for a bucket");
    s3->region = region;
    int rc = s3_login_new(set, region, &s3->login, e);
    if (rc == 0)
        rc = place_bucket(o, s3, e);
    if (rc == 0) /* better now than at the first object */
        rc = check_host(o, s3, e);
    o->state = s3;
    if (rc)
        s3_close(o);
    return rc;
}

static void s3_address(struct objects *o, const char *name, struct arena *a,
                       struct object_info *out)
{
    const struct s3 *s3 = o->state;

    out->url = arena_printf(a, "s3://%s/%s", o->bucket, name);
    out->https = arena_printf(a, "%s%s/%s", s3->origin, s3->base, store_percent(a, name, "/"));
}

/* ============================== What is there ============================== */

const char *s3_etag(const struct net_answer *answer, struct arena *a)
{
    struct str etag = str_from(net_header(answer, "etag", a));

    if (etag.n >= 2 && etag.p[0] == '"' && etag.p[etag.n - 1] == '"')
        etag = (struct str){etag.p + 1, etag.n - 2};
    return arena_str(a, etag);
}

/* 32 hex digits as the base64 of their 16 bytes. */
static bool md5_base64(const char *hex, char out[25])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned char bytes[18] = {0};

    if (strspn(hex, "0123456789abcdef") != 32 || hex[32])
        return false;
    for (size_t i = 0; i < 32; i++) {
        int digit = hex[i] <= '9' ? hex[i] - '0' : hex[i] - 'a' + 10;
        bytes[i / 2] = (unsigned char)(bytes[i / 2] << 4 | digit);
    }
    for (size_t i = 0, n = 0; i < 18; i += 3, n += 4) {
        unsigned v = (unsigned)bytes[i] << 16 | (unsigned)bytes[i + 1] << 8 | bytes[i + 2];
        for (size_t k = 0; k < 4; k++)
            out[n + k] = digits[v >> (18 - 6 * k) & 63];
    }
    out[22] = out[23] = '=';
    out[24] = 0;
    return true;
}

/* Whether the ETag of an object that was put whole is its MD5: with the keys of KMS or of a
 * customer it is not ("Common Response Headers"). */
static bool etag_is_md5(const struct net_answer *answer, struct arena *a)
{
    const char *how = net_header(answer, "x-amz-server-side-encryption", a);

    return !(how && strncmp(how, "aws:", 4) == 0) &&
           !net_header(answer, "x-amz-server-side-encryption-customer-algorithm", a);
}

static void copy_crc32c(const char *value, char out[9])
{
    if (value && strlen(value) == 8)
        memcpy(out, value, 9);
}

/* Of the whole object: a sum of the sums of parts has their number behind it. */
static const char *service_crc32c(const struct net_answer *answer, struct arena *a)
{
    const char *type = net_header(answer, "x-amz-checksum-type", a);

    return type && strcmp(type, "COMPOSITE") == 0 ? NULL
                                                  : net_header(answer, "x-amz-checksum-crc32c", a);
}

void s3_read_info(const struct net_answer *answer, struct arena *a, struct object_info *out)
{
    const char *length = net_header(answer, "content-length", a), *etag = s3_etag(answer, a);
    const char *crc = service_crc32c(answer, a);

    *out = (struct object_info){.size = -1, .version = etag[0] ? etag : NULL};
    (void)str_to_i64(str_from(length), &out->size);
    if (!etag_is_md5(answer, a) || !md5_base64(etag, out->md5))
        out->md5[0] = 0;
    copy_crc32c(crc ? crc : net_header(answer, "x-amz-meta-crc32c", a), out->crc32c);
    out->type = net_header(answer, "content-type", a);
}

static int ask_head(struct objects *o, const char *name, const atomic_bool *stop, struct arena *a,
                    struct net_answer *answer, struct err *e)
{
    struct s3_request q = {.method = "HEAD", .name = name, .what = "look for", .stop = stop};

    s3_header(&q, "x-amz-checksum-mode", "ENABLED");
    if (s3_ask(o, &q, a, answer, e))
        return e->code;
    return answer->status == 200 ? 0 : s3_refused(&q, answer, a, e);
}

static int s3_head(struct objects *o, const char *name, struct arena *a, struct object_info *out,
                   struct err *e)
{
    struct net_answer answer;
    int rc = ask_head(o, name, NULL, a, &answer, e);

    if (rc == 0) {
        s3_read_info(&answer, a, out);
        s3_address(o, name, a, out);
    }
    return rc;
}

static int ask_get(struct objects *o, const char *name, size_t max, struct arena *a,
                   struct net_answer *answer, struct err *e)
{
    struct s3_request q = {.method = "GET", .name = name, .what = "read"};

    /* An answer of 0 bytes at most is the default of http.h. */
    q.max_answer = max > 4096 ? max : 4096;
    s3_header(&q, "x-amz-checksum-mode", "ENABLED");
    if (s3_ask(o, &q, a, answer, e))
        return e->code;
    if (answer->status != 200)
        return s3_refused(&q, answer, a, e);
    if (answer->body.n > max)
        return ERR(e, ERR_FORMAT, "'%s' has more than the %zu bytes expected", name, max);
    return 0;
}

static int s3_get(struct objects *o, const char *name, size_t max, struct arena *a, struct str *out,
                  struct object_info *info, struct err *e)
{
    struct net_answer answer;
    int rc = ask_get(o, name, max, a, &answer, e);

    if (rc)
        return rc;
    s3_read_info(&answer, a, info);
    s3_address(o, name, a, info);
    *out = answer.body;
    return 0;
}

static int s3_remove(struct objects *o, const char *name, struct err *e)
{
    struct s3_request q = {.method = "DELETE", .name = name, .what = "remove"};
    struct net_answer answer;
    struct arena a = {0};
    int rc = s3_ask(o, &q, &a, &answer, e);

    if (rc == 0 && answer.status / 100 != 2 &&
        (answer.status != 404 || strcmp(s3_code(&answer, &a), "NoSuchKey") != 0))
        rc = s3_refused(&q, &answer, &a, e);
    arena_release(&a);
    return rc;
}

/* ============================== Putting ============================== */

void s3_describe(struct s3_request *q, const struct object_put *put, const struct s3_bytes *b,
                 struct arena *a)
{
    s3_header(q, "Content-Type", put->type ? put->type : "application/octet-stream");
    s3_header(q, "Cache-Control", put->cache_control);
    s3_header(q, "x-amz-meta-sha256", b->sha256);
    s3_header(q, "x-amz-meta-crc32c", b->sums.crc32c);
    for (size_t i = 0; i < put->pair_count; i++)
        s3_header(q, arena_printf(a, "x-amz-meta-%s", put->pairs[i].name), put->pairs[i].value);
}

/* As far as the headers tell: 1 the same, 0 others, -1 unknown. */
static int same_by_headers(const struct net_answer *answer, const struct s3_bytes *b, bool trusted,
                           struct arena *a)
{
    const char *crc = service_crc32c(answer, a), *etag = s3_etag(answer, a);
    const char *sha = net_header(answer, "x-amz-meta-sha256", a);
    bool md5 = etag_is_md5(answer, a);

    if (md5 && strcmp(etag, b->sums.md5_hex) == 0)
        return 1;
    if (md5 && strchr(etag, '-') && strcmp(etag, s3_parts_etag(b->bytes, b->part, a)) == 0)
        return 1;
    if (crc && strcmp(crc, b->sums.crc32c) != 0)
        return 0;
    if (md5 && etag[0] && !strchr(etag, '-') && strlen(etag) == 32)
        return 0;
    if (sha && strcmp(sha, b->sha256) == 0 && (trusted || crc))
        return 1;
    return -1;
}

int s3_compare(struct objects *o, const struct object_put *put, const struct s3_bytes *b,
               bool trusted, struct arena *a, struct object_info *info, bool *same, struct err *e)
{
    struct net_answer answer;
    int verdict, rc = ask_head(o, put->name, put->stop, a, &answer, e);

    if (rc)
        return rc;
    s3_read_info(&answer, a, info);
    s3_address(o, put->name, a, info);
    verdict = info->size != (int64_t)b->bytes.n ? 0 : same_by_headers(&answer, b, trusted, a);
    if (verdict < 0) {
        if ((rc = ask_get(o, put->name, b->bytes.n, a, &answer, e)))
            return rc;
        verdict = str_eq(answer.body, b->bytes);
    }
    *same = verdict > 0;
    return 0;
}

static void fill(const struct s3_bytes *b, struct object_info *out)
{
    memcpy(out->crc32c, b->sums.crc32c, sizeof out->crc32c);
    memcpy(out->md5, b->sums.md5, sizeof out->md5);
}

int s3_existing(struct objects *o, const struct object_put *put, const struct s3_bytes *b,
                struct arena *a, struct object_info *out, struct err *e)
{
    struct object_info there;
    bool same = false;

    if (s3_compare(o, put, b, true, a, &there, &same, e))
        return e->code;
    if (!same)
        return store_conflict(e, put->name, &there, b->bytes.n, &b->sums);
    fill(b, &there);
    there.existed = true;
    *out = there;
    return 0;
}

int s3_stored(struct objects *o, const struct object_put *put, const struct s3_bytes *b,
              const char *etag, bool verified, struct arena *a, struct object_info *out,
              struct err *e)
{
    struct object_info info = {.size = (int64_t)b->bytes.n, .version = etag};
    bool same = verified;

    if (!verified && s3_compare(o, put, b, false, a, &info, &same, e))
        return e->code;
    if (!same)
        return ERR(e, ERR_FORMAT, "'%s' was stored, and other bytes are there", put->name);
    info.type = put->type;
    fill(b, &info);
    s3_address(o, put->name, a, &info);
    *out = info;
    return 0;
}

/* For services without conditions: what is there is looked for before. 1: nothing. */
static int look_first(struct objects *o, const struct object_put *put, const struct s3_bytes *b,
                      struct arena *a, struct object_info *out, struct err *e)
{
    int rc = s3_existing(o, put, b, a, out, e);

    return rc == ERR_NOT_FOUND ? 1 : rc;
}

/* What a service says that does not know a header. */
static bool unknown_header(const struct net_answer *answer, struct arena *a)
{
    const char *code = s3_code(answer, a);

    return answer->status == 501 ||
           (answer->status == 400 &&
            (strcmp(code, "InvalidArgument") == 0 || strcmp(code, "InvalidRequest") == 0 ||
             strcmp(code, "NotImplemented") == 0));
}

static int put_whole(struct objects *o, const struct object_put *put, const struct s3_bytes *b,
                     struct arena *a, struct object_info *out, struct err *e)
{
    struct s3 *s3 = o->state;

    for (;;) {
        bool checksum = !s3->no_checksum, condition = !put->replace && !s3->no_conditions;
        struct s3_request q = {.method = "PUT", .name = put->name, .what = "store"};
        struct net_answer answer = {0};
        int rc = put->replace || condition ? 1 : look_first(o, put, b, a, out, e);
        if (rc <= 0)
            return rc;
        q.body = (struct str){b->bytes.p ? b->bytes.p : "", b->bytes.n};
        q.stop = put->stop;
        s3_header(&q, "Content-MD5", b->sums.md5);
        s3_header(&q, "x-amz-checksum-crc32c", checksum ? b->sums.crc32c : NULL);
        s3_header(&q, "If-None-Match", condition ? "*" : NULL);
        s3_describe(&q, put, b, a);
        rc = s3_ask(o, &q, a, &answer, e);
        out->sent += answer.sent;
        if (rc)
            return rc;
        if (answer.status == 200) {
            const char *etag = s3_etag(&answer, a), *crc = service_crc32c(&answer, a);
            int64_t sent = out->sent;
            rc = s3_stored(o, put, b, etag,
                           strcmp(etag, b->sums.md5_hex) == 0 ||
                               (crc && strcmp(crc, b->sums.crc32c) == 0),
                           a, out, e);
            out->sent = sent;
            return rc;
        }
        if (answer.status == 412 && condition)
            return s3_existing(o, put, b, a, out, e);
        if (!unknown_header(&answer, a) || (!checksum && !condition))
            return s3_refused(&q, &answer, a, e);
        if (checksum)
            s3->no_checksum = true;
        else
            s3->no_conditions = true;
    }
}

static int s3_put(struct objects *o, const struct object_put *put, struct arena *a,
                  struct object_info *out, struct err *e)
{
    struct s3_bytes b = {.bytes = put->bytes, .part = s3_part_size(o, put->bytes.n)};

    sums_of(b.bytes.p, b.bytes.n, &b.sums);
    sha256_hex(b.bytes.p ? b.bytes.p : "", b.bytes.n, b.sha256);
    *out = (struct object_info){0};
    if (b.bytes.n >= o->resumable_from && b.bytes.n > b.part)
        return s3_upload(o, put, &b, a, out, e);
    return put_whole(o, put, &b, a, out, e);
}

/* ============================== Listing ============================== */

struct listing {
    struct objects *o;
    struct arena *arena;
    struct object_entry *entries;
    size_t count, room;
    struct object_entry here;
    const char *last;
    bool more;
};

static int on_entry(void *user, const char *path, const char *text, struct err *e)
{
    struct listing *l = user;
    struct str rest = str_from(path);
    struct err ignored;

    (void)e;
    if (!str_skip(&rest, "ListBucketResult/"))
        return 0;
    if (str_is(rest, "IsTruncated")) {
        l->more = strcmp(text, "true") == 0;
    } else if (str_is(rest, "Contents/Key")) {
        l->here.name = arena_strdup(l->arena, text);
    } else if (str_is(rest, "Contents/Size")) {
        (void)str_to_i64(str_from(text), &l->here.size);
    } else if (str_is(rest, "Contents/LastModified")) {
        (void)clock_parse(str_from(text), &l->here.updated_at);
    } else if (str_is(rest, "Contents") && l->here.name) {
        l->last = l->here.name;
        /* Others may have put what cannot be named here. */
        if (l->count < l->room && store_check_name("", l->here.name, &ignored) == 0)
            l->entries[l->count++] = l->here;
        l->here = (struct object_entry){0};
    }
    return 0;
}

static int list_page(struct listing *l, const char *below, size_t limit, const char *after,
                     struct err *e)
{
    struct s3_request q = {.method = "GET", .what = "list", .max_answer = 8 << 20};
    struct net_answer answer;

    s3_query(&q, "list-type", "2");
    s3_query(&q, "prefix", below);
    s3_query(&q, "max-keys", arena_printf(l->arena, "%zu", limit < 1000 ? limit : 1000));
    if (after)
        s3_query(&q, "start-after", after);
    if (s3_ask(l->o, &q, l->arena, &answer, e))
        return e->code;
    if (answer.status != 200)
        return s3_refused(&q, &answer, l->arena, e);
    l->more = false;
    l->last = NULL;
    return xml_read(answer.body, on_entry, l, e);
}

static int s3_list(struct objects *o, const char *below, size_t limit, const char *cursor,
                   struct arena *a, struct object_entry **out, size_t *count, const char **next,
                   struct err *e)
{
    struct listing l = {.o = o, .arena = a, .room = limit, .more = true, .last = cursor};

    if (!(l.entries = arena_try(a, limit + 1, sizeof *l.entries)))
        return ERR(e, ERR_NOMEM, "no memory for a list of %zu objects", limit);
    while (l.more && l.count < limit) {
        int rc = list_page(&l, below, limit - l.count, l.last, e);
        if (rc)
            return rc;
        if (l.more && !l.last)
            return ERR(e, ERR_FORMAT, "the service says that its list goes on, and gives no name");
    }
    *out = l.entries;
    *count = l.count;
    *next = l.more ? l.last : NULL;
    return 0;
}

static int s3_check(struct objects *o, struct err *e)
{
    struct arena a = {0};
    struct listing l = {.o = o, .arena = &a};
    int rc = list_page(&l, o->prefix, 1, NULL, e);

    arena_release(&a);
    return rc;
}

const struct objects_backend objects_s3 = {
    .scheme = "s3",
    .open = s3_open,
    .close = s3_close,
    .check = s3_check,
    .put = s3_put,
    .head = s3_head,
    .get = s3_get,
    .remove = s3_remove,
    .abandon = s3_abandon,
    .list = s3_list,
    .address = s3_address,
};
