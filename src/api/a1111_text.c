#include "api/a1111_text.h"

#include "base/arena.h"

#include <stdbool.h>
#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Python's \w, with every character beyond ASCII taken for a letter. */
static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

static struct str trim(struct str s)
{
    while (s.n && is_blank(*s.p))
        s.p++, s.n--;
    while (s.n && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* Where the quoted text that starts at s[at] ends (behind its quotation mark), if a comma or the
 * end follows; else 0. */
static size_t quoted_end(struct str s, size_t at)
{
    size_t i = at + 1;

    while (i < s.n && s.p[i] != '"')
        i += s.p[i] == '\\' ? 2 : 1;
    if (i >= s.n || i == at + 1)
        return 0;
    return i + 1 == s.n || s.p[i + 1] == ',' ? i + 1 : 0;
}

/* Find the next `key: value,` from *at on and move *at behind it. This is re_param's findall:
 * \s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)   */
static bool next_pair(struct str s, size_t *at, struct str *key, struct str *value)
{
    for (size_t i = *at; i < s.n;) {
        if (!is_word(s.p[i])) {
            i++;
            continue;
        }
        size_t end = i + 1;
        while (end < s.n && (is_word(s.p[end]) || strchr(" -/", s.p[end])) && s.p[end])
            end++;
        if (end == s.n || s.p[end] != ':' || end - i < 2) {
            i = end; /* no shorter key within these characters meets a colon either */
            continue;
        }
        size_t from = end + 1;
        while (from < s.n && is_blank(s.p[from]))
            from++;
        size_t to = from < s.n && s.p[from] == '"' ? quoted_end(s, from) : 0;
        if (!to) {
            const char *comma = from < s.n ? memchr(s.p + from, ',', s.n - from) : NULL;
            to = comma ? (size_t)(comma - s.p) : s.n;
        }
        *key = (struct str){s.p + i, end - i};
        *value = (struct str){s.p + from, to - from};
        *at = to + 1;
        return true;
    }
    return false;
}

static size_t count_pairs(struct str line)
{
    struct str key, value;
    size_t n = 0;

    for (size_t at = 0; next_pair(line, &at, &key, &value);)
        n++;
    return n;
}

static void put(json_t *object, struct str key, const char *suffix, struct str value)
{
    struct arena a = {0};
    char *name = arena_printf(&a, "%.*s%s", (int)key.n, key.p, suffix);
    json_t *text = json_stringn(value.p ? value.p : "", value.n); /* NULL unless it is UTF-8 */

    if (text)
        json_object_set_new(object, name, text);
    arena_release(&a);
}

/* "512x768"; both parts digits. */
static bool is_size(struct str value, struct str *width, struct str *height)
{
    const char *x = value.n ? memchr(value.p, 'x', value.n) : NULL;
    if (!x)
        return false;
    *width = (struct str){value.p, (size_t)(x - value.p)};
    *height = (struct str){x + 1, value.n - width->n - 1};
    for (size_t i = 0; i < value.n; i++)
        if (value.p + i != x && (value.p[i] < '0' || value.p[i] > '9'))
            return false;
    return width->n && height->n;
}

static void put_value(json_t *object, struct str key, struct str value)
{
    struct str width, height;

    if (!value.n)
        return;
    if (value.n > 1 && value.p[0] == '"' && value.p[value.n - 1] == '"') {
        json_t *text = json_loadb(value.p, value.n, JSON_DECODE_ANY, NULL);
        const char *plain = json_string_value(text);
        put(object, key, "", plain ? str_from(plain) : value);
        json_decref(text);
    } else if (is_size(value, &width, &height)) {
        put(object, key, "-1", width);
        put(object, key, "-2", height);
    } else {
        put(object, key, "", value);
    }
}

/* Every line but the parameters': trimmed, and joined again. */
static void put_prompts(json_t *object, struct str lines, bool any)
{
    struct arena a = {0};
    char *texts[2];
    size_t used[2] = {0};
    bool negative = false;
    struct str line;

    for (int i = 0; i < 2; i++)
        texts[i] = arena_alloc(&a, lines.n + 1);
    while (any && str_cut(&lines, '\n', &line)) {
        line = trim(line);
        if (str_skip(&line, "Negative prompt:")) {
            negative = true;
            line = trim(line);
        }
        char *to = texts[negative];
        if (used[negative])
            to[used[negative]++] = '\n';
        memcpy(to + used[negative], line.n ? line.p : "", line.n);
        used[negative] += line.n;
    }
    put(object, STR("Prompt"), "", (struct str){texts[0], used[0]});
    put(object, STR("Negative prompt"), "", (struct str){texts[1], used[1]});
    arena_release(&a);
}

json_t *a1111_text_parse(struct str text)
{
    static const char *const defaults[][2] = {
        {"Clip skip", "1"}, {"Schedule type", "Automatic"}, {"RNG", "GPU"}};
    json_t *object = json_object();
    struct str key, value;

    text = trim(text);
    const char *newline = text.n ? memrchr(text.p, '\n', text.n) : NULL;
    size_t start = newline ? (size_t)(newline - text.p) + 1 : 0;
    struct str last = {text.p + start, text.n - start};
    bool parameters = count_pairs(last) >= 3;

    for (size_t at = 0; parameters && next_pair(last, &at, &key, &value);)
        put_value(object, key, value);
    struct str prompts = parameters ? (struct str){text.p, start ? start - 1 : 0} : text;
    put_prompts(object, prompts, prompts.p && (!parameters || newline));
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
        if (!json_object_get(object, defaults[i][0]))
            json_object_set_new(object, defaults[i][0], json_string(defaults[i][1]));
    return object;
}
