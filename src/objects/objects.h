/*
 * objects.h: object storage behind one small table of functions: Google Cloud Storage (gcs.c),
 * whatever speaks S3 (s3.c), a folder (folder.c).
 *
 *   struct objects *store;
 *   struct objects_options o = {.net = net, .settings = settings};
 *   if (objects_open("gs://bucket/some/prefix", &o, &store, &e)) ...
 *   struct object_put put = {.name = "set/7/42.png", .bytes = png, .type = "image/png"};
 *   if (object_put(store, &put, &arena, &info, &e)) ...      whole and verified, or an error
 *   objects_close(store);
 *
 * A put is safe to repeat: it succeeds when an object with these bytes is there already
 * (info.existed), and never replaces one with other bytes (ERR_CONFLICT) unless `replace` is set.
 * What was stored is verified: the service's checksums (CRC32C, MD5, ETag) are compared with those
 * of the bytes. A large upload that was cut off goes on where it stopped: `save` gets a text as
 * soon as the upload has begun, and a later put, perhaps by another process, gives it back as
 * `session`. A session that the service does not know any more is forgotten and begun again.
 *
 * URLs: gs://BUCKET[/PREFIX], s3://BUCKET[/PREFIX], file:///DIR or file:DIR. Names are put below
 * the prefix; they are relative paths of UTF-8 without "." and ".." parts, control characters and
 * backslashes, at most 1024 bytes with the prefix (ERR_ARG).
 * Errors: ERR_NETWORK (away, cut, slow, 408, 429, 5xx: worth another try), ERR_DENIED (credentials
 * are missing or not accepted, or may not do this), ERR_NOT_FOUND (no such bucket or object),
 * ERR_CONFLICT, ERR_FORMAT (what was stored is not what was sent), ERR_IO (folder).
 * Threads: any. Ownership: results live in the arena.
 */
#ifndef OBJECTS_OBJECTS_H
#define OBJECTS_OBJECTS_H

#include "net/http.h"

struct objects;

/* Credentials and endpoints, as the environment has them; each may be NULL. cli/settings reads
 * them; `*_FILE` variants are resolved there. */
struct objects_settings {
    const char *google_credentials; /* GOOGLE_APPLICATION_CREDENTIALS: path of a key file */
    const char *google_metadata;    /* GCE_METADATA_HOST; default metadata.google.internal */
    const char *google_endpoint;    /* STORAGE_EMULATOR_HOST: http://host:port, without login */
    const char *google_https;       /* base of public URLs; https://storage.googleapis.com */
    const char *aws_access_key, *aws_secret_key, *aws_session_token;
    /* Without keys, who lends them: a role by the token in a file (AWS_ROLE_ARN,
     * AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_SESSION_NAME; asked for at AWS_ENDPOINT_URL_STS), or
     * whoever answers for the container (AWS_CONTAINER_CREDENTIALS_FULL_URI, _RELATIVE_URI;
     * AWS_CONTAINER_AUTHORIZATION_TOKEN, _FILE). AWS_PROFILE is only told of. */
    const char *aws_role, *aws_web_identity_file, *aws_role_session, *aws_sts_endpoint;
    const char *aws_container, *aws_container_token, *aws_container_token_file;
    const char *aws_profile;
    const char *aws_region;   /* AWS_REGION; default us-east-1 */
    const char *aws_endpoint; /* AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL: path-style; else virtual
                                 hosts below amazonaws.com */
};
struct objects_options {
    struct net *net; /* NULL is fine for folders */
    struct objects_settings settings;
    size_t resumable_from; /* bytes from which an upload is resumable; 0: 1 MiB */
    size_t part;           /* bytes sent at once of such an upload; 0: the service's advice */
};
WARN_UNUSED_RESULT int objects_open(const char *url, const struct objects_options *o,
                                    struct objects **out, struct err *e);
void objects_close(struct objects *o); /* NULL is fine */
/* Whether the bucket is there and lets us read and write, as far as the service says so without
 * being written to: for checks that touch nothing. */
WARN_UNUSED_RESULT int objects_check(struct objects *o, struct err *e);

struct object_pair {
    const char *name, *value; /* name: letters, digits, '-'; value: printable ASCII */
};
struct object_put {
    const char *name;
    struct str bytes;
    const char *type;                /* media type */
    const char *cache_control;       /* or NULL */
    const struct object_pair *pairs; /* the service's custom metadata */
    size_t pair_count;
    bool replace;
    const char *session; /* of the same put that was cut off; or NULL */
    /* Keep `session` for later, durably, before bytes are sent; NULL: not wanted. */
    int (*save)(void *user, const char *session, struct err *e);
    void *user;
    const atomic_bool *stop;
};
struct object_info {
    int64_t size;
    char crc32c[9];          /* base64 of the big-endian sum, as GCS writes it; "" when unknown */
    char md5[25];            /* base64; "" when unknown */
    const char *version;     /* generation (GCS), ETag (S3), NULL */
    const char *type;        /* NULL when unknown */
    const char *url, *https; /* gs://bucket/name; https://... (file:///... for both of a folder) */
    bool existed;            /* of object_put: nothing was sent, it was there */
    int64_t sent;            /* of object_put: bytes that went out this time */
};
WARN_UNUSED_RESULT int object_put(struct objects *o, const struct object_put *put, struct arena *a,
                                  struct object_info *out, struct err *e);
WARN_UNUSED_RESULT int object_head(struct objects *o, const char *name, struct arena *a,
                                   struct object_info *out, struct err *e);
/* Verified against the checksums that the service names; at most `max` bytes (ERR_FORMAT). */
WARN_UNUSED_RESULT int object_get(struct objects *o, const char *name, size_t max, struct arena *a,
                                  struct str *out, struct object_info *info, struct err *e);
/* One that is not there is no error. */
WARN_UNUSED_RESULT int object_delete(struct objects *o, const char *name, struct err *e);
/* Give up an upload that was begun: nothing of it stays at the service. */
WARN_UNUSED_RESULT int object_abandon(struct objects *o, const char *name, const char *session,
                                      struct err *e);
/* Names below `below` ("" for all), without the store's prefix, up to `limit` in the service's
 * order, after `cursor` (NULL: from the first). *next: NULL at the end. */
struct object_entry {
    const char *name;
    int64_t size;
    int64_t updated_at; /* ms */
};
WARN_UNUSED_RESULT int objects_list(struct objects *o, const char *below, size_t limit,
                                    const char *cursor, struct arena *a, struct object_entry **out,
                                    size_t *count, const char **next, struct err *e);
/* The addresses that an object of that name has. */
WARN_UNUSED_RESULT int object_address(struct objects *o, const char *name, struct arena *a,
                                      struct object_info *out, struct err *e);

struct objects_stats {
    int64_t puts, existed, gets, failures, bytes_sent, resumed;
};
void objects_stats(struct objects *o, struct objects_stats *out);

/* What a backend must have; listed in objects.c. Names come checked, with the prefix before them.
 */
struct objects_backend {
    const char *scheme;
    int (*open)(struct objects *o, const char *place, struct err *e);
    void (*close)(struct objects *o);
    int (*check)(struct objects *o, struct err *e);
    int (*put)(struct objects *o, const struct object_put *put, struct arena *a,
               struct object_info *out, struct err *e);
    int (*head)(struct objects *o, const char *name, struct arena *a, struct object_info *out,
                struct err *e);
    int (*get)(struct objects *o, const char *name, size_t max, struct arena *a, struct str *out,
               struct object_info *info, struct err *e);
    int (*remove)(struct objects *o, const char *name, struct err *e);
    int (*abandon)(struct objects *o, const char *name, const char *session, struct err *e);
    int (*list)(struct objects *o, const char *below, size_t limit, const char *cursor,
                struct arena *a, struct object_entry **out, size_t *count, const char **next,
                struct err *e);
    void (*address)(struct objects *o, const char *name, struct arena *a, struct object_info *out);
};

#endif
