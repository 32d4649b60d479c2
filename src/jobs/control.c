/* control.c: cancel, retry, pause: the row first, then whoever draws it is told. */
#include "base/clock.h"
#include "jobs/submit.h"
#include "jobs/transact.h"
#include "storage/experiments.h"

struct control {
    const char *id;
    int64_t now;
    struct arena a;
    struct job_outcome outcome;
    int (*cancel)(struct tx *tx, const char *id, int64_t now, struct arena *a,
                  struct job_outcome *out, struct err *e);
    bool paused;
    int64_t count;
};

static int cancel_step(struct tx *tx, void *user, struct err *e)
{
    struct control *c = user;

    return c->cancel(tx, c->id, c->now, &c->a, &c->outcome, e);
}

/* "cancel" makes workers ask the database about what they hold. */
static int cancel(struct submitter *s, struct control *c, struct err *e)
{
    int rc = transact(s->db, cancel_step, c, e);

    if (!rc) {
        bus_tell(s->bus, "cancel", c->id);
        publish_outcome(s, &c->outcome);
    }
    arena_release(&c->a);
    return rc;
}

int cancel_generation(struct submitter *s, const char *id, struct err *e)
{
    return cancel(
        s, &(struct control){.id = id, .now = clock_unix_ms(), .cancel = jobs_cancel_generation},
        e);
}

int cancel_job(struct submitter *s, const char *id, struct err *e)
{
    return cancel(s, &(struct control){.id = id, .now = clock_unix_ms(), .cancel = jobs_cancel}, e);
}

int cancel_run(struct submitter *s, const char *run_id, struct err *e)
{
    int rc = cancel(
        s, &(struct control){.id = run_id, .now = clock_unix_ms(), .cancel = jobs_cancel_run}, e);

    if (!rc)
        publish_run(s, run_id);
    return rc;
}

/* ==== retry ==== */

static int retry_one(struct tx *tx, void *user, struct err *e)
{
    struct control *c = user;
    const char *job;

    return jobs_retry_generation(tx, c->id, c->now, &c->a, &job, e);
}

static void woken(struct submitter *s)
{
    bus_tell(s->bus, "wake", "");
    publish_outcome(s, &(struct job_outcome){0});
}

int retry_generation(struct submitter *s, const char *id, struct err *e)
{
    struct control c = {.id = id, .now = clock_unix_ms()};
    int rc = transact(s->db, retry_one, &c, e);

    if (!rc)
        woken(s);
    arena_release(&c.a);
    return rc;
}

/* Those that are retried have another status then, so each page is the first one. */
static int retry_those(struct tx *tx, struct control *c, enum generation_status status,
                       struct err *e)
{
    struct generation_filter f = generation_filter();
    int rc = 0;
    size_t n = 1;

    f.run_id = c->id;
    f.status = (int)status;
    f.limit = 200;
    while (!rc && n) {
        struct arena page = {0};
        struct generation *failed;
        const char *next, *job;
        rc = generations_list(tx, &f, &page, &failed, &n, &next, e);
        for (size_t i = 0; i < n && !rc; i++, c->count += !rc)
            rc = jobs_retry_generation(tx, failed[i].id, c->now, &page, &job, e);
        arena_release(&page);
    }
    return rc;
}

static int retry_all(struct tx *tx, void *user, struct err *e)
{
    struct control *c = user;

    c->count = 0;
    int rc = retry_those(tx, c, GENERATION_FAILED, e);
    return rc ? rc : retry_those(tx, c, GENERATION_CANCELLED, e);
}

int retry_run(struct submitter *s, const char *run_id, int64_t *count, struct err *e)
{
    struct control c = {.id = run_id, .now = clock_unix_ms()};
    int rc = transact(s->db, retry_all, &c, e);

    if (rc)
        return rc;
    woken(s);
    publish_run(s, run_id);
    *count = c.count;
    return 0;
}

/* ==== pause ==== */

static int pause_run_step(struct tx *tx, void *user, struct err *e)
{
    struct control *c = user;

    return runs_set_status(tx, c->id, c->paused ? EXPERIMENT_PAUSED : EXPERIMENT_RUNNING, c->now,
                           e);
}

int pause_run(struct submitter *s, const char *run_id, bool paused, struct err *e)
{
    struct control c = {.id = run_id, .now = clock_unix_ms(), .paused = paused};
    int rc = transact(s->db, pause_run_step, &c, e);

    if (rc)
        return rc;
    bus_tell(s->bus, paused ? "pause" : "resume", run_id);
    publish_run(s, run_id);
    return 0;
}

static int pause_queue_step(struct tx *tx, void *user, struct err *e)
{
    return jobs_pause(tx, ((struct control *)user)->paused, e);
}

int pause_queue(struct submitter *s, bool paused, struct err *e)
{
    struct control c = {.paused = paused};
    int rc = transact(s->db, pause_queue_step, &c, e);

    if (rc)
        return rc;
    bus_tell(s->bus, paused ? "pause" : "resume", "");
    publish_outcome(s, &(struct job_outcome){0});
    return 0;
}
