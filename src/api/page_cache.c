#include "api/page_cache.h"

#include "api/app.h"
#include "api/live.h"
#include "base/json.h"
#include "base/sha256.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { STATE = DB_STATE + 24, KEY = 65, ETAG = 36 };

struct page {
    char key[KEY]; /* "": free */
    char state[STATE], etag[ETAG];
    struct buf text;
    uint64_t used;
    bool making;
};

struct page_cache {
    pthread_mutex_t lock;
    pthread_cond_t made;
    uint64_t clock;
    size_t bytes;
    struct page pages[PAGES];
};

struct page_cache *page_cache_new(void)
{
    struct page_cache *c = calloc(1, sizeof *c);

    if (!c)
        abort();
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->made, NULL);
    return c;
}

static void empty(struct page_cache *c, struct page *p)
{
    c->bytes -= p->text.n;
    buf_release(&p->text);
    p->state[0] = 0;
}

void page_cache_free(struct page_cache *c)
{
    if (!c)
        return;
    for (int i = 0; i < PAGES; i++)
        empty(c, &c->pages[i]);
    pthread_cond_destroy(&c->made);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

/* Who asks, for what: as 64 hex digits. */
static void key_of(struct request *r, char out[KEY])
{
    const struct identity *who = request_identity(r);
    struct arena a = {0};
    json_t *path = json_string(request_param(r, "id") ? request_param(r, "id") : "");
    json_t *all = json_pack("{s:s, s:s, s:i, s:o, s:O}", "operation", request_route(r)->operation,
                            "user", who->user_id, "role", (int)who->role, "id", path, "query",
                            request_query(r));
    const char *text = json_canonical(all, &a);

    sha256_hex(text, strlen(text), out);
    json_decref(all);
    arena_release(&a);
}

static int state_of(struct app *app, char out[STATE], struct err *e)
{
    char db[DB_STATE];

    if (db_state(app->db, db, e))
        return e->code;
    snprintf(out, STATE, "%s %llu", db, (unsigned long long)live_version(app->live));
    return 0;
}

/* Under the lock: the page of that key, or the one used longest ago made free; NULL when all are
 * being made. */
static struct page *find(struct page_cache *c, const char *key)
{
    struct page *oldest = NULL;

    for (int i = 0; i < PAGES; i++) {
        struct page *p = &c->pages[i];
        if (strcmp(p->key, key) == 0)
            return p;
        if (!p->making && (!oldest || p->used < oldest->used))
            oldest = p;
    }
    if (!oldest)
        return NULL;
    empty(c, oldest);
    memcpy(oldest->key, key, KEY);
    return oldest;
}

static int answer(struct request *r, struct response *w, const char *etag, struct str text)
{
    if (respond_not_modified(r, w, etag, 0, text.n))
        return 0;
    int rc = respond_bytes(w, 200, "application/json", text);
    respond_header(w, "ETag", etag);
    respond_header(w, "Cache-Control", "private, no-cache");
    return rc;
}

/* Make room by forgetting what was used longest ago. */
static void keep_within(struct page_cache *c, const struct page *but)
{
    while (c->bytes > PAGE_BYTES) {
        struct page *oldest = NULL;
        for (int i = 0; i < PAGES; i++) {
            struct page *p = &c->pages[i];
            if (p != but && p->text.n && (!oldest || p->used < oldest->used))
                oldest = p;
        }
        if (!oldest)
            return;
        empty(c, oldest);
    }
}

static int make_text(struct request *r, int (*make)(struct request *, struct buf *, struct err *),
                     struct buf *text, char etag[ETAG], struct err *e)
{
    char hex[65];

    buf_init(text, PAGE_BYTES / 2);
    if (make(r, text, e)) {
        buf_release(text);
        return e->code;
    }
    sha256_hex(text->p, text->n, hex);
    snprintf(etag, ETAG, "\"%.32s\"", hex);
    return 0;
}

/* Not under the lock while it is made; others who want the same wait for it. */
static int make_page(struct page_cache *c, struct page *p, const char *state, struct request *r,
                     struct response *w, int (*make)(struct request *, struct buf *, struct err *),
                     struct err *e)
{
    struct buf text;
    char etag[ETAG];

    p->making = true;
    pthread_mutex_unlock(&c->lock);
    int rc = make_text(r, make, &text, etag, e);
    pthread_mutex_lock(&c->lock);
    p->making = false;
    empty(c, p);
    if (rc == 0) {
        p->text = text;
        p->used = ++c->clock;
        c->bytes += text.n;
        memcpy(p->etag, etag, ETAG);
        memcpy(p->state, state, STATE);
        rc = answer(r, w, etag, (struct str){text.p, text.n});
        keep_within(c, p);
    }
    pthread_cond_broadcast(&c->made);
    return rc;
}

int page_cached(struct page_cache *c, struct request *r, struct response *w,
                int (*make)(struct request *r, struct buf *out, struct err *e), struct err *e)
{
    char key[KEY], state[STATE] = "", etag[ETAG];
    struct buf text;
    int rc = state_of(app_of(r), state, e);

    if (rc)
        return rc;
    key_of(r, key);
    pthread_mutex_lock(&c->lock);
    struct page *p = find(c, key);
    while (p && p->making) {
        pthread_cond_wait(&c->made, &c->lock);
        p = find(c, key);
    }
    if (p && strcmp(p->state, state) == 0) {
        p->used = ++c->clock;
        rc = answer(r, w, p->etag, (struct str){p->text.p, p->text.n});
    } else if (p) {
        rc = make_page(c, p, state, r, w, make, e);
    }
    pthread_mutex_unlock(&c->lock);
    if (p)
        return rc;
    if ((rc = make_text(r, make, &text, etag, e)))
        return rc;
    rc = answer(r, w, etag, (struct str){text.p, text.n});
    buf_release(&text);
    return rc;
}
