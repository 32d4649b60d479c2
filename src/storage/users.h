/*
 * users.h: the tables users, sessions and api_keys. Secrets are kept as hashes: passwords by
 * argon2id (made by who calls), session tokens and API keys as SHA-256 of their random bits.
 * Threads: as its transaction. Ownership: texts live in the arena.
 */
#ifndef STORAGE_USERS_H
#define STORAGE_USERS_H

#include "storage/db.h"

struct user {
    const char *id, *name; /* names are unique without regard to case */
    const char *password_hash;
    const char *role; /* "admin", "editor", "viewer" */
    bool disabled;
    int64_t created_at, updated_at, last_login_at;
};
WARN_UNUSED_RESULT int users_insert(struct tx *tx, const struct user *u, struct err *e);
WARN_UNUSED_RESULT int users_get(struct tx *tx, const char *id, struct arena *a, struct user *out,
                                 struct err *e);
WARN_UNUSED_RESULT int users_find(struct tx *tx, const char *name, struct arena *a,
                                  struct user *out, struct err *e);
WARN_UNUSED_RESULT int users_list(struct tx *tx, int limit, const char *cursor, struct arena *a,
                                  struct user **out, size_t *count, const char **next,
                                  struct err *e);
WARN_UNUSED_RESULT int users_count(struct tx *tx, int64_t *all, int64_t *admins, struct err *e);
/* Whole row but id and created_at. ERR_CONFLICT when it would leave no enabled admin. */
WARN_UNUSED_RESULT int users_update(struct tx *tx, const struct user *u, int64_t now,
                                    struct err *e);
WARN_UNUSED_RESULT int users_delete(struct tx *tx, const char *id, struct err *e);
WARN_UNUSED_RESULT int users_logged_in(struct tx *tx, const char *id, int64_t now, struct err *e);

struct session_row {
    const char *id;         /* shown to the user: a UUID */
    const char *token_hash; /* SHA-256 of the cookie, 64 hex digits */
    const char *user_id, *address, *agent;
    int64_t created_at, seen_at, expires_at;
};
WARN_UNUSED_RESULT int sessions_insert(struct tx *tx, const struct session_row *s, struct err *e);
/* The session and its user; ERR_NOT_FOUND also when expired or the user is disabled. */
WARN_UNUSED_RESULT int sessions_find(struct tx *tx, const char *token_hash, int64_t now,
                                     struct arena *a, struct session_row *session,
                                     struct user *user, struct err *e);
WARN_UNUSED_RESULT int sessions_rotate(struct tx *tx, const char *id, const char *token_hash,
                                       int64_t now, int64_t expires_at, struct err *e);
WARN_UNUSED_RESULT int sessions_list(struct tx *tx, const char *user_id, struct arena *a,
                                     struct session_row **out, size_t *count, struct err *e);
/* user_id NULL: whoever's. */
WARN_UNUSED_RESULT int sessions_delete(struct tx *tx, const char *id, const char *user_id,
                                       struct err *e);
/* All of a user but one (NULL: all). */
WARN_UNUSED_RESULT int sessions_delete_others(struct tx *tx, const char *user_id,
                                              const char *keep_id, struct err *e);
WARN_UNUSED_RESULT int sessions_expire(struct tx *tx, int64_t now, struct err *e);

struct api_key {
    const char *id, *user_id, *name;
    const char *prefix; /* the first characters, for people to recognise it */
    const char *hash;   /* SHA-256, 64 hex digits */
    const char *scopes; /* "read write admin" */
    int64_t created_at, expires_at, used_at, revoked_at; /* 0: never */
};
WARN_UNUSED_RESULT int api_keys_insert(struct tx *tx, const struct api_key *k, struct err *e);
/* The key and its user; ERR_NOT_FOUND also when expired, revoked, or the user is disabled. */
WARN_UNUSED_RESULT int api_keys_find(struct tx *tx, const char *hash, int64_t now, struct arena *a,
                                     struct api_key *key, struct user *user, struct err *e);
WARN_UNUSED_RESULT int api_keys_used(struct tx *tx, const char *id, int64_t now, struct err *e);
WARN_UNUSED_RESULT int api_keys_list(struct tx *tx, const char *user_id, struct arena *a,
                                     struct api_key **out, size_t *count, struct err *e);
/* user_id NULL: whoever's. Revoking twice keeps the first time. */
WARN_UNUSED_RESULT int api_keys_revoke(struct tx *tx, const char *id, const char *user_id,
                                       int64_t now, struct err *e);

#endif
