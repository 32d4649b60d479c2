/*
 * gcs_login.h: access tokens for Google's services, as "Application Default Credentials" has it: a
 * key file (a service account's or a user's), else the metadata server of the machine.
 *
 *   struct gcs_login *login;
 *   if (gcs_login_open(net, &settings, &login, &e)) ...
 *   const char *token;
 *   if (gcs_login_token(login, NULL, &arena, &token, &e)) ...     kept until 5 minutes before its
 * end
 *   ... 401 ...
 *   if (gcs_login_token(login, token, &arena, &token, &e)) ...    another one than that
 *   gcs_login_close(login);
 *
 * gcloud's own file is found by whoever reads the environment: its path is a key file's.
 * Threads: any; one asks for a token at a time, the others use the old one while it lasts.
 */
#ifndef OBJECTS_GCS_LOGIN_H
#define OBJECTS_GCS_LOGIN_H

#include "objects/objects.h"

struct gcs_login;

/* Reads the key file. ERR_DENIED: it cannot be read or has no key; ERR_UNSUPPORTED: another kind of
 * credentials, by its name. */
WARN_UNUSED_RESULT int gcs_login_open(struct net *net, const struct objects_settings *s,
                                      struct gcs_login **out, struct err *e);
void gcs_login_close(struct gcs_login *l); /* NULL is fine */
/* ERR_DENIED: not accepted, or no credentials at all; ERR_NETWORK: try again. */
WARN_UNUSED_RESULT int gcs_login_token(struct gcs_login *l, const char *refused, struct arena *a,
                                       const char **out, struct err *e);

#endif
