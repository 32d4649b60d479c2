/* document_places.c: where a task's objects go, and whom it tells. */
#include "base/json.h"
#include "tasks/document_parts.h"
#include "tasks/kind.h"
#include "tasks/record_json.h"
#include "tasks/template.h"

#include <string.h>
#include <strings.h>

enum { URL_MOST = 900, HEADERS_MOST = 20, VALUE_MOST = 1000, PAIRS_MOST = 16 };

/* ==== the destination ==== */

/* Relative folders are below the task's; documents that are not trusted stay there. */
static const char *read_url(struct document_reading *r, const struct part *destination)
{
    struct task_document *d = r->document;
    const char *url = part_text(destination, "url", 1, URL_MOST, NULL);
    struct str path = str_from(url), rest, part;

    if (!url) {
        if (!json_object_get(destination->object, "url"))
            part_problem(destination, "url",
                         "gs://BUCKET/PREFIX, s3://BUCKET/PREFIX or file:FOLDER");
        return "file:";
    }
    if (strpbrk(url, "\n\t\\") ||
        (!str_skip(&path, "file:") && !str_starts(path, "gs://") && !str_starts(path, "s3://"))) {
        part_problem(destination, "url", "gs://BUCKET/PREFIX, s3://BUCKET/PREFIX or file:FOLDER");
        return url;
    }
    if (!str_starts(str_from(url), "file:"))
        return url;
    rest = path;
    while (d->access.inside && str_cut(&rest, '/', &part))
        if (path.p[0] == '/' || str_is(part, "..")) {
            part_problem(destination, "url", "a relative folder, without '..'");
            return url;
        }
    if (path.n && path.p[0] == '/')
        return url;
    return arena_printf(&d->arena, "file:%s/%s", d->results_access.folder, path.p);
}

static void read_format(struct document_reading *r, const struct part *destination)
{
    static const char *const formats[] = {"png", "jpeg", "webp", NULL};
    struct task_document *d = r->document;
    bool pictures = d->kind && d->kind->draws;

    d->format = part_word(destination, "format", formats, pictures ? "png" : NULL);
    d->quality = (int)part_integer(destination, "quality", 1, 100, 0);
    d->recipe = part_flag(destination, "recipe", pictures);
    if (d->kind && !pictures && json_object_get(destination->object, "format"))
        part_problem(destination, "format", "none: kind %s writes %s", d->kind->name,
                     d->kind->extension);
    if (d->kind && !pictures && d->recipe)
        part_problem(destination, "recipe", "false: kind %s has no recipes", d->kind->name);
    if (d->quality && (!d->format || strcmp(d->format, "png") == 0))
        part_problem(destination, "quality", "none: only of format jpeg or webp");
}

static void read_metadata(struct document_reading *r, const struct part *destination)
{
    struct part metadata = part_object(destination, "metadata", false);
    const char *key;
    json_t *value;

    r->document->metadata = metadata.object;
    if (json_object_size(metadata.object) > PAIRS_MOST)
        part_problem(destination, "metadata", "at most %d texts", PAIRS_MOST);
    json_object_foreach((json_t *)(uintptr_t)metadata.object, key, value)
    {
        const char *text = part_text(&metadata, key, 1, VALUE_MOST, NULL), *wrong;
        if (!key[0] || strlen(key) > 60 ||
            strspn(key, "0123456789-abcdefghijklmnopqrstuvwxyz") != strlen(key))
            part_problem(&metadata, key, "a name of lower-case letters, digits and '-'");
        if (!text)
            continue;
        wrong = template_problem(text, task_template_names(r->document->kind), r->arena);
        if (wrong)
            part_problem(&metadata, key, "%s", wrong);
    }
}

/* A name that is the same for all records, or for all pictures of one, can only collide. */
static void check_unique(struct document_reading *r, const struct part *destination)
{
    static const char *const telling[] = {"record_id", "number", "key", "key8", "field", "seed"};
    const struct task_document *d = r->document;
    bool key = template_uses(d->object, "key") || template_uses(d->object, "key8");
    size_t n = 0;

    for (size_t i = 0; i < sizeof telling / sizeof *telling; i++)
        n += template_uses(d->object, telling[i]);
    if (!n)
        part_problem(destination, "object",
                     "a part that differs between records, such as {record_id} or {key8}");
    else if (d->count > 1 && !key && !template_uses(d->object, "seed"))
        part_problem(destination, "object", "{seed} or {key8}: a record has %d pictures", d->count);
}

/* The JSON beside an object has its name with another ending (recipe_text.h): where the ending is
 * filled in from a record, that would be the same for several objects. */
static bool has_ending(const char *template)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const char *dot = strrchr(template, '.');

    return dot &&
           (strcmp(dot, ".{ext}") == 0 || (dot[1] && strspn(dot + 1, letters) == strlen(dot + 1)));
}

void document_read_destination(struct document_reading *r, const struct part *root)
{
    static const char *const known[] = {"url",    "object",   "if_exists",     "format", "quality",
                                        "recipe", "metadata", "cache_control", NULL};
    static const char *const ways[] = {"fail", "replace", NULL};
    struct task_document *d = r->document;
    struct part p = part_object(root, "destination", true);
    const char *wrong;

    d->url = "file:";
    d->object = d->kind && d->kind->draws ? "{dataset}/{record_id}/{seed}.{ext}"
                                          : "{dataset}/{record_id}.{ext}";
    if (!p.object)
        return;
    part_members(&p, known);
    d->url = read_url(r, &p);
    d->object = part_text(&p, "object", 1, TEMPLATE_MOST, d->object);
    wrong = template_name_problem(d->object, task_template_names(d->kind), r->arena);
    if (wrong)
        part_problem(&p, "object", "%s", wrong);
    else
        check_unique(r, &p);
    d->replace = strcmp(part_word(&p, "if_exists", ways, "fail"), "replace") == 0;
    d->cache_control = part_text(&p, "cache_control", 1, 200, NULL);
    if (d->cache_control && strpbrk(d->cache_control, "\n\t"))
        part_problem(&p, "cache_control", "a text in one line");
    read_format(r, &p);
    if (!wrong && d->recipe && !has_ending(d->object))
        part_problem(&p, "object", "a name that ends with .{ext}, or \"recipe\": false");
    read_metadata(r, &p);
}

int task_destination_open(const struct tasks *t, const struct task_document *d,
                          struct objects **out, struct err *e)
{
    struct objects_options options = {.net = t->net, .settings = t->settings};

    return objects_open(d->url, &options, out, e);
}

/* ==== callbacks ==== */

static void read_url_to_call(struct document_reading *r, const struct part *p)
{
    struct task_callbacks *c = &r->document->callbacks;
    struct net_url url;
    struct err e;

    c->url = part_text(p, "url", 1, 2000, NULL);
    if (!c->url && !json_object_get(p->object, "url"))
        part_problem(p, "url", "an https URL");
    if (!c->url)
        return;
    if (net_url_read(c->url, r->arena, &url, &e))
        part_problem(p, "url", "an https URL; %s", e.message);
    else if (strcmp(url.scheme, "https") != 0 && !c->allow_private)
        part_problem(p, "url", "an https URL; http needs \"allow_private\": true");
}

static void read_events(struct document_reading *r, const struct part *p)
{
    static const char *const words[] = {"record", "batch", "end", "canary"};
    struct task_callbacks *c = &r->document->callbacks;
    bool *const flags[] = {&c->on_record, &c->on_batch, &c->on_end, &c->on_canary};
    const json_t *on = json_object_get(p->object, "on");
    bool ok = !on || json_array_size(on);

    c->on_end = on == NULL;
    for (size_t i = 0; i < json_array_size(on); i++) {
        const char *word = json_string_value(json_array_get(on, i));
        size_t k = 0;
        while (k < 4 && (!word || strcmp(word, words[k]) != 0))
            k++;
        ok = ok && k < 4;
        if (k < 4)
            *flags[k] = true;
    }
    if (!ok)
        part_problem(p, "on", "a list of record, batch, end, canary");
}

static bool is_ours(const char *name)
{
    static const char *const ours[] = {"content-type",     "content-length", "host",
                                       "connection",       "user-agent",     "expect",
                                       "transfer-encoding"};

    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (strcasecmp(name, ours[i]) == 0)
            return true;
    return strncasecmp(name, "webhook-", 8) == 0 || strncasecmp(name, "cauldron-", 9) == 0;
}

static bool is_token(const char *name)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    return name[0] && strlen(name) <= 100 && strspn(name, token) == strlen(name);
}

/* RFC 9110, section 5. */
static void read_headers(struct document_reading *r, const struct part *p)
{
    struct part headers = part_object(p, "headers", false);
    struct arena *a = &r->document->arena;
    size_t count = json_object_size(headers.object), n = 0;
    const char **list, *key;
    json_t *value;

    if (!headers.object)
        return;
    if (count > HEADERS_MOST)
        part_problem(p, "headers", "at most %d headers", HEADERS_MOST);
    list = arena_alloc(a, (count + 1) * sizeof *list);
    json_object_foreach((json_t *)(uintptr_t)headers.object, key, value)
    {
        const char *text = part_text(&headers, key, 0, VALUE_MOST, NULL);
        bool printable = true;
        for (const char *c = text; c && *c; c++)
            printable = printable && *c >= ' ' && *c <= '~';
        if (!is_token(key) || is_ours(key))
            part_problem(&headers, key, "the name of a header that callbacks do not have already");
        else if (!printable)
            part_problem(&headers, key, "printable ASCII");
        else if (text)
            list[n++] = arena_printf(a, "%s: %s", key, text);
    }
    r->document->callbacks.headers = list;
}

static const char *read_secret(const struct part *p)
{
    const char *name = part_text(p, "secret", 1, 100, NULL);

    if (!name || strspn(name, "0123456789_-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") ==
                     strlen(name))
        return name;
    part_problem(p, "secret",
                 "the name of a secret (CAULDRON_SECRET_<NAME>): letters, digits, '_'");
    return NULL;
}

void document_read_callbacks(struct document_reading *r, const struct part *root)
{
    static const char *const known[] = {"url",
                                        "secret",
                                        "on",
                                        "batch",
                                        "headers",
                                        "timeout_seconds",
                                        "give_up_after_hours",
                                        "allow_private",
                                        NULL};
    struct task_callbacks *c = &r->document->callbacks;
    struct part p = part_object(root, "callbacks", false);

    if (!p.object)
        return;
    part_members(&p, known);
    c->allow_private = part_flag(&p, "allow_private", false);
    read_url_to_call(r, &p);
    c->secret = read_secret(&p);
    read_events(r, &p);
    c->batch = part_integer(&p, "batch", 1, 100000, 100);
    read_headers(r, &p);
    c->timeout = part_number(&p, "timeout_seconds", 1, 60, 10);
    c->give_up = part_number(&p, "give_up_after_hours", 0.01, 168, 24) * 3600;
}
