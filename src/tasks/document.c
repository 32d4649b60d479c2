#include "tasks/document.h"

#include "base/json.h"
#include "base/nearest.h"
#include "datasets/results.h"
#include "tasks/document_parts.h"
#include "tasks/kind.h"
#include "tasks/mapping.h"
#include "tasks/template.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MOST = 200, NOTES_MOST = 10000, WINDOW = 500, WINDOW_MOST = 100000, STRATA_MOST = 8 };

/* ==== small parts ==== */

static const char *read_name(const struct part *root)
{
    const char *name = part_text(root, "name", 1, NAME_MOST, NULL);
    bool ok = name && name[0] != ' ' && name[strlen(name) - 1] != ' ';

    for (const char *p = name; ok && *p; p++)
        ok = (*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z') ||
             strchr("._- ", *p);
    if (ok && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
        return name;
    if (name || !json_object_get(root->object, "name"))
        part_problem(root, "name", "a name of letters, digits, '.', '_', '-' and ' '");
    return "task";
}

static const struct task_kind *read_kind(const struct part *root)
{
    const char *names[16] = {NULL};

    for (size_t i = 0; task_kinds()[i] && i < 15; i++)
        names[i] = task_kinds()[i]->name;
    const char *name = part_word(root, "kind", names, "image");
    return task_kind_by_name(str_from(name));
}

/* {"base": N}, "record", or N. */
static void read_seed(struct document_reading *r, const struct part *root)
{
    struct task_document *d = r->document;
    const json_t *seed = json_object_get(root->object, "seed");
    const json_t *base = json_object_get(seed, "base"), *number = base ? base : seed;
    const char *text = json_string_value(number);

    d->seed_written = seed != NULL;
    if (!seed || (text && strcmp(text, "record") == 0 && !base))
        return;
    d->seed_rule = base ? TASK_SEED_BASE : TASK_SEED_FIXED;
    if (json_is_integer(number) && json_integer_value(number) >= 0)
        d->seed = (uint64_t)json_integer_value(number);
    else if (!text || !mapping_decimal(text, &d->seed))
        part_problem(root, "seed", "\"record\", an integer from 0 to 2^64 - 1, or {\"base\": one}");
    if (base && json_object_size(seed) != 1)
        part_problem(root, "seed", "an object of \"base\" alone");
}

static void read_canary(struct document_reading *r, const struct part *root)
{
    static const char *const known[] = {"count", "by", "seed", NULL};
    struct task_document *d = r->document;
    struct part canary = part_object(root, "canary", false);

    if (!canary.object)
        return;
    part_members(&canary, known);
    d->canary_count = (int)part_integer(&canary, "count", 1, 200, 0);
    if (!json_object_get(canary.object, "count"))
        part_problem(&canary, "count", "an integer from 1 to 200");
    d->canary_seed = (uint64_t)part_integer(&canary, "seed", 0, INT64_MAX, 0);
    d->canary_by = json_object_get(canary.object, "by");
    bool ok = !d->canary_by ||
              (json_array_size(d->canary_by) >= 1 && json_array_size(d->canary_by) <= STRATA_MOST);
    for (size_t i = 0; ok && i < json_array_size(d->canary_by); i++) {
        const char *path = json_string_value(json_array_get(d->canary_by, i));
        ok = path && mapping_is_path(path);
    }
    if (!ok)
        part_problem(&canary, "by", "a list of 1 to %d fields", STRATA_MOST);
    if (d->kind && !d->kind->has_canary)
        part_problem(root, "canary", "none: tasks of kind %s have no sample", d->kind->name);
}

static void read_cost(struct document_reading *r, const struct part *root)
{
    static const char *const known[] = {"per_hour", "currency", NULL};
    struct part cost = part_object(root, "cost", false);

    r->document->cost_per_hour = NAN;
    r->document->currency = NULL;
    if (!cost.object)
        return;
    part_members(&cost, known);
    r->document->cost_per_hour = part_number(&cost, "per_hour", 0, 1e6, NAN);
    if (!json_object_get(cost.object, "per_hour"))
        part_problem(&cost, "per_hour", "a number from 0 to 1e+06");
    r->document->currency = part_text(&cost, "currency", 1, 8, "EUR");
}

/* ==== where records come from, and where results go ==== */

/* Passwords in a URI would be stored with the task, and shown with it. */
static void refuse_password(const struct part *root, const char *key)
{
    const char *uri = json_text(json_object_get(root->object, key), "uri", "");
    const char *place = strstr(uri, "://"), *end = place ? strpbrk(place + 3, "/?") : NULL;
    struct document_reading *r = root->reading;

    if (!place)
        return;
    place += 3;
    size_t n = end ? (size_t)(end - place) : strlen(place);
    const char *at = memrchr(place, '@', n);
    if (at && memchr(place, ':', (size_t)(at - place)))
        task_problem(r->problems, r->arena,
                     part_pointer(r->arena, part_pointer(r->arena, "", key), "uri"),
                     "no password: name a \"connection\" (CAULDRON_CONNECTION_<NAME>) instead");
}

static void outside_problem(const struct part *root, const char *key,
                            const struct dataset_problem *problem)
{
    struct document_reading *r = root->reading;
    const char *pointer = problem->pointer ? problem->pointer : "";

    task_problem(r->problems, r->arena, arena_printf(r->arena, "%s/%s%s", root->at, key, pointer),
                 "%s", problem->expected ? problem->expected : "something else");
}

static void read_source(struct document_reading *r, const struct part *root)
{
    struct task_document *d = r->document;
    struct part source = part_object(root, "source", true), results;
    struct dataset_problem problem = {0};
    struct err e;

    d->source = source.object;
    if (d->source && dataset_check(d->source, &d->access, r->arena, &problem, &e))
        outside_problem(root, "source", &problem);
    refuse_password(root, "source");
    results = part_object(root, "results", false);
    d->results = results.object;
    problem = (struct dataset_problem){0};
    if (d->results && d->source &&
        results_check(d->results, d->source, &d->results_access, r->arena, &problem, &e))
        outside_problem(root, "results", &problem);
    refuse_password(root, "results");
    const char *name = json_text(d->source, "collection", NULL);
    const char *path = json_text(d->source, "path", "dataset");
    const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
    const char *dot = strrchr(file, '.');
    size_t n = dot && dot > file ? (size_t)(dot - file) : strlen(file);
    d->dataset = name ? name : arena_str(&d->arena, (struct str){file, n});
}

void document_check_field(const struct part *fields, const char *key)
{
    const json_t *field = json_object_get(fields->object, key);
    struct arena *a = fields->reading->arena;
    const char *path = json_string_value(field), *template;

    if (!field || (path && mapping_is_path(path)))
        return;
    if (!json_is_object(field)) {
        part_problem(fields, key, "a field's path, {\"field\"}, {\"value\"} or {\"template\"}");
        return;
    }
    struct part p = {fields->reading, field, part_pointer(a, fields->at, key)};
    if ((template = json_text(field, "template", NULL))) {
        const char *wrong = template_problem(template, NULL, a);
        part_members(&p, (const char *const[]){"template", NULL});
        if (wrong)
            part_problem(&p, "template", "%s", wrong);
    } else if (json_object_get(field, "value")) {
        part_members(&p, (const char *const[]){"value", NULL});
    } else {
        path = part_text(&p, "field", 1, 400, NULL);
        part_members(&p, (const char *const[]){"field", "optional", "value", "template", NULL});
        part_flag(&p, "optional", false);
        if (!path || !mapping_is_path(path))
            part_problem(fields, key, "one of \"field\" (a path), \"value\" or \"template\"");
    }
}

/* ==== the whole ==== */

static void read_all(struct document_reading *r, const struct part *root)
{
    static const char *const known[] = {"version",     "name",     "kind",   "source",  "model",
                                        "fields",      "seed",     "count",  "results", "callbacks",
                                        "canary",      "priority", "window", "cost",    "notes",
                                        "destination", NULL};
    static const char *const priorities[] = {"batch", "interactive", NULL};
    struct task_document *d = r->document;

    part_members(root, known);
    if (json_integer_value(json_object_get(root->object, "version")) != 1)
        part_problem(root, "version", "1");
    d->name = read_name(root);
    d->kind = read_kind(root);
    read_source(r, root);
    document_read_model(r, root);
    d->fields = part_object(root, "fields", false).object;
    read_seed(r, root);
    d->count = (int)part_integer(root, "count", 1, 100, 1);
    document_read_destination(r, root);
    document_read_callbacks(r, root);
    read_canary(r, root);
    d->priority = strcmp(part_word(root, "priority", priorities, "batch"), "batch") == 0
                      ? PRIORITY_BATCH
                      : PRIORITY_INTERACTIVE;
    d->window = part_integer(root, "window", 1, WINDOW_MOST, WINDOW);
    read_cost(r, root);
    part_text(root, "notes", 0, NOTES_MOST, NULL);
    if (d->kind && d->kind->check(r->tasks, d, r->arena, r->problems) && !r->problems->count)
        part_problem(root, NULL, "a task that kind %s can do", d->kind->name);
}

static void set_access(const struct tasks *t, struct task_document *d, bool trusted,
                       const char *folder)
{
    const char *data = t->data ? t->data : ".";

    d->access = (struct dataset_access){
        .connection = t->connection,
        .user = t->outside,
        .folder =
            arena_strdup(&d->arena, folder ? folder : arena_printf(&d->arena, "%s/datasets", data)),
        .inside = !trusted,
        .egress = t->net ? net_egress(t->net) : NULL};
    d->results_access = d->access;
    if (!folder)
        d->results_access.folder = arena_printf(&d->arena, "%s/exports", data);
}

static int summarize(const struct task_problems *problems, struct err *e)
{
    const struct task_problem *first = &problems->at[0];
    const char *where = first->pointer[0] ? first->pointer : "the document";

    if (problems->count == 1)
        return ERR(e, ERR_ARG, "%s: expected %s", where, first->expected);
    return ERR(e, ERR_ARG, "%s: expected %s, and %zu more problem%s", where, first->expected,
               problems->count - 1, problems->count == 2 ? "" : "s");
}

/* `written` is taken. */
static int read_document(const struct tasks *t, json_t *written, bool trusted, const char *folder,
                         struct arena *a, struct task_document **out,
                         struct task_problems *problems, struct err *e)
{
    struct task_document *d = calloc(1, sizeof *d);
    struct document_reading r = {t, d, a, problems};
    struct part root = {&r, written, ""};

    if (!d || !written) {
        free(d);
        json_decref(written);
        return ERR(e, ERR_NOMEM, "no memory for a task's document");
    }
    d->written = written;
    problems->count = 0;
    set_access(t, d, trusted, folder);
    if (json_is_object(written))
        read_all(&r, &root);
    else
        part_problem(&root, NULL, "an object");
    if (problems->count) {
        task_document_free(d);
        return summarize(problems, e);
    }
    *out = d;
    return 0;
}

int task_document_read(const struct tasks *t, const json_t *json, bool trusted, const char *folder,
                       struct arena *a, struct task_document **out, struct task_problems *problems,
                       struct err *e)
{
    json_t *copy = json_deep_copy(json);

    json_object_del(json_object_get(copy, "model"), "resolved"); /* of a task that was shown */
    return read_document(t, copy, trusted, folder, a, out, problems, e);
}

int task_document_of(const struct tasks *t, const struct task *task, struct task_document **out,
                     struct err *e)
{
    struct task_problems problems = {0};
    struct arena a = {0};
    json_t *json;
    int rc = json_read(str_from(task->spec), &json, e);

    if (!rc)
        rc = read_document(t, json, task->trusted, task->folder, &a, out, &problems, e);
    arena_release(&a);
    return rc ? err_prefix(e, "the document of task '%s'", task->name) : 0;
}

void task_document_free(struct task_document *d)
{
    if (!d)
        return;
    json_decref((json_t *)(uintptr_t)d->written);
    arena_release(&d->arena);
    free(d);
}

bool task_document_is_local(const struct task_document *d)
{
    return dataset_is_local(d->source) || (d->results && results_are_local(d->results)) ||
           (d->from && dataset_is_local(d->from)) || str_starts(str_from(d->url), "file:");
}
