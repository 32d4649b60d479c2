/*
 * ended.c: the events of generations that ended: generation:{id}:done for who watches it (and for
 * its user, outside experiments), experiment:{id}:cell for the grid.
 */
#include "base/json.h"
#include "jobs/hub.h"

#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 256 };

const char *generation_url(const char *id, struct arena *a)
{
    return arena_printf(a, "/api/v1/generations/%s/image", id);
}

const char *generation_thumbnail_url(const char *id, struct arena *a)
{
    return arena_printf(a, "/api/v1/generations/%s/thumbnail?size=256", id);
}

/* What every screen needs, where nobody wired the API's form. */
static json_t *short_form(const struct generation *g, struct arena *a)
{
    json_t *x = json_pack("{s:s, s:s, s:b, s:i}", "id", g->id, "status",
                          generation_status_name(g->status), "reused", g->reused, "attempts",
                          g->attempts);

    if (!x)
        return NULL;
    json_object_set_new(x, "image",
                        g->sha256 ? json_pack("{s:s, s:s, s:s}", "url", generation_url(g->id, a),
                                              "thumbnail_url", generation_thumbnail_url(g->id, a),
                                              "sha256", g->sha256)
                                  : json_null());
    json_object_set_new(x, "error",
                        g->error_code ? json_pack("{s:s, s:s}", "code", g->error_code, "message",
                                                  g->error ? g->error : "")
                                      : json_null());
    json_object_set_new(x, "cell", g->run_id ? json_integer(g->cell) : json_null());
    return x;
}

static void publish_cell(struct hub *h, const struct generation *g, const char *done,
                         struct arena *a)
{
    struct bus_event event = {
        .room = arena_printf(a, "experiment:%s", g->experiment_id),
        .name = arena_printf(a, "experiment:%s:cell", g->experiment_id),
        .data = arena_printf(a, "{\"experiment_id\":\"%s\",\"run_id\":\"%s\",\"generation\":%s}",
                             g->experiment_id, g->run_id ? g->run_id : "", done),
        .may_drop = true,
    };

    bus_publish(h->s->bus, &event);
}

static void publish(struct hub *h, const struct generation *g, struct arena *a)
{
    char user[USER_ROOM];
    json_t *x = h->s->describe ? h->s->describe(g) : short_form(g, a);

    if (!x)
        return;
    user_room(g->user_id, user);
    /* The owner hears of a run's cells through the run. */
    struct bus_event event = {
        .room = arena_printf(a, "generation:%s %s", g->id, g->experiment_id ? "" : user),
        .name = arena_printf(a, "generation:%s:done", g->id),
        .data = json_compact(x, a)};
    json_decref(x);
    bus_publish(h->s->bus, &event);
    if (g->experiment_id)
        publish_cell(h, g, event.data, a);
}

/* Under the lock; the copies stay in the list until they are told. */
static size_t peek(struct hub *h, char ids[AT_ONCE][UUID_TEXT])
{
    size_t n = 0;

    for (struct ended *x = h->ended; x && n < AT_ONCE; x = x->next)
        memcpy(ids[n++], x->id, UUID_TEXT);
    return n;
}

static void drop_first(struct hub *h)
{
    struct ended *x = h->ended;

    h->ended = x->next;
    if (!h->ended)
        h->ended_last = &h->ended;
    h->ended_count--;
    free(x);
}

int ended_tell(struct hub *h, struct tx *tx, struct arena *a, struct err *e)
{
    char ids[AT_ONCE][UUID_TEXT];
    struct generation g;
    int rc = 0;

    pthread_mutex_lock(&h->lock);
    size_t n = peek(h, ids);
    pthread_mutex_unlock(&h->lock);
    for (size_t i = 0; i < n && !rc; i++) {
        rc = generations_get(tx, ids[i], a, &g, e);
        if (!rc)
            publish(h, &g, a);
        else if (rc == ERR_NOT_FOUND)
            rc = 0; /* deleted meanwhile */
        if (!rc) {
            pthread_mutex_lock(&h->lock);
            drop_first(h);
            pthread_mutex_unlock(&h->lock);
        }
    }
    return rc;
}

void ended_forget(struct hub *h)
{
    while (h->ended)
        drop_first(h);
}
