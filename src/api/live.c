#include "api/live.h"

#include "base/json.h"
#include "base/uuid.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct slot {
    char id[UUID_TEXT]; /* "": free */
    struct live_step at;
    char *jpeg;
    size_t n;
    uint64_t touched;
};

struct live {
    struct bus *bus;
    pthread_mutex_t lock;
    uint64_t clock;
    struct slot slots[LIVE_ROOM];
};

static const double WATCH_SECONDS = 10;

static struct slot *find(struct live *l, const char *id)
{
    for (int i = 0; i < LIVE_ROOM; i++)
        if (strcmp(l->slots[i].id, id) == 0)
            return &l->slots[i];
    return NULL;
}

/* The slot of that generation; the one that was silent longest gives way to a new one (free ones
 * were never touched). */
static struct slot *take(struct live *l, const char *id)
{
    struct slot *s = find(l, id);

    if (!s) {
        s = &l->slots[0];
        for (int i = 1; i < LIVE_ROOM; i++)
            if (l->slots[i].touched < s->touched)
                s = &l->slots[i];
        free(s->jpeg);
        *s = (struct slot){0};
        memcpy(s->id, id, UUID_TEXT);
    }
    s->touched = ++l->clock;
    return s;
}

static void keep_preview(struct slot *s, struct str bytes)
{
    if (!bytes.n || bytes.n > LIVE_PREVIEW_MAX)
        return;
    char *copy = malloc(bytes.n);
    if (!copy)
        return;
    memcpy(copy, bytes.p, bytes.n);
    free(s->jpeg);
    s->jpeg = copy;
    s->n = bytes.n;
    s->at.previews++;
}

/* "generation:<id>:progress" with {"id", "step", "steps"}; the preview is the attachment. */
static void listen(void *user, const struct bus_event *event)
{
    struct live *l = user;
    struct str name = str_from(event->name), id;
    struct err ignored;
    json_t *data;

    if (!str_skip(&name, "generation:") || !str_cut(&name, ':', &id) || !str_is(name, "progress") ||
        !uuid_valid(id) || json_read(str_from(event->data), &data, &ignored))
        return;
    char text[UUID_TEXT] = {0};
    memcpy(text, id.p, UUID_TEXT - 1);
    pthread_mutex_lock(&l->lock);
    struct slot *s = take(l, text);
    s->at.step = (int)json_int(data, "step", s->at.step);
    s->at.steps = (int)json_int(data, "steps", s->at.steps);
    keep_preview(s, event->attachment);
    pthread_mutex_unlock(&l->lock);
    json_decref(data);
}

struct live *live_new(struct bus *bus)
{
    struct live *l = calloc(1, sizeof *l);

    if (!l)
        return NULL;
    l->bus = bus;
    pthread_mutex_init(&l->lock, NULL);
    bus_listen(bus, listen, l);
    return l;
}

void live_free(struct live *l)
{
    if (!l)
        return;
    bus_forget(l->bus, l);
    for (int i = 0; i < LIVE_ROOM; i++)
        free(l->slots[i].jpeg);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

bool live_step(struct live *l, const char *generation_id, struct live_step *out)
{
    pthread_mutex_lock(&l->lock);
    const struct slot *s = find(l, generation_id);
    bool known = s && s->at.steps > 0;
    if (known)
        *out = s->at;
    pthread_mutex_unlock(&l->lock);
    return known;
}

uint64_t live_version(struct live *l)
{
    pthread_mutex_lock(&l->lock);
    uint64_t version = l->clock;
    pthread_mutex_unlock(&l->lock);
    return version;
}

void live_watch(struct live *l, const char *generation_id)
{
    bus_watch(l->bus, generation_id, WATCH_SECONDS);
}

bool live_preview(struct live *l, const char *generation_id, int seen, struct arena *a,
                  struct live_step *step, struct str *jpeg)
{
    bool newer = false;

    pthread_mutex_lock(&l->lock);
    const struct slot *s = find(l, generation_id);
    if (s && s->jpeg && s->at.previews > seen) {
        *jpeg = (struct str){arena_str(a, (struct str){s->jpeg, s->n}), s->n};
        *step = s->at;
        newer = true;
    }
    pthread_mutex_unlock(&l->lock);
    return newer;
}
