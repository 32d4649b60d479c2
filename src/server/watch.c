#include "server/watch.h"

#include "base/clock.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { NO_PLACE = -1 };
static const double tick_seconds = 0.25;

struct entry {
    uint32_t generation; /* in the ticket's upper half; odd while in use */
    int fd;
    int place; /* in the heap, or NO_PLACE */
    uint32_t next_free;
    double deadline;
    void (*wake)(void *user, enum wake why);
    void *user;
};

struct watch {
    pthread_mutex_t lock;
    struct entry *entries;
    uint32_t count, room, free; /* entries[free] and on: a list by next_free, ends at room */
    uint32_t *heap;             /* entries with deadlines, the nearest first */
    int heap_count;
    double sleeping_until; /* of the thread; later deadlines need not interrupt it */
    bool ended, stopping;
    int epoll, event;
    pthread_t thread;
    void (*tick)(void *user);
    void *tick_user;
};

/* ==== the heap: entries[heap[i]].place == i, no child before its parent ==== */

static void put(struct watch *w, int place, uint32_t index)
{
    w->heap[place] = index;
    w->entries[index].place = place;
}

static double at(const struct watch *w, int place)
{
    return w->entries[w->heap[place]].deadline;
}

static void sift(struct watch *w, int place)
{
    uint32_t index = w->heap[place];
    double deadline = w->entries[index].deadline;

    for (; place > 0 && at(w, (place - 1) / 2) > deadline; place = (place - 1) / 2)
        put(w, place, w->heap[(place - 1) / 2]);
    for (int child; (child = 2 * place + 1) < w->heap_count; place = child) {
        if (child + 1 < w->heap_count && at(w, child + 1) < at(w, child))
            child++;
        if (at(w, child) >= deadline)
            break;
        put(w, place, w->heap[child]);
    }
    put(w, place, index);
}

static void heap_remove(struct watch *w, int place)
{
    uint32_t last = w->heap[--w->heap_count];

    if (place == w->heap_count)
        return;
    put(w, place, last);
    sift(w, place);
}

/* ==== entries ==== */

static void grow(struct watch *w)
{
    uint32_t room = w->room ? w->room * 2 : 64;
    struct entry *entries = realloc(w->entries, room * sizeof *entries);
    uint32_t *heap = realloc(w->heap, room * sizeof *heap);

    if (!entries || !heap)
        abort(); /* some bytes for each connection, whose number is limited */
    for (uint32_t i = w->room; i < room; i++)
        entries[i] = (struct entry){.next_free = i + 1, .place = NO_PLACE};
    w->entries = entries;
    w->heap = heap;
    w->free = w->room;
    w->room = room;
}

static struct entry *find(struct watch *w, uint64_t ticket)
{
    uint32_t index = (uint32_t)ticket, generation = (uint32_t)(ticket >> 32);

    if (index >= w->room || w->entries[index].generation != generation)
        return NULL;
    return &w->entries[index];
}

/* Use the entry up; the caller holds the lock. */
static void drop(struct watch *w, struct entry *entry)
{
    if (entry->place != NO_PLACE)
        heap_remove(w, entry->place);
    if (entry->fd >= 0)
        epoll_ctl(w->epoll, EPOLL_CTL_DEL, entry->fd, NULL);
    entry->place = NO_PLACE;
    entry->generation++;
    entry->next_free = w->free;
    w->free = (uint32_t)(entry - w->entries);
}

static void interrupt(struct watch *w)
{
    uint64_t one = 1;
    ssize_t n = write(w->event, &one, sizeof one);
    (void)n; /* full only when it is already waking */
}

uint64_t watch_add(struct watch *w, int fd, double seconds, void (*wake)(void *user, enum wake why),
                   void *user)
{
    bool hurry = false;

    pthread_mutex_lock(&w->lock);
    if (w->free == w->room)
        grow(w);
    uint32_t index = w->free;
    struct entry *entry = &w->entries[index];
    w->free = entry->next_free;
    entry->generation++;
    entry->fd = fd;
    entry->wake = wake;
    entry->user = user;
    uint64_t ticket = (uint64_t)entry->generation << 32 | index;
    if (seconds >= 0) {
        entry->deadline = clock_seconds() + seconds;
        w->heap[w->heap_count] = index;
        entry->place = w->heap_count;
        sift(w, w->heap_count++);
        hurry = entry->deadline < w->sleeping_until;
    }
    if (fd >= 0) {
        struct epoll_event event = {.events = EPOLLRDHUP | EPOLLONESHOT, .data.u64 = ticket};
        if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &event))
            entry->fd = -1; /* then only time and answers wake it */
    }
    bool ended = w->ended;
    pthread_mutex_unlock(&w->lock);
    if (ended)
        watch_wake(w, ticket, WAKE_GONE);
    else if (hurry)
        interrupt(w);
    return ticket;
}

bool watch_take(struct watch *w, uint64_t ticket)
{
    pthread_mutex_lock(&w->lock);
    struct entry *entry = find(w, ticket);
    if (entry)
        drop(w, entry);
    pthread_mutex_unlock(&w->lock);
    return entry != NULL;
}

void watch_wake(struct watch *w, uint64_t ticket, enum wake why)
{
    pthread_mutex_lock(&w->lock);
    struct entry *entry = find(w, ticket), copy = {0};
    if (entry) {
        copy = *entry;
        drop(w, entry);
    }
    pthread_mutex_unlock(&w->lock);
    if (copy.wake)
        copy.wake(copy.user, why);
}

void watch_end(struct watch *w)
{
    pthread_mutex_lock(&w->lock);
    w->ended = true;
    uint32_t room = w->room;
    pthread_mutex_unlock(&w->lock);
    for (uint32_t i = 0; i < room; i++) {
        pthread_mutex_lock(&w->lock);
        uint32_t generation = w->entries[i].generation;
        pthread_mutex_unlock(&w->lock);
        if (generation & 1)
            watch_wake(w, (uint64_t)generation << 32 | i, WAKE_GONE);
    }
}

/* ==== the thread ==== */

/* Wake what is due; returns when to look again, `latest` at the latest. */
static double run_due(struct watch *w, double latest)
{
    for (;;) {
        pthread_mutex_lock(&w->lock);
        double next = w->heap_count && at(w, 0) < latest ? at(w, 0) : latest;
        uint32_t index = w->heap_count ? w->heap[0] : 0;
        uint64_t ticket = w->heap_count ? (uint64_t)w->entries[index].generation << 32 | index : 0;
        bool due = w->heap_count && at(w, 0) <= clock_seconds();
        if (!due)
            w->sleeping_until = next;
        pthread_mutex_unlock(&w->lock);
        if (!due)
            return next;
        watch_wake(w, ticket, WAKE_TIME);
    }
}

static void *run(void *user)
{
    struct watch *w = user;
    double next_tick = clock_seconds();
    struct epoll_event events[64];

    for (;;) {
        if (clock_seconds() >= next_tick) {
            w->tick(w->tick_user);
            next_tick = clock_seconds() + tick_seconds;
        }
        double wait = run_due(w, next_tick) - clock_seconds();
        int n = epoll_wait(w->epoll, events, 64, wait > 0 ? (int)(wait * 1000) + 1 : 0);
        for (int i = 0; i < n; i++) {
            uint64_t count;
            if (events[i].data.u64)
                watch_wake(w, events[i].data.u64, WAKE_GONE);
            else if (read(w->event, &count, sizeof count) < 0 && errno != EAGAIN)
                return NULL;
        }
        pthread_mutex_lock(&w->lock);
        bool stopping = w->stopping;
        pthread_mutex_unlock(&w->lock);
        if (stopping)
            return NULL;
    }
}

static void release(struct watch *w)
{
    if (w->event >= 0)
        close(w->event);
    if (w->epoll >= 0)
        close(w->epoll);
    pthread_mutex_destroy(&w->lock);
    free(w->entries);
    free(w->heap);
    free(w);
}

int watch_start(void (*tick)(void *user), void *user, struct watch **out, struct err *e)
{
    struct epoll_event event = {.events = EPOLLIN};
    struct watch *w = calloc(1, sizeof *w);
    int rc = 0;

    if (!w)
        return ERR(e, ERR_NOMEM, "no memory for the connections' clock");
    pthread_mutex_init(&w->lock, NULL);
    w->tick = tick;
    w->tick_user = user;
    w->sleeping_until = HUGE_VAL;
    w->epoll = epoll_create1(EPOLL_CLOEXEC);
    w->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->epoll < 0 || w->event < 0 || epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->event, &event))
        rc = ERR(e, ERR_IO, "cannot watch connections: %s", strerror(errno));
    else if (pthread_create(&w->thread, NULL, run, w))
        rc = ERR(e, ERR_NOMEM, "cannot start a thread");
    if (rc)
        release(w);
    else
        *out = w;
    return rc;
}

void watch_stop(struct watch *w)
{
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_mutex_unlock(&w->lock);
    interrupt(w);
    pthread_join(w->thread, NULL);
    release(w);
}
