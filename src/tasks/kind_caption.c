/* kind_caption.c: what a describer sees in the pictures that records name: a JSON for each. */
#include "base/clock.h"
#include "base/json.h"
#include "base/sha256.h"
#include "image/image.h"
#include "tasks/document_parts.h"
#include "tasks/kind_names.h"
#include "tasks/kind_picture.h"
#include "tasks/mapping.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAME_MOST = 2000, HINT_MOST = 10000, CAPTION_MOST = 1 << 20 };

static int check(const struct tasks *t, const struct task_document *d, struct arena *a,
                 struct task_problems *problems)
{
    static const char *const known[] = {"image", "hint", NULL};
    struct document_reading r = {t, NULL, a, problems};
    struct part fields = {&r, d->fields, "/fields"}, root = {&r, d->written, ""};
    size_t before = problems->count;

    if (d->count != 1)
        part_problem(&root, "count", "1: a picture has one caption");
    if (d->seed_written)
        part_problem(&root, "seed", "none: captions have no seed");
    if (d->fields) {
        part_members(&fields, known);
        for (size_t i = 0; known[i]; i++)
            document_check_field(&fields, known[i]);
    }
    return problems->count > before ? ERR_ARG : 0;
}

/* ==== a task on its way ==== */

static void close_caption(struct kind_context *c)
{
    if (c->own)
        named_pictures_release(c->own);
    free(c->own);
    c->own = NULL;
}

static int open_caption(struct kind_context *c, struct err *e)
{
    struct named_pictures *own;

    if (!c->tasks->describer)
        return ERR(e, ERR_UNSUPPORTED, "there is no describer: set CAULDRON_DESCRIBER");
    own = calloc(1, sizeof *own);
    if (!own)
        return ERR(e, ERR_NOMEM, "no memory for a kind of task");
    own->context = c;
    c->own = own;
    return 0;
}

/* Everything that decides a caption. */
static void key_of(const char *sha256, const char *describer, const char *hint, struct arena *a,
                   char out[65])
{
    json_t *all = json_pack("{s:s, s:s, s:s}", "image", sha256, "describer", describer, "hint",
                            hint ? hint : "");
    const char *text = json_canonical(all, a);

    sha256_hex(text, strlen(text), out);
    json_decref(all);
}

static int plan(struct kind_context *c, const struct record *record, struct arena *a,
                struct work **out, size_t *count, struct mapping_problem *problem, struct err *e)
{
    const json_t *fields = c->document->fields;
    const char *describer = describer_identity(c->tasks->describer), *name, *hint = NULL;
    struct work *w = ARENA_NEW(a, struct work);
    struct mapped image, other;
    struct str bytes;
    char sha256[65];
    json_t *request;

    if (mapping_get(fields, "image", record->fields, a, &image, problem, e) ||
        mapping_text(&image, 1, NAME_MOST, a, &name, problem, e) ||
        mapping_get(fields, "hint", record->fields, a, &other, problem, e) ||
        mapping_text(&other, 0, HINT_MOST, a, &hint, problem, e))
        return e->code;
    if (!name)
        return mapping_wrong(problem, a, "image", e, "the record has none");
    ((struct named_pictures *)c->own)->context = c;
    if (named_picture(c->own, name, a, &bytes, problem, e))
        return e->code;
    sha256_hex(bytes.p, bytes.n, sha256);
    key_of(sha256, describer, hint, a, w->key);
    struct naming n = {
        .context = c, .record = record, .key = w->key, .extension = task_kind_caption.extension};
    if (naming_object(&n, a, &w->object, problem, e) || naming_request(&n, a, &request, problem, e))
        return e->code;
    json_object_set_new(request, "image", json_string(name));
    json_object_set_new(request, "image_sha256", json_string(sha256));
    json_object_set_new(request, "hint", json_text_or_null(hint));
    json_object_set_new(request, "describer", json_string(describer));
    w->request = json_compact(request, a);
    json_decref(request);
    w->stratum = naming_stratum(&n, hint, a);
    *out = w;
    *count = 1;
    return 0;
}

/* ==== captions that exist ==== */

/* A model does not say the same thing twice, but a record has one caption however often it is
 * delivered: what was said is kept in the cache, and else found where it was put. */
static const char *cache_name(const char *key, struct arena *a)
{
    return arena_printf(a, "caption-%s.json", key);
}

static bool is_caption(struct str bytes, const char *key)
{
    json_t *json = NULL;
    struct err e;
    bool same = json_read(bytes, &json, &e) == 0 && strcmp(json_text(json, "key", ""), key) == 0;

    json_decref(json);
    return same;
}

static bool from_cache(struct blobs *blobs, const char *key, struct arena *a, struct str *out)
{
    int64_t size = 0, n = 0;
    struct err e;
    ssize_t got = 1;
    int fd;

    if (cache_open(blobs, cache_name(key, a), &fd, &size, &e))
        return false;
    char *bytes = size > 0 && size <= CAPTION_MOST ? arena_alloc(a, (size_t)size + 1) : NULL;
    while (bytes && n < size && got > 0) {
        got = read(fd, bytes + n, (size_t)(size - n));
        n += got > 0 ? got : 0;
    }
    close(fd);
    *out = (struct str){bytes, (size_t)n};
    return bytes && n == size && is_caption(*out, key);
}

static bool from_destination(struct kind_context *c, const struct task_record *row, struct arena *a,
                             struct str *out)
{
    struct err e;

    return c->destination && row->object &&
           object_get(c->destination, row->object, CAPTION_MOST, a, out, NULL, &e) == 0 &&
           is_caption(*out, row->key);
}

/* ==== captions that are made ==== */

static json_t *caption_json(const struct task_record *row, const json_t *request,
                            const struct description *said)
{
    json_t *tags = json_array();

    for (size_t i = 0; said->tags && said->tags[i]; i++)
        json_array_append_new(tags, json_string(said->tags[i]));
    /* Not what the picture is called: records with other names for it share the caption. */
    return json_pack("{s:s, s:s, s:o, s:o, s:O?, s:O?, s:O?}", "key", row->key, "description",
                     said->text, "tags", tags, "quality_score",
                     isfinite(said->quality_score) ? json_real(said->quality_score) : json_null(),
                     "describer", json_object_get(request, "describer"), "image_sha256",
                     json_object_get(request, "image_sha256"), "hint",
                     json_object_get(request, "hint"));
}

static const char *type_of(struct str bytes)
{
    switch (image_format_of_bytes(bytes.p, bytes.n)) {
    case IMAGE_JPEG:
        return "image/jpeg";
    case IMAGE_WEBP:
        return "image/webp";
    case IMAGE_PNG:
    case IMAGE_UNKNOWN:
        break;
    }
    return "image/png";
}

static int ask(struct kind_context *c, const struct task_record *row, const json_t *request,
               struct arena *a, struct str *out, struct err *e)
{
    const char *describer = describer_identity(c->tasks->describer);
    const char *name = json_text(request, "image", "");
    struct mapping_problem problem = {0};
    struct description said;
    struct str bytes;
    char sha256[65];

    if (strcmp(json_text(request, "describer", ""), describer) != 0)
        return ERR(e, ERR_UNSUPPORTED, "this record was planned for describer '%.200s', not '%s'",
                   json_text(request, "describer", ""), describer);
    ((struct named_pictures *)c->own)->context = c;
    if (named_picture(c->own, name, a, &bytes, &problem, e))
        return e->code;
    sha256_hex(bytes.p, bytes.n, sha256);
    if (strcmp(sha256, json_text(request, "image_sha256", "")) != 0)
        return ERR(e, ERR_CONFLICT, "'%.200s' is another picture than when it was read", name);
    struct picture_to_describe picture = {
        .bytes = bytes, .type = type_of(bytes), .hint = json_text(request, "hint", NULL)};
    if (describe(c->tasks->describer, &picture, a, &said, e))
        return e->code;
    json_t *caption = caption_json(row, request, &said);
    if (!caption)
        return ERR(e, ERR_FORMAT, "the describer's answer is no text");
    const char *text = arena_printf(a, "%s\n", json_compact(caption, a));
    json_decref(caption);
    *out = str_from(text);
    return cache_put(c->tasks->submitter->blobs, cache_name(row->key, a), text, out->n, e);
}

static int make(struct kind_context *c, const struct task_record *row, struct arena *a,
                struct made *out, struct err *e)
{
    double start = clock_seconds();
    struct made made = {.type = "application/json"};
    json_t *request, *outcome = NULL;
    int rc = json_read(str_from(row->request), &request, e);

    if (rc)
        return rc;
    made.reused = from_cache(c->tasks->submitter->blobs, row->key, a, &made.bytes) ||
                  from_destination(c, row, a, &made.bytes);
    if (!made.reused)
        rc = ask(c, row, request, a, &made.bytes, e);
    if (!rc)
        rc = json_read(made.bytes, &outcome, e);
    if (!rc) {
        json_object_del(outcome, "key");
        json_object_set(outcome, "image", json_object_get(request, "image"));
    }
    json_decref(request);
    if (rc)
        return rc;
    char *sha256 = arena_alloc(a, 65);
    sha256_hex(made.bytes.p, made.bytes.n, sha256);
    made.sha256 = sha256;
    made.seconds = made.reused ? 0 : clock_seconds() - start;
    made.outcome = outcome;
    *out = made;
    return 0;
}

const struct task_kind task_kind_caption = {.name = "caption",
                                            .summary = "descriptions of pictures",
                                            .extension = "json",
                                            .media = "text",
                                            .check = check,
                                            .open = open_caption,
                                            .close = close_caption,
                                            .plan = plan,
                                            .make = make};
