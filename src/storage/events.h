/*
 * events.h: the table events: what happened, by whom, to what (audit and product events). Rows are
 * only added, and removed when they are old. Threads: as its transaction.
 */
#ifndef STORAGE_EVENTS_H
#define STORAGE_EVENTS_H

#include "storage/db.h"

struct event_row {
    const char *id;      /* UUID v7; filled by events_add when NULL */
    const char *kind;    /* "login", "login_failed", "experiment_started", ... */
    const char *user_id; /* NULL: the program, or nobody known */
    const char *subject; /* id or name of what it happened to, or NULL */
    const char *address, *request_id;
    const char *data; /* JSON object or NULL */
    int64_t created_at;
};
WARN_UNUSED_RESULT int events_add(struct tx *tx, const struct event_row *event, struct err *e);
struct event_filter {
    const char *kind, *user_id, *subject; /* NULL: any */
    int64_t after;                        /* ms; 0: any */
    int limit;
    const char *cursor;
};
WARN_UNUSED_RESULT int events_list(struct tx *tx, const struct event_filter *f, struct arena *a,
                                   struct event_row **out, size_t *count, const char **next,
                                   struct err *e);
WARN_UNUSED_RESULT int events_expire(struct tx *tx, int64_t before, struct err *e);

/* Small facts of the whole installation (queue paused, announced address): the table settings. */
WARN_UNUSED_RESULT int settings_get(struct tx *tx, const char *name, struct arena *a,
                                    const char **value, struct err *e); /* NULL when unset */
/* value NULL: unset it. */
WARN_UNUSED_RESULT int settings_set(struct tx *tx, const char *name, const char *value,
                                    struct err *e);
/* Unless it is set: of many who call at once, one wins, and all read the same afterwards. */
WARN_UNUSED_RESULT int settings_add(struct tx *tx, const char *name, const char *value,
                                    struct err *e);

#endif
