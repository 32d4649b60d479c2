/*
 * Uploads in parts ("Uploading and copying objects using multipart upload"). The session is
 * "PART:UPLOAD", the size of the parts and what the service calls the upload. What arrived of it is
 * what the service lists with the MD5 of our bytes.
 */
#include "base/buf.h"
#include "objects/s3_inside.h"
#include "objects/s3_xml.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { MD5 = 16, LEAST = 5 << 20, USUAL = 8 << 20, PARTS_MOST = 10000, ID_MOST = 1024 };

struct part {
    const char *etag; /* NULL: not there yet */
    struct sums sums;
};
struct upload {
    struct objects *o;
    const struct object_put *put;
    const struct s3_bytes *b;
    struct arena *arena;
    size_t part, count;
    const char *id; /* NULL: not begun */
    struct part *parts;
    int64_t sent;
    bool forgotten; /* the service knows no such upload any more */
    struct err *e;
};

static int refused(struct upload *u, const struct s3_request *q, const struct net_answer *answer)
{
    u->forgotten = strcmp(s3_code(answer, u->arena), "NoSuchUpload") == 0;
    return s3_refused(q, answer, u->arena, u->e);
}

size_t s3_part_size(const struct objects *o, size_t n)
{
    size_t part = o->part > LEAST ? o->part : o->part ? LEAST : USUAL;

    while (n / part >= PARTS_MOST)
        part *= 2;
    return part;
}

static struct str part_of(struct str bytes, size_t part, size_t i)
{
    size_t from = i * part, left = bytes.n - from;

    return (struct str){bytes.p + from, left < part ? left : part};
}

const char *s3_parts_etag(struct str bytes, size_t part, struct arena *a)
{
    size_t count = (bytes.n + part - 1) / part;
    unsigned char *all = arena_alloc(a, count * MD5 + MD5), *sum = all + count * MD5;
    char hex[2 * MD5 + 1] = "";
    unsigned n;

    for (size_t i = 0; i < count; i++) {
        struct str piece = part_of(bytes, part, i);
        if (!EVP_Digest(piece.p, piece.n, all + i * MD5, &n, EVP_md5(), NULL))
            return "";
    }
    if (!EVP_Digest(all, count * MD5, sum, &n, EVP_md5(), NULL))
        return "";
    for (size_t i = 0; i < MD5; i++)
        snprintf(hex + 2 * i, 3, "%02x", sum[i]);
    return arena_printf(a, "%s-%zu", hex, count);
}

/* ============================== Sessions ============================== */

/* False: not one that we wrote. */
static bool read_session(const char *session, size_t *part, const char **id)
{
    struct str rest = str_from(session), head;
    int64_t n;

    if (!str_cut(&rest, ':', &head) || !str_to_i64(head, &n) || n < LEAST || !rest.p || !rest.n ||
        rest.n > ID_MOST)
        return false;
    *part = (size_t)n;
    *id = rest.p;
    return true;
}

static int on_begun(void *user, const char *path, const char *text, struct err *e)
{
    struct upload *u = user;

    (void)e;
    if (strcmp(path, "InitiateMultipartUploadResult/UploadId") == 0 && text[0])
        u->id = arena_strdup(u->arena, text);
    return 0;
}

static int abandon(struct objects *o, const char *name, const char *id, struct err *e)
{
    struct s3_request q = {.method = "DELETE", .name = name, .what = "abandon the upload of"};
    struct net_answer answer;
    struct arena a = {0};

    s3_query(&q, "uploadId", id);
    int rc = s3_ask(o, &q, &a, &answer, e);
    if (rc == 0 && answer.status / 100 != 2 && strcmp(s3_code(&answer, &a), "NoSuchUpload") != 0)
        rc = s3_refused(&q, &answer, &a, e);
    arena_release(&a);
    return rc;
}

int s3_abandon(struct objects *o, const char *name, const char *session, struct err *e)
{
    const char *id;
    size_t part;

    if (!read_session(session, &part, &id))
        return ERR(e, ERR_ARG, "'%s': that is no session of an upload to S3", name);
    return abandon(o, name, id, e);
}

static int begin(struct upload *u)
{
    struct s3_request q = {.method = "POST", .name = u->put->name, .what = "begin the upload of"};
    struct net_answer answer;

    u->part = u->b->part;
    u->count = (u->b->bytes.n + u->part - 1) / u->part;
    u->parts = arena_alloc(u->arena, u->count * sizeof *u->parts);
    u->id = NULL;
    q.stop = u->put->stop;
    s3_query(&q, "uploads", "");
    s3_describe(&q, u->put, u->b, u->arena);
    if (s3_ask(u->o, &q, u->arena, &answer, u->e))
        return u->e->code;
    if (answer.status != 200)
        return refused(u, &q, &answer);
    if (xml_read(answer.body, on_begun, u, u->e))
        return u->e->code;
    if (!u->id || strlen(u->id) > ID_MOST)
        return ERR(u->e, ERR_FORMAT, "the service gives no name for the upload of '%s'",
                   u->put->name);
    if (!u->put->save)
        return 0;
    const char *session = arena_printf(u->arena, "%zu:%s", u->part, u->id);
    int rc = u->put->save(u->put->user, session, u->e);
    if (rc) {
        struct err ignored;
        (void)!abandon(u->o, u->put->name, u->id, &ignored); /* nobody could go on with it */
    }
    return rc;
}

/* ============================== What arrived ============================== */

struct parts_page {
    struct upload *u;
    int64_t number, last;
    const char *etag;
    bool more;
};

static const char *bare(const char *etag, struct arena *a)
{
    struct str s = str_from(etag);

    if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
        s = (struct str){s.p + 1, s.n - 2};
    return arena_str(a, s);
}

/* A part counts when it has our bytes. */
static void take_part(struct upload *u, int64_t number, const char *etag)
{
    if (number < 1 || number > (int64_t)u->count || !etag)
        return;
    size_t i = (size_t)(number - 1);
    struct str bytes = part_of(u->b->bytes, u->part, i);
    sums_of(bytes.p, bytes.n, &u->parts[i].sums);
    if (strcmp(etag, u->parts[i].sums.md5_hex) == 0)
        u->parts[i].etag = etag;
}

static int on_part(void *user, const char *path, const char *text, struct err *e)
{
    struct parts_page *p = user;
    struct str rest = str_from(path);

    (void)e;
    if (!str_skip(&rest, "ListPartsResult/"))
        return 0;
    if (str_is(rest, "IsTruncated")) {
        p->more = strcmp(text, "true") == 0;
    } else if (str_is(rest, "Part/PartNumber")) {
        (void)str_to_i64(str_from(text), &p->number);
    } else if (str_is(rest, "Part/ETag")) {
        p->etag = bare(text, p->u->arena);
    } else if (str_is(rest, "Part")) {
        take_part(p->u, p->number, p->etag);
        p->last = p->number > p->last ? p->number : p->last;
        p->number = 0;
        p->etag = NULL;
    }
    return 0;
}

/* What the session's upload has; ERR_NOT_FOUND: the service does not know it any more. */
static int resume(struct upload *u)
{
    struct parts_page page = {.u = u, .more = true};

    u->count = (u->b->bytes.n + u->part - 1) / u->part;
    u->parts = arena_alloc(u->arena, u->count * sizeof *u->parts);
    while (page.more) {
        struct s3_request q = {
            .method = "GET", .name = u->put->name, .what = "go on with the upload of"};
        struct net_answer answer;
        int64_t before = page.last;
        q.stop = u->put->stop;
        q.max_answer = 4 << 20;
        s3_query(&q, "uploadId", u->id);
        if (before)
            s3_query(&q, "part-number-marker", arena_printf(u->arena, "%lld", (long long)before));
        if (s3_ask(u->o, &q, u->arena, &answer, u->e))
            return u->e->code;
        if (answer.status != 200)
            return refused(u, &q, &answer);
        page.more = false;
        if (xml_read(answer.body, on_part, &page, u->e))
            return u->e->code;
        if (page.more && page.last == before)
            return ERR(u->e, ERR_FORMAT, "the service's list of parts does not end");
    }
    return 0;
}

/* ============================== Sending ============================== */

static int send_part(struct upload *u, size_t i)
{
    struct s3_request q = {.method = "PUT", .name = u->put->name, .what = "store a part of"};
    struct part *part = &u->parts[i];
    struct net_answer answer = {0};

    q.body = part_of(u->b->bytes, u->part, i);
    q.stop = u->put->stop;
    sums_of(q.body.p, q.body.n, &part->sums);
    s3_query(&q, "partNumber", arena_printf(u->arena, "%zu", i + 1));
    s3_query(&q, "uploadId", u->id);
    s3_header(&q, "Content-MD5", part->sums.md5);
    int rc = s3_ask(u->o, &q, u->arena, &answer, u->e);
    u->sent += answer.sent;
    if (rc)
        return rc;
    if (answer.status != 200)
        return refused(u, &q, &answer);
    const char *etag = s3_etag(&answer, u->arena);
    if (!etag[0])
        return ERR(u->e, ERR_FORMAT, "the service gives no ETag for a part of '%s'", u->put->name);
    part->etag = etag;
    return 0;
}

static int send_parts(struct upload *u)
{
    for (size_t i = 0; i < u->count; i++) {
        if (u->put->stop && *u->put->stop)
            return ERR(u->e, ERR_CANCELLED, "the upload of '%s' was stopped", u->put->name);
        if (!u->parts[i].etag && send_part(u, i))
            return u->e->code;
    }
    return 0;
}

struct completed {
    struct arena *arena;
    const char *etag, *error;
};

/* It may answer 200 and then change its mind. */
static int on_completed(void *user, const char *path, const char *text, struct err *e)
{
    struct completed *c = user;

    (void)e;
    if (strcmp(path, "CompleteMultipartUploadResult/ETag") == 0)
        c->etag = bare(text, c->arena);
    else if (strcmp(path, "Error/Code") == 0)
        c->error = arena_strdup(c->arena, text);
    return 0;
}

static int list_of_parts(struct upload *u, struct buf *out)
{
    int rc = buf_addf(out, "<CompleteMultipartUpload "
                           "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");

    /* ETags are hex here, or what a service made up: neither may break out. */
    for (size_t i = 0; i < u->count && rc == 0; i++) {
        if (strpbrk(u->parts[i].etag, "<>&\""))
            return ERR(u->e, ERR_FORMAT, "the service gives an ETag that is none");
        rc = buf_addf(out, "<Part><PartNumber>%zu</PartNumber><ETag>\"%s\"</ETag></Part>", i + 1,
                      u->parts[i].etag);
    }
    if (rc == 0)
        rc = buf_addf(out, "</CompleteMultipartUpload>");
    return rc ? ERR(u->e, ERR_NOMEM, "no memory for a list of %zu parts", u->count) : 0;
}

static int ask_to_complete(struct upload *u, struct str body, struct net_answer *answer)
{
    struct s3 *s3 = u->o->state;
    struct s3_request q = {.method = "POST", .name = u->put->name, .body = body};
    bool condition = !u->put->replace && !s3->no_conditions;

    q.what = "finish the upload of";
    q.stop = u->put->stop;
    s3_query(&q, "uploadId", u->id);
    s3_header(&q, "Content-Type", "application/xml");
    s3_header(&q, "If-None-Match", condition ? "*" : NULL);
    if (s3_ask(u->o, &q, u->arena, answer, u->e))
        return u->e->code;
    if (answer->status == 501 && condition) { /* what is there was looked for at the beginning */
        s3->no_conditions = true;
        return ask_to_complete(u, body, answer);
    }
    return answer->status == 200 ? 0 : refused(u, &q, answer);
}

static int complete(struct upload *u, struct object_info *out)
{
    struct completed c = {.arena = u->arena};
    struct net_answer answer;
    struct buf body;

    buf_init(&body, 4 << 20);
    int rc = list_of_parts(u, &body);
    if (rc == 0)
        rc = ask_to_complete(u, (struct str){body.p, body.n}, &answer);
    buf_release(&body);
    if (rc == 0)
        rc = xml_read(answer.body, on_completed, &c, u->e);
    if (rc)
        return rc;
    if (c.error || !c.etag)
        return ERR(u->e, ERR_NETWORK, "cannot finish the upload of '%s': the service answered %s",
                   u->put->name, c.error ? c.error : "without an ETag");
    bool verified = strcmp(c.etag, s3_parts_etag(u->b->bytes, u->part, u->arena)) == 0;
    return s3_stored(u->o, u->put, u->b, c.etag, verified, u->arena, out, u->e);
}

/* Go on with what a former try began, or begin. */
static int settle(struct upload *u)
{
    if (!u->put->session || !read_session(u->put->session, &u->part, &u->id))
        return begin(u);
    int rc = resume(u);
    if (rc == 0)
        u->o->resumed++;
    return rc;
}

static int transfer(struct upload *u, struct object_info *out)
{
    int rc = settle(u);

    if (rc == 0 && (rc = send_parts(u)) == 0)
        rc = complete(u, out);
    if (rc == 0 || !u->forgotten)
        return rc;
    u->forgotten = false;
    if ((rc = begin(u)) == 0 && (rc = send_parts(u)) == 0)
        rc = complete(u, out);
    return rc;
}

static void forget_upload(struct upload *u)
{
    struct err ignored;
    size_t part;

    if (u->id || (u->put->session && read_session(u->put->session, &part, &u->id)))
        (void)!abandon(u->o, u->put->name, u->id, &ignored);
}

int s3_upload(struct objects *o, const struct object_put *put, const struct s3_bytes *b,
              struct arena *a, struct object_info *out, struct err *e)
{
    struct upload u = {.o = o, .put = put, .b = b, .arena = a, .e = e};
    int rc = put->replace ? ERR_NOT_FOUND : s3_existing(o, put, b, a, out, e);

    if (rc == ERR_NOT_FOUND) {
        rc = transfer(&u, out);
        if (rc == ERR_CONFLICT) /* somebody was quicker */
            rc = s3_existing(o, put, b, a, out, e);
        out->sent = u.sent;
    }
    if (rc == ERR_CONFLICT || (rc ? !put->save : out->existed))
        forget_upload(&u); /* nobody comes back for it */
    return rc;
}
