/*
 * native_pool.c: open models. A model is used by one thread at a time, so slots that draw with the
 * same one have a handle each. Handles of one path map the same files: their weights count once,
 * what a handle has of its own (packed weights, plans, the values of its largest pass) counts per
 * handle. Who needs room closes what was not used for longest, never what is in use.
 */
#include "base/clock.h"
#include "base/log.h"
#include "providers/native.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ==== counting; all with the lock held ==== */

static bool same_files(const struct opened *a, const struct opened *b)
{
    return strcmp(a->path, b->path) == 0 && strcmp(a->digest, b->digest) == 0;
}

/* Whether a handle further up the list counts these weights already. */
static bool counted(const struct native *n, const struct opened *o)
{
    for (const struct opened *other = n->opened; other != o; other = other->next)
        if (same_files(other, o))
            return true;
    return false;
}

static int64_t total(const struct native *n)
{
    int64_t bytes = 0;

    for (const struct opened *o = n->opened; o; o = o->next)
        bytes += o->own + (counted(n, o) ? 0 : o->weights);
    return bytes;
}

static bool any_busy(const struct native *n, const struct opened *except)
{
    for (const struct opened *o = n->opened; o; o = o->next)
        if (o->busy && o != except)
            return true;
    return false;
}

static void unlink_handle(struct native *n, const struct opened *o)
{
    for (struct opened **at = &n->opened; *at; at = &(*at)->next)
        if (*at == o) {
            *at = o->next;
            return;
        }
}

static void opened_free(struct opened *o)
{
    cauldron_close(o->model);
    free(o->path);
    free(o);
}

static void evict(struct native *n, struct opened *o)
{
    LOG(LOG_INFO, "model closed", LOG_TEXT("path", o->path));
    unlink_handle(n, o);
    opened_free(o);
    n->stats.evictions++;
}

static struct opened *oldest_idle(const struct native *n)
{
    struct opened *oldest = NULL;

    for (struct opened *o = n->opened; o; o = o->next)
        if (!o->busy && (!oldest || o->used < oldest->used))
            oldest = o;
    return oldest;
}

/* Close what was not used for longest until the budget holds what is counted. */
static void shrink(struct native *n)
{
    struct opened *o;

    while (total(n) > n->budget && (o = oldest_idle(n)))
        evict(n, o);
}

/* ==== taking and giving back ==== */

/* Idle handles of files that have changed since are of no use to anybody. */
static void forget_stale(struct native *n, const struct facts *f)
{
    for (struct opened *o = n->opened, *next; o; o = next) {
        next = o->next;
        if (!o->busy && strcmp(o->path, f->path) == 0 && strcmp(o->digest, f->digest) != 0)
            evict(n, o);
    }
}

static struct opened *find_idle(const struct native *n, const struct facts *f, bool bf16)
{
    for (struct opened *o = n->opened; o; o = o->next)
        if (!o->busy && o->bf16 == bf16 && strcmp(o->path, f->path) == 0 &&
            strcmp(o->digest, f->digest) == 0)
            return o;
    return NULL;
}

/* What a handle will take of its own, judged by others of the same files; 0 for the first. */
static int64_t expected_own(const struct native *n, const struct opened *like)
{
    int64_t most = 0;

    for (const struct opened *o = n->opened; o; o = o->next)
        if (same_files(o, like) && o->own > most)
            most = o->own;
    return most;
}

/* A handle that is counted but not open yet; NULL when others in use leave no room. */
static struct opened *reserve(struct native *n, const struct facts *f, bool bf16)
{
    struct opened *o = calloc(1, sizeof *o);

    if (!o)
        abort();
    *o = (struct opened){.next = n->opened, .bf16 = bf16, .busy = true, .weights = f->stamp.size};
    o->path = native_copy(f->path);
    memcpy(o->digest, f->digest, sizeof o->digest);
    o->own = expected_own(n, o);
    n->opened = o;
    shrink(n);
    if (total(n) > n->budget && any_busy(n, o)) {
        unlink_handle(n, o);
        opened_free(o);
        return NULL;
    }
    if (total(n) > n->budget)
        LOG(LOG_WARNING, "model is larger than the memory for models", LOG_TEXT("path", o->path),
            LOG_NUMBER("bytes", o->weights), LOG_NUMBER("budget", n->budget));
    return o;
}

/* First come, first served: without this, a slot with work for one model would keep the others out
 * for good. */
struct waiter {
    struct waiter *next;
};

static void queue_up(struct native *n, struct waiter *w)
{
    struct waiter **end = &n->waiters;

    while (*end)
        end = &(*end)->next;
    *end = w;
}

static void leave_queue(struct native *n, const struct waiter *w)
{
    struct waiter **at = &n->waiters;

    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    pthread_cond_broadcast(&n->released);
}

static void wait_a_second(struct native *n)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec++;
    pthread_cond_timedwait(&n->released, &n->lock, &until);
}

/* A handle, if it is this one's turn and there is room. */
static struct opened *serve(struct native *n, const struct waiter *w, const struct facts *f,
                            bool bf16)
{
    struct opened *o = NULL;

    if (n->waiters == w && !(o = find_idle(n, f, bf16)))
        o = reserve(n, f, bf16);
    return o;
}

/* Outside the lock: other slots go on meanwhile. */
static int open_model(const struct native *n, const struct opened *o, struct cauldron_model **out,
                      struct err *e)
{
    struct cauldron_options options = cauldron_options();
    struct cauldron_model *model;
    struct cauldron_error error;

    options.isa = n->isa;
    options.dtype = o->bf16 ? "bf16" : "f32";
    options.threads = n->threads;
    options.low_memory = n->low_memory;
    options.max_rows = n->max_rows;
    if (cauldron_open(o->path, &options, &model, &error))
        return native_error(&error, e);
    /* A single pass that cannot fit would take the whole process down with it. */
    model->workspace_most = (size_t)(n->hardware.memory / 4 * 3 / n->slots);
    *out = model;
    return 0;
}

static int open_handle(struct native *n, struct opened *o, double *seconds, struct err *e)
{
    double started = clock_seconds();
    struct cauldron_model *model = NULL;
    int rc = open_model(n, o, &model, e);

    *seconds = clock_seconds() - started;
    pthread_mutex_lock(&n->lock);
    if (rc) {
        unlink_handle(n, o);
        opened_free(o);
        pthread_cond_broadcast(&n->released);
    } else {
        o->model = model;
        cauldron_describe(model, &o->info);
        n->stats.loads++;
        n->stats.load_seconds += *seconds;
        LOG(LOG_INFO, "model opened", LOG_TEXT("path", o->path), LOG_NUMBER("seconds", *seconds));
    }
    pthread_mutex_unlock(&n->lock);
    return rc;
}

/* The weights that the recipe names, wherever they lie. */
static int find_files(struct native *n, const struct recipe *r, struct arena *a, struct facts *f,
                      struct err *e)
{
    int rc = native_facts(n, r->model, true, a, f, e);

    if (rc)
        return rc;
    if (r->digest && strcmp(r->digest, f->digest) != 0)
        return ERR(e, ERR_CONFLICT,
                   "model '%.200s' has other weights than were asked for (digest %.12s..., here "
                   "%.12s...)",
                   r->model, r->digest, f->digest);
    return 0;
}

int pool_take(struct native *n, const struct recipe *r, bool (*go_on)(void *user), void *user,
              struct opened **out, double *load_seconds, struct err *e)
{
    bool bf16 = r->dtype && strcmp(r->dtype, "bf16") == 0;
    struct arena a = {0};
    struct waiter waiter = {0};
    struct opened *o = NULL;
    struct facts f;
    double seconds = 0;
    int rc = find_files(n, r, &a, &f, e);

    if (rc)
        goto out;
    pthread_mutex_lock(&n->lock);
    forget_stale(n, &f);
    queue_up(n, &waiter);
    while (rc == 0 && !(o = serve(n, &waiter, &f, bf16))) {
        wait_a_second(n);
        pthread_mutex_unlock(&n->lock);
        if (!go_on(user))
            rc = ERR(e, ERR_CANCELLED, "cancelled while it waited for room for its model");
        pthread_mutex_lock(&n->lock);
    }
    leave_queue(n, &waiter);
    if (o) {
        o->busy = true;
        o->used = ++n->clock;
        n->stats.hits += o->model != NULL;
    }
    pthread_mutex_unlock(&n->lock);
    if (rc || (!o->model && (rc = open_handle(n, o, &seconds, e))))
        goto out;
    *out = o;
    *load_seconds = seconds;
out:
    arena_release(&a);
    return rc;
}

bool pool_wanted(struct native *n)
{
    pthread_mutex_lock(&n->lock);
    bool wanted = n->waiters != NULL;
    pthread_mutex_unlock(&n->lock);
    return wanted;
}

void pool_measure(struct native *n, struct opened *o)
{
    int64_t own = (int64_t)passes_bytes(o->model);

    pthread_mutex_lock(&n->lock);
    o->own = own;
    shrink(n);
    pthread_mutex_unlock(&n->lock);
}

void pool_release(struct native *n, struct opened *o)
{
    int64_t own = (int64_t)passes_bytes(o->model);

    pthread_mutex_lock(&n->lock);
    o->own = own;
    if (total(n) > n->budget) { /* the values of a large picture are not worth keeping */
        workspace_release(&o->model->workspace);
        o->own = (int64_t)passes_bytes(o->model);
    }
    o->busy = false;
    o->used = ++n->clock;
    shrink(n);
    pthread_cond_broadcast(&n->released);
    pthread_mutex_unlock(&n->lock);
}

void pool_close_idle(struct native *n)
{
    struct opened *o;

    pthread_mutex_lock(&n->lock);
    while ((o = oldest_idle(n)))
        evict(n, o);
    pthread_cond_broadcast(&n->released);
    pthread_mutex_unlock(&n->lock);
}

void pool_free(struct native *n)
{
    while (n->opened) {
        struct opened *o = n->opened;
        n->opened = o->next;
        opened_free(o);
    }
}

bool pool_holds(struct native *n, const char *path)
{
    bool held = false;

    pthread_mutex_lock(&n->lock);
    for (const struct opened *o = n->opened; o && !held; o = o->next)
        held = o->model && strcmp(o->path, path) == 0;
    pthread_mutex_unlock(&n->lock);
    return held;
}

void pool_totals(struct native *n, int64_t *models, int64_t *bytes)
{
    pthread_mutex_lock(&n->lock);
    *models = 0;
    for (const struct opened *o = n->opened; o; o = o->next)
        ++*models;
    *bytes = total(n);
    pthread_mutex_unlock(&n->lock);
}
