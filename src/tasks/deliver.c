/* deliver.c: what exists goes into object storage. */
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "jobs/transact.h"
#include "tasks/recipe_text.h"
#include "tasks/runner_inside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    DRAWN_AT_ONCE = 500,
    AHEAD = 2, /* deliveries that wait for each thread */
    TAKEN_AT_ONCE = 16,
    PAIRS_MOST = 32, /* of an object's metadata */
};

static const double SLOW_FACTOR = 15; /* to wait for somebody to repair credentials */

/* ============================== The feeder ============================== */

static int drawn_step(struct tx *tx, void *user, struct err *e)
{
    return task_records_drawn(tx, DRAWN_AT_ONCE, clock_unix_ms(), user, e);
}

struct taking {
    struct task_runner *r;
    struct consignment *c;
    int limit;
    struct task_record *rows;
    size_t count;
};

static int take_step(struct tx *tx, void *user, struct err *e)
{
    struct taking *t = user;
    int64_t now = clock_unix_ms();

    t->count = 0;
    if (task_records_take(tx, RECORD_READY, t->limit, t->r->tasks->host, t->r->o.only, now,
                          now + t->r->lease_ms, &t->c->arena, &t->rows, &t->count, e))
        return e->code;
    return t->count ? tasks_get(tx, t->rows[0].task_id, &t->c->arena, &t->c->task, e) : 0;
}

static void consignment_leave(struct consignment *c)
{
    if (atomic_fetch_sub(&c->left, 1) == 1) {
        arena_release(&c->arena);
        free(c);
    }
}

static void enqueue(struct task_runner *r, struct taking *t)
{
    struct delivery *all = arena_alloc(&t->c->arena, t->count * sizeof *all);

    atomic_store(&t->c->left, (int)t->count);
    for (size_t i = 0; i < t->count; i++) {
        const char *session = t->rows[i].upload;
        all[i] = (struct delivery){.of = t->c,
                                   .row = &t->rows[i],
                                   .hold = {.id = t->rows[i].id,
                                            .lease = t->rows[i].lease,
                                            .session = session ? strdup(session) : NULL}};
        hold_begin(r, &all[i].hold);
    }
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < t->count; i++) {
        if (r->last)
            r->last->next = &all[i];
        else
            r->first = &all[i];
        r->last = &all[i];
    }
    r->waiting += (int)t->count;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

/* *more: there may be others at once. */
static int take_ready(struct task_runner *r, int limit, size_t *taken, struct err *e)
{
    struct taking t = {.r = r, .c = calloc(1, sizeof *t.c), .limit = limit};

    if (!t.c)
        return ERR(e, ERR_NOMEM, "no memory for deliveries");
    int rc = transact(r->db, take_step, &t, e);
    if (rc || !t.count) {
        arena_release(&t.c->arena);
        free(t.c);
        return rc;
    }
    *taken = t.count;
    enqueue(r, &t);
    return 0;
}

/* Deliveries that may be added; waits until there is room for some. */
static int room(struct hand *h)
{
    struct task_runner *r = h->r;
    int most = r->o.deliver * AHEAD;

    pthread_mutex_lock(&r->lock);
    while (!r->stop && r->waiting > most / 2)
        pthread_cond_wait(&r->changed, &r->lock);
    int free_places = r->stop ? 0 : most - r->waiting;
    pthread_mutex_unlock(&r->lock);
    return free_places < TAKEN_AT_ONCE ? free_places : TAKEN_AT_ONCE;
}

static int feed(struct hand *h, bool *found, struct err *e)
{
    int64_t moved = 0;
    size_t taken = 0;
    int limit = room(h), rc;

    if (!limit)
        return 0;
    rc = transact(h->r->db, drawn_step, &moved, e);
    if (rc == 0)
        rc = take_ready(h->r, limit, &taken, e);
    *found = moved == DRAWN_AT_ONCE || taken == (size_t)limit;
    if (moved || taken)
        h->misses = 0;
    return rc;
}

void *feeder_run(void *hand)
{
    struct hand *h = hand;
    bool complained = false, go_on = true;

    while (go_on && hand_ready(h)) {
        bool found = false;
        struct err e;
        int rc = feed(h, &found, &e);
        if (rc && !complained)
            LOG(LOG_WARNING, "records cannot be taken for delivery", LOG_ERR(&e));
        complained = rc != 0;
        go_on = rc == 0 && found ? hand_sleep(h, 0) : hand_idle(h);
    }
    return NULL;
}

/* ============================== One delivery ============================== */

enum part { PART_OPEN, PART_MAKE, PART_PUT, PART_ROW };
struct delivering {
    struct hand *hand;
    struct delivery *d;
    struct opened *opened;
    struct arena *a;
    enum part part;
    struct task_record stored; /* what its row becomes */
};

static int save_session(void *user, const char *session, struct err *e)
{
    struct delivering *x = user;

    return hold_session(x->hand->r, &x->d->hold, session, e);
}

static void add_pair(struct object_put *put, struct object_pair *pairs, const char *name,
                     const char *value)
{
    if (value && value[0] && put->pair_count < PAIRS_MOST)
        pairs[put->pair_count++] = (struct object_pair){name, value};
}

/* What an object says of itself: ours, and what the document asks for. */
static void add_pairs(const struct delivering *x, const struct made *made, const json_t *request,
                      struct object_put *put)
{
    struct object_pair *pairs = arena_alloc(x->a, PAIRS_MOST * sizeof *pairs);
    const json_t *own = json_object_get(request, "metadata");
    const char *name;
    json_t *value;

    put->pairs = pairs;
    add_pair(put, pairs, "cauldron-task", header_text(x->opened->task.name, x->a));
    add_pair(put, pairs, "cauldron-record", header_text(x->d->row->record_id, x->a));
    add_pair(put, pairs, "cauldron-key", x->d->row->key);
    add_pair(put, pairs, "cauldron-model-digest", json_text(made->outcome, "model_digest", NULL));
    json_object_foreach((json_t *)own, name, value)
    {
        add_pair(put, pairs, name,
                 header_text(json_is_string(value) ? json_string_value(value) : NULL, x->a));
    }
}

static int put_object(struct delivering *x, const struct made *made, const json_t *request,
                      struct err *e)
{
    const struct task_document *d = x->opened->document;
    struct object_put put = {.name = x->d->row->object,
                             .bytes = made->bytes,
                             .type = made->type,
                             .cache_control = d->cache_control,
                             .replace = d->replace,
                             .session = x->d->row->upload,
                             .save = save_session,
                             .user = x,
                             .stop = &x->hand->r->stopping};
    struct object_info info = {0};
    struct task_record *row = &x->stored;

    add_pairs(x, made, request, &put);
    int rc = object_put(x->opened->destination, &put, x->a, &info, e);
    runner_count_put(x->hand->r, rc, &info);
    if (rc)
        return rc;
    row->url = info.url;
    row->https = info.https;
    row->crc32c = info.crc32c[0] ? arena_strdup(x->a, info.crc32c) : NULL;
    row->md5 = info.md5[0] ? arena_strdup(x->a, info.md5) : NULL;
    row->object_version = info.version;
    row->bytes = info.size;
    return 0;
}

/* The same bytes at each try, so that a second one finds the first. */
static int put_recipe(struct delivering *x, const struct made *made, struct err *e)
{
    const struct task_document *d = x->opened->document;
    struct object_info info = {0};

    if (!d->recipe)
        return 0;
    struct object_put put = {.name = recipe_name(x->d->row->object, x->a),
                             .bytes = recipe_text(&x->opened->task, x->d->row, made, x->a),
                             .type = "application/json",
                             .cache_control = d->cache_control,
                             .replace = d->replace,
                             .stop = &x->hand->r->stopping};
    int rc = object_put(x->opened->destination, &put, x->a, &info, e);

    runner_count_put(x->hand->r, rc, &info);
    if (rc == 0)
        x->stored.recipe_url = info.url;
    return rc;
}

static int put_both(struct delivering *x, const struct made *made, struct err *e)
{
    const struct task_record *row = x->d->row;
    json_t *request = NULL;
    double begun = clock_seconds();
    int rc = row->request ? json_read(str_from(row->request), &request, e) : 0;

    if (rc == 0)
        rc = put_object(x, made, request, e);
    if (rc == 0)
        rc = put_recipe(x, made, e);
    x->stored.seconds_storing = clock_seconds() - begun;
    json_decref(request);
    return rc;
}

static int stored_step(struct tx *tx, void *user, struct err *e)
{
    struct delivering *x = user;

    return task_records_stored(tx, record_lease_of(x->d->row), &x->stored, clock_unix_ms(), e);
}

static int deliver(struct delivering *x, struct err *e)
{
    struct task_runner *r = x->hand->r;
    struct made made = {0};
    int rc;

    x->part = PART_OPEN;
    rc = opened_get(&x->hand->cache, r->tasks, &x->d->of->task, &x->opened, e);
    if (rc == 0)
        rc = opened_kind(x->opened, e);
    if (rc)
        return rc;
    x->part = PART_MAKE;
    rc = x->opened->document->kind->make(&x->opened->kind, x->d->row, x->a, &made, e);
    if (rc)
        return rc;
    x->stored = *x->d->row;
    x->stored.reused = made.reused;
    x->stored.sha256 = made.sha256;
    x->stored.seconds_making = made.seconds;
    x->stored.outcome = made.outcome ? json_compact(made.outcome, x->a) : NULL;
    x->part = PART_PUT;
    rc = put_both(x, &made, e);
    json_decref(made.outcome);
    if (rc)
        return rc;
    x->part = PART_ROW;
    hold_end(r, &x->d->hold);
    return transact(r->db, stored_step, x, e);
}

/* ============================== When it cannot be ============================== */

struct setback {
    const struct task_record *row;
    int64_t due_at;
    const char *error_class; /* NULL: later */
    const struct err *why;
};

static int setback_step(struct tx *tx, void *user, struct err *e)
{
    const struct setback *s = user;
    const char *code = err_name(s->why->code);

    if (!s->error_class)
        return task_records_later(tx, record_lease_of(s->row), s->due_at, code, s->why->message, e);
    return task_records_fail(tx, record_lease_of(s->row), s->error_class, code, s->why->message,
                             clock_unix_ms(), e);
}

static const char *class_of(const struct delivering *x, enum err_code code)
{
    if (x->part == PART_MAKE)
        return x->opened->document->kind->draws ? "internal" : "draw";
    return x->part == PART_PUT && code == ERR_CONFLICT ? "conflict" : "storage";
}

/* Seconds until it may go better; 0: it never will. What the service cannot do for a while passes;
 * credentials, full disks and a destination that does not open are repaired by people. */
static double hope(const struct delivering *x, enum err_code code)
{
    struct task_runner *r = x->hand->r;
    double wait = runner_backoff(r, x->d->row->tries);

    if (code == ERR_CANCELLED)
        return 0.001;
    if (x->d->row->tries >= r->o.attempts)
        return 0;
    if (code == ERR_NETWORK || code == ERR_NOMEM || (x->part == PART_PUT && code == ERR_FORMAT))
        return wait;
    if (x->part == PART_OPEN || (x->part == PART_PUT && (code == ERR_DENIED || code == ERR_IO)))
        return fmin(wait * SLOW_FACTOR, r->o.backoff_max_seconds);
    return 0;
}

/* Nothing of an upload stays at the service when nobody will go on with it. */
static void abandon(struct delivering *x)
{
    const char *session = x->d->hold.session;
    struct err e;

    if (session && x->opened && x->opened->destination &&
        object_abandon(x->opened->destination, x->d->row->object, session, &e))
        LOG(LOG_WARNING, "what was sent of an object stays in storage",
            LOG_TEXT("object", x->d->row->object), LOG_ERR(&e));
}

static void set_back(struct delivering *x, const struct err *why)
{
    double wait = hope(x, why->code);
    struct setback s = {.row = x->d->row,
                        .due_at = clock_unix_ms() + (int64_t)(wait * 1e3),
                        .error_class = wait > 0 ? NULL : class_of(x, why->code),
                        .why = why};
    struct err e;

    if (s.error_class)
        abandon(x);
    LOG(s.error_class ? LOG_WARNING : LOG_INFO, "an object is not stored",
        LOG_TEXT("task", x->d->row->task_id), LOG_TEXT("record", x->d->row->record_id),
        LOG_NUMBER("seconds", wait), LOG_ERR(why));
    hold_end(x->hand->r, &x->d->hold);
    if (transact(x->hand->r->db, setback_step, &s, &e) && e.code != ERR_CONFLICT)
        LOG(LOG_WARNING, "a record's error is not stored", LOG_TEXT("record", x->d->row->record_id),
            LOG_ERR(&e));
}

static void deliver_one(struct hand *h, struct delivery *d)
{
    struct arena a = {0};
    struct delivering x = {.hand = h, .d = d, .a = &a};
    struct err e;
    int rc = deliver(&x, &e);

    if (rc && x.part != PART_ROW)
        set_back(&x, &e);
    else if (rc && rc != ERR_CONFLICT) /* its lease runs out, and the next one finds the object */
        LOG(LOG_WARNING, "a stored object is not noted", LOG_TEXT("record", d->row->record_id),
            LOG_ERR(&e));
    runner_mark(h->r, d->row->task_id);
    arena_release(&a);
    consignment_leave(d->of);
}

/* ============================== The threads ============================== */

static struct delivery *next(struct task_runner *r, bool *stop)
{
    pthread_mutex_lock(&r->lock);
    while (!r->stop && !r->first)
        pthread_cond_wait(&r->changed, &r->lock);
    struct delivery *d = r->first;
    if (d) {
        r->first = d->next;
        if (!r->first)
            r->last = NULL;
        r->waiting--;
        pthread_cond_broadcast(&r->changed); /* the feeder */
    }
    *stop = r->stop;
    pthread_mutex_unlock(&r->lock);
    return d;
}

/* Untouched: anybody may have it at once. */
static void give_back(struct task_runner *r, struct delivery *d)
{
    struct err why = {0}, e;
    struct setback s = {.row = d->row, .due_at = clock_unix_ms(), .why = &why};

    (void)ERR(&why, ERR_CANCELLED, "the process that would store it ended");
    hold_end(r, &d->hold);
    if (transact(r->db, setback_step, &s, &e) && e.code != ERR_CONFLICT)
        LOG(LOG_WARNING, "a record's lease is left to run out",
            LOG_TEXT("record", d->row->record_id), LOG_ERR(&e));
    consignment_leave(d->of);
}

void *deliverer_run(void *hand)
{
    struct hand *h = hand;
    struct delivery *d;
    bool stop = false;

    while ((d = next(h->r, &stop))) {
        if (stop)
            give_back(h->r, d);
        else
            deliver_one(h, d);
    }
    return NULL;
}
