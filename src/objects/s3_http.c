/* Signed requests, and what S3 says when it refuses one. */
#include "base/clock.h"
#include "base/sha256.h"
#include "objects/s3_inside.h"
#include "objects/s3_xml.h"

#include <curl/curl.h>
#include <string.h>

enum { LINES = S3_HEADERS + 8 };

void s3_query(struct s3_request *q, const char *name, const char *value)
{
    if (q->query_count < S3_QUERY)
        q->query[q->query_count++] = (struct object_pair){name, value};
}

void s3_header(struct s3_request *q, const char *name, const char *value)
{
    if (value && q->header_count < S3_HEADERS)
        q->headers[q->header_count++] = (struct object_pair){name, value};
}

/* ============================== Errors ============================== */

struct refusal {
    struct arena *arena;
    const char *code, *message, *region;
};

static int on_error(void *user, const char *path, const char *text, struct err *e)
{
    struct refusal *r = user;

    (void)e;
    if (strcmp(path, "Error/Code") == 0)
        r->code = arena_strdup(r->arena, text);
    else if (strcmp(path, "Error/Message") == 0)
        r->message = arena_strdup(r->arena, text);
    else if (strcmp(path, "Error/Region") == 0)
        r->region = arena_strdup(r->arena, text);
    return 0;
}

static struct refusal refusal_of(const struct net_answer *answer, struct arena *a)
{
    struct refusal r = {a, "", "", NULL};
    struct err ignored;

    if (xml_read(answer->body, on_error, &r, &ignored))
        r = (struct refusal){a, "", "", NULL};
    if (!r.region || !r.region[0])
        r.region = net_header(answer, "x-amz-bucket-region", a);
    return r;
}

const char *s3_code(const struct net_answer *answer, struct arena *a)
{
    return refusal_of(answer, a).code;
}

/* Where the service's code says more than its status. */
static enum err_code code_of(const char *code)
{
    static const struct {
        const char *name;
        enum err_code code;
    } rows[] = {
        {"AccessDenied", ERR_DENIED},
        {"InvalidAccessKeyId", ERR_DENIED},
        {"XAdminUserNotFound", ERR_DENIED}, /* versitygw's InvalidAccessKeyId, with a 404 */
        {"SignatureDoesNotMatch", ERR_DENIED},
        {"ExpiredToken", ERR_DENIED},
        {"InvalidToken", ERR_DENIED},
        {"RequestTimeTooSkewed", ERR_DENIED},
        {"AuthorizationHeaderMalformed", ERR_DENIED},
        {"AllAccessDisabled", ERR_DENIED},
        {"AccountProblem", ERR_DENIED},
        {"NoSuchBucket", ERR_NOT_FOUND},
        {"NoSuchKey", ERR_NOT_FOUND},
        {"NoSuchUpload", ERR_NOT_FOUND},
        {"PreconditionFailed", ERR_CONFLICT},
        {"ConditionalRequestConflict", ERR_NETWORK}, /* another write of it was on its way */
        {"OperationAborted", ERR_NETWORK},
        {"RequestTimeout", ERR_NETWORK}, /* with a 400 */
        {"BadDigest", ERR_NETWORK},      /* damaged on its way */
        {"XAmzContentSHA256Mismatch", ERR_NETWORK},
        {"IncompleteBody", ERR_NETWORK},
        {"SlowDown", ERR_NETWORK},
        {"InternalError", ERR_NETWORK},
        {"ServiceUnavailable", ERR_NETWORK},
        {"NotImplemented", ERR_UNSUPPORTED},
        {"EntityTooLarge", ERR_ARG},
        {"QuotaExceeded", ERR_IO},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(code, rows[i].name) == 0)
            return rows[i].code;
    return 0;
}

int s3_refused(const struct s3_request *q, const struct net_answer *answer, struct arena *a,
               struct err *e)
{
    const char *name = q->name ? q->name : "bucket";
    struct refusal r = refusal_of(answer, a);
    enum err_code code = code_of(r.code);
    const char *detail = arena_printf(a, "%s%s%.200s", r.code, r.message[0] ? ": " : "", r.message);

    if (answer->status == 301 || answer->status == 307 ||
        strcmp(r.code, "AuthorizationHeaderMalformed") == 0)
        return ERR(e, ERR_DENIED,
                   "cannot %s '%s': the bucket is not in this region; set AWS_REGION%s%s", q->what,
                   name, r.region ? " to " : "", r.region ? r.region : "");
    int rc = store_refused(e, q->what, name, answer->status, detail);
    if (code)
        e->code = code;
    return code ? code : rc;
}

/* ============================== Asking ============================== */

static void add(struct object_pair *headers, size_t *count, const char *name, const char *value)
{
    headers[(*count)++] = (struct object_pair){name, value};
}

static int ask_once(struct objects *o, const struct s3_request *q, struct arena *a,
                    struct net_answer *out, struct err *e)
{
    const struct s3 *s3 = o->state;
    struct object_pair headers[LINES];
    const char *lines[LINES + 1] = {NULL};
    struct s3_keys keys;
    char payload[65], date[SIGV4_DATE];
    size_t count = q->header_count;

    if (s3_login_keys(s3->login, o->net, a, &keys, e))
        return e->code;
    sha256_hex(q->body.p ? q->body.p : "", q->body.n, payload);
    sigv4_date(clock_unix_ms() + s3->skew, date);
    memcpy(headers, q->headers, count * sizeof *headers);
    add(headers, &count, "Host", s3->host);
    add(headers, &count, "x-amz-content-sha256", payload);
    add(headers, &count, "x-amz-date", date);
    if (keys.token)
        add(headers, &count, "x-amz-security-token", keys.token);
    const struct sigv4_key key = {keys.access, keys.secret, s3->region, "s3"};
    struct sigv4_request r = {
        .method = q->method,
        .path = arena_printf(a, "%s/%s", s3->base, q->name ? store_percent(a, q->name, "/") : ""),
        .query = sigv4_query(q->query, q->query_count, a),
        .headers = headers,
        .header_count = count,
        .payload = payload,
    };
    for (size_t i = 0; i < count; i++)
        lines[i] = arena_printf(a, "%s: %s", headers[i].name, headers[i].value);
    lines[count] = arena_printf(a, "Authorization: %s", sigv4_authorization(&key, &r, date, a));
    const struct net_request ask = {
        .method = q->method,
        .url = arena_printf(a, "%s%s%s%s", s3->origin, r.path, r.query[0] ? "?" : "", r.query),
        .headers = lines,
        .body = q->body,
        .timeout = 60 + (double)(q->body.n + q->max_answer) / 50e3,
        .stall = strcmp(q->method, "POST") == 0 ? 0 : 60, /* finishing a large upload takes long */
        .max_answer = q->max_answer,
        .stop = q->stop,
    };
    return net_ask(o->net, &ask, a, out, e);
}

/* The service's clock less ours, from its Date header. */
static bool skew_of(const struct net_answer *answer, struct arena *a, long long *out)
{
    const char *date = net_header(answer, "date", a);
    time_t then = date ? curl_getdate(date, NULL) : -1;

    if (then < 0)
        return false;
    *out = (long long)then * 1000 - clock_unix_ms();
    return true;
}

/* HEAD has no body that could say why. */
static bool keys_ended(const struct s3_request *q, const struct net_answer *answer, struct arena *a)
{
    if (answer->status != 400 && answer->status != 403)
        return false;
    const char *code = s3_code(answer, a);
    return strcmp(code, "ExpiredToken") == 0 || strcmp(code, "InvalidToken") == 0 ||
           (answer->status == 400 && strcmp(q->method, "HEAD") == 0);
}

int s3_ask(struct objects *o, const struct s3_request *q, struct arena *a, struct net_answer *out,
           struct err *e)
{
    struct s3 *s3 = o->state;
    long long skew;
    int rc = ask_once(o, q, a, out, e);

    if (rc == 0 && keys_ended(q, out, a) && s3_login_forget(s3->login))
        rc = ask_once(o, q, a, out, e);
    /* HEAD has no body that could say why. */
    bool maybe =
        rc == 0 && out->status == 403 &&
        (strcmp(q->method, "HEAD") == 0 || strcmp(s3_code(out, a), "RequestTimeTooSkewed") == 0);
    if (!maybe || !skew_of(out, a, &skew))
        return rc;
    long long change = skew - s3->skew;
    if (change < 60000 && change > -60000)
        return rc; /* it is not the clock */
    s3->skew = skew;
    return ask_once(o, q, a, out, e);
}
