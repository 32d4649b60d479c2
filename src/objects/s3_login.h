/*
 * s3_login.h: as whom S3 is asked: keys that were given, or ones that are lent for an hour and
 * renewed before they end: to a role that a file's token proves (AssumeRoleWithWebIdentity, EKS),
 * or to the container (the endpoints of ECS and EKS Pod Identity).
 *
 *   struct s3_login *login;
 *   if (s3_login_new(&settings, region, &login, &e)) ...      ERR_DENIED: there are none
 *   struct s3_keys keys;
 *   if (s3_login_keys(login, net, &arena, &keys, &e)) ...
 *   ... the service says that they ended: s3_login_forget(login), and once more
 *   s3_login_free(login);
 *
 * Threads: any; one renews while the others wait. Ownership: settings are borrowed until free; keys
 * are copied into the arena.
 */
#ifndef OBJECTS_S3_LOGIN_H
#define OBJECTS_S3_LOGIN_H

#include "objects/objects.h"

struct s3_login;
struct s3_keys {
    const char *access, *secret, *token; /* token NULL: none */
};

WARN_UNUSED_RESULT int s3_login_new(const struct objects_settings *settings, const char *region,
                                    struct s3_login **out, struct err *e);
void s3_login_free(struct s3_login *l); /* NULL is fine */
WARN_UNUSED_RESULT int s3_login_keys(struct s3_login *l, struct net *net, struct arena *a,
                                     struct s3_keys *out, struct err *e);
/* These are not taken any more; false: there is no way to others. */
bool s3_login_forget(struct s3_login *l);

#endif
