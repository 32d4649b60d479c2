/*
 * openai_stream.c: the answer to "stream": true: server-sent events (HTML, 9.2): previews while
 * the images are drawn, then each image.
 */
#include "api/openai.h"

#include "api/live.h"
#include "base/clock.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

/* Between two looks at the bus's news, and at the database. */
static const double PAUSE = 0.2, LOOK = 0.6;
static const double PATIENCE = 600;

struct source {
    struct request *request;
    struct order *order;
    const struct openai *want;
    size_t current; /* the image that is told of; the others wait for their turn */
    int partials, seen;
    double until, look_at;
    bool over;
    struct buf text; /* events that are not sent yet */
    size_t sent;
};

/* A picture as text is a third larger than the picture; see pictures.c for the largest file. */
#define EVENT_MAX ((size_t)512 << 20)

/* Takes over the reference. */
static void add_event(struct source *s, const char *name, json_t *data)
{
    char *text = data ? json_dumps(data, JSON_COMPACT) : NULL;

    if (!text || buf_addf(&s->text, "event: %s\ndata: ", name) ||
        buf_add(&s->text, text, strlen(text)) || buf_add(&s->text, "\n\n", 2))
        s->over = true;
    free(text);
    json_decref(data);
}

static void add_error(struct source *s, const char *message)
{
    add_event(s, "error",
              json_pack("{s:s, s:{s:s, s:s, s:n, s:s}}", "type", "error", "error", "message",
                        message, "type", "server_error", "param", "code", "image_failed"));
}

static json_t *event_json(const struct source *s, const struct generation *g, const char *type,
                          json_t *b64)
{
    json_t *o = openai_facts(s->want, g);

    json_object_set_new(o, "type", json_string(type));
    json_object_set_new(o, "b64_json", b64);
    json_object_set_new(o, "created_at", json_integer(clock_unix_ms() / 1000));
    return o;
}

/* The preview (a small JPEG) as a picture of the size and format that the client expects. NULL when
 * it cannot be made: previews are a courtesy. */
static json_t *preview_base64(const struct source *s, const struct generation *g, struct str jpeg)
{
    struct image small = {0}, im = {0};
    struct image_encoding how = {.format = IMAGE_PNG, .quality = s->want->form.quality};
    json_t *text = NULL;
    struct buf bytes;
    struct err e;

    buf_init(&bytes, (size_t)64 << 20);
    if (s->want->form.format != IMAGE_UNKNOWN)
        how.format = s->want->form.format;
    if (image_decode(jpeg.p, jpeg.n, &small, NULL, &e) == 0 &&
        image_resize(&small, g->width, g->height, IMAGE_LANCZOS, &im, &e) == 0 &&
        image_encode(&im, how, NULL, &bytes, &e) == 0)
        text = bytes_base64((struct str){bytes.p, bytes.n});
    buf_release(&bytes);
    image_release(&im);
    image_release(&small);
    return text;
}

static void add_partial(struct source *s, const struct generation *g)
{
    struct arena a = {0};
    struct live_step step;
    struct str jpeg;

    if (s->partials < s->want->partial_images) {
        live_watch(app_of(s->request)->live, g->id);
        if (live_preview(app_of(s->request)->live, g->id, s->seen, &a, &step, &jpeg)) {
            json_t *b64 = preview_base64(s, g, jpeg);
            s->seen = step.previews;
            if (b64) {
                json_t *data = event_json(s, g, "image_generation.partial_image", b64);
                json_object_set_new(data, "partial_image_index", json_integer(s->partials++));
                add_event(s, "image_generation.partial_image", data);
            }
        }
    }
    arena_release(&a);
}

static void add_completed(struct source *s, const struct generation *g)
{
    struct err e;
    json_t *b64 = g->sha256 ? picture_base64(app_of(s->request), g->sha256, &s->want->form, &e)
                            : NULL;

    if (!b64) {
        add_error(s, g->sha256 ? "the image's file cannot be read" : openai_failure(g));
        return;
    }
    json_t *data = event_json(s, g, "image_generation.completed", b64);
    json_object_set_new(data, "usage", openai_usage());
    add_event(s, "image_generation.completed", data);
}

/* What happened since the last time. */
static void look(struct source *s)
{
    double now = clock_seconds();
    struct err e;

    if (now >= s->look_at) {
        s->look_at = now + LOOK;
        if (order_refresh(s->order, s->request, &e) && e.code != ERR_NETWORK) {
            add_error(s, "the server failed");
            s->over = true;
        }
    }
    while (s->current < s->order->count && generation_ended(&s->order->generations[s->current])) {
        add_completed(s, &s->order->generations[s->current++]);
        s->partials = s->seen = 0;
        if (s->text.n > 1 << 20)
            return; /* the next ones when these are sent */
    }
    if (s->current == s->order->count)
        s->over = true;
    else
        add_partial(s, &s->order->generations[s->current]);
    if (!s->over && now > s->until) {
        add_error(s, "the image is still being drawn");
        s->over = true;
    }
}

static long next(void *user, char *out, size_t n)
{
    struct source *s = user;

    if (s->sent == s->text.n) {
        buf_release(&s->text);
        buf_init(&s->text, EVENT_MAX);
        s->sent = 0;
        if (s->over)
            return -1;
        look(s);
    }
    size_t left = s->text.n - s->sent;
    if (!left)
        return s->over ? -1 : 0;
    n = left < n ? left : n;
    memcpy(out, s->text.p + s->sent, n);
    s->sent += n;
    return (long)n;
}

static void release(void *user)
{
    struct source *s = user;

    buf_release(&s->text);
    free(s);
}

int openai_stream(struct request *r, struct response *w, struct order *o, const struct openai *want,
                  struct err *e)
{
    /* Not in the request's arena: the stream may be released after it. */
    struct source *s = calloc(1, sizeof *s);

    if (!s)
        return ERR(e, ERR_NOMEM, "no memory for a stream");
    *s = (struct source){
        .request = r, .order = o, .want = want, .until = clock_seconds() + PATIENCE};
    buf_init(&s->text, EVENT_MAX);
    if (want->partial_images)
        live_watch(o->app->live, o->generations[0].id);
    respond_header(w, "Cache-Control", "no-store");
    respond_header(w, "X-Accel-Buffering", "no"); /* nginx would hold the events back */
    return respond_stream(w, 200,
                          &(struct stream){.type = "text/event-stream",
                                           .pause = PAUSE,
                                           .user = s,
                                           .next = next,
                                           .release = release});
}
