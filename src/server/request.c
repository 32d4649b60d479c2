/* What handlers ask of a request. */
#include "server/exchange.h"
#include "server/form.h"
#include "server/origin.h"

#include <poll.h>
#include <string.h>
#include <strings.h>

void *request_context(const struct request *r)
{
    return r->server->o.context;
}

struct arena *request_arena(struct request *r)
{
    return &r->arena;
}

const struct identity *request_identity(const struct request *r)
{
    return &r->identity;
}

const struct route *request_route(const struct request *r)
{
    return r->match.route;
}

const char *request_id(const struct request *r)
{
    return r->id;
}

const char *request_address(const struct request *r)
{
    return r->address;
}

const char *request_base_url(const struct request *r)
{
    return r->base_url;
}

const char *request_header(const struct request *r, const char *name)
{
    return MHD_lookup_connection_value(r->mhd, MHD_HEADER_KIND, name);
}

const char *request_param(const struct request *r, const char *name)
{
    for (size_t i = 0; i < r->match.param_count; i++)
        if (strcmp(r->match.params[i].name, name) == 0)
            return r->match.params[i].value;
    return NULL;
}

/* RFC 6265 5.4: "a=1; b=2". */
const char *request_cookie(const struct request *r, const char *name)
{
    struct str rest = str_from(request_header(r, "Cookie")), pair, key;

    while (str_cut(&rest, ';', &pair)) {
        while (pair.n && pair.p[0] == ' ') {
            pair.p++;
            pair.n--;
        }
        struct str value = pair;
        if (str_cut(&value, '=', &key) && value.p && str_is(key, name)) {
            if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
                value = (struct str){value.p + 1, value.n - 2};
            return arena_str(&((struct request *)(uintptr_t)r)->arena, value);
        }
    }
    return NULL;
}

struct str request_body(const struct request *r)
{
    return (struct str){r->body.p, r->body.n};
}

json_t *request_json(const struct request *r)
{
    return r->json;
}

json_t *request_query(const struct request *r)
{
    return r->parameters;
}

int request_form(struct request *r, struct form_part **out, size_t *count, struct err *e)
{
    const char *type = request_header(r, "Content-Type");
    struct str body = request_body(r), boundary;

    if (!type)
        return ERR(e, ERR_FORMAT, "a form without a Content-Type");
    if (strncasecmp(type, "application/x-www-form-urlencoded", 33) == 0)
        return form_urlencoded(&r->arena, body, out, count, e);
    if (strncasecmp(type, "multipart/form-data", 19) != 0)
        return ERR(e, ERR_UNSUPPORTED,
                   "a form is multipart/form-data or application/x-www-form-urlencoded");
    int rc = form_boundary(&r->arena, type, &boundary, e);
    return rc ? rc : form_multipart(&r->arena, body, boundary, out, count, e);
}

/* The socket of a suspended connection is looked at by nobody else. */
bool request_gone(const struct request *r)
{
    struct pollfd p = {.fd = r->connection->fd, .events = POLLRDHUP};

    return r->gone || r->server->cancelled ||
           (poll(&p, 1, 0) == 1 && p.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

void request_at_end(struct request *r, void (*call)(void *), void *user)
{
    struct at_end *end = ARENA_NEW(&r->arena, struct at_end);

    *end = (struct at_end){call, user, r->ends};
    r->ends = end;
}
