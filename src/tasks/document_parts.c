#include "tasks/document_parts.h"

#include "base/nearest.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *part_pointer(struct arena *a, const char *at, const char *key)
{
    char *out = arena_alloc(a, strlen(at) + 2 * strlen(key) + 2), *p = out;

    for (; *at; at++)
        *p++ = *at;
    *p++ = '/';
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

static void note(struct task_problems *problems, struct arena *a, const char *pointer,
                 const char *format, va_list args)
{
    char text[512];

    if (problems->count == TASK_MAX_PROBLEMS)
        return;
    vsnprintf(text, sizeof text, format, args);
    err_clean(text);
    problems->at[problems->count++] =
        (struct task_problem){arena_strdup(a, pointer), arena_strdup(a, text)};
}

void task_problem(struct task_problems *problems, struct arena *a, const char *pointer,
                  const char *format, ...)
{
    va_list args;

    va_start(args, format);
    note(problems, a, pointer, format, args);
    va_end(args);
}

void part_problem(const struct part *p, const char *key, const char *format, ...)
{
    const struct document_reading *r = p->reading;
    va_list args;

    va_start(args, format);
    note(r->problems, r->arena, key ? part_pointer(r->arena, p->at, key) : p->at, format, args);
    va_end(args);
}

void part_members(const struct part *p, const char *const *known)
{
    size_t count = 0;
    const char *key;
    json_t *value;

    while (known[count])
        count++;
    json_object_foreach((json_t *)(uintptr_t)p->object, key, value)
    {
        size_t i = 0;
        while (i < count && strcmp(known[i], key) != 0)
            i++;
        if (i < count)
            continue;
        const char *near = nearest_name(key, known, count);
        if (near)
            part_problem(p, key, "no member of that name; did you mean '%s'?", near);
        else
            part_problem(p, key, "no member of that name");
    }
}

static const json_t *member(const struct part *p, const char *key)
{
    return json_object_get(p->object, key);
}

struct part part_object(const struct part *p, const char *key, bool needed)
{
    const json_t *value = member(p, key);
    struct part out = {p->reading, json_is_object(value) ? value : NULL,
                       part_pointer(p->reading->arena, p->at, key)};

    if (!out.object && (value || needed))
        part_problem(p, key, "an object");
    return out;
}

const char *part_text(const struct part *p, const char *key, size_t least, size_t most,
                      const char *fallback)
{
    const json_t *value = member(p, key);
    const char *text = json_string_value(value);
    size_t n = json_string_length(value);

    if (!value)
        return fallback;
    bool ok = text && strlen(text) == n && n >= least && n <= most;
    for (size_t i = 0; ok && i < n; i++)
        ok = (unsigned char)text[i] >= 0x20 || text[i] == '\n' || text[i] == '\t';
    if (ok)
        return text;
    part_problem(p, key, "a text of %zu to %zu bytes", least, most);
    return fallback;
}

int64_t part_integer(const struct part *p, const char *key, int64_t low, int64_t high,
                     int64_t fallback)
{
    const json_t *value = member(p, key);

    if (!value)
        return fallback;
    if (json_is_integer(value) && json_integer_value(value) >= low &&
        json_integer_value(value) <= high)
        return json_integer_value(value);
    part_problem(p, key, "an integer from %lld to %lld", (long long)low, (long long)high);
    return fallback;
}

double part_number(const struct part *p, const char *key, double low, double high, double fallback)
{
    const json_t *value = member(p, key);

    if (!value)
        return fallback;
    if (json_is_number(value) && json_number_value(value) >= low &&
        json_number_value(value) <= high)
        return json_number_value(value);
    part_problem(p, key, "a number from %g to %g", low, high);
    return fallback;
}

bool part_flag(const struct part *p, const char *key, bool fallback)
{
    const json_t *value = member(p, key);

    if (json_is_boolean(value))
        return json_is_true(value);
    if (value)
        part_problem(p, key, "true or false");
    return fallback;
}

const char *part_word(const struct part *p, const char *key, const char *const *words,
                      const char *fallback)
{
    const json_t *value = member(p, key);
    const char *text = json_string_value(value), *list = words[0];
    size_t count = 0;

    if (!value)
        return fallback;
    for (; words[count]; count++) {
        if (text && strcmp(words[count], text) == 0)
            return words[count];
        if (count)
            list = arena_printf(p->reading->arena, "%s, %s", list, words[count]);
    }
    const char *near = text ? nearest_name(text, words, count) : NULL;
    if (near)
        part_problem(p, key, "one of %s; did you mean '%s'?", list, near);
    else
        part_problem(p, key, "one of %s", list);
    return fallback;
}
