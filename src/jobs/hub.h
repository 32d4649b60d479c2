/*
 * hub.h: what a submitter keeps: runs whose screens are out of date, generations that ended, who
 * waits for one, and which workers were heard of. One thread reads the database and tells the bus,
 * so that whoever draws or submits never does, and many changes become one event.
 *
 * Threads: any thread adds under `lock` and signals; only the hub's thread takes away (but for
 * waits, which wait_forget takes). Ownership: everything here is the hub's.
 */
#ifndef JOBS_HUB_H
#define JOBS_HUB_H

#include "jobs/submit.h"

#include <pthread.h>

enum { RATE_SAMPLES = 60, ENDED_MAX = 20000, ENDED_OF_ONE = 1000 };

struct run_state {
    struct run_state *next;
    char run_id[UUID_TEXT], experiment_id[UUID_TEXT], last[UUID_TEXT];
    char room[USER_ROOM]; /* of who owns the experiment */
    bool dirty;
    double not_before; /* the next event of its experiment */
    double touched;
    int64_t sequence;
    /* (time, ended cells) of the last minute, for the rate */
    double times[RATE_SAMPLES];
    int64_t counts[RATE_SAMPLES];
    size_t samples; /* ever; the last RATE_SAMPLES are kept */
};

struct ended {
    struct ended *next;
    char id[UUID_TEXT];
};

struct wait {
    struct wait *next;
    char id[UUID_TEXT];
    double check; /* when to look into the database */
    bool called;
    void (*ended)(void *user, const char *generation_id);
    void *user;
};

struct seen_worker {
    struct seen_worker *next;
    double when;
    int64_t seen_at;   /* the same in ms, for people */
    char *name, *text; /* text: its JSON */
};

struct hub {
    struct submitter *s;
    pthread_mutex_t lock;
    pthread_cond_t woken, idle; /* something to do; no callback runs */
    pthread_t thread;
    bool stopping;
    double retry; /* not before, after the database failed */
    struct run_state *runs;
    struct ended *ended, **ended_last;
    size_t ended_count;
    struct wait *waits, *calling;
    struct seen_worker *workers;
    bool queue_changed;
    double queue_not_before;
};

/* progress.c, under the lock: */
void progress_mark(struct hub *h, const char *run_id, const char *last_generation);
double progress_due(const struct hub *h); /* when the next event may go; infinity for none */
/* By the hub's thread, without the lock: tell what is due. */
WARN_UNUSED_RESULT int progress_tell(struct hub *h, struct tx *tx, double now, struct arena *a,
                                     struct err *e);
void progress_forget(struct hub *h);

/* ended.c: the same for generations that ended, and where their pictures are. */
const char *generation_url(const char *id, struct arena *a);
const char *generation_thumbnail_url(const char *id, struct arena *a);
WARN_UNUSED_RESULT int ended_tell(struct hub *h, struct tx *tx, struct arena *a, struct err *e);
void ended_forget(struct hub *h);

/* wait.c */
double wait_due(const struct hub *h);
void wait_heard(struct hub *h, const char *event_name); /* takes the lock */
WARN_UNUSED_RESULT int wait_check(struct hub *h, struct tx *tx, double now, struct arena *a,
                                  struct err *e);

/* roster.c */
void roster_hear(struct hub *h, const char *text); /* takes the lock */
void roster_forget(struct hub *h);

#endif
