#include "server/schema_words.h"

#include "base/buf.h"
#include "base/nearest.h"
#include "server/schema_format.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Words are for people: what does not fit in this many bytes is left out. */
enum { WORDS_MAX = 2000 };

/* Text that would pass the buffer's maximum is dropped on purpose. */
#define ADD(b, ...) ((void)!buf_addf((b), __VA_ARGS__))

static void add_number(struct buf *b, double x)
{
    if (x >= 9223372036854775807.0) /* 2^63 - 1 is no double */
        ADD(b, "9223372036854775807");
    else if (fabs(x) < 1e18 && floor(x) == x)
        ADD(b, "%.0f", x);
    else
        ADD(b, "%.15g", x);
}

static void add_range(struct buf *b, const struct schema *s)
{
    bool none = s->minimum == 0 && s->maximum == 0 && !s->exclusive_minimum;
    bool low = !none && isfinite(s->minimum), high = !none && isfinite(s->maximum);

    if (low) {
        ADD(b, s->exclusive_minimum ? " above " : high ? " from " : " of at least ");
        add_number(b, s->minimum);
    }
    if (high) {
        ADD(b, !low ? " of at most " : s->exclusive_minimum ? ", at most " : " to ");
        add_number(b, s->maximum);
    }
    if (s->multiple_of > 0) {
        ADD(b, ", a multiple of ");
        add_number(b, s->multiple_of);
    }
}

static void add_count(struct buf *b, size_t min, size_t max, const char *one, const char *many)
{
    if (min && min == max)
        ADD(b, " of %zu %s", min, min == 1 ? one : many);
    else if (min && max)
        ADD(b, " of %zu to %zu %s", min, max, many);
    else if (min)
        ADD(b, " of at least %zu %s", min, min == 1 ? one : many);
    else if (max)
        ADD(b, " of at most %zu %s", max, max == 1 ? one : many);
}

static void add_choices(struct buf *b, const struct schema *s)
{
    const char *quote = s->types & SCHEMA_STRING ? "'" : "";

    if (!s->choices[0] || !s->choices[1]) {
        ADD(b, "%s%s%s", quote, s->choices[0] ? s->choices[0] : "", quote);
        return;
    }
    for (size_t i = 0; s->choices[i]; i++)
        ADD(b, "%s%s", i ? ", " : "one of ", s->choices[i]);
}

static void add_type(struct buf *b, const struct schema *s, unsigned type)
{
    const struct schema_format *format = schema_format(s->format);

    if (s->choices && type != SCHEMA_NULL) {
        add_choices(b, s);
        return;
    }
    switch (type) {
    case SCHEMA_OBJECT:
        ADD(b, "an object");
        add_count(b, s->min_members, s->max_members, "member", "members");
        break;
    case SCHEMA_ARRAY:
        ADD(b, "a list");
        add_count(b, s->min_items, s->max_items, "item", "items");
        break;
    case SCHEMA_STRING:
        if (format) {
            ADD(b, "%s", format->words);
            break;
        }
        ADD(b, "a text");
        add_count(b, s->min_length, s->max_length, "character", "characters");
        break;
    case SCHEMA_INTEGER:
    case SCHEMA_NUMBER:
        ADD(b, type == SCHEMA_INTEGER ? "an integer" : "a number");
        add_range(b, s);
        break;
    case SCHEMA_BOOLEAN:
        ADD(b, "true or false");
        break;
    default:
        ADD(b, "null");
    }
}

static void add_words(struct buf *b, const struct schema *s, int depth)
{
    size_t said = 0;

    if (s->any) {
        for (size_t i = 0; s->any[i] && depth < 8; i++) {
            ADD(b, "%s", i ? ", or " : "");
            add_words(b, s->any[i], depth + 1);
        }
        return;
    }
    if (!s->types) {
        ADD(b, "any value");
        return;
    }
    for (unsigned type = SCHEMA_OBJECT; type <= SCHEMA_NULL; type <<= 1) {
        bool covered = type == SCHEMA_INTEGER && s->types & SCHEMA_NUMBER;
        if (!(s->types & type) || covered)
            continue;
        if (s->choices && type != SCHEMA_NULL && said)
            continue; /* the choices stand for all types but null */
        ADD(b, "%s", said++ ? " or " : "");
        add_type(b, s, type);
    }
}

const char *schema_words(const struct schema *s, struct arena *a)
{
    struct buf b;

    buf_init(&b, WORDS_MAX);
    add_words(&b, s, 0);
    const char *words = arena_strdup(a, b.p ? b.p : "");
    buf_release(&b);
    return words;
}

static const char *member_at(const void *list, size_t i)
{
    return ((const struct schema_member *)list)[i].name;
}

const char *words_unknown(const struct schema *s, const char *name, struct arena *a)
{
    const char *nearest = nearest_named(name, s->members, s->member_count, member_at);

    return nearest ? arena_printf(a, "unknown member; did you mean '%s'?", nearest)
                   : "unknown member";
}

const char *words_choice(const struct schema *s, const char *wrong, struct arena *a)
{
    const char *words = schema_words(s, a);
    size_t count = 0;

    while (s->choices[count])
        count++;
    const char *nearest = wrong ? nearest_name(wrong, s->choices, count) : NULL;
    return nearest ? arena_printf(a, "%s; did you mean '%s'?", words, nearest) : words;
}
