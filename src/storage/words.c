/* Words of prompts: SQLite's FTS5 cuts and folds texts itself (unicode61), PostgreSQL gets them cut
 * and folded by the same rule, so that both find the same. */
#include "base/map.h"
#include "base/sha256.h"
#include "storage/generations_rows.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum { WORD_MOST = 255, QUERY_WORDS = 16 };

static bool is_word(utf8proc_int32_t c)
{
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
    case UTF8PROC_CATEGORY_CO:
        return true;
    default:
        return false;
    }
}

static void keep(struct words *w, struct map *seen, const char *p, size_t n, struct arena *a)
{
    struct str word = {p, n};

    if (n == 0 || n > WORD_MOST || map_get(seen, word))
        return;
    w->items[w->count] = arena_str(a, word);
    map_put(seen, word, w);
    w->count++;
}

struct words words_of(const char *text, bool fold, struct arena *a)
{
    utf8proc_uint8_t *folded = NULL;
    utf8proc_option_t how = UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_DECOMPOSE |
                            UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK;
    struct words w = {0};
    struct map seen = {0};

    if (fold && utf8proc_map((const utf8proc_uint8_t *)text, 0, &folded, how) < 0)
        return w;
    const char *p = fold ? (const char *)folded : text, *start = p, *end = p + strlen(p);
    w.items = arena_alloc(a, ((size_t)(end - p) / 2 + 1) * sizeof *w.items);
    while (p < end) {
        utf8proc_int32_t c;
        utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)p, end - p, &c);
        if (n < 1)
            break;
        if (!is_word(c)) {
            keep(&w, &seen, start, (size_t)(p - start), a);
            start = p + n;
        }
        p += n;
    }
    keep(&w, &seen, start, (size_t)(p - start), a);
    map_release(&seen);
    free(folded);
    return w;
}

/* Whether the word is written with a '*' behind it. */
static bool is_beginning(const char *text, const char *word)
{
    size_t n = strlen(word);

    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
        if (at[n] == '*')
            return true;
    return false;
}

const char *words_query(enum db_dialect dialect, const char *text, struct arena *a)
{
    struct words w = words_of(text, false, a);
    const char *query = NULL;

    for (size_t i = 0; i < w.count && i < QUERY_WORDS; i++) {
        bool beginning = is_beginning(text, w.items[i]);
        if (dialect == DIALECT_SQLITE) {
            query = arena_printf(a, "%s%s\"%s\"%s", query ? query : "", query ? " AND " : "",
                                 w.items[i], beginning ? " *" : "");
            continue;
        }
        struct words folded = words_of(w.items[i], true, a);
        for (size_t k = 0; k < folded.count; k++)
            query = arena_printf(a, "%s%s'%s'%s", query ? query : "", query ? " & " : "",
                                 folded.items[k], beginning ? ":*" : "");
    }
    return query;
}

void prompt_hash(const char *prompt, char out[17])
{
    char hex[65];

    sha256_hex(prompt, strlen(prompt), hex);
    memcpy(out, hex, 16);
    out[16] = 0;
}
