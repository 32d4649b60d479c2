/*
 * access.h: whose things a list shows: users see their own, admins everybody's (a server without
 * users takes everyone for an admin). For single things see auth_owns.
 *
 *   filter.user_id = access_filter(r);
 *   wish.user_id = access_user(r);
 *
 * Threads: pure. Ownership: texts belong to the request's identity.
 */
#ifndef API_ACCESS_H
#define API_ACCESS_H

#include "server/http.h"

/* The user to filter lists by; NULL: no filter. */
static inline const char *access_filter(const struct request *r)
{
    const struct identity *who = request_identity(r);

    return who->role >= ROLE_ADMIN ? NULL : who->user_id;
}

/* For rows: NULL when nobody is known. */
static inline const char *access_user(const struct request *r)
{
    const struct identity *who = request_identity(r);

    return who->user_id[0] ? who->user_id : NULL;
}

#endif
