/*
 * outside.h: everything that concerns the world outside, as the operator set it, read once: which
 * hosts may be connected to, the credentials of object storage, the connections and secrets that
 * documents name.
 *
 *   struct outside outside;
 *   if (outside_open(options.allow_hosts, &outside, &e)) ...
 *   objects_open(url, &(struct objects_options){.net = outside.net, .settings = outside.settings},
 *                ...);
 *   struct dataset_access access = {.connection = outside_connection, .user = &outside,
 *                                   .egress = outside.egress};
 *   outside_close(&outside);
 *
 * Every variable that holds a secret can also be given as a file: NAME_FILE holds its path, and the
 * first line of the file counts. Documents name connections and secrets, and never hold them:
 * "prompts" is CAULDRON_CONNECTION_PROMPTS, or the file that CAULDRON_CONNECTION_PROMPTS_FILE
 * names. Threads: open and close from one, the rest from any, while nobody changes the environment.
 * Ownership: the texts of `settings` and all answers live until outside_close; the struct stays
 * where it was opened.
 */
#ifndef CLI_OUTSIDE_H
#define CLI_OUTSIDE_H

#include "base/map.h"
#include "net/http.h"
#include "objects/objects.h"

#include <pthread.h>

struct outside {
    struct egress *egress;
    struct net *net; /* asks `egress` */
    struct objects_settings settings;
    bool opened;
    /* What follows is its own. */
    pthread_mutex_t lock;
    struct arena arena;
    struct map known; /* values by the name of their variable */
};

/* `allow_hosts`: as net/egress.h reads it; NULL: CAULDRON_ALLOW_HOSTS, or the file that
 * CAULDRON_ALLOW_HOSTS_FILE names. ERR_ARG for a list or a variable that makes no sense, ERR_IO,
 * ERR_NOT_FOUND for a file that cannot be read. */
WARN_UNUSED_RESULT int outside_open(const char *allow_hosts, struct outside *out, struct err *e);
void outside_close(struct outside *o); /* one that is zero is fine */

/* The egress list alone, for commands that need nothing else; egress_free. */
WARN_UNUSED_RESULT int outside_egress(struct egress **out, struct err *e);

/* A secret: the first line of NAME, or of the file that NAME_FILE names; NULL when neither says
 * anything. In the arena. ERR_ARG, ERR_IO and ERR_NOT_FOUND are the file's. */
WARN_UNUSED_RESULT int secret_variable(const char *name, struct arena *a, const char **out,
                                       struct err *e);

/* CAULDRON_CONNECTION_<NAME>(_FILE), CAULDRON_SECRET_<NAME>(_FILE): names are letters, digits, '_'
 * and '-' (which becomes '_'), compared in capitals. NULL: there is none of that name (a file that
 * cannot be read is said in the log). `outside` is a struct outside, so that both fit
 * where a function and its user are asked for. */
const char *outside_connection(void *outside, const char *name);
const char *outside_secret(void *outside, const char *name);

#endif
