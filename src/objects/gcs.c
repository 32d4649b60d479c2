/* Google Cloud Storage through its JSON API. */
#include "objects/gcs_inside.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HEADERS_MOST = 10, LIST_ANSWER_MOST = 8 << 20 };
/* Bytes a second below which a request is too slow. */
static const double slowest = 64 << 10;

/* ============================== Opening ============================== */

static const char *without_slashes(struct arena *a, const char *url)
{
    size_t n = strlen(url);

    while (n && url[n - 1] == '/')
        n--;
    return arena_str(a, (struct str){url, n});
}

static int set_endpoint(struct objects *o, struct gcs *g, struct err *e)
{
    const struct objects_settings *s = &o->settings;
    const char *url = s->google_endpoint ? s->google_endpoint : "https://storage.googleapis.com";
    struct net_url parts;

    /* Google's libraries take STORAGE_EMULATOR_HOST without a scheme, too. */
    if (!strstr(url, "://"))
        url = arena_printf(&o->arena, "http://%s", url);
    g->endpoint = without_slashes(&o->arena, url);
    if (net_url_read(g->endpoint, &o->arena, &parts, e))
        return err_prefix(e, "the endpoint of Google Cloud Storage");
    if (egress_check(net_egress(o->net), parts.host, parts.port, e)) /* not at the first object */
        return e->code;
    g->https = s->google_https ? without_slashes(&o->arena, s->google_https) : g->endpoint;
    return 0;
}

static int gcs_open(struct objects *o, const char *place, struct err *e)
{
    struct gcs *g = ARENA_NEW(&o->arena, struct gcs);

    if (!o->net)
        return ERR(e, ERR_ARG, "gs://%s needs the network, which is not there", place);
    if (store_bucket(o, place, e) || set_endpoint(o, g, e))
        return e->code;
    if (!o->settings.google_endpoint && gcs_login_open(o->net, &o->settings, &g->login, e))
        return e->code;
    o->state = g;
    return 0;
}

static void gcs_close(struct objects *o)
{
    gcs_login_close(((struct gcs *)o->state)->login);
}

/* ============================== Requests ============================== */

static int ask_with(struct objects *o, const struct gcs_request *r, const char *token,
                    struct arena *a, struct net_answer *out, struct err *e)
{
    const struct gcs *g = o->state;
    const char *headers[HEADERS_MOST + 1] = {0};
    size_t n = 0;

    for (; r->headers && r->headers[n] && n < HEADERS_MOST - 2; n++)
        headers[n] = r->headers[n];
    if (token)
        headers[n++] = arena_printf(a, "Authorization: Bearer %s", token);
    struct net_request ask = {
        .method = r->method,
        .url = r->url ? r->url : arena_printf(a, "%s%s", g->endpoint, r->path),
        .headers = headers,
        .body = r->body,
        .timeout = 60 + (double)(r->body.n > r->max_answer ? r->body.n : r->max_answer) / slowest,
        .stall = 60,
        .max_answer = r->max_answer,
        .stop = r->stop,
    };
    return net_ask(o->net, &ask, a, out, e);
}

int gcs_ask(struct objects *o, const struct gcs_request *r, struct arena *a, struct net_answer *out,
            struct err *e)
{
    const struct gcs *g = o->state;
    const char *token = NULL;
    int64_t before = 0;

    *out = (struct net_answer){.headers = ""};
    if (g->login && gcs_login_token(g->login, NULL, a, &token, e))
        return e->code;
    int rc = ask_with(o, r, token, a, out, e);
    if (rc == 0 && out->status == 401 && g->login) {
        before = out->sent;
        if (gcs_login_token(g->login, token, a, &token, e))
            return e->code;
        rc = ask_with(o, r, token, a, out, e);
    }
    out->sent += before;
    return rc;
}

const char *gcs_object_path(const struct objects *o, const char *name, const char *query,
                            struct arena *a)
{
    return arena_printf(a, "/storage/v1/b/%s/o/%s%s%s", o->bucket, store_percent(a, name, ""),
                        query[0] ? "?" : "", query);
}

int gcs_refused(struct err *e, const char *what, const char *name, const struct net_answer *answer)
{
    json_t *body = NULL;
    struct err unread;

    if (json_read(answer->body, &body, &unread))
        body = NULL;
    const json_t *error = json_object_get(body, "error");
    const char *reason =
        json_text(json_array_get(json_object_get(error, "errors"), 0), "reason", "");
    bool limit = answer->status == 403 && (strcmp(reason, "rateLimitExceeded") == 0 ||
                                           strcmp(reason, "userRateLimitExceeded") == 0);
    int rc = store_refused(e, what, name, answer->status, json_text(error, "message", ""));
    /* 409 is somebody changing the same object at the same moment. */
    if (limit || answer->status == 409)
        rc = e->code = ERR_NETWORK;
    json_decref(body);
    return rc;
}

/* ============================== Objects ============================== */

static void copy_sum(const json_t *resource, const char *key, char *out, size_t room)
{
    const char *text = json_text(resource, key, "");
    size_t n = strlen(text);

    if (n == room - 1)
        memcpy(out, text, room);
}

int gcs_read_info(struct str body, const char *name, struct arena *a, struct object_info *out,
                  struct err *e)
{
    struct object_info info = *out;
    struct err unread;
    json_t *resource;
    int rc = 0;

    if (json_read(body, &resource, &unread))
        return ERR(e, ERR_FORMAT, "'%s': the service's answer is not JSON: %.200s", name,
                   unread.message);
    const char *generation = json_text(resource, "generation", NULL);
    const char *type = json_text(resource, "contentType", NULL);
    const json_t *size = json_object_get(resource, "size"); /* a text, as 64 bits are in JSON */
    if (json_is_integer(size))
        info.size = json_integer_value(size);
    else if (!str_to_i64(str_from(json_string_value(size)), &info.size))
        info.size = -1;
    bool odd = generation && generation[strspn(generation, "0123456789")];
    if (odd || info.size < 0 || strcmp(json_text(resource, "name", ""), name) != 0)
        rc = ERR(e, ERR_FORMAT, "'%s': the service's answer does not describe that object", name);
    info.crc32c[0] = info.md5[0] = 0;
    copy_sum(resource, "crc32c", info.crc32c, sizeof info.crc32c);
    copy_sum(resource, "md5Hash", info.md5, sizeof info.md5);
    info.version = generation ? arena_strdup(a, generation) : NULL;
    info.type = type ? arena_strdup(a, type) : NULL;
    json_decref(resource);
    if (rc == 0)
        *out = info;
    return rc;
}

int gcs_head(struct objects *o, const char *name, struct arena *a, struct object_info *out,
             struct err *e)
{
    struct gcs_request r = {.path = gcs_object_path(o, name, "", a)};
    struct net_answer answer;

    if (gcs_ask(o, &r, a, &answer, e))
        return err_prefix(e, "cannot look at '%s'", name);
    if (answer.status != 200)
        return gcs_refused(e, "look at", name, &answer);
    return gcs_read_info(answer.body, name, a, out, e);
}

static int gcs_get(struct objects *o, const char *name, size_t max, struct arena *a,
                   struct str *out, struct object_info *info, struct err *e)
{
    struct net_answer answer;

    /* The sums first, then the bytes of exactly that generation. */
    if (gcs_head(o, name, a, info, e))
        return e->code;
    if (info->size > (int64_t)max)
        return ERR(e, ERR_FORMAT, "'%s' has %lld bytes, more than %zu", name, (long long)info->size,
                   max);
    const char *query = info->version ? arena_printf(a, "alt=media&generation=%s", info->version)
                                      : "alt=media";
    struct gcs_request r = {.path = gcs_object_path(o, name, query, a),
                            .max_answer = (size_t)info->size + 4096}; /* or an error's text */
    if (gcs_ask(o, &r, a, &answer, e))
        return err_prefix(e, "cannot read '%s'", name);
    if (answer.status != 200)
        return gcs_refused(e, "read", name, &answer);
    if (store_verify(e, name, info, answer.body))
        return e->code;
    *out = answer.body;
    return 0;
}

int gcs_remove(struct objects *o, const char *name, const char *generation, struct err *e)
{
    struct arena a = {0};
    const char *query = generation ? arena_printf(&a, "generation=%s", generation) : "";
    struct gcs_request r = {.method = "DELETE", .path = gcs_object_path(o, name, query, &a)};
    struct net_answer answer;
    int rc = gcs_ask(o, &r, &a, &answer, e);

    if (rc)
        rc = err_prefix(e, "cannot delete '%s'", name);
    else if (answer.status / 100 != 2 && answer.status != 404)
        rc = gcs_refused(e, "delete", name, &answer);
    arena_release(&a);
    return rc;
}

static int remove_any(struct objects *o, const char *name, struct err *e)
{
    return gcs_remove(o, name, NULL, e);
}

/* ============================== The bucket ============================== */

static int read_bucket(struct objects *o, struct arena *a, struct err *e)
{
    struct gcs_request r = {.path = arena_printf(a, "/storage/v1/b/%s", o->bucket)};
    struct net_answer answer;

    if (gcs_ask(o, &r, a, &answer, e))
        return err_prefix(e, "cannot look at bucket '%s'", o->bucket);
    return answer.status == 200 ? 0 : gcs_refused(e, "look at bucket", o->bucket, &answer);
}

static bool permits(const json_t *body, const char *permission)
{
    const json_t *list = json_object_get(body, "permissions"), *item;
    size_t i;

    json_array_foreach(list, i,
                       item) if (json_is_string(item) &&
                                 strcmp(json_string_value(item), permission) == 0) return true;
    return false;
}

static int check_permissions(struct objects *o, struct str text, struct err *e)
{
    static const char *const needed[] = {"storage.objects.create", "storage.objects.get"};
    json_t *body;
    int rc = 0;

    if (json_read(text, &body, e))
        return err_prefix(e, "bucket '%s': its permissions", o->bucket);
    for (size_t i = 0; rc == 0 && i < sizeof needed / sizeof *needed; i++)
        if (!permits(body, needed[i]))
            rc = ERR(e, ERR_DENIED, "bucket '%s': the permission %s is missing", o->bucket,
                     needed[i]);
    json_decref(body);
    return rc;
}

static int gcs_check(struct objects *o, struct err *e)
{
    struct arena a = {0};
    struct gcs_request r = {
        .path = arena_printf(&a,
                             "/storage/v1/b/%s/iam/testPermissions?permissions="
                             "storage.objects.create&permissions=storage.objects.get",
                             o->bucket)};
    struct net_answer answer;
    int rc = gcs_ask(o, &r, &a, &answer, e);

    if (rc)
        rc = err_prefix(e, "cannot look at bucket '%s'", o->bucket);
    else if (answer.status == 200)
        rc = check_permissions(o, answer.body, e);
    else if (answer.status == 404 || answer.status == 405 || answer.status == 501)
        rc = read_bucket(o, &a,
                         e); /* no such bucket, or a service that does not know the question */
    else
        rc = gcs_refused(e, "look at bucket", o->bucket, &answer);
    arena_release(&a);
    return rc;
}

static bool read_entry(const json_t *item, struct arena *a, struct object_entry *out)
{
    const char *name = json_text(item, "name", NULL);

    *out = (struct object_entry){0};
    if (!name || (!str_to_i64(str_from(json_text(item, "size", "")), &out->size) &&
                  (out->size = json_int(item, "size", -1)) < 0))
        return false;
    out->name = arena_strdup(a, name);
    (void)clock_parse(str_from(json_text(item, "updated", "")), &out->updated_at);
    return true;
}

static int read_list(const json_t *body, size_t limit, struct arena *a, struct object_entry **out,
                     size_t *count, const char **next, struct err *e)
{
    const json_t *items = json_object_get(body, "items");
    const char *more = json_text(body, "nextPageToken", NULL);
    size_t n = json_array_size(items);
    struct object_entry *entries = arena_try(a, n + 1, sizeof *entries);

    if (n > limit)
        return ERR(e, ERR_FORMAT, "the service lists %zu objects, asked for were %zu", n, limit);
    if (!entries)
        return ERR(e, ERR_NOMEM, "no memory for a list of %zu objects", n);
    for (size_t i = 0; i < n; i++)
        if (!read_entry(json_array_get(items, i), a, &entries[i]))
            return ERR(e, ERR_FORMAT, "the service lists an object without a name or a size");
    *out = entries;
    *count = n;
    *next = more && more[0] ? arena_strdup(a, more) : NULL;
    return 0;
}

static int gcs_list(struct objects *o, const char *below, size_t limit, const char *cursor,
                    struct arena *a, struct object_entry **out, size_t *count, const char **next,
                    struct err *e)
{
    struct gcs_request r = {
        .path = arena_printf(a, "/storage/v1/b/%s/o?maxResults=%zu&prefix=%s%s%s", o->bucket, limit,
                             store_percent(a, below, ""), cursor ? "&pageToken=" : "",
                             cursor ? store_percent(a, cursor, "") : ""),
        .max_answer = LIST_ANSWER_MOST};
    struct net_answer answer;
    json_t *body;

    if (gcs_ask(o, &r, a, &answer, e))
        return err_prefix(e, "cannot list bucket '%s'", o->bucket);
    if (answer.status != 200)
        return gcs_refused(e, "list bucket", o->bucket, &answer);
    if (json_read(answer.body, &body, e))
        return err_prefix(e, "the list of bucket '%s'", o->bucket);
    int rc = read_list(body, limit, a, out, count, next, e);
    json_decref(body);
    return rc;
}

static void gcs_address(struct objects *o, const char *name, struct arena *a,
                        struct object_info *out)
{
    const struct gcs *g = o->state;

    out->url = arena_printf(a, "gs://%s/%s", o->bucket, name);
    out->https = arena_printf(a, "%s/%s/%s", g->https, o->bucket, store_percent(a, name, "/"));
}

const struct objects_backend objects_gcs = {
    .scheme = "gs",
    .open = gcs_open,
    .close = gcs_close,
    .check = gcs_check,
    .put = gcs_put,
    .head = gcs_head,
    .get = gcs_get,
    .remove = remove_any,
    .abandon = gcs_abandon,
    .list = gcs_list,
    .address = gcs_address,
};
