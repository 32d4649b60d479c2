/* Uploads: in one request with their metadata (multipart/related), or piece by piece in a session
 * (uploadType=resumable) whose state the service keeps for a week. */
#include "objects/gcs_inside.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/uuid.h"

#include <string.h>
#include <strings.h>

/* Pieces are multiples of 256 KiB; Google advises 8 MiB. */
enum { PIECE_UNIT = 256 << 10, PIECE_USUAL = 8 << 20, METADATA_MOST = 64 << 10 };

struct upload {
    struct objects *store;
    const struct object_put *put;
    struct arena *arena;
    struct object_info *out;
    struct sums sums;
    const char *uri; /* of the session */
    size_t done;     /* bytes that the service has */
    bool resumed;    /* some of them from a former try */
};

/* What a step says beside an error: */
enum { WHOLE = 1, GONE = 2 }; /* the object is there and verified; the session is not */

/* ============================== What both have ============================== */

static const char *metadata(const struct upload *u, struct err *e)
{
    const struct object_put *p = u->put;
    json_t *pairs = json_object();
    json_t *m = json_pack("{s:s, s:s, s:s}", "name", p->name, "contentType", p->type, "crc32c",
                          u->sums.crc32c);

    /* The service compares them with what arrives. */
    if (u->sums.md5[0])
        json_object_set_new(m, "md5Hash", json_string(u->sums.md5));
    if (p->cache_control)
        json_object_set_new(m, "cacheControl", json_string(p->cache_control));
    for (size_t i = 0; i < p->pair_count; i++)
        json_object_set_new(pairs, p->pairs[i].name, json_string(p->pairs[i].value));
    json_object_set_new(m, "metadata", pairs);
    char *text = m ? json_compact(m, u->arena) : NULL;
    json_decref(m);
    if (!text)
        (void)ERR(e, ERR_NOMEM, "no memory for the metadata of '%s'", p->name);
    return text;
}

static const char *upload_path(const struct upload *u, const char *kind)
{
    return arena_printf(u->arena, "/upload/storage/v1/b/%s/o?uploadType=%s&name=%s%s",
                        u->store->bucket, kind, store_percent(u->arena, u->put->name, ""),
                        u->put->replace ? "" : "&ifGenerationMatch=0");
}

/* 412: an object of that name is there. WHOLE when it is this one. */
static int look_at_other(struct upload *u, struct err *e)
{
    struct object_info there = *u->out;
    int rc = gcs_head(u->store, u->put->name, u->arena, &there, e);

    if (rc == ERR_NOT_FOUND)
        return ERR(e, ERR_NETWORK, "'%s' was there and is gone at this moment", u->put->name);
    if (rc)
        return rc;
    if (store_same(&there, u->put->bytes.n, &u->sums) != 1)
        return store_conflict(e, u->put->name, &there, u->put->bytes.n, &u->sums);
    int64_t sent = u->out->sent;
    *u->out = there;
    u->out->sent = sent;
    u->out->existed = true;
    return WHOLE;
}

/* The service says that the upload is complete: is it what was sent? What is not does not stay. */
static int verify(struct upload *u, const struct net_answer *answer, struct err *e)
{
    struct object_info info = *u->out;
    struct err ignored;

    if (gcs_read_info(answer->body, u->put->name, u->arena, &info, e))
        return e->code;
    if (store_same(&info, u->put->bytes.n, &u->sums) == 1 &&
        (!info.crc32c[0] || strcmp(info.crc32c, u->sums.crc32c) == 0)) {
        *u->out = info;
        return WHOLE;
    }
    int rc = ERR(e, ERR_FORMAT,
                 "'%s' was stored as other bytes than were sent: %lld bytes, crc32c %s, md5 %s; "
                 "sent were %zu bytes, crc32c %s, md5 %s",
                 u->put->name, (long long)info.size, info.crc32c[0] ? info.crc32c : "unknown",
                 info.md5[0] ? info.md5 : "unknown", u->put->bytes.n, u->sums.crc32c, u->sums.md5);
    if (info.version && gcs_remove(u->store, u->put->name, info.version, &ignored))
        LOG(LOG_ERROR, "wrong object stays", LOG_TEXT("object", info.url), LOG_ERR(&ignored));
    return rc;
}

/* ============================== In one request ============================== */

static int multipart_body(const struct upload *u, const char *boundary, struct buf *b,
                          struct err *e)
{
    const char *text = metadata(u, e);
    const struct object_put *p = u->put;

    if (!text)
        return e->code;
    buf_init(b, p->bytes.n + METADATA_MOST);
    if (buf_addf(b, "--%s\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n%s\r\n", boundary,
                 text) ||
        buf_addf(b, "--%s\r\nContent-Type: %s\r\n\r\n", boundary, p->type) ||
        buf_add(b, p->bytes.p, p->bytes.n) || buf_addf(b, "\r\n--%s--\r\n", boundary))
        return ERR(e, ERR_NOMEM, "no memory to send '%s'", p->name);
    return 0;
}

static int put_at_once(struct upload *u, struct err *e)
{
    char boundary[33];
    struct buf body;
    struct net_answer answer;

    random_hex(boundary, 16); /* not in the bytes, as far as anybody can tell */
    int rc = multipart_body(u, boundary, &body, e);
    const char *headers[] = {
        arena_printf(u->arena, "Content-Type: multipart/related; boundary=%s", boundary), NULL};
    struct gcs_request r = {.method = "POST",
                            .path = upload_path(u, "multipart"),
                            .headers = headers,
                            .body = {body.p, body.n},
                            .stop = u->put->stop};
    if (rc == 0) {
        rc = gcs_ask(u->store, &r, u->arena, &answer, e);
        u->out->sent += answer.sent;
        if (rc)
            rc = err_prefix(e, "cannot store '%s'", u->put->name);
        else if (answer.status == 412)
            rc = look_at_other(u, e);
        else if (answer.status != 200)
            rc = gcs_refused(e, "store", u->put->name, &answer);
        else
            rc = verify(u, &answer, e);
    }
    buf_release(&body);
    return rc;
}

/* ============================== Sessions ============================== */

/* "gcs:SIZE:CRC32C:URI": bound to the bytes, so that no session goes on with others. */
static const char *session_text(const struct upload *u)
{
    return arena_printf(u->arena, "gcs:%zu:%s:%s", u->put->bytes.n, u->sums.crc32c, u->uri);
}

static bool same_origin(const struct objects *o, const char *uri, struct arena *a)
{
    const struct gcs *g = o->state;
    struct net_url theirs, ours;
    struct err ignored;

    return net_url_read(uri, a, &theirs, &ignored) == 0 &&
           net_url_read(g->endpoint, a, &ours, &ignored) == 0 && theirs.port == ours.port &&
           strcmp(theirs.scheme, ours.scheme) == 0 && strcasecmp(theirs.host, ours.host) == 0;
}

/* The URI of a session that leads to the service itself; NULL. *fits: of an upload with these
 * bytes. */
static const char *session_uri(const struct objects *o, const char *session, const struct upload *u,
                               struct arena *a, bool *fits)
{
    struct str rest = str_from(session), size, crc;
    int64_t n;

    *fits = false;
    if (!str_skip(&rest, "gcs:") || !str_cut(&rest, ':', &size) || !str_cut(&rest, ':', &crc) ||
        !str_to_i64(size, &n) || !rest.p || !same_origin(o, rest.p, a))
        return NULL;
    *fits = u && n == (int64_t)u->put->bytes.n && str_is(crc, u->sums.crc32c);
    return rest.p;
}

static int begin(struct upload *u, struct err *e)
{
    const char *text = metadata(u, e);
    const char *headers[] = {
        "Content-Type: application/json; charset=UTF-8",
        arena_printf(u->arena, "X-Upload-Content-Type: %s", u->put->type),
        arena_printf(u->arena, "X-Upload-Content-Length: %zu", u->put->bytes.n), NULL};
    struct gcs_request r = {.method = "POST",
                            .path = upload_path(u, "resumable"),
                            .headers = headers,
                            .body = str_from(text),
                            .stop = u->put->stop};
    struct net_answer answer;

    if (!text)
        return e->code;
    if (gcs_ask(u->store, &r, u->arena, &answer, e))
        return err_prefix(e, "cannot begin to store '%s'", u->put->name);
    if (answer.status == 412)
        return look_at_other(u, e);
    if (answer.status != 200 && answer.status != 201)
        return gcs_refused(e, "begin to store", u->put->name, &answer);
    u->uri = net_header(&answer, "location", u->arena);
    u->done = 0;
    u->resumed = false;
    if (!u->uri || !same_origin(u->store, u->uri, u->arena))
        return ERR(e, ERR_FORMAT,
                   "cannot store '%s': the service gave no address of its own to send it to",
                   u->put->name);
    return u->put->save ? u->put->save(u->put->user, session_text(u), e) : 0;
}

/* "bytes=0-41": 42 are there; no header: none. */
static bool read_range(const struct net_answer *answer, struct arena *a, size_t *out)
{
    struct str range = str_from(net_header(answer, "range", a));
    int64_t last;

    *out = 0;
    if (!range.p)
        return true;
    if (!str_skip(&range, "bytes=0-") || !str_to_i64(range, &last) || last < 0)
        return false;
    *out = (size_t)last + 1;
    return true;
}

/* The answer to a piece or a question: 0 (u->done says how much is there), WHOLE, GONE, an error.
 */
static int read_progress(struct upload *u, const struct net_answer *answer, struct err *e)
{
    switch (answer->status) {
    case 308:
        if (!read_range(answer, u->arena, &u->done) || u->done > u->put->bytes.n)
            return ERR(e, ERR_FORMAT, "cannot store '%s': the service has bytes nobody sent",
                       u->put->name);
        return 0;
    case 200:
    case 201:
        return verify(u, answer, e);
    case 404:
    case 410:
    case 499: /* given up */
        return GONE;
    case 412:
        return look_at_other(u, e);
    default:
        return gcs_refused(e, "store", u->put->name, answer);
    }
}

static int send_piece(struct upload *u, const char *range, struct str piece, struct err *e)
{
    const char *headers[] = {arena_printf(u->arena, "Content-Range: bytes %s", range),
                             arena_printf(u->arena, "Content-Type: %s", u->put->type), NULL};
    struct gcs_request r = {
        .method = "PUT", .url = u->uri, .headers = headers, .body = piece, .stop = u->put->stop};
    struct net_answer answer;
    int rc = gcs_ask(u->store, &r, u->arena, &answer, e);

    u->out->sent += answer.sent;
    if (rc)
        return err_prefix(e, "cannot store '%s': %zu of %zu bytes are there", u->put->name, u->done,
                          u->put->bytes.n);
    return read_progress(u, &answer, e);
}

/* How much is there? A service that does not answer that of a session has lost it. */
static int ask_progress(struct upload *u, struct err *e)
{
    const char *range = arena_printf(u->arena, "*/%zu", u->put->bytes.n);
    int rc = send_piece(u, range, (struct str){"", 0}, e);

    if (rc == ERR_FORMAT)
        return GONE;
    if (rc == 0 && u->done) {
        u->resumed = true;
        u->store->resumed++;
    }
    return rc;
}

static int send_rest(struct upload *u, struct err *e)
{
    size_t whole = u->put->bytes.n, piece = u->store->part ? u->store->part : PIECE_USUAL;
    int rc = 0;

    piece = piece < PIECE_UNIT ? PIECE_UNIT : piece - piece % PIECE_UNIT;
    while (rc == 0) {
        size_t from = u->done, n = whole - from < piece ? whole - from : piece;
        const char *range = n ? arena_printf(u->arena, "%zu-%zu/%zu", from, from + n - 1, whole)
                              : arena_printf(u->arena, "*/%zu", whole);
        rc = send_piece(u, range, (struct str){n ? u->put->bytes.p + from : "", n}, e);
        if (rc == 0 && u->done <= from)
            rc = ERR(e, ERR_NETWORK, "cannot store '%s': the service stays at %zu of %zu bytes",
                     u->put->name, u->done, whole);
    }
    return rc;
}

/* What was begun before goes on; what is lost, or turns out as other bytes, is begun again, once.
 */
static int put_in_pieces(struct upload *u, struct err *e)
{
    const char *former = u->put->session;
    bool fits = false;
    int rc = GONE;

    u->uri = former ? session_uri(u->store, former, u, u->arena, &fits) : NULL;
    if (u->uri && fits) {
        rc = ask_progress(u, e);
        if (rc == 0)
            rc = send_rest(u, e);
        if (rc == ERR_FORMAT && u->resumed)
            rc = GONE;
    } else if (u->uri) {
        struct err ignored; /* of other bytes: it would only lie there until it ends by itself */
        (void)!gcs_abandon(u->store, u->put->name, former, &ignored);
    }
    if (rc != GONE)
        return rc;
    rc = begin(u, e);
    if (rc == 0)
        rc = send_rest(u, e);
    if (rc == GONE)
        rc = ERR(e, ERR_NETWORK, "cannot store '%s': the service forgot its upload", u->put->name);
    return rc;
}

int gcs_abandon(struct objects *o, const char *name, const char *session, struct err *e)
{
    struct arena a = {0};
    struct net_answer answer;
    bool unused;
    struct gcs_request r = {.method = "DELETE", .url = session_uri(o, session, NULL, &a, &unused)};
    int rc = 0;

    if (!r.url)
        rc = ERR(e, ERR_ARG, "'%s': that is no session of this service", name);
    else if (gcs_ask(o, &r, &a, &answer, e))
        rc = err_prefix(e, "cannot give up the upload of '%s'", name);
    else if (answer.status == 408 || answer.status == 429 || answer.status / 100 == 5)
        rc = gcs_refused(e, "give up the upload of", name, &answer);
    /* 499: done; 404, 410: it was not there; 200: it was complete. */
    arena_release(&a);
    return rc;
}

/* ============================== Putting ============================== */

int gcs_put(struct objects *o, const struct object_put *put, struct arena *a,
            struct object_info *out, struct err *e)
{
    struct upload u = {.store = o, .put = put, .arena = a, .out = out};

    sums_of(put->bytes.p, put->bytes.n, &u.sums);
    bool pieces = put->bytes.n && (put->bytes.n >= o->resumable_from || put->session);
    int rc = pieces ? put_in_pieces(&u, e) : put_at_once(&u, e);
    return rc == WHOLE ? 0 : rc;
}
