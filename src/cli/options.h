/*
 * options.h: a command's options as one table: parsing, checking, defaults and help text.
 *
 *   struct want { const char *model; uint64_t seed; int steps; double cfg; int rng; bool json;
 *                 struct strings loras; };
 *   static const char *const rngs[] = {"cpu", "cuda", NULL};
 *   static const struct opt table[] = {
 *       {.name = "model", .letter = 'm', .type = OPT_STRING, OPT_INTO(struct want, model),
 *        .value = "NAME|DIR|FILE", .initial = "demo", .help = "the model to draw with"},
 *       {.name = "seed", .letter = 's', .type = OPT_SEED, OPT_INTO(struct want, seed), .value =
 * "N"},
 *       {.name = "steps", .letter = 't', .type = OPT_INT, OPT_INTO(struct want, steps),
 *        .value = "N", .min = 1, .max = 1000, .initial = "20", .help = "denoising steps"},
 *       {.heading = "Output"},
 *       {.name = "rng", .type = OPT_CHOICE, OPT_INTO(struct want, rng), .choices = rngs},
 *       {.name = "lora", .type = OPT_STRINGS, OPT_INTO(struct want, loras), .value = "FILE"},
 *       {.name = "json", .type = OPT_FLAG, OPT_INTO(struct want, json), .help = "print JSON"},
 *       {0},
 *   };
 *   static const struct opt_spec spec = {
 *       .command = "generate", .usage = "[options] PROMPT...", .summary = "Draw images.",
 *       .table = table, .min_rest = 1, .max_rest = -1, .rest = "a prompt"};
 *
 *   struct want w = {0};
 *   struct options o;
 *   int status = options_parse(&spec, argc, argv, &w, &o);
 *   if (status >= 0)
 *       return status;                            help was printed, or a usage error
 *   ... w.steps, options_given(&o, "seed"), o.rest[0 .. o.rest_count - 1] ...
 *   options_release(&o);
 *
 * Options and other arguments may come in any order; "--" ends the options. Errors are one line on
 * stderr that says what, why and what to do; an unknown option is answered with the nearest name.
 * Threads: getopt_long keeps its place in global variables, so one parse at a time. Ownership:
 * texts are borrowed from argv and from the table; lists belong to struct options.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/nearest.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What an option takes, and the field that receives it. */
enum opt_type {
    OPT_FLAG,    /* bool: takes nothing */
    OPT_STRING,  /* const char * */
    OPT_STRINGS, /* struct strings: may be given several times */
    OPT_INT,     /* int, within min..max */
    OPT_I64,     /* int64_t, within min..max */
    OPT_SEED,    /* uint64_t: -2^63 .. 2^64-1; negative ones as two's complement, as torch does */
    OPT_F64,     /* double, finite, within min..max */
    OPT_CHOICE,  /* int: the index of the text in choices */
    OPT_PARSED,  /* whatever parse() fills */
};

struct strings {
    const char **items; /* NULL while there are none */
    size_t count;
};

struct opt {
    const char *name;    /* without the dashes; NULL in a heading and in the last row */
    const char *heading; /* a line of its own in the help text */
    char letter;         /* 0: none */
    enum opt_type type;
    bool needed;
    size_t offset;
    const char *value;          /* the value's name in the help text */
    const char *initial;        /* the default, read as if it were given; NULL: leave the field */
    const char *help;           /* one sentence, lower case; wrapped when printed */
    double min, max;            /* both 0: any number of the type */
    const char *const *choices; /* ended by NULL */
    const char *environment;    /* the variable that sets it; NULL: CAULDRON_NAME, see opt_spec */
    int (*parse)(const char *text, void *field, struct err *e);
};

#define OPT_INTO(type, field) .offset = offsetof(type, field)

enum { OPTIONS_MOST = 126 };
struct opt_spec {
    const char *command;     /* "generate", "models list" */
    const char *usage;       /* what follows the command's name: "[options] PROMPT..." */
    const char *summary;     /* a paragraph; sentences */
    const struct opt *table; /* at most OPTIONS_MOST rows, ended by {0}; --help is added */
    int min_rest, max_rest;  /* how many other arguments; max -1: any number */
    const char *rest;        /* what they are, for messages: "a prompt" */
    bool environment; /* options that were not given are looked for in the environment: "max-body"
                         in CAULDRON_MAX_BODY; texts also in the file that CAULDRON_MAX_BODY_FILE
                         names (secrets) */
};

struct options {
    struct arena arena;
    const struct opt_spec *spec;
    bool given[OPTIONS_MOST]; /* row i was on the command line */
    bool help;                /* --help was asked for; nothing else was checked */
    char **rest;
    int rest_count;
};

/* Fill target. Returns -1 to go on, or the exit status to end with: 0 after --help (printed on
 * stdout), 2 after an error (printed on stderr). The caller releases `out` only after -1. */
WARN_UNUSED_RESULT int options_parse(const struct opt_spec *spec, int argc, char **argv,
                                     void *target, struct options *out);
/* The same without printing: 0 (look at out->help) or ERR_ARG. */
WARN_UNUSED_RESULT int options_read(const struct opt_spec *spec, int argc, char **argv,
                                    void *target, struct options *out, struct err *e);
bool options_given(const struct options *o, const char *name);
/* The environment variable of an option, for specs with `environment`. */
const char *option_variable(const struct opt *o, struct arena *a);
void options_print_help(const struct opt_spec *spec, FILE *to);
void options_release(struct options *o);

/* "cauldron: <message>" on stderr; returns status, so that `return fail(EXIT_FAILED, &e)` works. */
int fail(int status, const struct err *e);
/* The same for a message of one's own. */
int fail_with(int status, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
