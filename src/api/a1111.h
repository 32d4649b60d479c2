/*
 * a1111.h: what the routes below /sdapi/v1 share. Private to a1111*.c.
 *
 *   const char *model = a1111_model(r, "demo [45dee52bab]");
 *   a1111_remember(r, A1111_MODEL, model, e);
 *   const char *stored = a1111_recall(r, A1111_MODEL);
 *
 * A1111 has one user, one chosen model and one request at a time. Here these belong to the caller,
 * and are kept in the database (settings), so that any server of a fleet answers for any other.
 * Threads: a request's. Ownership: texts live in the request's arena.
 */
#ifndef API_A1111_H
#define API_A1111_H

#include "api/app.h"
#include "providers/provider.h"

/* The caller's notes: the chosen model; the ids of the newest request's generations. */
#define A1111_MODEL   "model"
#define A1111_REQUEST "request"
WARN_UNUSED_RESULT int a1111_remember(struct request *r, const char *what, const char *value,
                                      struct err *e);
/* *out is NULL when there is no note. */
WARN_UNUSED_RESULT int a1111_recall(struct request *r, const char *what, const char **out,
                                    struct err *e);

/* "demo [45dee52bab]", as A1111 shows models; without the hash while that is not known. */
const char *a1111_title(const struct provider_model *m, struct arena *a);
/* The installed model that a title, name, file name or hash means; the text itself when there is
 * none, for provider_complete to complain about. */
const char *a1111_model(struct request *r, const char *text);

/* The member `info` of an answer, JSON as A1111's Processed.js() has it. NULL with e filled. */
struct order;
char *a1111_info(struct request *r, const struct order *o, bool img2img, struct err *e);

#endif
