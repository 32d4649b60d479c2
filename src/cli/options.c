#include "cli/options.h"

#include "base/file.h"
#include "cli/commands.h"

#include <ctype.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* getopt_long answers LONG + row for a long option and the letter for a short one. */
enum { MAX_ROWS = OPTIONS_MOST, LONG = 256, HELP = LONG + MAX_ROWS };

static int rows(const struct opt_spec *spec)
{
    int n = 0;
    while (n < MAX_ROWS && (spec->table[n].name || spec->table[n].heading))
        n++;
    return n;
}

/* A longer table would lose its end. */
static int check_table(const struct opt_spec *spec, struct err *e)
{
    const struct opt *end = &spec->table[rows(spec)];

    return end->name || end->heading
               ? ERR(e, ERR_ARG, "'%s' has more than %d options", spec->command, MAX_ROWS)
               : 0;
}

static const char *shown(const struct opt *o, struct arena *a)
{
    return o->letter ? arena_printf(a, "-%c/--%s", o->letter, o->name)
                     : arena_printf(a, "--%s", o->name);
}

/* ============================== Values ============================== */

static int bad_number(const struct opt *o, const char *name, const char *text, const char *kind,
                      struct err *e)
{
    if (o->min < o->max)
        return ERR(e, ERR_ARG, "%s takes %s from %.10g to %.10g, not '%s'", name, kind, o->min,
                   o->max, text);
    return ERR(e, ERR_ARG, "%s takes %s, not '%s'", name, kind, text);
}

static bool in_range(const struct opt *o, double value)
{
    return !(o->min < o->max) || (value >= o->min && value <= o->max);
}

static bool seed_from(const char *text, uint64_t *out)
{
    int64_t negative;
    uint64_t value = 0;

    if (text[0] == '-') {
        if (!str_to_i64(str_from(text), &negative))
            return false;
        *out = (uint64_t)negative;
        return true;
    }
    for (const char *p = text; *p; p++) {
        unsigned digit = (unsigned)(*p - '0');
        if (digit > 9 || value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (!text[0])
        return false;
    *out = value;
    return true;
}

static int choose(const struct opt *o, const char *name, const char *text, int *out, struct err *e)
{
    char list[512] = "";
    size_t used = 0, count = 0;

    for (; o->choices[count]; count++) {
        if (strcmp(o->choices[count], text) == 0) {
            *out = (int)count;
            return 0;
        }
        int n =
            snprintf(list + used, sizeof list - used, "%s%s", count ? ", " : "", o->choices[count]);
        if (n > 0 && used + (size_t)n < sizeof list)
            used += (size_t)n;
    }
    const char *near = nearest_name(text, o->choices, count);
    if (near)
        return ERR(e, ERR_ARG, "%s has no choice '%s', did you mean '%s'? (%s)", name, text, near,
                   list);
    return ERR(e, ERR_ARG, "%s has no choice '%s': it takes one of %s", name, text, list);
}

static void append(struct strings *list, const char *text, struct arena *a)
{
    /* Rooms of 1, 2, 4, ...: full exactly when the count is a power of two. */
    if ((list->count & (list->count - 1)) == 0) {
        const char **items = arena_alloc(a, sizeof *items * (list->count ? list->count * 2 : 1));
        if (list->count)
            memcpy(items, list->items, sizeof *items * list->count);
        list->items = items;
    }
    list->items[list->count++] = text;
}

static int set(const struct opt *o, const char *text, void *target, struct arena *a, struct err *e)
{
    void *field = (char *)target + o->offset;
    const char *name = shown(o, a);
    int64_t whole;
    double number;

    switch (o->type) {
    case OPT_FLAG:
        *(bool *)field = true;
        return 0;
    case OPT_STRING:
        *(const char **)field = text;
        return 0;
    case OPT_STRINGS:
        append(field, text, a);
        return 0;
    case OPT_INT:
    case OPT_I64:
        if (!str_to_i64(str_from(text), &whole) || !in_range(o, (double)whole) ||
            (o->type == OPT_INT && (whole < INT_MIN || whole > INT_MAX)))
            return bad_number(o, name, text, "a whole number", e);
        if (o->type == OPT_INT)
            *(int *)field = (int)whole;
        else
            *(int64_t *)field = whole;
        return 0;
    case OPT_SEED:
        if (!seed_from(text, field))
            return ERR(e, ERR_ARG, "%s takes a whole number from -2^63 to 2^64-1, not '%s'", name,
                       text);
        return 0;
    case OPT_F64:
        if (!str_to_f64(str_from(text), &number) || !in_range(o, number))
            return bad_number(o, name, text, "a number", e);
        *(double *)field = number;
        return 0;
    case OPT_CHOICE:
        return choose(o, name, text, field, e);
    case OPT_PARSED:
        return o->parse(text, field, e) ? err_prefix(e, "%s", name) : 0;
    }
    return ERR(e, ERR_ARG, "%s has no type", name);
}

/* ============================== The command line ============================== */

struct parser {
    const struct opt_spec *spec;
    int count; /* rows */
    struct option longs[MAX_ROWS + 2];
    char letters[2 * MAX_ROWS + 8];
};

static void parser_init(struct parser *p, const struct opt_spec *spec)
{
    size_t longs = 0, n = 0;

    *p = (struct parser){.spec = spec, .count = rows(spec)};
    p->letters[n++] = ':'; /* tell a missing value from an unknown option */
    for (int i = 0; i < p->count; i++) {
        const struct opt *o = &spec->table[i];
        int takes = o->type == OPT_FLAG ? no_argument : required_argument;
        if (!o->name)
            continue;
        p->longs[longs++] = (struct option){o->name, takes, NULL, LONG + i};
        if (o->letter) {
            p->letters[n++] = o->letter;
            if (takes == required_argument)
                p->letters[n++] = ':';
        }
    }
    p->longs[longs] = (struct option){"help", no_argument, NULL, HELP};
}

static int row_of(const struct parser *p, int answer)
{
    if (answer >= LONG)
        return answer - LONG;
    for (int i = 0; i < p->count; i++)
        if (p->spec->table[i].name && p->spec->table[i].letter == answer)
            return i;
    return -1;
}

static int unknown(const struct parser *p, const char *word, struct arena *a, struct err *e)
{
    const char *names[MAX_ROWS + 1], *near;
    const char *command = p->spec->command;

    if (strncmp(word, "--", 2) != 0)
        return ERR(e, ERR_ARG, "unknown option '-%c': see 'cauldron %s --help'", optopt, command);
    for (int i = 0; i < p->count; i++)
        names[i] = p->spec->table[i].name;
    names[p->count] = "help";
    const char *name = arena_str(a, (struct str){word + 2, strcspn(word + 2, "=")});
    for (int i = 0; i < p->count; i++)
        if (names[i] && strcmp(names[i], name) == 0)
            return ERR(e, ERR_ARG, "--%s takes no value", name);
    near = nearest_name(name, names, (size_t)p->count + 1);
    if (near)
        return ERR(e, ERR_ARG, "unknown option '--%s', did you mean '--%s'?", name, near);
    return ERR(e, ERR_ARG, "unknown option '--%s': see 'cauldron %s --help'", name, command);
}

static int check_rest(const struct opt_spec *spec, const struct options *o, struct err *e)
{
    const char *what = spec->rest ? spec->rest : "arguments";

    if (o->rest_count < spec->min_rest)
        return ERR(e, ERR_ARG, "%s is missing: see 'cauldron %s --help'", what, spec->command);
    if (spec->max_rest >= 0 && o->rest_count > spec->max_rest)
        return ERR(e, ERR_ARG, "unexpected argument '%s': see 'cauldron %s --help'",
                   o->rest[spec->max_rest], spec->command);
    return 0;
}

/* "max-body": CAULDRON_MAX_BODY. */
const char *option_variable(const struct opt *o, struct arena *a)
{
    if (o->environment)
        return o->environment;
    char *name = arena_printf(a, "CAULDRON_%s", o->name);
    for (char *p = name; *p; p++)
        *p = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
    return name;
}

/* The first line of a secret's file. */
static int read_secret(const char *variable, const char *path, struct arena *a, const char **out,
                       struct err *e)
{
    struct str text;

    if (file_read(a, path, 64 << 10, &text, e))
        return err_prefix(e, "%s", variable);
    *out = arena_str(a, (struct str){text.p, strcspn(text.p, "\r\n")});
    return 0;
}

/* What the environment says, NULL when it says nothing. An empty variable says nothing. */
static int from_environment(const struct opt *o, struct arena *a, const char **out, struct err *e)
{
    const char *variable = option_variable(o, a);
    const char *file_variable = arena_printf(a, "%s_FILE", variable);
    const char *value = getenv(variable), *file = getenv(file_variable);

    *out = NULL;
    if (value && value[0])
        *out = value;
    else if (o->type == OPT_STRING && file && file[0])
        return read_secret(file_variable, file, a, out, e);
    return 0;
}

static int set_from_environment(const struct opt *o, void *target, struct arena *a, bool *done,
                                struct err *e)
{
    const char *value;

    if (from_environment(o, a, &value, e))
        return e->code;
    *done = value != NULL;
    if (!value)
        return 0;
    if (o->type == OPT_FLAG) {
        bool yes = strcmp(value, "1") == 0 || strcmp(value, "true") == 0;
        if (!yes && strcmp(value, "0") != 0 && strcmp(value, "false") != 0)
            return ERR(e, ERR_ARG, "%s takes 1 or 0, not '%s'", option_variable(o, a), value);
        *(bool *)((char *)target + o->offset) = yes;
        return 0;
    }
    int rc = set(o, value, target, a, e);
    return rc ? err_prefix(e, "%s in the environment", option_variable(o, a)) : 0;
}

static int finish(const struct parser *p, void *target, struct options *out, struct err *e)
{
    struct arena *a = &out->arena;
    int rc = 0;

    for (int i = 0; i < p->count && rc == 0; i++) {
        const struct opt *o = &p->spec->table[i];
        bool done = false;
        if (!o->name || out->given[i])
            continue;
        if (p->spec->environment)
            rc = set_from_environment(o, target, a, &done, e);
        if (rc || done)
            continue;
        if (o->needed)
            rc = ERR(e, ERR_ARG, "%s is missing: see 'cauldron %s --help'", shown(o, a),
                     p->spec->command);
        else if (o->initial)
            rc = set(o, o->initial, target, a, e);
    }
    return rc ? rc : check_rest(p->spec, out, e);
}

int options_read(const struct opt_spec *spec, int argc, char **argv, void *target,
                 struct options *out, struct err *e)
{
    struct parser p;
    struct options o = {.spec = spec};
    int rc = check_table(spec, e), answer;

    parser_init(&p, spec);
    opterr = 0;
    optind = 0; /* GNU: start afresh */
    while (rc == 0 && !o.help &&
           (answer = getopt_long(argc, argv, p.letters, p.longs, NULL)) != -1) {
        int row = row_of(&p, answer == ':' ? optopt : answer);
        if (answer == HELP) {
            o.help = true;
        } else if (row < 0) {
            rc = unknown(&p, argv[optind - 1], &o.arena, e);
        } else if (answer == ':') {
            rc = ERR(e, ERR_ARG, "%s needs a value", shown(&spec->table[row], &o.arena));
        } else {
            rc = set(&spec->table[row], optarg, target, &o.arena, e);
            o.given[row] = true;
        }
    }
    o.rest = argv + optind;
    o.rest_count = argc - optind;
    if (rc == 0 && !o.help)
        rc = finish(&p, target, &o, e);
    if (rc)
        arena_release(&o.arena);
    else
        *out = o;
    return rc;
}

int options_parse(const struct opt_spec *spec, int argc, char **argv, void *target,
                  struct options *out)
{
    struct err e;

    if (options_read(spec, argc, argv, target, out, &e))
        return fail(EXIT_USAGE, &e);
    if (!out->help)
        return -1;
    options_print_help(spec, stdout);
    options_release(out);
    return EXIT_DONE;
}

bool options_given(const struct options *o, const char *name)
{
    for (int i = 0; i < rows(o->spec); i++)
        if (o->spec->table[i].name && strcmp(o->spec->table[i].name, name) == 0)
            return o->given[i];
    return false;
}

void options_release(struct options *o)
{
    arena_release(&o->arena);
    *o = (struct options){0};
}

int fail(int status, const struct err *e)
{
    fprintf(stderr, "cauldron: %s\n", e->message);
    return status;
}

int fail_with(int status, const char *format, ...)
{
    struct err e;
    char text[sizeof e.message];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    err_set(&e, ERR_ARG, __FILE__, __LINE__, "%s", text); /* one line, no control characters */
    return fail(status, &e);
}
