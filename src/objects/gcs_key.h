/*
 * gcs_key.h: a file of Google credentials, and what is posted for an access token.
 *
 *   struct gcs_key key;
 *   if (gcs_key_read(path, &key_arena, &key, &e)) ...
 *   const char *form;
 *   if (gcs_key_form(&key, clock_unix_ms() / 1000, &arena, &form, &e)) ...  -> POST key.token_uri
 *   gcs_key_release(&key);
 *
 * Threads: constant once read.
 */
#ifndef OBJECTS_GCS_KEY_H
#define OBJECTS_GCS_KEY_H

#include "base/arena.h"

#include <stdint.h>

struct gcs_key {
    const char *token_uri;
    /* A service account (RFC 7523): signed by its RSA key. */
    const char *email, *key_id;
    void *private_key; /* OpenSSL's EVP_PKEY; NULL: a user */
    /* A user (RFC 6749, section 6). */
    const char *client_id, *client_secret, *refresh_token;
};

WARN_UNUSED_RESULT int gcs_key_read(const char *path, struct arena *a, struct gcs_key *out,
                                    struct err *e);
/* The private key; texts live in the arena. */
void gcs_key_release(struct gcs_key *k);
WARN_UNUSED_RESULT int gcs_key_form(const struct gcs_key *k, int64_t now, struct arena *a,
                                    const char **out, struct err *e);

#endif
