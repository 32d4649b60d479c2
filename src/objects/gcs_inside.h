/*
 * gcs_inside.h: what the files of the Google Cloud Storage backend share (JSON API v1).
 *
 *   struct gcs_request r = {.method = "GET", .path = gcs_object_path(o, name, "", a)};
 *   struct net_answer answer;
 *   if (gcs_ask(o, &r, a, &answer, e)) ...                 no answer; else any status
 *   if (answer.status != 200)
 *       return gcs_refused(e, "read", name, &answer);
 *
 * Threads: any.
 */
#ifndef OBJECTS_GCS_INSIDE_H
#define OBJECTS_GCS_INSIDE_H

#include "base/json.h"
#include "objects/gcs_login.h"
#include "objects/store.h"

struct gcs {
    const char *endpoint;    /* "https://storage.googleapis.com": no '/' at its end */
    const char *https;       /* base of public addresses */
    struct gcs_login *login; /* NULL: an emulator */
};

struct gcs_request {
    const char *method;
    const char *path;           /* behind the endpoint; or */
    const char *url;            /* all of it: of an upload session, whose origin was checked */
    const char *const *headers; /* at most 8, NULL-ended; or NULL */
    struct str body;
    size_t max_answer;
    const atomic_bool *stop;
};
/* With a token; a 401 is asked again once with another one. out->sent is right also on failure. */
WARN_UNUSED_RESULT int gcs_ask(struct objects *o, const struct gcs_request *r, struct arena *a,
                               struct net_answer *out, struct err *e);

/* "/storage/v1/b/BUCKET/o/NAME" and "?query" (query may be ""). */
const char *gcs_object_path(const struct objects *o, const char *name, const char *query,
                            struct arena *a);

/* store_refused with the reason that the answer's JSON gives; conflicts of concurrent changes and
 * rate limits are ERR_NETWORK. */
WARN_UNUSED_RESULT int gcs_refused(struct err *e, const char *what, const char *name,
                                   const struct net_answer *answer);

/* The resource of an object: ERR_FORMAT when it is none. Addresses are left alone. */
WARN_UNUSED_RESULT int gcs_read_info(struct str body, const char *name, struct arena *a,
                                     struct object_info *out, struct err *e);
int gcs_head(struct objects *o, const char *name, struct arena *a, struct object_info *out,
             struct err *e);
/* One generation of it, or NULL: the one that is there. */
int gcs_remove(struct objects *o, const char *name, const char *generation, struct err *e);

int gcs_put(struct objects *o, const struct object_put *put, struct arena *a,
            struct object_info *out, struct err *e);
int gcs_abandon(struct objects *o, const char *name, const char *session, struct err *e);

#endif
