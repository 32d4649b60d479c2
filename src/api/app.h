/*
 * app.h: what the handlers share: one struct, filled by cli/serve.c, reached through
 * request_context. Handlers are declared in the generated api_routes.h, one file per resource; they
 * hold no SQL and no pixels.
 *
 *   int api_get_generation(struct request *r, struct response *w, struct err *e)
 *   {
 *       struct app *app = app_of(r);
 *       ...
 *   }
 *
 * Threads: handlers run on many; everything here is safe to share or constant.
 */
#ifndef API_APP_H
#define API_APP_H

#include "jobs/submit.h"
#include "jobs/worker.h"
#include "server/http.h"
#include "server/socketio.h"

struct live;
struct page_cache;
struct mdns;
struct metrics;
struct push;
struct model_tasks;
struct tasks;
struct task_runner;
struct sentry;
struct throttle;

struct app {
    struct db *db;
    struct blobs *blobs;
    struct queue *queue;
    struct bus *bus;
    struct submitter *submitter;
    struct provider *provider;       /* the default one */
    struct worker *worker;           /* NULL when this process does not draw */
    struct metrics *metrics;         /* ops/metrics.h */
    struct sentry *sentry;           /* ops/sentry.h */
    struct throttle *throttle;       /* throttle.h */
    struct live *live;               /* live.h */
    struct page_cache *pages;        /* page_cache.h */
    struct model_tasks *model_tasks; /* models/tasks.h */
    const struct tasks *tasks;       /* tasks/task.h */
    struct task_runner *task_runner; /* tasks/runner.h; NULL: others run tasks */
    struct push *push;               /* ops/push.h */
    struct mdns *_Atomic mdns;       /* ops/mdns.h; NULL until the port is known */
    struct socketio *sockets;
    _Atomic bool login_needed; /* false: loopback only, no user configured: everyone is admin */
    int64_t session_ms;
    const char *version;
    int64_t started_at;
    int64_t max_cells; /* of an experiment */
};

static inline struct app *app_of(const struct request *r)
{
    return request_context(r);
}

#endif
