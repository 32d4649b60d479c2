/*
 * callbacks_under_test.c: what sends a task's callbacks, as a program that may be killed.
 *
 *   callbacks_under_test DATABASE [private]        until SIGTERM; "ready" on stdout
 *
 * Pauses are short, and so are leases (LEASE seconds; without, 2), so that tests need not wait.
 * Secrets are SECRET_<name> of the environment. With "private", private addresses may be called.
 * Names that end with ".test" resolve to the addresses of the environment's ADDRESSES, another one
 * at each look: as a name that moves (DNS rebinding).
 */
#include "base/buf.h"
#include "base/log.h"
#include "storage/migrate.h"
#include "tasks/call_back.h"

#include <dlfcn.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int lookup(const char *, const char *, const struct addrinfo *, struct addrinfo **);

/* libcurl's look-ups come here, because programs go before libraries. */
__attribute__((visibility("default"))) int getaddrinfo(const char *node, const char *service,
                                                       const struct addrinfo *hints,
                                                       struct addrinfo **res)
{
    static atomic_uint looks;
    union {
        void *object;
        lookup *function;
    } real = {.object = dlsym(RTLD_NEXT, "getaddrinfo")};
    struct str rest = str_from(getenv("ADDRESSES")), one;
    const char *addresses[8];
    struct arena a = {0};
    unsigned n = 0;

    while (n < 8 && str_cut(&rest, ' ', &one))
        addresses[n++] = arena_str(&a, one);
    if (n && node && str_ends(str_from(node), ".test"))
        node = addresses[atomic_fetch_add(&looks, 1) % n];
    int rc = real.function(node, service, hints, res);
    arena_release(&a);
    return rc;
}

static const char *secret(void *outside, const char *name)
{
    char variable[128];

    (void)outside;
    snprintf(variable, sizeof variable, "SECRET_%s", name);
    return getenv(variable);
}

int main(int argc, char **argv)
{
    struct submitter submitter = {0};
    struct tasks tasks = {.submitter = &submitter, .secret = secret, .host = "here"};
    struct call_back_options options = {
        .tasks = &tasks, .first_retry = 0.05, .last_retry = 0.4, .lease = 2, .period = 0.1};
    struct call_back *calls = NULL;
    int64_t lease;
    sigset_t ends;
    struct err e;
    int number;

    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    if (str_to_i64(str_from(getenv("LEASE")), &lease))
        options.lease = (double)lease;
    tasks.allow_private_callbacks = argc > 2 && strcmp(argv[2], "private") == 0;
    if (argc < 2 || db_open(argv[1], &(struct db_options){.timeout = 20}, &submitter.db, &e) ||
        migrate_up(submitter.db, MIGRATE_NEWEST, &e) ||
        net_open(&(struct net_options){0}, &tasks.net, &e) ||
        call_back_start(&options, &calls, &e)) {
        fprintf(stderr, "callbacks_under_test: %s\n", argc < 2 ? "no database" : e.message);
        return 1;
    }
    puts("ready");
    fflush(stdout);
    sigwait(&ends, &number);
    call_back_stop(calls);
    net_close(tasks.net);
    db_close(submitter.db);
    return 0;
}
