/* What handlers do with a response: they say what it is; seal.c makes it. */
#include "base/json.h"
#include "server/exchange.h"
#include "server/range.h"
#include "server/shape.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

void response_clear(struct response *w)
{
    if (w->kind == BODY_STREAM && w->stream.release)
        w->stream.release(w->stream.user);
    if (w->kind == BODY_FILE)
        close(w->fd);
    free(w->bytes);
    json_decref(w->problem);
    *w = (struct response){.request = w->request, .headers = w->headers};
}

void response_release(struct response *w)
{
    response_clear(w);
    w->headers = NULL;
}

/* Nothing that ends a header's line early may come in through a value. */
static bool header_safe(const char *text)
{
    for (; *text; text++)
        if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f)
            return false;
    return true;
}

static bool may_repeat(const char *name)
{
    return strcasecmp(name, "Set-Cookie") == 0 || strcasecmp(name, "Link") == 0 ||
           strcasecmp(name, "Vary") == 0 || strcasecmp(name, "WWW-Authenticate") == 0;
}

void respond_header(struct response *w, const char *name, const char *value)
{
    struct arena *a = &w->request->arena;

    if (!header_safe(name) || !header_safe(value)) {
        LOG(LOG_ERROR, "a header with control characters was left out", LOG_TEXT("header", name));
        return;
    }
    for (struct header *h = w->headers; h; h = h->next)
        if (strcasecmp(h->name, name) == 0 && !may_repeat(name)) {
            h->value = arena_strdup(a, value);
            return;
        }
    struct header *h = ARENA_NEW(a, struct header);
    *h = (struct header){arena_strdup(a, name), arena_strdup(a, value), w->headers};
    w->headers = h;
}

void respond_cookie(struct response *w, const char *name, const char *value, int64_t max_age_s,
                    bool secure)
{
    respond_header(w, "Set-Cookie",
                   arena_printf(&w->request->arena,
                                "%s=%s; Path=/; Max-Age=%lld; HttpOnly; SameSite=Lax%s", name,
                                value, (long long)max_age_s, secure ? "; Secure" : ""));
}

/* Takes over `bytes`. */
enum { ANSWER_MAX = 1 << 30 };

static int respond_owned(struct response *w, unsigned status, const char *type, char *bytes,
                         size_t n)
{
    response_clear(w);
    w->status = status;
    w->kind = BODY_BYTES;
    w->type = type;
    w->bytes = bytes;
    w->n = n;
    return 0;
}

int respond_json(struct response *w, unsigned status, json_t *body)
{
    struct buf text;

    buf_init(&text, ANSWER_MAX);
    int rc = body ? json_write(body, &text) : ERR_ARG;
    json_decref(body);
    if (rc) {
        buf_release(&text);
        return respond_problem(w, 500, "internal", "an answer could not be written");
    }
    size_t n = text.n;
    return respond_owned(w, status, "application/json", buf_take(&text), n);
}

int respond_empty(struct response *w, unsigned status)
{
    response_clear(w);
    w->status = status;
    w->kind = BODY_EMPTY;
    return 0;
}

int respond_bytes(struct response *w, unsigned status, const char *type, struct str bytes)
{
    char *copy = malloc(bytes.n ? bytes.n : 1);

    if (!copy)
        return respond_problem(w, 503, "out_of_memory", "no memory for the answer");
    if (bytes.n)
        memcpy(copy, bytes.p, bytes.n);
    return respond_owned(w, status, arena_strdup(&w->request->arena, type), copy, bytes.n);
}

int respond_stream(struct response *w, unsigned status, const struct stream *s)
{
    response_clear(w);
    w->status = status;
    w->kind = BODY_STREAM;
    w->stream = *s;
    w->type = arena_strdup(&w->request->arena, s->type);
    respond_header(w, "Cache-Control", "no-store");
    respond_header(w, "X-Accel-Buffering", "no"); /* nginx would collect events */
    return 0;
}

/* ==== files ==== */

enum { YEAR = 365 * 24 * 3600 };

static void caching(struct response *w, const char *etag, int64_t max_age)
{
    if (etag)
        respond_header(w, "ETag", etag);
    respond_header(w, "Cache-Control",
                   max_age <= 0
                       ? "no-cache"
                       : arena_printf(&w->request->arena, "private, max-age=%lld%s",
                                      (long long)max_age, max_age >= YEAR ? ", immutable" : ""));
}

bool respond_not_modified(const struct request *r, struct response *w, const char *etag,
                          int64_t max_age, uint64_t length)
{
    const char *list = request_header(r, "If-None-Match");

    if (!list || !etag || !etag_listed(list, etag))
        return false;
    respond_empty(w, 304);
    w->length = length;
    caching(w, etag, max_age);
    return true;
}

/* The part of the file that is asked for; false when there is no such part. */
static bool choose_range(const struct request *r, struct response *w, uint64_t size,
                         const char *etag)
{
    const char *range = request_header(r, "Range"), *same = request_header(r, "If-Range");

    w->length = size;
    if (!range || strcmp(r->method, "GET") != 0 || (same && (!etag || !etag_is(same, etag))))
        return true;
    switch (range_parse(range, size, &w->offset, &w->length)) {
    case RANGE_BEYOND:
        respond_header(w, "Content-Range",
                       arena_printf(&w->request->arena, "bytes */%llu", (unsigned long long)size));
        return false;
    case RANGE_PART:
        w->status = 206;
        respond_header(w, "Content-Range",
                       arena_printf(&w->request->arena, "bytes %llu-%llu/%llu",
                                    (unsigned long long)w->offset,
                                    (unsigned long long)(w->offset + w->length - 1),
                                    (unsigned long long)size));
        break;
    case RANGE_WHOLE:
        break;
    }
    return true;
}

int respond_file(struct response *w, int fd, const char *type, const char *etag, int64_t max_age)
{
    struct request *r = w->request;
    struct stat st;

    if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        if (fd >= 0)
            close(fd);
        LOG(LOG_ERROR, "a file to send is none", LOG_TEXT("error", strerror(errno)));
        return respond_problem(w, 500, "internal", "the file cannot be read");
    }
    if (respond_not_modified(r, w, etag, max_age, (uint64_t)st.st_size)) {
        close(fd);
        return 0;
    }
    response_clear(w);
    w->status = 200;
    w->kind = BODY_FILE;
    w->fd = fd;
    w->type = arena_strdup(&r->arena, type);
    respond_header(w, "Accept-Ranges", "bytes");
    if (!choose_range(r, w, (uint64_t)st.st_size, etag))
        return respond_problem(w, 416, "range_not_satisfiable", "the file has %lld bytes",
                               (long long)st.st_size);
    caching(w, etag, max_age);
    return 0;
}

/* ==== problems ==== */

int respond_problem(struct response *w, unsigned status, const char *code, const char *format, ...)
{
    char detail[2048];
    va_list args;

    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    err_clean(detail); /* "%.200s" may have cut a character */
    response_clear(w);
    w->status = status;
    w->problem = json_pack("{s:s+, s:s, s:i, s:s, s:s, s:s}", "type", "/docs#problem-", code,
                           "title", status_title(status), "status", (int)status, "code", code,
                           "detail", detail, "request_id", w->request->id);
    const struct str *path = &w->request->path;
    if (path->n)
        json_object_set_new(w->problem, "instance", json_stringn(path->p, path->n));
    return 0;
}

void problem_add(struct response *w, const char *name, json_t *value)
{
    if (!w->problem || json_object_set_new(w->problem, name, value))
        LOG(LOG_ERROR, "a member of no problem", LOG_TEXT("member", name));
}

void problem_field(struct response *w, const char *pointer, const char *format, ...)
{
    char expected[1024];
    va_list args;
    json_t *errors = json_object_get(w->problem, "errors");

    va_start(args, format);
    vsnprintf(expected, sizeof expected, format, args);
    va_end(args);
    err_clean(expected);
    if (!errors) {
        errors = json_array();
        problem_add(w, "errors", errors);
    }
    if (w->problem)
        json_array_append_new(errors,
                              json_pack("{s:s, s:s}", "pointer", pointer, "expected", expected));
}

void problem_finish(struct response *w)
{
    if (!w->problem)
        return;
    const struct route *route = w->request->match.route;
    json_t *shaped = shape_error(route ? route->errors : ERRORS_PROBLEM, w->problem);
    unsigned status = w->status;
    char *text = json_dumps(shaped ? shaped : w->problem, JSON_COMPACT);
    const char *type = shaped ? "application/json" : "application/problem+json";
    json_decref(shaped);
    if (text)
        respond_owned(w, status, type, text, strlen(text));
    else
        respond_empty(w, status);
}
