#include "api/throttle.h"

#include "base/sha256.h"

#include <ctype.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRIES = 8192, PROBES = 16 };
static const double LONGEST_WAIT = 900, FADE = 60; /* seconds */
enum kind { PAIR, ADDRESS, NAME, KNOWN };
static const int patience[] = {[PAIR] = 5, [ADDRESS] = 30, [NAME] = 100};

struct entry {
    unsigned char key[16]; /* of the SHA-256; all zero: free */
    double failures;       /* at `time` */
    double time;
};

struct throttle {
    pthread_mutex_t lock;
    struct entry entries[ENTRIES];
};

struct throttle *throttle_new(void)
{
    struct throttle *t = calloc(1, sizeof *t);

    if (!t)
        abort();
    pthread_mutex_init(&t->lock, NULL);
    return t;
}

void throttle_free(struct throttle *t)
{
    if (!t)
        return;
    pthread_mutex_destroy(&t->lock);
    free(t);
}

/* The network of an IPv6 address is its first four groups: who has one address there has all. */
static void network(const char *address, char out[64])
{
    int colons = 0;
    size_t n = 0;
    bool v4 = !strchr(address, ':') || strchr(address, '.');

    for (; n < 63 && address[n]; n++) {
        if (address[n] == ':' && ++colons == 4 && !v4)
            break;
        out[n] = address[n];
    }
    out[n] = 0;
}

/* The entry of that key: found, or the oldest of its places made free for it. */
static struct entry *find(struct throttle *t, enum kind kind, const char *address, const char *name,
                          bool make)
{
    char text[512], net[64], hex[65], folded[128];
    unsigned char key[16];
    struct entry *oldest = NULL;
    size_t n = 0;

    network(kind == NAME ? "" : address, net);
    for (; kind != ADDRESS && n < sizeof folded - 1 && name[n]; n++)
        folded[n] = (char)tolower((unsigned char)name[n]);
    folded[n] = 0;
    int length = snprintf(text, sizeof text, "%d\n%s\n%s", (int)kind, net, folded);
    sha256_hex(text, (size_t)length, hex);
    memcpy(key, hex, sizeof key); /* 64 bits of it */
    unsigned at = (unsigned)strtoul((char[]){hex[16], hex[17], hex[18], hex[19], 0}, NULL, 16);
    for (unsigned i = 0; i < PROBES; i++) {
        struct entry *entry = &t->entries[(at + i) % ENTRIES];
        if (memcmp(entry->key, key, sizeof key) == 0)
            return entry;
        if (!oldest || entry->time < oldest->time)
            oldest = entry;
    }
    if (!make)
        return NULL;
    *oldest = (struct entry){0};
    memcpy(oldest->key, key, sizeof key);
    return oldest;
}

static double faded(const struct entry *entry, double now)
{
    return fmax(0, entry->failures - (now - entry->time) / FADE);
}

static double wait_of(struct throttle *t, enum kind kind, const char *address, const char *name,
                      double now)
{
    const struct entry *entry = find(t, kind, address, name, false);

    if (!entry)
        return 0;
    double over = ceil(faded(entry, now)) - patience[kind];
    if (over < 0)
        return 0;
    return fmax(0, entry->time + fmin(LONGEST_WAIT, exp2(fmin(over, 20))) - now);
}

double throttle_wait(struct throttle *t, const char *address, const char *name, double now)
{
    pthread_mutex_lock(&t->lock);
    double wait =
        fmax(wait_of(t, PAIR, address, name, now), wait_of(t, ADDRESS, address, name, now));
    if (!find(t, KNOWN, address, name, false))
        wait = fmax(wait, wait_of(t, NAME, address, name, now));
    pthread_mutex_unlock(&t->lock);
    return wait;
}

void throttle_failed(struct throttle *t, const char *address, const char *name, double now)
{
    static const enum kind kinds[] = {PAIR, ADDRESS, NAME};

    pthread_mutex_lock(&t->lock);
    for (int i = 0; i < 3; i++) {
        struct entry *entry = find(t, kinds[i], address, name, true);
        entry->failures = faded(entry, now) + 1;
        entry->time = now;
    }
    pthread_mutex_unlock(&t->lock);
}

void throttle_passed(struct throttle *t, const char *address, const char *name, double now)
{
    pthread_mutex_lock(&t->lock);
    struct entry *pair = find(t, PAIR, address, name, false);
    if (pair)
        pair->failures = 0;
    find(t, KNOWN, address, name, true)->time = now;
    pthread_mutex_unlock(&t->lock);
}
