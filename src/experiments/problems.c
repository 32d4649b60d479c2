#include "experiments/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* RFC 6901, section 3: '~' and '/' inside a key are written ~0 and ~1. */
static char *escaped(struct arena *a, const char *key)
{
    char *out = arena_alloc(a, 2 * strlen(key) + 1), *p = out;

    for (; *key; key++) {
        if (*key == '~' || *key == '/') {
            *p++ = '~';
            *p++ = *key == '~' ? '0' : '1';
        } else {
            *p++ = *key;
        }
    }
    return out;
}

static const char *pointer(struct arena *a, const struct at *at)
{
    if (!at || !at->up)
        return "";
    const char *before = pointer(a, at->up);
    return at->key ? arena_printf(a, "%s/%s", before, escaped(a, at->key))
                   : arena_printf(a, "%s/%zu", before, at->index);
}

void problem(struct spec_problems *p, const struct at *at, const char *format, ...)
{
    char text[512];
    va_list args;

    if (p->count == SPEC_MAX_PROBLEMS)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    p->at[p->count++] =
        (struct spec_problem){pointer(&p->arena, at), arena_strdup(&p->arena, text)};
}

void problem_members(struct spec_problems *p, const struct at *at, const json_t *object,
                     const char *const *known)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)object, key, value)
    {
        const char *const *k = known;
        while (*k && strcmp(*k, key) != 0)
            k++;
        if (!*k)
            problem(p, &(struct at){at, key, 0}, "no such member");
    }
}

void spec_problems_release(struct spec_problems *p)
{
    arena_release(&p->arena);
    p->count = 0;
}

const char *spec_problems_line(struct spec_problems *p)
{
    if (!p->count)
        return "";
    const char *first = arena_printf(&p->arena, "%s: expected %s",
                                     p->at[0].pointer[0] ? p->at[0].pointer : "the specification",
                                     p->at[0].expected);
    return p->count == 1 ? first : arena_printf(&p->arena, "%s, and %zu more", first, p->count - 1);
}
