#include "base/nearest.h"

#include <string.h>

enum { NAME_MAX_COMPARED = 64 };

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Insertions, deletions, replacements and swaps of neighbours that lead from a to b; both at most
 * NAME_MAX_COMPARED long. */
static size_t distance(const char *a, size_t n, const char *b, size_t m)
{
    size_t rows[3][NAME_MAX_COMPARED + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];

    for (size_t j = 0; j <= m; j++)
        above[j] = j;
    for (size_t i = 1; i <= n; i++) {
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            char x = lower(a[i - 1]), y = lower(b[j - 1]);
            row[j] = least(above[j - 1] + (x != y), least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && x == lower(b[j - 2]) && lower(a[i - 2]) == y)
                row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *recycled = before;
        before = above;
        above = row;
        row = recycled;
    }
    return above[m];
}

const char *nearest_named(const char *name, const void *list, size_t count,
                          const char *(*name_at)(const void *list, size_t i))
{
    size_t n = strnlen(name, NAME_MAX_COMPARED + 1), best = n / 3 + 1;
    const char *nearest = NULL;

    if (n < 2 || n > NAME_MAX_COMPARED)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        const char *candidate = name_at(list, i);
        size_t m = candidate ? strnlen(candidate, NAME_MAX_COMPARED + 1) : 0;
        if (!candidate || m > NAME_MAX_COMPARED)
            continue;
        size_t d = distance(name, n, candidate, m), shorter = least(n, m);
        if (d >= best && d > 0 && shorter >= 3 && strncmp(name, candidate, shorter) == 0 &&
            !nearest)
            nearest = candidate; /* the same beginning: a guess that any closer name beats */
        if (d < best) {
            best = d;
            nearest = candidate;
        }
    }
    return nearest;
}

static const char *plain(const void *list, size_t i)
{
    return ((const char *const *)list)[i];
}

const char *nearest_name(const char *text, const char *const *names, size_t count)
{
    return nearest_named(text, names, count, plain);
}
