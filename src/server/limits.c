#include "server/limits.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { CHAINS = 4096, MOST = 65536 };

struct account {
    struct account *next;
    struct address key;
    int connections;
    double tokens, at; /* how many there were at that time */
};

struct limits {
    pthread_mutex_t lock;
    int most_connections;
    double rate, burst;
    int count;
    uint64_t seed; /* so that nobody can aim at one chain */
    struct account *chains[CHAINS];
    struct account shared;
};

struct limits *limits_new(int connections, double requests_per_second)
{
    struct limits *l = calloc(1, sizeof *l);

    if (!l)
        return NULL;
    pthread_mutex_init(&l->lock, NULL);
    l->most_connections = connections;
    l->rate = requests_per_second;
    l->burst = requests_per_second * 2 < 1 ? 1 : requests_per_second * 2;
    l->shared.tokens = l->burst;
    l->seed = (uint64_t)(uintptr_t)l * 0x9e3779b97f4a7c15u;
    return l;
}

void limits_free(struct limits *l)
{
    if (!l)
        return;
    for (int i = 0; i < CHAINS; i++)
        for (struct account *a = l->chains[i], *next; a; a = next) {
            next = a->next;
            free(a);
        }
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static struct address key_of(const struct address *a)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct address key = *a;

    if (memcmp(a->bytes, mapped, 12) != 0)
        memset(key.bytes + 8, 0, 8);
    return key;
}

static struct account **chain_of(struct limits *l, const struct address *key)
{
    uint64_t high, low;

    memcpy(&high, key->bytes, 8);
    memcpy(&low, key->bytes + 8, 8);
    uint64_t h = (high ^ l->seed) * 0x9e3779b97f4a7c15u;
    h = (h ^ (h >> 32) ^ low) * 0x9e3779b97f4a7c15u;
    return &l->chains[h >> 52];
}

/* The account of an address, made when it is missing; the caller holds the lock. */
static struct account *find(struct limits *l, const struct address *address)
{
    struct address key = key_of(address);
    struct account **chain = chain_of(l, &key), *a;

    for (a = *chain; a; a = a->next)
        if (memcmp(&a->key, &key, sizeof key) == 0)
            return a;
    if (l->count >= MOST || !(a = calloc(1, sizeof *a)))
        return &l->shared;
    *a = (struct account){.next = *chain, .key = key, .tokens = l->burst};
    *chain = a;
    l->count++;
    return a;
}

struct account *limits_connect(struct limits *l, const struct address *address)
{
    pthread_mutex_lock(&l->lock);
    struct account *a = find(l, address);
    bool good = l->most_connections == 0 || a->connections < l->most_connections;
    if (good)
        a->connections++;
    pthread_mutex_unlock(&l->lock);
    return good ? a : NULL;
}

void limits_disconnect(struct limits *l, struct account *a)
{
    pthread_mutex_lock(&l->lock);
    a->connections--;
    pthread_mutex_unlock(&l->lock);
}

static void refill(const struct limits *l, struct account *a, double now)
{
    if (now > a->at)
        a->tokens += (now - a->at) * l->rate;
    if (a->tokens > l->burst)
        a->tokens = l->burst;
    a->at = now;
}

double limits_request(struct limits *l, const struct address *address, double now)
{
    double wait = 0;

    if (l->rate <= 0)
        return 0;
    pthread_mutex_lock(&l->lock);
    struct account *a = find(l, address);
    refill(l, a, now);
    if (a->tokens >= 1)
        a->tokens -= 1;
    else
        wait = (1 - a->tokens) / l->rate;
    pthread_mutex_unlock(&l->lock);
    return wait;
}

void limits_sweep(struct limits *l, double now)
{
    pthread_mutex_lock(&l->lock);
    for (int i = 0; i < CHAINS && l->count; i++)
        for (struct account **link = &l->chains[i], *a; (a = *link);) {
            refill(l, a, now);
            if (a->connections == 0 && a->tokens >= l->burst) {
                *link = a->next;
                free(a);
                l->count--;
            } else {
                link = &a->next;
            }
        }
    pthread_mutex_unlock(&l->lock);
}
