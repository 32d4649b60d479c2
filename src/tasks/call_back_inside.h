/*
 * call_back_inside.h: what the files of callbacks share; not for callers.
 *
 *   struct verdict v = call_back_try(tasks, document, &event, &pace, &stop, &arena);
 *
 * call_back.c has the threads, call_back_try.c one try, call_back_sign.c signatures and what may be
 * called, call_back_events.c the bodies. Threads: any; nothing is shared.
 */
#ifndef TASKS_CALL_BACK_INSIDE_H
#define TASKS_CALL_BACK_INSIDE_H

#include "tasks/call_back.h"

/* How long to wait between tries, seconds. */
struct pace {
    double first, last;
};

enum call_back_fate { CALL_TAKEN, CALL_LATER, CALL_DEAD };
/* What became of one try. */
struct verdict {
    enum call_back_fate fate;
    int status; /* of HTTP; 0: no answer */
    char error[sizeof((struct err){0}.message)];
    int64_t due_at; /* CALL_LATER: ms */
};

/* Sends the event once. `stop` breaks it off: then it is due at once. */
struct verdict call_back_try(const struct tasks *t, const struct task_document *d,
                             const struct callback *event, const struct pace *pace,
                             const atomic_bool *stop, struct arena *a);
/* It cannot even be tried, for that reason: as if it had been refused. */
struct verdict call_back_not_tried(const struct task_document *d, const struct callback *event,
                                   const struct pace *pace, const char *why);

/* Milliseconds that a Retry-After header asks for (RFC 9110, section 10.2.3: seconds, or a date);
 * -1 for what is none. `now`: ms since 1970. */
int64_t retry_after(const char *value, int64_t now);

/* The secret that a document names: ERR_NOT_FOUND says which variable is missing. *out NULL: the
 * document names none, and its events are not signed. */
WARN_UNUSED_RESULT int call_back_secret(const struct tasks *t, const struct task_callbacks *c,
                                        const char **out, struct err *e);
/* Addresses that are not public may be called: the document and the server say so. */
bool call_back_may_be_private(const struct tasks *t, const struct task_callbacks *c);

#endif
