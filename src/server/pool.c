#include "server/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct job *first, **last;
    int waiting, most;
    int idle;    /* threads asleep */
    bool waking; /* one of them has been called and is not up yet */
    bool stopping;
    int thread_count;
    pthread_t threads[];
};

/*
 * Call one thread for what waits. One at a time: the called one calls the next if there is more
 * than it can take. Jobs of microseconds are then done by few threads that stay awake, instead of
 * all being woken for a handful of jobs and fighting for the processors.
 */
static void call_one(struct pool *p)
{
    if (!p->first || !p->idle || p->waking)
        return;
    p->waking = true;
    pthread_cond_signal(&p->work);
}

static void *serve(void *user)
{
    struct pool *p = user;

    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (!p->first && !p->stopping) {
            p->idle++;
            pthread_cond_wait(&p->work, &p->lock);
            p->idle--;
            p->waking = false;
        }
        struct job *job = p->first;
        if (!job)
            break;
        p->first = job->next;
        if (!p->first)
            p->last = &p->first;
        p->waiting--;
        call_one(p);
        pthread_mutex_unlock(&p->lock);
        job->run(job->user);
        pthread_mutex_lock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

int pool_start(int threads, int most, struct pool **out, struct err *e)
{
    if (threads < 1 || threads > 4096 || most < 1)
        return ERR(e, ERR_ARG, "a pool of %d threads and %d waiting requests is impossible",
                   threads, most);
    struct pool *p = calloc(1, sizeof *p + (size_t)threads * sizeof *p->threads);
    if (!p)
        return ERR(e, ERR_NOMEM, "no memory for %d threads", threads);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    p->last = &p->first;
    p->most = most;
    for (; p->thread_count < threads; p->thread_count++) {
        int rc = pthread_create(&p->threads[p->thread_count], NULL, serve, p);
        if (rc) {
            pool_stop(p);
            return ERR(e, ERR_NOMEM, "cannot start a thread: %s", strerror(rc));
        }
    }
    *out = p;
    return 0;
}

bool pool_add(struct pool *p, struct job *job, bool must)
{
    pthread_mutex_lock(&p->lock);
    bool taken = must || p->waiting < p->most;
    if (taken) {
        job->next = NULL;
        *p->last = job;
        p->last = &job->next;
        p->waiting++;
        call_one(p);
    }
    pthread_mutex_unlock(&p->lock);
    return taken;
}

int pool_waiting(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    int n = p->waiting;
    pthread_mutex_unlock(&p->lock);
    return n;
}

void pool_stop(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < p->thread_count; i++)
        pthread_join(p->threads[i], NULL);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
