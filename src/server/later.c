/*
 * Requests that wait without a worker. Two things happen to one in any order: its handler returns,
 * and it is woken; the second of them gives it to the pool again.
 */
#include "server/exchange.h"

static void meet(struct request *r, int what)
{
    struct pool *pool = r->server->pool;
    int both = LATER_WOKEN | LATER_RETURNED;

    if ((atomic_fetch_or(&r->later_state, what) | what) == both)
        pool_add(pool, &r->job, true);
}

static void woken(void *user, enum wake why)
{
    struct request *r = user;

    if (why == WAKE_GONE)
        r->gone = true;
    meet(r, LATER_WOKEN);
}

struct later respond_later(struct request *r, struct response *w, double seconds,
                           int (*go_on)(struct request *r, struct response *w, void *user,
                                        struct err *e),
                           void *user)
{
    response_clear(w);
    r->go_on = go_on;
    r->go_on_user = user;
    r->later = watch_add(r->server->watch, r->connection->fd, seconds > 0 ? seconds : 0, woken, r);
    return (struct later){r->server, r->later};
}

void later_finish(struct later l)
{
    if (l.server && l.ticket)
        watch_wake(l.server->watch, l.ticket, WAKE_FINISHED);
}

bool later_armed(struct request *r, int rc, const struct err *e)
{
    if (!r->later)
        return false;
    if (rc) {
        r->later_failed = true;
        r->later_error = *e;
        watch_wake(r->server->watch, r->later, WAKE_FINISHED);
    }
    meet(r, LATER_RETURNED);
    return true;
}
