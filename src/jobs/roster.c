/* roster.c: the workers that told of themselves within the last minute, by the bus. */
#include "base/clock.h"
#include "base/json.h"
#include "jobs/hub.h"
#include "jobs/worker.h"

#include <stdlib.h>
#include <string.h>

static const double REMEMBERED = 60;
enum { WORKERS_MAX = 1000, TEXT_MAX = 4096 };

static void drop(struct seen_worker *w)
{
    free(w->name);
    free(w->text);
    free(w);
}

/* Under the lock. */
static void forget_old(struct hub *h, double now)
{
    for (struct seen_worker **at = &h->workers; *at;) {
        struct seen_worker *w = *at;
        if (w->when + REMEMBERED > now) {
            at = &w->next;
            continue;
        }
        *at = w->next;
        drop(w);
    }
}

/* Under the lock; NULL when there are too many. */
static struct seen_worker *find(struct hub *h, const char *name)
{
    size_t count = 0;

    for (struct seen_worker *w = h->workers; w; w = w->next, count++)
        if (strcmp(w->name, name) == 0)
            return w;
    struct seen_worker *w = count < WORKERS_MAX ? calloc(1, sizeof *w) : NULL;
    char *copy = w ? strdup(name) : NULL;
    if (!copy) {
        free(w);
        return NULL;
    }
    w->name = copy;
    w->next = h->workers;
    h->workers = w;
    return w;
}

void roster_hear(struct hub *h, const char *text)
{
    json_t *said;
    struct err e;
    double now = clock_seconds();

    if (strlen(text) > TEXT_MAX || json_read(str_from(text), &said, &e))
        return;
    const char *name = json_text(said, "id", NULL);
    char *copy = name ? strdup(text) : NULL;
    pthread_mutex_lock(&h->lock);
    forget_old(h, now);
    struct seen_worker *w = copy ? find(h, name) : NULL;
    if (w) {
        free(w->text);
        w->text = copy;
        w->when = now;
        w->seen_at = clock_unix_ms();
        copy = NULL;
    }
    pthread_mutex_unlock(&h->lock);
    free(copy);
    json_decref(said);
}

json_t *workers_seen(struct submitter *s)
{
    struct hub *h = s->hub;
    json_t *all = json_array(), *one;
    struct err e;

    if (!h)
        return all;
    pthread_mutex_lock(&h->lock);
    forget_old(h, clock_seconds());
    for (const struct seen_worker *w = h->workers; w; w = w->next) {
        if (!w->text || json_read(str_from(w->text), &one, &e))
            continue;
        json_object_set_new(one, "seen_at", json_time_or_null(w->seen_at));
        json_array_append_new(all, one);
    }
    pthread_mutex_unlock(&h->lock);
    return all;
}

void roster_forget(struct hub *h)
{
    while (h->workers) {
        struct seen_worker *w = h->workers;
        h->workers = w->next;
        drop(w);
    }
}
