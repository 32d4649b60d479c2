#include "tasks/recipe_text.h"

#include "base/json.h"

#include <string.h>

enum { HEADER_MOST = 1024 };

const char *recipe_name(const char *object, struct arena *a)
{
    const char *slash = strrchr(object, '/'), *dot = strrchr(slash ? slash : object, '.');
    size_t n = dot ? (size_t)(dot - object) : strlen(object);

    if (dot && strcmp(dot, ".json") == 0) /* an object of that name is there already */
        n = strlen(object);
    return arena_printf(a, "%.*s.json", (int)n, object);
}

/* What the outcome says of how long it took, or of this run, differs each time. */
static bool moves(const char *name)
{
    static const char *const names[] = {"timings", "seconds",    "drawn_at",
                                        "reused",  "generation", "generation_id"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

struct str recipe_text(const struct task *task, const struct task_record *row,
                       const struct made *made, struct arena *a)
{
    json_t *all = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "task", task->name, "record",
                            row->record_id, "key", row->key, "object", row->object, "type",
                            made->type, "sha256", made->sha256);
    const char *name;
    json_t *value;

    json_object_foreach(made->outcome, name, value)
    {
        if (!moves(name))
            json_object_set(all, name, value);
    }
    const char *text = arena_printf(a, "%s\n", json_canonical(all, a));
    json_decref(all);
    return str_from(text);
}

const char *header_text(const char *text, struct arena *a)
{
    static const char hex[] = "0123456789ABCDEF";
    char *out, *at;

    if (!text)
        return NULL;
    at = out = arena_alloc(a, 3 * strnlen(text, HEADER_MOST) + 1);
    for (const unsigned char *p = (const unsigned char *)text;
         *p && p - (const unsigned char *)text < HEADER_MOST; p++) {
        if (*p > ' ' && *p < 0x7f && *p != '%') {
            *at++ = (char)*p;
        } else if (*p == ' ' && at != out && p[1]) {
            *at++ = ' ';
        } else {
            *at++ = '%';
            *at++ = hex[*p >> 4];
            *at++ = hex[*p & 15];
        }
    }
    *at = 0;
    return out;
}
