/*
 * origin.h: which pages may talk to us from a browser, and under which names we answer.
 *
 *   if (!host_allowed(host, "localhost,127.0.0.1")) ...    a name that somebody pointed at us
 *   if (!origin_named(origin, "http://localhost:8000", NULL)) ...    another site's page
 *
 * Threads: pure.
 */
#ifndef SERVER_ORIGIN_H
#define SERVER_ORIGIN_H

#include <stdbool.h>

/* Letters, digits, '-', '.', '_', ':' and an address in brackets: nothing that breaks out of a URL.
 */
bool host_valid(const char *host);

/* Is `host` (of the Host header) in the comma-separated list? Entries without a port stand for all
 * ports. NULL allows any: the check is against DNS rebinding, where a page's own name is made to
 * lead to this machine. */
bool host_allowed(const char *host, const char *list);

/* `origin` (RFC 6454 7) is `own`, or named in the comma-separated list (either may be NULL).
 * "null", which sandboxed pages send, is named by "null" alone. */
bool origin_named(const char *origin, const char *own, const char *list);

/* The same, and "*" in the list allows any: to read what everybody may, not to act with the cookies
 * of the one who looks at the page. */
bool origin_allowed(const char *origin, const char *own, const char *list);

#endif
