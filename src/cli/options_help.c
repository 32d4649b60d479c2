#include "cli/options.h"

#include <string.h>

enum { WIDTH = 96, COLUMN = 30 };

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
