#include "server/rooms.h"

#include "base/str.h"
#include "base/uuid.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct room {
    struct room *next; /* in the slot */
    uint64_t hash;
    struct place *places;
    char name[];
};

/* One member in one room: in the lists of both. */
struct place {
    struct room *room;
    struct member *member;
    struct place *next_of_room, **link_of_room;
    struct place *next_of_member, **link_of_member;
};

struct rooms {
    pthread_mutex_t lock;
    struct room **slots;
    size_t mask, count;
    uint64_t round; /* of rooms_each */
    uint64_t seed;  /* names may come from clients: nobody outside can make them collide */
};

static uint64_t hash_of(const struct rooms *r, const char *name)
{
    uint64_t hash = r->seed;

    /* FNV-1a, with a secret start and a final mix. */
    for (const char *p = name; *p; p++)
        hash = (hash ^ (unsigned char)*p) * 0x100000001b3u;
    return (hash ^ hash >> 29 ^ r->seed) * 0x9e3779b97f4a7c15u;
}

static struct room **find(struct rooms *r, const char *name, uint64_t hash)
{
    struct room **at = &r->slots[hash >> 32 & r->mask];

    while (*at && ((*at)->hash != hash || strcmp((*at)->name, name) != 0))
        at = &(*at)->next;
    return at;
}

/* Twice the slots; without memory the chains stay long. */
static void grow(struct rooms *r)
{
    size_t mask = 2 * r->mask + 1;
    struct room **slots = calloc(mask + 1, sizeof(struct room *));

    if (!slots)
        return;
    for (size_t i = 0; i <= r->mask; i++)
        for (struct room *room = r->slots[i], *next; room; room = next) {
            next = room->next;
            room->next = slots[room->hash >> 32 & mask];
            slots[room->hash >> 32 & mask] = room;
        }
    free(r->slots);
    r->slots = slots;
    r->mask = mask;
}

struct rooms *rooms_new(void)
{
    struct rooms *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    r->mask = 63;
    r->slots = calloc(r->mask + 1, sizeof(struct room *));
    if (!r->slots) {
        free(r);
        return NULL;
    }
    random_bytes(&r->seed, sizeof(r->seed));
    pthread_mutex_init(&r->lock, NULL);
    return r;
}

void rooms_free(struct rooms *r)
{
    if (!r)
        return;
    pthread_mutex_destroy(&r->lock);
    free(r->slots);
    free(r);
}

static struct room *enter(struct rooms *r, const char *name)
{
    uint64_t hash = hash_of(r, name);
    struct room **at = find(r, name, hash), *there = *at;

    if (there)
        return there;
    if (r->count > r->mask) {
        grow(r);
        at = find(r, name, hash);
    }
    size_t n = strlen(name) + 1;
    struct room *room = calloc(1, sizeof(*room) + n);
    if (!room)
        abort();
    memcpy(room->name, name, n);
    room->hash = hash;
    *at = room;
    r->count++;
    return room;
}

static void leave_place(struct rooms *r, struct place *p)
{
    struct room *room = p->room;

    *p->link_of_room = p->next_of_room;
    if (p->next_of_room)
        p->next_of_room->link_of_room = p->link_of_room;
    *p->link_of_member = p->next_of_member;
    if (p->next_of_member)
        p->next_of_member->link_of_member = p->link_of_member;
    p->member->count--;
    free(p);
    if (!room->places) {
        *find(r, room->name, room->hash) = room->next;
        r->count--;
        free(room);
    }
}

static struct place *place_in(const struct member *m, const char *name)
{
    struct place *p = m->places;

    while (p && strcmp(p->room->name, name) != 0)
        p = p->next_of_member;
    return p;
}

static void add_place(struct rooms *r, struct member *m, const char *name)
{
    struct place *p = calloc(1, sizeof(*p));

    if (!p)
        abort();
    p->room = enter(r, name);
    p->member = m;
    p->next_of_room = p->room->places;
    p->link_of_room = &p->room->places;
    if (p->next_of_room)
        p->next_of_room->link_of_room = &p->next_of_room;
    p->room->places = p;
    p->next_of_member = m->places;
    p->link_of_member = &m->places;
    if (p->next_of_member)
        p->next_of_member->link_of_member = &p->next_of_member;
    m->places = p;
    m->count++;
}

int rooms_join(struct rooms *r, struct member *m, const char *name, struct err *e)
{
    int rc = 0;

    if (!name[0] || strchr(name, ' '))
        return ERR(e, ERR_ARG, "a room's name is a word without spaces");
    if (strlen(name) > ROOMS_NAME_BYTES)
        return ERR(e, ERR_ARG, "a room's name has at most %d bytes", ROOMS_NAME_BYTES);
    pthread_mutex_lock(&r->lock);
    if (m->gone)
        rc = ERR(e, ERR_CANCELLED, "the socket has gone");
    else if (!place_in(m, name)) {
        if (m->count >= ROOMS_EACH)
            rc = ERR(e, ERR_ARG, "a socket can be in at most %d rooms", ROOMS_EACH);
        else
            add_place(r, m, name);
    }
    pthread_mutex_unlock(&r->lock);
    return rc;
}

void rooms_leave(struct rooms *r, struct member *m, const char *name)
{
    pthread_mutex_lock(&r->lock);
    struct place *p = place_in(m, name);
    if (p)
        leave_place(r, p);
    pthread_mutex_unlock(&r->lock);
}

void rooms_leave_all(struct rooms *r, struct member *m)
{
    pthread_mutex_lock(&r->lock);
    m->gone = true;
    for (struct place *p = m->places, *next; p; p = next) {
        next = p->next_of_member;
        leave_place(r, p);
    }
    pthread_mutex_unlock(&r->lock);
}

void rooms_each(struct rooms *r, const char *names, void (*call)(void *user, struct member *m),
                void *user)
{
    struct str rest = str_from(names), name;
    char one[ROOMS_NAME_BYTES + 1];

    pthread_mutex_lock(&r->lock);
    r->round++;
    while (str_cut(&rest, ' ', &name)) {
        if (!name.n || name.n > ROOMS_NAME_BYTES)
            continue;
        memcpy(one, name.p, name.n);
        one[name.n] = '\0';
        const struct room *room = *find(r, one, hash_of(r, one));
        for (const struct place *p = room ? room->places : NULL; p; p = p->next_of_room) {
            if (p->member->round != r->round)
                call(user, p->member);
            p->member->round = r->round;
        }
    }
    pthread_mutex_unlock(&r->lock);
}
