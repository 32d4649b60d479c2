#include "cli/options.h"

#include <string.h>

enum { WIDTH = 96, COLUMN = 30, LONGEST_NAME = 40 };

/* Print words after what is already at `at`, broken at WIDTH and indented by `indent`. */
static void wrap(FILE *to, const char *text, int at, int indent)
{
    struct str rest = str_from(text), word;

    while (str_cut(&rest, ' ', &word)) {
        if (at > indent && at + 1 + (int)word.n > WIDTH) {
            fprintf(to, "\n%*s", indent, "");
            at = indent;
        } else if (at > indent) {
            fputc(' ', to);
            at++;
        }
        fprintf(to, "%.*s", (int)word.n, word.p);
        at += (int)word.n;
    }
    fputc('\n', to);
}

static const char *value_of(const struct opt *o, struct arena *a)
{
    if (o->type == OPT_FLAG)
        return "";
    if (o->value)
        return arena_printf(a, " %s", o->value);
    if (o->type != OPT_CHOICE)
        return " VALUE";
    const char *list = " ";
    for (size_t i = 0; o->choices[i]; i++)
        list = arena_printf(a, "%s%s%s", list, i ? "|" : "", o->choices[i]);
    return list;
}

static void print_row(const struct opt *o, bool environment, struct arena *a, FILE *to)
{
    const char *letter = o->letter ? arena_printf(a, "-%c, ", o->letter) : "    ";
    int at = fprintf(to, "  %s--%s%s", letter, o->name, value_of(o, a));
    const char *help = o->help ? o->help : "";

    if (o->type == OPT_STRINGS)
        help = arena_printf(a, "%s%s(may be repeated)", help, help[0] ? " " : "");
    if (o->initial)
        help = arena_printf(a, "%s%s(default: %s)", help, help[0] ? " " : "", o->initial);
    if (environment)
        help = arena_printf(a, "%s%s[%s]", help, help[0] ? " " : "", option_variable(o, a));
    if (!help[0]) {
        fputc('\n', to);
        return;
    }
    if (at + 2 > COLUMN) {
        fputc('\n', to);
        at = 0;
    }
    fprintf(to, "%*s", COLUMN - at, "");
    wrap(to, help, COLUMN, COLUMN);
}

void options_print_help(const struct opt_spec *spec, FILE *to)
{
    static const struct opt help = {.name = "help", .type = OPT_FLAG, .help = "print this and end"};
    struct arena a = {0};

    fprintf(to, "usage: cauldron %s %s\n\n", spec->command, spec->usage ? spec->usage : "");
    if (spec->summary) {
        wrap(to, spec->summary, 0, 0);
        fputc('\n', to);
    }
    for (const struct opt *o = spec->table; o->name || o->heading; o++) {
        if (o->name)
            print_row(o, spec->environment, &a, to);
        else
            fprintf(to, "\n%s:\n", o->heading);
    }
    print_row(&help, false, &a, to);
    arena_release(&a);
}

/* Edits (insert, delete, replace, swap of neighbours) that turn a into b: Damerau and Levenshtein's
 * distance in its "optimal string alignment" form. */
static size_t edits(struct str a, struct str b)
{
    size_t row[3][LONGEST_NAME + 1];
    size_t *before = row[0], *last = row[1], *now = row[2];

    for (size_t j = 0; j <= b.n; j++)
        last[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        now[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t best = last[j - 1] + (a.p[i - 1] != b.p[j - 1]);
            if (last[j] + 1 < best)
                best = last[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1] &&
                before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
        size_t *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[b.n];
}

const char *nearest_name(const char *text, const char *const *names, size_t count)
{
    struct str typed = str_from(text);
    const char *best = NULL;
    size_t limit = typed.n / 3 + 1, fewest = limit + 1;

    if (typed.n > LONGEST_NAME)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        struct str name = str_from(names[i]);
        if (name.n == 0 || name.n > LONGEST_NAME)
            continue;
        size_t n = edits(typed, name);
        if (n < fewest && n < name.n) {
            fewest = n;
            best = names[i];
        }
    }
    return best;
}
