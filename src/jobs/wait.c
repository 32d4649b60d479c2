/*
 * wait.c: wait for a generation's end without a thread each. The event makes the hub look into the
 * database; because events may be lost, it looks once a second, too.
 */
#include "jobs/hub.h"

#include "base/clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double PERIOD = 1.0;
enum { AT_ONCE = 64 };

struct wait *wait_for(struct submitter *s, const char *generation_id,
                      void (*ended)(void *user, const char *generation_id), void *user)
{
    struct hub *h = s->hub;
    struct wait *w = h ? calloc(1, sizeof *w) : NULL;

    if (!w)
        return NULL;
    snprintf(w->id, sizeof w->id, "%s", generation_id);
    w->ended = ended;
    w->user = user;
    pthread_mutex_lock(&h->lock);
    w->next = h->waits;
    h->waits = w;
    pthread_cond_signal(&h->woken); /* it may have ended already */
    pthread_mutex_unlock(&h->lock);
    return w;
}

void wait_forget(struct submitter *s, struct wait *w)
{
    struct hub *h = s->hub;

    if (!h || !w)
        return;
    pthread_mutex_lock(&h->lock);
    while (h->calling == w && !pthread_equal(pthread_self(), h->thread))
        pthread_cond_wait(&h->idle, &h->lock);
    for (struct wait **at = &h->waits; *at; at = &(*at)->next)
        if (*at == w) {
            *at = w->next;
            break;
        }
    pthread_mutex_unlock(&h->lock);
    free(w);
}

double wait_due(const struct hub *h)
{
    double when = INFINITY;

    for (const struct wait *w = h->waits; w; w = w->next)
        if (!w->called)
            when = fmin(when, w->check);
    return when;
}

void wait_heard(struct hub *h, const char *event_name)
{
    struct str rest = str_from(event_name);

    if (!str_skip(&rest, "generation:") || !str_ends(rest, ":done"))
        return;
    rest.n -= strlen(":done");
    pthread_mutex_lock(&h->lock);
    for (struct wait *w = h->waits; w; w = w->next)
        if (str_is(rest, w->id)) {
            w->check = 0;
            pthread_cond_signal(&h->woken);
        }
    pthread_mutex_unlock(&h->lock);
}

/* Call everybody who waits for it; each may forget itself or others meanwhile. */
static void call_all(struct hub *h, const char *id)
{
    pthread_mutex_lock(&h->lock);
    for (struct wait *w = h->waits; w;) {
        if (w->called || strcmp(w->id, id) != 0) {
            w = w->next;
            continue;
        }
        w->called = true;
        h->calling = w;
        void (*ended)(void *, const char *) = w->ended;
        void *user = w->user;
        pthread_mutex_unlock(&h->lock);
        ended(user, id);
        pthread_mutex_lock(&h->lock);
        h->calling = NULL;
        pthread_cond_broadcast(&h->idle);
        w = h->waits; /* the list may be another one */
    }
    pthread_mutex_unlock(&h->lock);
}

int wait_check(struct hub *h, struct tx *tx, double now, struct arena *a, struct err *e)
{
    char ids[AT_ONCE][UUID_TEXT];
    struct generation g;
    size_t n = 0;

    pthread_mutex_lock(&h->lock);
    for (struct wait *w = h->waits; w && n < AT_ONCE; w = w->next)
        if (!w->called && w->check <= now) {
            w->check = clock_seconds() + PERIOD;
            memcpy(ids[n++], w->id, UUID_TEXT);
        }
    pthread_mutex_unlock(&h->lock);
    for (size_t i = 0; i < n; i++) {
        int rc = generations_get(tx, ids[i], a, &g, e);
        if (rc && rc != ERR_NOT_FOUND)
            return rc;
        if (rc || (g.status != GENERATION_QUEUED && g.status != GENERATION_RUNNING))
            call_all(h, ids[i]);
    }
    return 0;
}
