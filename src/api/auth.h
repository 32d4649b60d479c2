/*
 * auth.h: who asks: session cookies, API keys, HTTP Basic; passwords; tokens.
 *
 *   options.identify = auth_identify;
 *   if (auth_hash_password("correct horse", hash, &e)) ...
 *   bool same = auth_check_password(hash, "correct horse");
 *
 * A server without users answers on the loopback only, and takes everybody there for an
 * administrator. With the first user, everybody must log in.
 * Passwords: argon2id at libsodium's INTERACTIVE cost, at most AUTH_HASHES at a time (64 MiB each).
 * Tokens: 256 random bits, stored as their SHA-256: they cannot be guessed, so a fast hash is
 * enough. Threads: any.
 */
#ifndef API_AUTH_H
#define API_AUTH_H

#include "api/app.h"
#include "storage/users.h"

enum { AUTH_HASH = 128, AUTH_TOKEN = 72, AUTH_HASHES = 2, PASSWORD_MIN = 10, PASSWORD_MAX = 1024 };

/* Scopes of API keys, by bit. */
enum scope { SCOPE_READ = 1, SCOPE_WRITE = 2, SCOPE_ADMIN = 4 };
/* "read write": the bits; 0 when a word is unknown or there is none. A larger one brings the
 * smaller ones. */
uint32_t scopes_from_text(const char *text);

/* http_options.identify. ERR_NETWORK when the database is away. */
WARN_UNUSED_RESULT int auth_identify(struct request *r, struct identity *out, struct err *e);
/* The same for a key that came another way (the CONNECT packet of Socket.IO). ERR_DENIED. */
WARN_UNUSED_RESULT int auth_key(struct app *app, const char *key, struct identity *out,
                                struct err *e);
/* Everybody's identity where nobody needs to log in. */
struct identity auth_everybody(void);

/* ERR_ARG for a password that is too short or too long, with the rule. */
WARN_UNUSED_RESULT int auth_hash_password(const char *password, char out[AUTH_HASH], struct err *e);
bool auth_check_password(const char *hash, const char *password);
/* As long as a check takes, for names that do not exist: their absence must not be measurable. */
void auth_waste_time(void);

/* "cs_..." for sessions, "sc_..." for keys; hash is what the database keeps. */
void auth_token(const char *kind, char token[AUTH_TOKEN], char hash[65]);

bool role_by_name(const char *name, enum role *out); /* viewer, editor, admin */
const char *role_name(enum role role);

/* Whether this request may see or change what belongs to that user (NULL: nobody's). */
bool auth_owns(const struct request *r, const char *user_id);

/* A line in the table of events; failures are logged and forgotten. */
void audit(struct request *r, struct tx *tx, const char *kind, const char *subject,
           const char *data);
/* The same in a transaction of its own, without data. */
void audit_alone(struct request *r, const char *kind, const char *subject);

#define SESSION_COOKIE "cauldron_session"

#endif
