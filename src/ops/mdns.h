/*
 * mdns.h: finding servers on the local network: announce this one as _cauldron._tcp by multicast
 * DNS service discovery (RFC 6762, RFC 6763), and listen for others, through the Avahi daemon.
 *
 *   struct mdns *m;
 *   if (mdns_start(&(struct mdns_options){.port = 8000, .version = "1", .announce = true}, &m, &e))
 *       ...
 *   mdns_look(m, &arena, &view);
 *   mdns_stop(m);
 *
 * Without the daemon, or without D-Bus, nothing fails: mdns_look says why nobody is found, and as
 * soon as they are there it goes on. What others announce is hostile text: it is cleaned, bounded,
 * and never becomes more than a name, an address and a port (mdns_list.h).
 * Threads: one of its own; any may look. Ownership: options are copied.
 */
#ifndef OPS_MDNS_H
#define OPS_MDNS_H

#include "base/arena.h"
#include "base/err.h"
#include "ops/mdns_list.h"

struct mdns;

struct mdns_options {
    const char *name;    /* of the service; NULL: "Shadow Cauldron on HOST" */
    const char *version; /* of this program */
    const char *address; /* that is listened on: announced on its interface only; NULL: all */
    int port;
    bool announce; /* false: only listen */
    bool off;      /* not even that: mdns_look says so */
};
WARN_UNUSED_RESULT int mdns_start(const struct mdns_options *o, struct mdns **out, struct err *e);
void mdns_stop(struct mdns *m); /* NULL is fine */

struct mdns_view {
    bool available, announced;
    const char *detail;                /* why not, or NULL */
    const char *name;                  /* as announced: the daemon may have had to change it */
    int port;                          /* of this one */
    const char *host;                  /* "attic.local", or NULL */
    const struct mdns_server *servers; /* the others, by name */
    size_t count;
};
void mdns_look(struct mdns *m, struct arena *a, struct mdns_view *out);

#endif
