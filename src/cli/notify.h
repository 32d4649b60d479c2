/*
 * notify.h: who owns an experiment is told when its run ends, in every browser that subscribed.
 *
 *   struct notifier *n;
 *   if (notifier_start(&(struct notifier_options){.db = db, .bus = bus}, &n, &e)) ...
 *   notifier_push(n)                     for the API: the key, trying a subscription out
 *   notifier_stop(n);
 *
 * What is to be sent lies in the database (storage/push_subscriptions.h): any server or worker of a
 * fleet sends it, exactly one does, and one that dies leaves it to another. Nothing here is waited
 * for by requests or drawing. Threads: one of its own, and that of ops/push.h; start and stop from
 * one. Ownership: the options are borrowed until notifier_stop returns.
 */
#ifndef CLI_NOTIFY_H
#define CLI_NOTIFY_H

#include "jobs/bus.h"
#include "ops/push.h"
#include "storage/db.h"

struct notifier;

struct notifier_options {
    struct db *db;
    struct bus *bus;     /* wakes it early; NULL: it looks every two seconds only */
    const char *key;     /* VAPID; NULL: the one in the database, made at the first start */
    const char *contact; /* of who runs this server; or NULL */
    bool allow_private;
    const struct egress *egress; /* hosts of push services; NULL: every one */
};
WARN_UNUSED_RESULT int notifier_start(const struct notifier_options *o, struct notifier **out,
                                      struct err *e);
void notifier_stop(struct notifier *n); /* NULL is fine */
struct push *notifier_push(struct notifier *n);

#endif
