#include "server/loop.h"

#include "base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256 };

struct queue {
    struct loop_task *first, **end;
};

struct loop {
    int epoll;
    pthread_t thread;
    struct loop_timer **heap; /* heap[1] is the earliest */
    size_t timers, room;
    struct queue later, graves;
    struct loop_watch bell;

    pthread_mutex_t lock;
    struct queue mail;
    bool rung, ending;
};

static void queue_init(struct queue *q)
{
    q->first = NULL;
    q->end = &q->first;
}

static void queue_add(struct queue *q, struct loop_task *t)
{
    t->next = NULL;
    *q->end = t;
    q->end = &t->next;
}

static void queue_add_once(struct queue *q, struct loop_task *t)
{
    if (!t->queued)
        queue_add(q, t);
    t->queued = true;
}

/* Run what is there, and what that adds. */
static void queue_run(struct queue *q)
{
    for (struct loop_task *t; (t = q->first);) {
        q->first = t->next;
        if (!q->first)
            q->end = &q->first;
        t->queued = false;
        t->run(t);
    }
}

/* ==== timers: a binary heap ==== */

static void place(struct loop *l, struct loop_timer *t, size_t i)
{
    l->heap[i] = t;
    t->place = i;
}

static void sift_up(struct loop *l, struct loop_timer *t, size_t i)
{
    for (; i > 1 && l->heap[i / 2]->at > t->at; i /= 2)
        place(l, l->heap[i / 2], i);
    place(l, t, i);
}

static void sift_down(struct loop *l, struct loop_timer *t, size_t i)
{
    for (size_t child; (child = 2 * i) <= l->timers; i = child) {
        if (child < l->timers && l->heap[child + 1]->at < l->heap[child]->at)
            child++;
        if (l->heap[child]->at >= t->at)
            break;
        place(l, l->heap[child], i);
    }
    place(l, t, i);
}

void loop_timer_clear(struct loop *l, struct loop_timer *t)
{
    size_t i = t->place;

    if (!i)
        return;
    t->place = 0;
    struct loop_timer *last = l->heap[l->timers--];
    if (last == t)
        return;
    if (i > 1 && l->heap[i / 2]->at > last->at)
        sift_up(l, last, i);
    else
        sift_down(l, last, i);
}

void loop_timer_set(struct loop *l, struct loop_timer *t, double at)
{
    loop_timer_clear(l, t);
    if (l->timers + 2 > l->room) {
        size_t room = l->room ? 2 * l->room : 64;
        struct loop_timer **heap = realloc(l->heap, room * sizeof(struct loop_timer *));
        if (!heap)
            abort();
        l->heap = heap;
        l->room = room;
    }
    t->at = at;
    sift_up(l, t, ++l->timers);
}

static void run_timers(struct loop *l)
{
    double now = clock_seconds();

    while (l->timers && l->heap[1]->at <= now) {
        struct loop_timer *t = l->heap[1];
        loop_timer_clear(l, t);
        t->run(t);
    }
}

/* ==== descriptors ==== */

int loop_watch(struct loop *l, struct loop_watch *w, struct err *e)
{
    struct epoll_event event = {.events = w->events, .data.ptr = w};

    if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, w->fd, &event))
        return ERR(e, ERR_IO, "cannot watch a socket: %s", strerror(errno));
    return 0;
}

void loop_watch_for(struct loop *l, struct loop_watch *w, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = w};

    if (events == w->events)
        return;
    w->events = events;
    epoll_ctl(l->epoll, EPOLL_CTL_MOD, w->fd, &event);
}

void loop_unwatch(struct loop *l, struct loop_watch *w)
{
    epoll_ctl(l->epoll, EPOLL_CTL_DEL, w->fd, NULL);
}

/* ==== tasks ==== */

void loop_later(struct loop *l, struct loop_task *t)
{
    queue_add_once(&l->later, t);
}

void loop_bury(struct loop *l, struct loop_task *t)
{
    queue_add_once(&l->graves, t);
}

void loop_post(struct loop *l, struct loop_task *t)
{
    const uint64_t one = 1;

    pthread_mutex_lock(&l->lock);
    queue_add(&l->mail, t);
    bool ring = !l->rung;
    l->rung = true;
    pthread_mutex_unlock(&l->lock);
    if (ring && write(l->bell.fd, &one, sizeof(one)) < 0)
        return; /* the counter is full: the bell rings already */
}

static void bell_rings(struct loop_watch *w, uint32_t events)
{
    uint64_t count;

    (void)events;
    if (read(w->fd, &count, sizeof(count)) < 0)
        return;
}

/* What was posted so far; what these post in turn waits for the next round, so that nobody starves
 * the sockets. False when the loop should end. */
static bool run_mail(struct loop *l)
{
    pthread_mutex_lock(&l->lock);
    struct loop_task *mail = l->mail.first;
    queue_init(&l->mail);
    l->rung = false;
    bool ending = l->ending;
    pthread_mutex_unlock(&l->lock);
    for (struct loop_task *t = mail, *next; t; t = next) {
        next = t->next;
        t->run(t);
    }
    return !ending;
}

static int wait_ready(struct loop *l, struct epoll_event *events)
{
    struct timespec rest, *timeout = NULL;

    if (l->timers) {
        double seconds = l->heap[1]->at - clock_seconds();
        seconds = seconds < 0 ? 0 : seconds > 3600 ? 3600 : seconds;
        rest.tv_sec = (time_t)seconds;
        rest.tv_nsec = (long)((seconds - (double)rest.tv_sec) * 1e9);
        timeout = &rest;
    }
    return epoll_pwait2(l->epoll, events, EVENTS, timeout, NULL);
}

static void *run(void *user)
{
    struct loop *l = user;
    struct epoll_event events[EVENTS];

    do {
        int count = wait_ready(l, events);
        for (int i = 0; i < count; i++) {
            struct loop_watch *w = events[i].data.ptr;
            w->ready(w, events[i].events);
        }
        bool going = run_mail(l);
        run_timers(l);
        queue_run(&l->later);
        queue_run(&l->graves);
        if (!going)
            break;
    } while (true);
    return NULL;
}

static void loop_free(struct loop *l)
{
    if (l->bell.fd >= 0)
        close(l->bell.fd);
    if (l->epoll >= 0)
        close(l->epoll);
    pthread_mutex_destroy(&l->lock);
    free(l->heap);
    free(l);
}

int loop_start(struct loop **out, struct err *e)
{
    struct loop *l = calloc(1, sizeof(*l));
    int rc = 0;

    if (!l)
        return ERR(e, ERR_NOMEM, "no memory for an event loop");
    pthread_mutex_init(&l->lock, NULL);
    queue_init(&l->mail);
    queue_init(&l->later);
    queue_init(&l->graves);
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    l->bell = (struct loop_watch){eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), EPOLLIN, bell_rings};
    if (l->epoll < 0 || l->bell.fd < 0) {
        rc = ERR(e, ERR_IO, "cannot make an event loop: %s", strerror(errno));
        goto out;
    }
    rc = loop_watch(l, &l->bell, e);
    if (rc)
        goto out;
    int error = pthread_create(&l->thread, NULL, run, l);
    if (error)
        rc = ERR(e, ERR_IO, "cannot start a thread: %s", strerror(error));
out:
    if (rc)
        loop_free(l);
    else
        *out = l;
    return rc;
}

static void end(struct loop_task *t)
{
    (void)t;
}

void loop_stop(struct loop *l)
{
    struct loop_task last = {.run = end};

    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    l->ending = true;
    pthread_mutex_unlock(&l->lock);
    loop_post(l, &last);
    pthread_join(l->thread, NULL);
    loop_free(l);
}
