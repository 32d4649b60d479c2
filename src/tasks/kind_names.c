#include "tasks/kind_names.h"

#include "base/clock.h"
#include "base/json.h"
#include "tasks/mapping.h"
#include "tasks/record_json.h"
#include "tasks/template.h"

#include <string.h>

enum {
    NAME_MOST = 1024,    /* of objects, with the prefix of their destination (objects.h) */
    ENDING_MOST = 5,     /* ".json" takes the place of a shorter ending */
    FILE_NAME_MOST = 240 /* of a file, with room for the ending of an unfinished one */
};
/* Prompts of so many characters are short, or middling. */
enum { SHORT = 60, MIDDLING = 200 };

static const char *const names_drawn[] = {"dataset", "task",  "record_id", "number", "seed", "key",
                                          "key8",    "model", "config",    "ext",    "date", NULL};
static const char *const names_made[] = {"dataset", "task", "record_id", "number", "key",
                                         "key8",    "ext",  "date",      NULL};

const char *const *task_template_names(const struct task_kind *kind)
{
    return kind && !kind->draws ? names_made : names_drawn;
}

enum { VALUES = 12 };
static void fill_values(const struct naming *n, struct arena *a, struct template_value out[VALUES])
{
    const struct kind_context *c = n->context;
    char date[CLOCK_TEXT];

    clock_format(c->task->created_at, date);
    const struct template_value values[VALUES] = {
        {"dataset", c->document->dataset},
        {"task", c->document->name},
        {"record_id", n->record->id},
        {"number", arena_printf(a, "%lld", (long long)n->record->number)},
        {"seed", n->seed},
        {"key", n->key},
        {"key8", arena_printf(a, "%.8s", n->key)},
        {"model", n->model},
        {"config", n->config},
        {"ext", n->extension},
        {"date", arena_printf(a, "%.10s", date)},
        {NULL, NULL}};
    memcpy(out, values, sizeof values);
}

int naming_object(const struct naming *n, struct arena *a, const char **out,
                  struct mapping_problem *problem, struct err *e)
{
    const struct task_document *d = n->context->document;
    bool file = str_starts(str_from(d->url), "file:");
    struct template_value values[VALUES];
    const char *name;

    fill_values(n, a, values);
    size_t most = NAME_MOST - ENDING_MOST - (file ? 0 : strlen(d->url));
    int rc = template_name(d->object, values, n->record->fields, most, a, &name, problem, e);
    if (rc)
        return rc;
    struct str rest = str_from(name), part;
    while (file && str_cut(&rest, '/', &part))
        if (part.n > FILE_NAME_MOST)
            return mapping_wrong(problem, a, "object", e,
                                 "a part of the name is longer than %d bytes: '%.60s...'",
                                 FILE_NAME_MOST, part.p);
    *out = name;
    return 0;
}

/* Services take printable ASCII (RFC 9110 headers); what is not becomes '?'. */
static void make_printable(char *text)
{
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            *text = '?';
}

static int add_metadata(const struct naming *n, struct arena *a, json_t *request,
                        struct mapping_problem *problem, struct err *e)
{
    enum { VALUE_MOST = 1000 };
    json_t *metadata = json_object(), *value;
    struct template_value values[VALUES];
    const char *key, *text;
    int rc = 0;

    json_object_set_new(request, "metadata", metadata);
    fill_values(n, a, values);
    json_object_foreach((json_t *)(uintptr_t)n->context->document->metadata, key, value)
    {
        rc = template_text(json_string_value(value), values, n->record->fields, VALUE_MOST, a,
                           &text, problem, e);
        if (rc)
            break;
        char *printable = arena_strdup(a, text);
        make_printable(printable);
        json_object_set_new(metadata, key, json_string(printable));
    }
    return rc;
}

int naming_request(const struct naming *n, struct arena *a, json_t **out,
                   struct mapping_problem *problem, struct err *e)
{
    json_t *request =
        json_pack("{s:s, s:I}", "record", n->record->id, "number", (json_int_t)n->record->number);
    int rc = request ? 0 : ERR(e, ERR_NOMEM, "no memory for a request");

    if (!rc && n->context->document->metadata)
        rc = add_metadata(n, a, request, problem, e);
    if (rc)
        json_decref(request);
    else
        *out = request;
    return rc;
}

static size_t characters(const char *text)
{
    size_t n = 0;

    for (; text && *text; text++)
        n += (*text & 0xC0) != 0x80;
    return n;
}

const char *naming_stratum(const struct naming *n, const char *text, struct arena *a)
{
    const json_t *by = n->context->document->canary_by;
    const char *stratum = "";

    if (!by) {
        size_t length = characters(text);
        return arena_printf(a, "%.200s, %s", n->config ? n->config : "",
                            length <= SHORT      ? "short"
                            : length <= MIDDLING ? "middling"
                                                 : "long");
    }
    for (size_t i = 0; i < json_array_size(by); i++) {
        const json_t *value =
            mapping_find(n->record->fields, json_string_value(json_array_get(by, i)));
        const char *scalar = value ? mapping_scalar(value, a) : NULL;
        stratum = arena_printf(a, "%s%s%.100s", stratum, i ? ", " : "", scalar ? scalar : "none");
    }
    return stratum;
}
