/* queue.c: how busy the queue is, pausing it, and the workers. */
#include "api/app.h"
#include "api/auth.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"

#include "api/api_routes.h"

static json_t *queue_json(const struct queue_depth *d, bool paused, size_t workers)
{
    double age = d->oldest_ms ? (double)(clock_unix_ms() - d->oldest_ms) / 1000 : 0;

    return json_pack("{s:I, s:I, s:I, s:I, s:b, s:{s:I, s:I}, s:o, s:I}", "queued",
                     (json_int_t)d->queued, "running", (json_int_t)d->running, "delayed",
                     (json_int_t)d->delayed, "dead", (json_int_t)d->dead, "paused", paused,
                     "by_priority", "interactive", (json_int_t)d->interactive, "batch",
                     (json_int_t)(d->queued - d->interactive), "oldest_seconds",
                     d->oldest_ms ? json_real(age > 0 ? age : 0) : json_null(), "workers",
                     (json_int_t)workers);
}

static int answer_queue(struct request *r, struct response *w, struct err *e)
{
    struct app *app = app_of(r);
    struct queue_depth depth;
    struct tx *tx;
    bool paused;
    int rc;

    if ((rc = tx_begin(app->db, TX_READ, &tx, e)))
        return rc;
    if (!(rc = jobs_depth(tx, &depth, e)))
        rc = jobs_paused(tx, &paused, e);
    tx_rollback(tx);
    if (rc)
        return rc;
    json_t *workers = workers_seen(app->submitter);
    size_t count = json_array_size(workers);
    json_decref(workers);
    return respond_json(w, 200, queue_json(&depth, paused, count));
}

int api_get_queue(struct request *r, struct response *w, struct err *e)
{
    return answer_queue(r, w, e);
}

/* The event is for the record: the queue is paused with or without it. */
static void record(struct request *r, const char *kind)
{
    struct tx *tx;
    struct err e;

    if (tx_begin(app_of(r)->db, TX_WRITE, &tx, &e) == 0) {
        audit(r, tx, kind, "queue", NULL);
        if (tx_commit(tx, &e) == 0)
            return;
    }
    LOG(LOG_WARNING, "event not written", LOG_TEXT("kind", kind), LOG_ERR(&e));
}

static int set_paused(struct request *r, struct response *w, bool paused, struct err *e)
{
    int rc = pause_queue(app_of(r)->submitter, paused, e);

    if (rc)
        return rc;
    record(r, paused ? "queue_paused" : "queue_resumed");
    return answer_queue(r, w, e);
}

int api_pause_queue(struct request *r, struct response *w, struct err *e)
{
    return set_paused(r, w, true, e);
}

int api_resume_queue(struct request *r, struct response *w, struct err *e)
{
    return set_paused(r, w, false, e);
}

int api_list_workers(struct request *r, struct response *w, struct err *e)
{
    (void)e;
    return respond_json(w, 200, json_pack("{s:o}", "items", workers_seen(app_of(r)->submitter)));
}
