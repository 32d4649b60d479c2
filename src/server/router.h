/*
 * router.h: which route a path belongs to: a tree over the segments of all routes' paths.
 *
 *   struct router *router;
 *   if (router_new(routes, n, &router, &e)) ...
 *   switch (router_match(router, "GET", path, &arena, &match, &e)) ...
 *   router_free(router);
 *
 * A segment of a route is a text or a whole "{name}"; a text wins over a name. Segments of a
 * request's path are decoded after the path was cut, so that "%2F" is a letter of a name.
 * Threads: a finished router may be read by all. Ownership: routes are borrowed for its life.
 */
#ifndef SERVER_ROUTER_H
#define SERVER_ROUTER_H

#include "server/http.h"

struct router;

struct path_param {
    const char *name, *value;
};

struct route_match {
    const struct route *route;
    const struct path_param *params;
    size_t param_count;
    const char *allow; /* the methods of the path, as in Allow; also when the method is none */
};

/* ERR_ARG: two routes for the same, an unknown method, a pattern that is none. */
WARN_UNUSED_RESULT int router_new(const struct route *routes, size_t count, struct router **out,
                                  struct err *e);
void router_free(struct router *r);

/* 0; ERR_NOT_FOUND without such a path; ERR_UNSUPPORTED when the path has no such method
 * (out->allow is set); ERR_FORMAT for a path that cannot be decoded. HEAD finds the route of GET.
 * `path` is as sent, without the query. */
WARN_UNUSED_RESULT int router_match(const struct router *r, const char *method, struct str path,
                                    struct arena *a, struct route_match *out, struct err *e);

#endif
