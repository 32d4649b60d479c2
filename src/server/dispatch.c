/* On a worker: who asks, whether they may, whether what they sent is good; then the handler. */
#include "server/exchange.h"
#include "server/origin.h"
#include "server/schema.h"
#include "server/target.h"

#include "base/json.h"

#include <string.h>
#include <strings.h>

/* ==== errors ==== */

static const struct {
    enum err_code code;
    unsigned status;
    const char *name;
} statuses[] = {
    {ERR_ARG, 422, "invalid"},         {ERR_FORMAT, 400, "malformed"},
    {ERR_NOT_FOUND, 404, "not_found"}, {ERR_UNSUPPORTED, 422, "unsupported"},
    {ERR_CONFLICT, 409, "conflict"},   {ERR_DENIED, 403, "forbidden"},
    {ERR_NETWORK, 503, "unavailable"}, {ERR_CANCELLED, 503, "cancelled"},
};

void answer_error(struct request *r, const struct err *e)
{
    struct response *w = &r->w;

    w->headers = NULL; /* what the handler meant to say belongs to another answer */
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (e->code == statuses[i].code && statuses[i].status < 500) {
            respond_problem(w, statuses[i].status, statuses[i].name, "%s", e->message);
            return;
        } else if (e->code == statuses[i].code) {
            LOG(LOG_WARNING, "a request failed", LOG_ERR(e), LOG_TEXT("file", e->file),
                LOG_NUMBER("line", e->line));
            respond_problem(w, statuses[i].status, statuses[i].name,
                            "something this needs cannot be reached; try again");
            respond_header(w, "Retry-After", "2");
            return;
        }
    LOG(LOG_ERROR, "a request failed", LOG_ERR(e), LOG_TEXT("file", e->file),
        LOG_NUMBER("line", e->line));
    respond_problem(w, 500, "internal",
                    "the server failed; its log has more under this request's id");
}

/* ==== who asks ==== */

static bool changes_state(const struct request *r)
{
    return strcmp(r->method, "GET") != 0 && strcmp(r->method, "HEAD") != 0 &&
           strcmp(r->method, "OPTIONS") != 0;
}

/* A page of another site must not act with the cookies or the address of the one who looks at it.
 * Keys are not sent by browsers on their own, and programs send no Origin. */
static bool from_own_page(struct request *r)
{
    const char *origin = request_header(r, "Origin");

    if (!origin || r->identity.by_key || !changes_state(r) ||
        origin_named(origin, r->base_url, r->server->o.allowed_origins))
        return true;
    respond_problem(&r->w, 403, "foreign_origin",
                    "a page of '%s' may not do this; allow it in allowed_origins", origin);
    return false;
}

static bool has_scope(const struct request *r, const char *scope)
{
    const char *const *names = r->server->o.scopes;

    if (!scope || !scope[0] || r->identity.scopes == UINT32_MAX)
        return true;
    for (int i = 0; names && names[i] && i < 32; i++)
        if (strcmp(names[i], scope) == 0)
            return r->identity.scopes >> i & 1;
    return false;
}

static bool permitted(struct request *r)
{
    const struct route *route = r->match.route;

    if (route->role > ROLE_PUBLIC && r->identity.role == ROLE_PUBLIC) {
        respond_problem(&r->w, 401, "login_required", "log in, or send an API key");
        respond_header(&r->w, "WWW-Authenticate", "Bearer realm=\"cauldron\"");
        return false;
    }
    if (r->identity.role < route->role) {
        respond_problem(&r->w, 403, "forbidden", "your role may not do this");
        return false;
    }
    if (r->identity.by_key && !has_scope(r, route->scope)) {
        respond_problem(&r->w, 403, "scope_missing", "this API key lacks the scope '%s'",
                        route->scope);
        return false;
    }
    return true;
}

int identify(struct request *r, struct err *e)
{
    struct http_server *s = r->server;
    struct identity identity = {.scopes = UINT32_MAX};

    if (r->identified)
        return 0;
    int rc = s->o.identify ? s->o.identify(r, &identity, e) : 0;
    if (rc)
        return rc;
    r->identity = identity;
    r->identified = true;
    return 0;
}

/* ==== what was sent ==== */

static bool is_json_type(const char *type)
{
    size_t n = type ? strcspn(type, "; \t") : 0;

    return (n == 16 && strncasecmp(type, "application/json", n) == 0) ||
           (n > 17 && strncasecmp(type, "application/", 12) == 0 &&
            strncasecmp(type + n - 5, "+json", 5) == 0);
}

/* 422 with everything that schema_check found; `what`: "body" or "query". */
static bool conforms(struct request *r, const struct schema *schema, json_t *value,
                     const char *what)
{
    struct schema_problem *problems;
    size_t count;

    if (schema_check(schema, value, &r->arena, &problems, &count) == 0)
        return true;
    respond_problem(&r->w, 422, "invalid", "%zu %s of the %s %s not as expected", count,
                    count == 1 ? "part" : "parts", what, count == 1 ? "is" : "are");
    for (size_t i = 0; i < count; i++)
        problem_field(&r->w, problems[i].pointer, "%s", problems[i].expected);
    return false;
}

static bool read_body(struct request *r)
{
    const struct schema *schema = r->match.route->body;
    struct err e;

    if (!r->body.n && r->match.route->body_required) { /* chunked, and nothing in it */
        respond_problem(&r->w, 400, "body_missing", "this request needs a body");
        return false;
    }
    if (!schema || !r->body.n)
        return true;
    if (!is_json_type(request_header(r, "Content-Type"))) {
        respond_problem(&r->w, 415, "unsupported_media_type",
                        "send the body as JSON, with Content-Type: application/json");
        return false;
    }
    if (json_read(request_body(r), &r->json, &e)) {
        answer_error(r, &e);
        return false;
    }
    return conforms(r, schema, r->json, "body");
}

static const struct schema *parameter_schema(const struct schema *all, const char *name)
{
    for (size_t i = 0; all && i < all->member_count; i++)
        if (strcmp(all->members[i].name, name) == 0)
            return all->members[i].schema;
    return NULL;
}

/* One more parameter; those whose schema is a list are collected. False for one that is there twice
 * and is none. */
static bool add_parameter(json_t *object, const struct schema *all, const struct query_pair *pair)
{
    const struct schema *schema = parameter_schema(all, pair->name);
    json_t *there = json_object_get(object, pair->name);

    if (schema && schema->types == SCHEMA_ARRAY) {
        if (!there) {
            there = json_array();
            json_object_set_new(object, pair->name, there);
        }
        json_array_append_new(there, schema->items ? schema_convert(schema->items, pair->value)
                                                   : json_string(pair->value));
        return true;
    }
    if (there)
        return false;
    json_object_set_new(object, pair->name,
                        schema ? schema_convert(schema, pair->value) : json_string(pair->value));
    return true;
}

static bool read_query(struct request *r)
{
    const struct schema *schema = r->match.route->query;
    struct query_pair *pairs;
    size_t count;
    struct err e;

    r->parameters = json_object();
    if (target_query(&r->arena, r->query, &pairs, &count, &e)) {
        answer_error(r, &e);
        return false;
    }
    for (size_t i = 0; i < count; i++)
        if (!add_parameter(r->parameters, schema, &pairs[i])) {
            respond_problem(&r->w, 422, "invalid", "the parameter '%s' is given more than once",
                            pairs[i].name);
            return false;
        }
    return !schema || conforms(r, schema, r->parameters, "query");
}

/* ==== the handler ==== */

static int handle(struct request *r, struct err *e)
{
    if (!r->match.route)
        return respond_static(r, &r->w, e);
    int rc = identify(r, e);
    if (rc)
        return rc;
    log_enter((struct log_context){.request_id = r->id,
                                   .trace_id = r->trace,
                                   .user = r->identity.user_id}); /* dispatch leaves it */
    if (!from_own_page(r) || !permitted(r) || !read_query(r) || !read_body(r))
        return 0;
    return r->match.route->handle(r, &r->w, e);
}

static int go_on(struct request *r, struct err *e)
{
    int (*call)(struct request *, struct response *, void *, struct err *) = r->go_on;

    r->go_on = NULL;
    r->later = 0;
    atomic_store(&r->later_state, 0);
    if (r->later_failed) {
        *e = r->later_error;
        return e->code;
    }
    return call(r, &r->w, r->go_on_user, e);
}

static void finish(struct request *r, int rc, struct err *e)
{
    if (rc)
        answer_error(r, e);
    else if (r->w.kind == BODY_UNSET && !r->w.problem) {
        (void)ERR(e, ERR_IO, "%s %s was not answered", r->method,
                  r->match.route ? r->match.route->path : "a file");
        answer_error(r, e);
    }
}

void dispatch_early(void *user)
{
    struct request *r = user;
    struct err e;
    struct log_context former =
        log_enter((struct log_context){.request_id = r->id, .trace_id = r->trace});

    if (identify(r, &e))
        answer_error(r, &e);
    else if (from_own_page(r))
        (void)permitted(r);
    exchange_continue(r);
    log_leave(former);
}

void dispatch(void *user)
{
    struct request *r = user;
    struct err e = {.code = ERR_IO, .file = __FILE__, .message = "no reason was given"};
    struct log_context former =
        log_enter((struct log_context){.request_id = r->id, .trace_id = r->trace});

    int rc = r->go_on ? go_on(r, &e) : handle(r, &e);
    if (!later_armed(r, rc, &e)) {
        finish(r, rc, &e);
        exchange_resume(r);
    }
    log_leave(former);
}
