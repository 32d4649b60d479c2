/* zip.c: many pictures as one ZIP file, made while it is sent. */
#include "image/zip.h"

#include "api/api_routes.h"
#include "api/batch.h"
#include "api/generation_json.h"
#include "api/pictures.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

struct picked {
    const char *id, *sha256; /* sha256 NULL: left out, `reason` says why */
    const char *file, *parameters, *reason;
    struct picture_form form;
    int64_t time;
};

/* Outlives the request's arena: a stream may be released after it. */
struct source {
    struct app *app;
    struct picked *items;
    size_t count, current; /* count + 1: everything is in `text` */
    struct zip zip;
    struct buf text; /* not sent yet */
    size_t sent;
    struct arena arena;
};

/* An entry and its headers; the largest picture decides. */
#define PIECE_MAX ((size_t)512 << 20)

/* Letters, digits, dots and dashes: no folders, nothing that a shell or a file system minds. */
static void make_safe(char *name)
{
    for (char *p = name; *p; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                     (*p >= '0' && *p <= '9') || *p == '.' || *p == '_' || *p == '-';
        if (!plain)
            *p = '-';
    }
}

static const char *file_name(const struct generation *g, size_t number, const char *ending,
                             struct arena *a)
{
    char *name = arena_printf(a, "%03zu-%.80s-%.40s-%d-%g-%llu.%s", number, g->model_name,
                              g->sampler ? g->sampler : "none", g->steps, g->cfg_scale,
                              (unsigned long long)g->seed, ending);

    make_safe(name);
    return name;
}

/* `wanted` IMAGE_UNKNOWN, or what it is already: as stored. */
static const char *choose_form(struct picked *p, const struct generation *g,
                               enum image_format wanted)
{
    enum image_format stored = IMAGE_PNG;

    picture_format_by_name(g->format, &stored);
    enum image_format format = wanted == IMAGE_UNKNOWN ? stored : wanted;
    p->form = (struct picture_form){.format = format == stored ? IMAGE_UNKNOWN : format,
                                    .quality = PICTURE_QUALITY};
    return format == IMAGE_JPEG ? "jpg" : format == IMAGE_WEBP ? "webp" : "png";
}

static void pick(struct source *s, const char *const *ids, struct generation *const *rows,
                 enum image_format wanted)
{
    struct arena *a = &s->arena;

    for (size_t i = 0; i < s->count; i++) {
        const struct generation *g = rows[i];
        struct picked *p = &s->items[i];
        *p = (struct picked){.id = arena_strdup(a, ids[i])};
        if (!g) {
            p->reason = "there is no such generation";
        } else if (!g->sha256) {
            p->reason =
                arena_printf(a, "it has no picture: it is %s", generation_status_name(g->status));
        } else {
            p->sha256 = arena_strdup(a, g->sha256);
            p->file = file_name(g, i + 1, choose_form(p, g, wanted), a);
            p->parameters = arena_strdup(a, g->parameters);
            p->time = g->generated_at ? g->generated_at : g->created_at;
        }
    }
}

/* A picture that cannot be read any more is left out, too: the rest is worth having. */
static int add_picture(struct source *s, struct picked *p, struct err *e)
{
    struct buf bytes;

    if (!p->sha256)
        return 0;
    if (picture_bytes_of(s->app, p->sha256, &p->form, &bytes, e)) {
        LOG(LOG_WARNING, "a picture is missing in an archive", LOG_TEXT("generation", p->id),
            LOG_ERR(e));
        p->sha256 = NULL;
        p->reason = "its file cannot be read";
        return 0;
    }
    int rc = zip_add(&s->zip, p->file, (struct str){bytes.p, bytes.n}, p->time, &s->text, e);
    buf_release(&bytes);
    return rc;
}

static int add_recipes(struct source *s, struct err *e)
{
    json_t *items = json_array(), *left_out = json_array();

    for (size_t i = 0; i < s->count; i++) {
        const struct picked *p = &s->items[i];
        if (p->sha256)
            json_array_append_new(items,
                                  json_pack("{s:s, s:s, s:o}", "file", p->file, "generation_id",
                                            p->id, "recipe", recipe_answer(p->parameters)));
        else
            json_array_append_new(
                left_out, json_pack("{s:s, s:s}", "generation_id", p->id, "reason", p->reason));
    }
    json_t *all = json_pack("{s:o, s:o}", "items", items, "left_out", left_out);
    char *text = all ? json_dumps(all, JSON_INDENT(2)) : NULL;
    json_decref(all);
    int rc = text ? zip_add(&s->zip, "recipes.json", str_from(text), clock_unix_ms(), &s->text, e)
                  : ERR(e, ERR_NOMEM, "no memory for recipes.json");
    free(text);
    return rc ? rc : zip_end(&s->zip, &s->text, e);
}

/* The next entry goes into `text`. */
static int refill(struct source *s, struct err *e)
{
    int rc = 0;

    buf_release(&s->text);
    buf_init(&s->text, PIECE_MAX);
    s->sent = 0;
    while (rc == 0 && s->text.n == 0 && s->current < s->count)
        rc = add_picture(s, &s->items[s->current++], e);
    if (rc == 0 && s->text.n == 0 && s->current++ == s->count)
        rc = add_recipes(s, e);
    return rc;
}

static long next(void *user, char *out, size_t n)
{
    struct source *s = user;
    struct err e;

    if (s->sent == s->text.n && refill(s, &e)) {
        LOG(LOG_WARNING, "an archive was cut off", LOG_ERR(&e));
        return -2;
    }
    size_t left = s->text.n - s->sent;
    if (!left)
        return -1;
    n = left < n ? left : n;
    memcpy(out, s->text.p + s->sent, n);
    s->sent += n;
    return (long)n;
}

static void release(void *user)
{
    struct source *s = user;

    buf_release(&s->text);
    zip_release(&s->zip);
    arena_release(&s->arena);
    free(s);
}

static int read_rows(struct request *r, const char *const *ids, size_t count,
                     struct generation **rows, struct err *e)
{
    struct generation *list;
    size_t found;
    struct tx *tx;
    int rc = tx_begin(app_of(r)->db, TX_READ, &tx, e);

    if (rc)
        return rc;
    rc = generations_pick(tx, ids, count, request_arena(r), &list, &found, e);
    tx_rollback(tx);
    if (rc == 0)
        batch_match(r, ids, count, list, found, rows);
    return rc;
}

/* Before anything is sent: is there a picture, and do they fit? Converted ones are judged by what
 * they are stored as; the stream breaks off if they turn out larger. */
static int check(struct generation *const *rows, size_t count, struct err *e)
{
    uint64_t bytes = 0;
    size_t pictures = 0;

    for (size_t i = 0; i < count; i++)
        if (rows[i] && rows[i]->sha256) {
            bytes += (uint64_t)rows[i]->bytes + 512;
            pictures++;
        }
    if (!pictures)
        return ERR(e, ERR_NOT_FOUND, "none of these %zu generations has a picture", count);
    if (bytes > ZIP_MAX - (1 << 24))
        return ERR(e, ERR_ARG, "the %zu pictures have %.1f GB and a ZIP file holds 4: choose fewer",
                   pictures, (double)bytes / 1e9);
    return 0;
}

int api_zip_generations(struct request *r, struct response *w, struct err *e)
{
    struct arena *a = request_arena(r);
    enum image_format wanted = IMAGE_UNKNOWN;
    size_t count;
    const char **ids = batch_ids(r, &count);
    struct generation **rows = arena_alloc(a, (count + 1) * sizeof *rows);
    int rc = read_rows(r, ids, count, rows, e);

    if (rc || (rc = check(rows, count, e)))
        return rc;
    struct source *s = calloc(1, sizeof *s);
    if (!s)
        return ERR(e, ERR_NOMEM, "no memory for an archive");
    *s = (struct source){.app = app_of(r), .count = count};
    picture_format_by_name(json_text(request_json(r), "format", NULL), &wanted);
    s->items = arena_alloc(&s->arena, (count + 1) * sizeof *s->items);
    zip_init(&s->zip);
    buf_init(&s->text, PIECE_MAX);
    pick(s, ids, rows, wanted);
    respond_header(w, "Content-Disposition",
                   arena_printf(a, "attachment; filename=\"cauldron-%zu-pictures.zip\"", count));
    respond_header(w, "Cache-Control", "no-store");
    return respond_stream(
        w, 200,
        &(struct stream){.type = "application/zip", .user = s, .next = next, .release = release});
}
