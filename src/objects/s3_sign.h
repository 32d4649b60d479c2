/*
 * s3_sign.h: AWS Signature Version 4, in the Authorization header ("Authenticating Requests (AWS
 * Signature Version 4)" of the Amazon S3 API Reference).
 *
 *   char date[SIGV4_DATE];
 *   sigv4_date(clock_unix_ms(), date);
 *   struct object_pair headers[] = {{"host", host}, {"x-amz-date", date}, ...};
 *   struct sigv4_request r = {.method = "GET", .path = store_percent(&a, path, "/"),
 *                             .query = sigv4_query(pairs, n, &a), .headers = headers, ...};
 *   const char *line = sigv4_authorization(&key, &r, date, &a);
 *
 * Everything that is sent as a header here is signed. Threads: pure. Ownership: results live in the
 * arena.
 */
#ifndef OBJECTS_S3_SIGN_H
#define OBJECTS_S3_SIGN_H

#include "objects/objects.h"

struct sigv4_key {
    const char *access, *secret, *region;
    const char *service; /* "s3" */
};
struct sigv4_request {
    const char *method;
    const char *path;  /* encoded, as it goes into the URL */
    const char *query; /* sigv4_query; "" for none */
    const struct object_pair *headers;
    size_t header_count;
    const char *payload; /* SHA-256 of the body in hex */
};

/* "20130524T000000Z" */
enum { SIGV4_DATE = 17 };
void sigv4_date(int64_t unix_ms, char out[SIGV4_DATE]);

/* The pairs encoded and sorted, with '&' between: the canonical query string, and the one to send.
 */
char *sigv4_query(const struct object_pair *pairs, size_t count, struct arena *a);
/* "AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=..." */
char *sigv4_authorization(const struct sigv4_key *key, const struct sigv4_request *r,
                          const char date[SIGV4_DATE], struct arena *a);

#endif
