/*
 * s3_inside.h: what the files of the S3 backend share: signed requests (s3_http.c), single objects
 * (s3.c), uploads in parts (s3_upload.c).
 *
 *   struct s3_request q = {.method = "HEAD", .name = name, .what = "look for"};
 *   if (s3_ask(o, &q, &arena, &answer, &e)) ...                    no answer; else any status
 *   if (answer.status != 200)
 *       return s3_refused(&q, &answer, &arena, &e);
 *
 * Threads: any. Ownership: as in objects.h.
 */
#ifndef OBJECTS_S3_INSIDE_H
#define OBJECTS_S3_INSIDE_H

#include "objects/s3_login.h"
#include "objects/s3_sign.h"
#include "objects/store.h"

struct s3 {
    const char *origin; /* "https://host[:port]" */
    const char *host;   /* as the Host header has it */
    const char *base;   /* before names: "/bucket" or "" */
    const char *region;
    struct s3_login *login;
    atomic_llong skew;         /* ms from our clock to the service's */
    atomic_bool no_checksum;   /* it knows no x-amz-checksum-crc32c, */
    atomic_bool no_conditions; /* no If-None-Match on writing */
};

enum { S3_HEADERS = 48, S3_QUERY = 6 };
struct s3_request {
    const char *method;
    const char *name; /* of the object with its prefix; NULL: the bucket */
    const char *what; /* for messages: "store", "read" */
    struct object_pair query[S3_QUERY], headers[S3_HEADERS];
    size_t query_count, header_count;
    struct str body;
    size_t max_answer; /* 0: 1 MiB */
    const atomic_bool *stop;
};
void s3_query(struct s3_request *q, const char *name, const char *value);
void s3_header(struct s3_request *q, const char *name, const char *value); /* NULL: none */

/* Signed and sent; once more when our clock was wrong. */
WARN_UNUSED_RESULT int s3_ask(struct objects *o, const struct s3_request *q, struct arena *a,
                              struct net_answer *out, struct err *e);
/* An answer that is no success, as our error: by the service's code, else by the status. */
WARN_UNUSED_RESULT int s3_refused(const struct s3_request *q, const struct net_answer *answer,
                                  struct arena *a, struct err *e);
/* The <Code> of an error, "" when there is none. */
const char *s3_code(const struct net_answer *answer, struct arena *a);

/* ============================== One object (s3.c) ============================== */

/* The bytes that a put stores, and how they are known again. */
struct s3_bytes {
    struct str bytes;
    struct sums sums;
    char sha256[65];
    size_t part; /* of an upload in parts */
};
/* An ETag without its quotes. */
const char *s3_etag(const struct net_answer *answer, struct arena *a);
/* The headers that say what the object is: type, cache control, metadata with our sums. */
void s3_describe(struct s3_request *q, const struct object_put *put, const struct s3_bytes *b,
                 struct arena *a);
/* Size, sums, ETag and type from the headers of an answer about one object. */
void s3_read_info(const struct net_answer *answer, struct arena *a, struct object_info *out);

/* Whether the object that is there has these bytes. `trusted`: the sums that we wrote beside it
 * count, as they do for an object that somebody stored before; else only what the service says,
 * and last of all the bytes themselves. ERR_NOT_FOUND when there is none; *info is filled. */
WARN_UNUSED_RESULT int s3_compare(struct objects *o, const struct object_put *put,
                                  const struct s3_bytes *b, bool trusted, struct arena *a,
                                  struct object_info *info, bool *same, struct err *e);
/* What is there already instead of what was to be stored: fills `out` (existed), or ERR_CONFLICT.
 */
WARN_UNUSED_RESULT int s3_existing(struct objects *o, const struct object_put *put,
                                   const struct s3_bytes *b, struct arena *a,
                                   struct object_info *out, struct err *e);
/* After a put that said `etag`: fills `out`, ERR_FORMAT when other bytes are there. */
WARN_UNUSED_RESULT int s3_stored(struct objects *o, const struct object_put *put,
                                 const struct s3_bytes *b, const char *etag, bool verified,
                                 struct arena *a, struct object_info *out, struct err *e);

/* ============================== In parts (s3_upload.c) ============================== */

/* The ETag of these bytes stored in parts of that size: hex of the MD5 of all MD5s, "-N". */
const char *s3_parts_etag(struct str bytes, size_t part, struct arena *a);
WARN_UNUSED_RESULT int s3_upload(struct objects *o, const struct object_put *put,
                                 const struct s3_bytes *b, struct arena *a, struct object_info *out,
                                 struct err *e);
WARN_UNUSED_RESULT int s3_abandon(struct objects *o, const char *name, const char *session,
                                  struct err *e);
size_t s3_part_size(const struct objects *o, size_t n);

#endif
