/*
 * order.h: pictures that one request asks for: parameters to generations, and waiting for them
 * without holding a thread. The three doors (ours, OpenAI's, A1111's) order here.
 *
 *   struct order *o;
 *   if ((rc = order_place(r, w, &what, &o, e)))
 *       return rc < 0 ? rc : 0;                    1: a problem has been answered
 *   return order_wait(o, r, w, 60.0, answer, user, e);
 *
 *   static int answer(struct request *r, struct response *w, struct order *o, struct err *e)
 *   {
 *       ... o->generations are as they are now: ended, unless the time was up ...
 *   }
 *
 * Threads: a request's. Ownership: everything lives in the request's arena.
 */
#ifndef API_ORDER_H
#define API_ORDER_H

#include "api/app.h"
#include "storage/generations.h"

struct order;
typedef int order_answer(struct request *r, struct response *w, struct order *o, struct err *e);

struct order {
    struct generation *generations; /* as last read */
    size_t count;
    bool timed_out; /* or the server stops */
    void *user;     /* of order_wait */

    struct app *app;
    order_answer *answer;
    struct later later;
    struct order_wait *waits; /* one a generation */
    _Atomic int pending;      /* generations that have not ended, as far as is known */
    double until, look_at;    /* clock_seconds: give up; ask the database */
};

struct order_wait {
    struct order *order;
    struct wait *wait; /* NULL: not waiting */
    _Atomic bool counted;
};

struct order_wishes {
    /* Names of the generate request; pictures as their SHA-256 (order_picture). seed -1 or absent:
     * random. */
    const json_t *parameters;
    int count; /* image i has seed + i */
    int priority;
    const json_t *tags; /* array of texts or NULL */
    /* What the members are called in this door, for JSON pointers: pairs of ours and its, ended by
     * NULL; NULL: the same. */
    const char *const (*names)[2];
};
/* 0; 1 when a problem was answered (bad parameters, each with its pointer; a model that is not
 * installed, with those that are); or a negative code. */
WARN_UNUSED_RESULT int order_place(struct request *r, struct response *w,
                                   const struct order_wishes *wishes, struct order **out,
                                   struct err *e);
/* The order that these generations (NULL-ended) were; ERR_NOT_FOUND when all of them are gone. */
WARN_UNUSED_RESULT int order_recall(struct request *r, const char *const *ids, struct order **out,
                                    struct err *e);
/* Read the generations again. */
WARN_UNUSED_RESULT int order_refresh(struct order *o, struct request *r, struct err *e);
bool order_ended(const struct order *o);
/* Answer when all have ended or `seconds` are over, at once if they have. */
int order_wait(struct order *o, struct request *r, struct response *w, double seconds,
               order_answer *answer, void *user, struct err *e);

/* Whether a generation's status is one that it keeps. */
bool generation_ended(const struct generation *g);

/* Replace the picture that the parameter `name` holds (if any) by its hash. 1: a problem with that
 * pointer was answered. */
WARN_UNUSED_RESULT int order_take_picture(struct request *r, struct response *w, json_t *parameters,
                                          const char *name, const char *pointer, struct err *e);

/* An array of texts as a NULL-ended list in the arena, each once. */
const char **tag_list(const json_t *tags, struct arena *a);

/* 404 with code model_not_found, and "models", those that are installed. */
int answer_model_missing(struct request *r, struct response *w, const struct err *why);

#endif
