#include "models/tasks.h"

#include "base/clock.h"
#include "base/uuid.h"
#include "models/check.h"

#include <curl/curl.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WAITING = 100, MAX_ENDED = 1000, KEEP_MS = 24 * 3600 * 1000 };
#define TELL_SECONDS 0.25
#define RATE_SECONDS 3.0 /* over which the rate is a mean */

struct task {
    struct task *next; /* the one before */
    struct model_tasks *all;
    struct arena arena;
    char id[UUID_TEXT], file[256];
    struct model_task state; /* its texts are in the arena, but file */
    const char *revision, *variant, *path;
    bool begun;
    double told;    /* clock_seconds of the last progress that was published */
    double sampled; /* of the last sample of the rate, at which */
    int64_t moved;  /* bytes had been moved */
};

struct model_tasks {
    struct model_tasks_options o;
    pthread_mutex_t telling; /* one event at a time, so that the last state comes last; before: */
    pthread_mutex_t lock;
    pthread_cond_t woken;
    pthread_t thread;
    bool stopping;
    struct task *newest;
};

/* ============================== The list ============================== */

static const char *copied(struct arena *a, const char *text)
{
    return text ? arena_strdup(a, text) : NULL;
}

/* Under the lock. */
static struct model_task snapshot(const struct task *t, struct arena *a)
{
    struct model_task s = t->state;
    double idle = clock_seconds() - t->sampled;

    s.id = arena_strdup(a, t->id);
    s.model = copied(a, s.model);
    s.file = t->file[0] && s.status == MODEL_TASK_RUNNING ? arena_strdup(a, t->file) : NULL;
    s.detail = copied(a, s.detail);
    s.error = copied(a, s.error);
    if (s.status != MODEL_TASK_RUNNING)
        s.bytes_per_second = -1;
    else if (s.bytes_per_second > 0 && idle > RATE_SECONDS) /* nothing arrives */
        s.bytes_per_second *= exp(-idle / RATE_SECONDS);
    s.eta_seconds = s.bytes_per_second >= 1 && s.total >= s.done
                        ? (double)(s.total - s.done) / s.bytes_per_second
                        : -1;
    return s;
}

static void tell(struct task *t)
{
    struct model_tasks *all = t->all;
    struct arena a = {0};

    pthread_mutex_lock(&all->telling);
    pthread_mutex_lock(&all->lock);
    struct model_task state = snapshot(t, &a);
    t->told = clock_seconds();
    pthread_mutex_unlock(&all->lock);
    if (all->o.changed)
        all->o.changed(all->o.user, &state);
    pthread_mutex_unlock(&all->telling);
    arena_release(&a);
}

static void task_free(struct task *t)
{
    arena_release(&t->arena);
    free(t);
}

/* Drop what ended long ago. Under the lock; not what the thread still holds. */
static void forget_old(struct model_tasks *all)
{
    int64_t now = clock_unix_ms();
    int kept = 0;

    for (struct task **p = &all->newest; *p;) {
        struct task *t = *p;
        bool ended = t->state.finished_at && !t->begun;
        if (ended && (now - t->state.finished_at > KEEP_MS || ++kept > MAX_ENDED)) {
            *p = t->next;
            task_free(t);
        } else {
            p = &t->next;
        }
    }
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* Whether another of the kind can be taken. Under the lock. */
static int may_add(struct model_tasks *all, const struct task *new, struct err *e)
{
    int waiting = 0;

    for (const struct task *t = all->newest; t; t = t->next) {
        if (t->state.status != MODEL_TASK_RUNNING)
            continue;
        waiting++;
        if (t->state.kind == new->state.kind && same_text(t->state.model, new->state.model) &&
            same_text(t->revision, new->revision) && same_text(t->variant, new->variant))
            return ERR(e, ERR_CONFLICT, "'%s' is being %s already, as task %s", t->state.model,
                       t->state.kind == MODEL_PULL ? "downloaded" : "checked", t->id);
    }
    if (waiting >= MAX_WAITING)
        return ERR(e, ERR_CONFLICT, "%d downloads and checks wait; cancel some first", waiting);
    return 0;
}

static struct task *task_new(struct model_tasks *all, enum model_task_kind kind, const char *model)
{
    struct task *t = calloc(1, sizeof *t);

    if (!t)
        abort();
    t->all = all;
    uuid_v7(t->id);
    t->state = (struct model_task){.kind = kind,
                                   .model = arena_strdup(&t->arena, model),
                                   .total = -1,
                                   .bytes_per_second = -1,
                                   .created_at = clock_unix_ms()};
    return t;
}

/* Takes over `t` in any case. */
static int add(struct model_tasks *all, struct task *t, struct arena *a, struct model_task *out,
               struct err *e)
{
    int rc;

    pthread_mutex_lock(&all->lock);
    forget_old(all);
    rc = may_add(all, t, e);
    if (rc == 0) {
        t->next = all->newest;
        all->newest = t;
        *out = snapshot(t, a);
        if (all->o.changed) /* under the lock: the thread tells of it after this */
            all->o.changed(all->o.user, out);
        pthread_cond_signal(&all->woken);
    }
    pthread_mutex_unlock(&all->lock);
    if (rc)
        task_free(t);
    return rc;
}

int model_tasks_pull(struct model_tasks *all, const char *name, const char *revision,
                     const char *variant, struct arena *a, struct model_task *out, struct err *e)
{
    if (all->o.no_hub)
        return ERR(e, ERR_UNSUPPORTED, "%s", all->o.no_hub);
    if (!hub_name_ok(name))
        return ERR(e, ERR_ARG,
                   "'%.200s' is not the name of a model on a hub; those are like "
                   "'stabilityai/stable-diffusion-xl-base-1.0'",
                   name);
    if (!hub_path_ok(revision))
        return ERR(e, ERR_ARG, "'%.200s' is not a revision: a branch, a tag or a commit", revision);
    struct task *t = task_new(all, MODEL_PULL, name);
    t->revision = arena_strdup(&t->arena, revision);
    t->variant = copied(&t->arena, variant);
    return add(all, t, a, out, e);
}

int model_tasks_verify(struct model_tasks *all, const char *name, const char *path, struct arena *a,
                       struct model_task *out, struct err *e)
{
    struct task *t = task_new(all, MODEL_VERIFY, name);

    t->path = arena_strdup(&t->arena, path);
    return add(all, t, a, out, e);
}

void model_tasks_list(struct model_tasks *all, struct arena *a, struct model_task **out,
                      size_t *count)
{
    size_t n = 0;

    pthread_mutex_lock(&all->lock);
    forget_old(all);
    for (const struct task *t = all->newest; t; t = t->next)
        n++;
    struct model_task *list = arena_alloc(a, (n + 1) * sizeof *list);
    n = 0;
    for (const struct task *t = all->newest; t; t = t->next)
        list[n++] = snapshot(t, a);
    pthread_mutex_unlock(&all->lock);
    *out = list;
    *count = n;
}

/* Under the lock. */
static struct task *find(struct model_tasks *all, const char *id)
{
    struct task *t = all->newest;

    while (t && strcmp(t->id, id) != 0)
        t = t->next;
    return t;
}

int model_tasks_get(struct model_tasks *all, const char *id, struct arena *a,
                    struct model_task *out, struct err *e)
{
    pthread_mutex_lock(&all->lock);
    const struct task *t = find(all, id);
    if (t)
        *out = snapshot(t, a);
    pthread_mutex_unlock(&all->lock);
    return t ? 0
             : ERR(e, ERR_NOT_FOUND,
                   "this server has no task '%.64s': it belongs to another, or was forgotten", id);
}

/* ============================== Ends ============================== */

/* Whoever comes first says how it ended. Under the lock. */
static bool end(struct task *t, enum model_task_status status)
{
    if (t->state.status != MODEL_TASK_RUNNING)
        return false;
    t->state.status = status;
    t->state.finished_at = clock_unix_ms();
    return true;
}

int model_tasks_cancel(struct model_tasks *all, const char *id, struct arena *a,
                       struct model_task *out, struct err *e)
{
    bool ours = false;
    int rc = 0;

    pthread_mutex_lock(&all->telling);
    pthread_mutex_lock(&all->lock);
    struct task *t = find(all, id);
    if (!t)
        rc = ERR(e, ERR_NOT_FOUND,
                 "this server has no task '%.64s': it belongs to another, or was forgotten", id);
    else if (!(ours = end(t, MODEL_TASK_CANCELLED)) && t->state.status != MODEL_TASK_CANCELLED)
        rc = ERR(e, ERR_CONFLICT, "task %s has ended already", id);
    if (rc == 0)
        *out = snapshot(t, a);
    pthread_mutex_unlock(&all->lock);
    if (ours && all->o.changed)
        all->o.changed(all->o.user, out);
    pthread_mutex_unlock(&all->telling);
    return rc;
}

/* ============================== The thread ============================== */

static bool stopped(void *user)
{
    struct task *t = user;

    pthread_mutex_lock(&t->all->lock);
    bool stop = t->all->stopping || t->state.status != MODEL_TASK_RUNNING;
    pthread_mutex_unlock(&t->all->lock);
    return stop;
}

/* Under the lock. */
static void sample(struct task *t, int64_t moved, double now)
{
    double seconds = now - t->sampled;

    if (seconds < TELL_SECONDS)
        return;
    double rate = (double)(moved - t->moved) / seconds, *mean = &t->state.bytes_per_second;
    *mean = *mean < 0 ? rate : *mean + (rate - *mean) * (1 - exp(-seconds / RATE_SECONDS));
    t->sampled = now;
    t->moved = moved;
}

static void on_progress(void *user, const struct model_progress *p)
{
    struct task *t = user;
    double now = clock_seconds();

    pthread_mutex_lock(&t->all->lock);
    bool running = t->state.status == MODEL_TASK_RUNNING;
    if (running) {
        t->state.done = p->done;
        t->state.total = p->total;
        snprintf(t->file, sizeof t->file, "%s", p->file ? p->file : "");
        sample(t, p->moved, now);
    }
    bool due = running && now - t->told >= TELL_SECONDS;
    pthread_mutex_unlock(&t->all->lock);
    if (due)
        tell(t);
}

static int pull(struct task *t, struct arena *a, const char **detail, struct err *e)
{
    struct model_hub hub = t->all->o.hub;
    struct hub_result got;
    int rc;

    hub.watch = (struct model_watch){stopped, on_progress, t};
    rc = hub_pull(&hub, t->state.model, t->revision, t->variant, a, &got, e);
    if (rc)
        return rc;
    if (t->all->o.pulled)
        t->all->o.pulled(t->all->o.user);
    *detail = arena_printf(a, "%d files, %.1f MB, %d of them new", got.files,
                           (double)got.bytes / 1e6, got.fetched);
    return 0;
}

static int verify(struct task *t, struct arena *a, const char **detail, struct err *e)
{
    struct model_check found;
    int rc = model_check(a, t->path, t->all->o.data_folder,
                         &(struct model_watch){stopped, on_progress, t}, &found, e);

    if (rc == 0)
        *detail = model_check_text(&found, a);
    return rc;
}

static void run(struct task *t)
{
    struct arena a = {0};
    const char *detail = NULL;
    struct err e;
    int rc = t->state.kind == MODEL_PULL ? pull(t, &a, &detail, &e) : verify(t, &a, &detail, &e);

    pthread_mutex_lock(&t->all->lock);
    bool ours = end(t, rc == 0               ? MODEL_TASK_SUCCEEDED
                       : rc == ERR_CANCELLED ? MODEL_TASK_CANCELLED
                                             : MODEL_TASK_FAILED);
    if (ours && rc == 0) {
        t->state.detail = arena_strdup(&t->arena, detail);
        t->state.total = t->state.done;
    } else if (ours && rc != ERR_CANCELLED) {
        t->state.code = e.code;
        t->state.error = arena_strdup(&t->arena, e.message);
    }
    pthread_mutex_unlock(&t->all->lock);
    if (ours)
        tell(t);
    arena_release(&a);
}

/* The oldest that waits. Under the lock. */
static struct task *take(struct model_tasks *all)
{
    struct task *oldest = NULL;

    for (struct task *t = all->newest; t; t = t->next)
        if (t->state.status == MODEL_TASK_RUNNING && !t->begun)
            oldest = t;
    if (oldest) {
        oldest->begun = true;
        oldest->sampled = clock_seconds();
    }
    return oldest;
}

static void *work(void *user)
{
    struct model_tasks *all = user;

    pthread_mutex_lock(&all->lock);
    while (!all->stopping) {
        struct task *t = take(all);
        if (!t) {
            pthread_cond_wait(&all->woken, &all->lock);
            continue;
        }
        pthread_mutex_unlock(&all->lock);
        run(t);
        pthread_mutex_lock(&all->lock);
        t->begun = false;
    }
    pthread_mutex_unlock(&all->lock);
    return NULL;
}

/* ============================== Start and stop ============================== */

int model_tasks_open(const struct model_tasks_options *o, struct model_tasks **out, struct err *e)
{
    struct model_tasks *all = calloc(1, sizeof *all);

    if (!all)
        return ERR(e, ERR_NOMEM, "no memory for the tasks of models");
    all->o = *o;
    pthread_mutex_init(&all->telling, NULL);
    pthread_mutex_init(&all->lock, NULL);
    pthread_cond_init(&all->woken, NULL);
    int curl = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (curl || pthread_create(&all->thread, NULL, work, all)) {
        if (!curl)
            curl_global_cleanup();
        free(all);
        return ERR(e, ERR_NOMEM, "cannot start the thread that downloads models");
    }
    *out = all;
    return 0;
}

void model_tasks_close(struct model_tasks *all)
{
    if (!all)
        return;
    pthread_mutex_lock(&all->lock);
    all->stopping = true;
    pthread_cond_signal(&all->woken);
    pthread_mutex_unlock(&all->lock);
    pthread_join(all->thread, NULL);
    curl_global_cleanup();
    for (struct task *t = all->newest, *next; t; t = next) {
        next = t->next;
        task_free(t);
    }
    pthread_cond_destroy(&all->woken);
    pthread_mutex_destroy(&all->lock);
    pthread_mutex_destroy(&all->telling);
    free(all);
}
