#include "server/router.h"

#include "server/target.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_SEGMENTS = 32 };

static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
enum { METHODS = sizeof methods / sizeof *methods };

struct node {
    struct str segment; /* {NULL, 0}: any, a parameter */
    struct node *next;  /* of the same parent */
    struct node *texts, *param;
    const struct route *routes[METHODS];
    const char *allow;
};

struct router {
    struct arena arena;
    struct node root;
};

static int method_index(const char *method)
{
    if (strcmp(method, "HEAD") == 0)
        method = "GET";
    for (int i = 0; i < METHODS; i++)
        if (strcmp(method, methods[i]) == 0)
            return i;
    return -1;
}

static bool is_param(struct str segment)
{
    return segment.n > 2 && segment.p[0] == '{' && segment.p[segment.n - 1] == '}';
}

/* The child for one segment of a route's path, made when it is missing. */
static struct node *descend(struct router *r, struct node *n, struct str segment)
{
    struct node *child;

    if (is_param(segment)) {
        if (!n->param)
            n->param = ARENA_NEW(&r->arena, struct node);
        return n->param;
    }
    for (child = n->texts; child; child = child->next)
        if (str_eq(child->segment, segment))
            return child;
    child = ARENA_NEW(&r->arena, struct node);
    child->segment = segment;
    child->next = n->texts;
    n->texts = child;
    return child;
}

static const char *allowed(struct arena *a, const struct node *n)
{
    const char *list = "";

    for (int i = 0; i < METHODS; i++)
        if (n->routes[i])
            list = arena_printf(a, "%s%s%s, ", list, methods[i], i == 0 ? ", HEAD" : "");
    return arena_printf(a, "%sOPTIONS", list);
}

static int add(struct router *r, const struct route *route, struct err *e)
{
    struct str rest = str_from(route->path), segment;
    struct node *n = &r->root;
    int method = route->method ? method_index(route->method) : -1;
    size_t depth = 0;

    if (method < 0 || !route->handle)
        return ERR(e, ERR_ARG, "route '%s' has no known method or no handler", route->path);
    if (!str_skip(&rest, "/"))
        return ERR(e, ERR_ARG, "route '%s' does not begin with '/'", route->path);
    while (str_cut(&rest, '/', &segment)) {
        if (++depth > MOST_SEGMENTS ||
            (!is_param(segment) && segment.n &&
             (memchr(segment.p, '{', segment.n) || memchr(segment.p, '}', segment.n))))
            return ERR(e, ERR_ARG, "route '%s': a name in braces is a whole segment", route->path);
        n = descend(r, n, segment);
    }
    if (n->routes[method])
        return ERR(e, ERR_ARG, "two routes for %s %s", route->method, route->path);
    n->routes[method] = route;
    n->allow = allowed(&r->arena, n);
    return 0;
}

int router_new(const struct route *routes, size_t count, struct router **out, struct err *e)
{
    struct router *r = calloc(1, sizeof *r);
    int rc = 0;

    if (!r)
        return ERR(e, ERR_NOMEM, "no memory for %zu routes", count);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = add(r, &routes[i], e);
    if (rc)
        router_free(r);
    else
        *out = r;
    return rc;
}

void router_free(struct router *r)
{
    if (!r)
        return;
    arena_release(&r->arena);
    free(r);
}

/* The node of segments[0 .. n - 1]: texts first, then parameters; both when the text is a dead end.
 */
static const struct node *find(const struct node *node, const struct str *segments, size_t n)
{
    if (n == 0)
        return node->allow ? node : NULL;
    for (const struct node *child = node->texts; child; child = child->next)
        if (str_eq(child->segment, segments[0])) {
            const struct node *found = find(child, segments + 1, n - 1);
            if (found)
                return found;
        }
    return node->param && segments[0].n ? find(node->param, segments + 1, n - 1) : NULL;
}

/* The names in the route's path with the request's segments in their places. */
static void collect(const struct route *route, const struct str *segments, size_t count,
                    struct arena *a, struct route_match *out)
{
    struct path_param *params = NULL;
    struct str rest = str_from(route->path + 1), pattern;
    size_t n = 0;

    for (size_t i = 0; i < count && str_cut(&rest, '/', &pattern); i++)
        if (is_param(pattern)) {
            if (!params)
                params = arena_alloc(a, MOST_SEGMENTS * sizeof *params);
            params[n++] =
                (struct path_param){arena_str(a, (struct str){pattern.p + 1, pattern.n - 2}),
                                    arena_str(a, segments[i])};
        }
    out->params = params;
    out->param_count = n;
}

int router_match(const struct router *r, const char *method, struct str path, struct arena *a,
                 struct route_match *out, struct err *e)
{
    struct str segments[MOST_SEGMENTS], segment;
    size_t n = 0;
    int rc, i = method_index(method);

    if (!str_skip(&path, "/"))
        return ERR(e, ERR_NOT_FOUND, "there is nothing at this address");
    while (str_cut(&path, '/', &segment)) {
        if (n == MOST_SEGMENTS)
            return ERR(e, ERR_NOT_FOUND, "there is nothing at this address");
        if ((rc = target_decode(a, segment, false, &segments[n++], e)))
            return rc;
    }
    const struct node *node = find(&r->root, segments, n);
    if (!node)
        return ERR(e, ERR_NOT_FOUND, "there is nothing at this address");
    out->allow = node->allow;
    if (i < 0 || !node->routes[i])
        return ERR(e, ERR_UNSUPPORTED, "this address takes %s", node->allow);
    out->route = node->routes[i];
    collect(out->route, segments, n, a, out);
    return 0;
}
