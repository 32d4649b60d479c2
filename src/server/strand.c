#include "server/strand.h"

enum { TURN = 16 }; /* tasks that one strand runs before others get their turn */

void strand_init(struct strand *s, size_t limit, void (*drained)(struct strand *s))
{
    *s = (struct strand){.limit = limit, .drained = drained};
    s->end = &s->first;
    pthread_mutex_init(&s->lock, NULL);
}

void strand_release(struct strand *s)
{
    pthread_mutex_destroy(&s->lock);
}

bool strand_push(struct strand *s, struct task *t, bool *filled)
{
    pthread_mutex_lock(&s->lock);
    t->next = NULL;
    *s->end = t;
    s->end = &t->next;
    s->cost += t->cost;
    *filled = !s->full && s->cost > s->limit;
    s->full = s->full || *filled;
    bool idle = !s->busy;
    s->busy = true;
    pthread_mutex_unlock(&s->lock);
    return idle;
}

static struct task *take(struct strand *s)
{
    pthread_mutex_lock(&s->lock);
    struct task *t = s->first;
    if (t) {
        s->first = t->next;
        if (!s->first)
            s->end = &s->first;
    } else {
        s->busy = false;
    }
    pthread_mutex_unlock(&s->lock);
    return t;
}

static void account(struct strand *s, size_t cost)
{
    pthread_mutex_lock(&s->lock);
    s->cost -= cost;
    bool drained = s->full && s->cost <= s->limit / 2;
    s->full = s->full && !drained;
    pthread_mutex_unlock(&s->lock);
    if (drained)
        s->drained(s);
}

bool strand_run(struct strand *s)
{
    for (int i = 0; i < TURN; i++) {
        struct task *t = take(s);
        if (!t)
            return false;
        size_t cost = t->cost;
        t->run(t);
        account(s, cost);
    }
    return true;
}
