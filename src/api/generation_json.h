/*
 * generation_json.h: rows as the API shows them (schemas Generation and Recipe of openapi.yaml).
 *
 *   struct generation g;
 *   if (generation_of(r, tx, &g, e)) ...             the one that the path names
 *   return respond_json(w, 200, generation_json(&g, app->live));
 *
 *   if (generation_write(&g, app->live, &buf)) ...   for long lists: some microseconds each
 *
 * URLs are relative to the server's root. Threads: as the transaction. Ownership: new references.
 */
#ifndef API_GENERATION_JSON_H
#define API_GENERATION_JSON_H

#include "api/app.h"
#include "base/buf.h"
#include "storage/generations.h"

/* Append the object. `live` may be NULL: then "progress" is null. ERR_NOMEM. */
WARN_UNUSED_RESULT int generation_write(const struct generation *g, struct live *live,
                                        struct buf *out);
/* A page of them: {"items": [...], "next_cursor": next}. */
WARN_UNUSED_RESULT int generations_write(const struct generation *rows, size_t count,
                                         const char *next, struct live *live, struct buf *out,
                                         struct err *e);

/* NULL when memory ended. */
json_t *generation_json(const struct generation *g, struct live *live);
json_t *generations_json(const struct generation *rows, size_t count, struct live *live);
/* submitter.describe: how events show one that ended. */
json_t *generation_describe(const struct generation *g);

/* An integer where every reader of JSON keeps it exact (up to 2^53 - 1), else a decimal text. */
json_t *seed_json(uint64_t seed);
/* A recipe as it was stored: the seed as seed_json has it. An empty object for broken text. */
json_t *recipe_answer(const char *stored);

/* {"code", "message"}, or null without a code and a message. */
json_t *failure_json(const char *code, const char *message);

/* The generation that {id} names, in the request's arena; ERR_NOT_FOUND when there is none or when
 * it is somebody else's. */
WARN_UNUSED_RESULT int generation_of(struct request *r, struct tx *tx, struct generation *out,
                                     struct err *e);
/* The same for any id, with a transaction of its own. */
WARN_UNUSED_RESULT int generation_read(struct request *r, const char *id, struct generation *out,
                                       struct err *e);

#endif
