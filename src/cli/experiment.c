#include "cli/experiment.h"

#include "base/buf.h"
#include "base/json.h"
#include "cli/subcommands.h"
#include "experiments/analysis.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SPEC_BYTES = 16 << 20 };

static const struct command *const subcommands[] = {
    &experiment_plan, &experiment_run,    &experiment_resume, &experiment_list,
    &experiment_show, &experiment_export, &experiment_diff,
};
static const struct family family = {
    .name = "experiment",
    .list = subcommands,
    .count = sizeof subcommands / sizeof *subcommands,
    .outro = "An experiment is a JSON file: docs/experiments.md explains it, examples/experiments "
             "has some.\n",
};

/* ============================== What they share ============================== */

/* Everything up to the end, at most SPEC_BYTES. */
static int read_stream(FILE *f, const char *path, struct buf *text, struct err *e)
{
    char piece[65536];
    size_t n;

    while (!feof(f)) {
        n = fread(piece, 1, sizeof piece, f);
        if (ferror(f))
            return ERR(e, ERR_IO, "cannot read '%s': %m", path);
        if (buf_add(text, piece, n))
            return ERR(e, ERR_FORMAT, "'%s' is longer than %d bytes", path, SPEC_BYTES);
    }
    return 0;
}

int read_spec_file(const char *path, json_t **out, struct err *e)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *f = standard ? stdin : fopen(path, "r");
    struct buf text;

    if (!f)
        return ERR(e, ERR_NOT_FOUND, "cannot open '%s': %m", path);
    buf_init(&text, SPEC_BYTES);
    int rc = read_stream(f, path, &text, e);
    if (!standard)
        fclose(f);
    if (rc == 0 && json_read((struct str){text.p, text.n}, out, e))
        rc = err_prefix(e, "%s", path);
    buf_release(&text);
    return rc;
}

void print_problems(const struct spec_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++)
        fprintf(stderr, "  %s: expected %s\n",
                problems->at[i].pointer[0] ? problems->at[i].pointer : "/",
                problems->at[i].expected);
}

/* Among all experiments; *found counts those that fit. */
static int look_through(struct tx *tx, const char *word, struct arena *a, struct experiment *out,
                        int *found, struct err *e)
{
    struct experiment_filter filter = {.status = -1, .limit = 200};

    do {
        struct experiment *rows;
        size_t count;
        if (experiments_list(tx, &filter, a, &rows, &count, &filter.cursor, e))
            return e->code;
        for (size_t i = 0; i < count; i++)
            if (str_starts(str_from(rows[i].id), word) || strcmp(rows[i].name, word) == 0) {
                *out = rows[i];
                ++*found;
            }
    } while (filter.cursor);
    return 0;
}

int find_experiment(struct db *db, const char *word, struct arena *a, struct experiment *out,
                    struct err *e)
{
    struct tx *tx;
    int found = 0;

    int rc = tx_begin(db, TX_READ, &tx, e);
    if (rc)
        return rc;
    rc = uuid_valid(str_from(word)) ? experiments_get(tx, word, a, out, e)
                                    : look_through(tx, word, a, out, &found, e);
    tx_rollback(tx);
    if (rc || uuid_valid(str_from(word)) || found == 1)
        return rc;
    return found
               ? ERR(e, ERR_ARG, "'%s' fits %d experiments: give more of the id", word, found)
               : ERR(e, ERR_NOT_FOUND, "no experiment '%s': see 'cauldron experiment list'", word);
}

int find_run(struct db *db, const char *experiment_id, int number, struct arena *a, struct run *out,
             struct err *e)
{
    struct run *rows;
    size_t count;
    struct tx *tx;

    int rc = tx_begin(db, TX_READ, &tx, e);
    if (rc)
        return rc;
    rc = number ? runs_list(tx, experiment_id, a, &rows, &count, e)
                : runs_last(tx, experiment_id, a, out, e);
    tx_rollback(tx);
    if (rc || !number)
        return rc == ERR_NOT_FOUND ? ERR(e, ERR_NOT_FOUND, "the experiment has not run yet") : rc;
    for (size_t i = 0; i < count; i++)
        if (rows[i].number == number) {
            *out = rows[i];
            return 0;
        }
    return ERR(e, ERR_NOT_FOUND, "the experiment has no run %d", number);
}

/* ============================== Findings in words ============================== */

static void print_curves(const struct analysis *x)
{
    for (size_t i = 0; i < x->curve_count; i++) {
        const struct curve *c = &x->curves[i];
        printf("  %-40s", c->label);
        if (c->knee < c->count)
            printf(" knee at %g", c->points[c->knee].x);
        if (c->converged < c->count)
            printf(", converged at %g %s, %.2f s (n = %zu)", c->points[c->converged].x,
                   x->curve_axis, c->points[c->converged].seconds.mean,
                   c->points[c->converged].y.n);
        else
            printf(" not converged within the values tried");
        putchar('\n');
    }
    if (x->cheapest_curve < x->curve_count) {
        const struct curve *c = &x->curves[x->cheapest_curve];
        const struct curve_point *p = &c->points[x->cheapest_point];
        printf("cheapest within %g: %s at %g %s, %.2f s a picture (n = %zu)\n", x->tolerance,
               c->label, p->x, x->curve_axis, p->seconds.mean, p->y.n);
    }
}

static void print_factors(const struct analysis *x)
{
    for (size_t i = 0; i < x->factor_count; i++) {
        const struct factor *f = &x->factors[i];
        if (isfinite(f->share))
            printf("  %-24s %5.1f %% of the variance (n = %zu)\n", f->name, 100 * f->share, f->n);
    }
}

int print_analysis(const struct outcome *o, struct err *e)
{
    struct analysis_options options = {0};
    struct analysis *x;

    if (analysis_new(o->planned.plan, o->results, &options, &x, e))
        return e->code;
    printf("%zu of %zu cells drawn, %zu failed, %zu impossible\n", x->done, x->cells, x->failed,
           x->impossible);
    if (x->seconds.n)
        printf("%.2f s a picture (n = %zu), %.1f steps/s\n", x->seconds.mean, x->seconds.n,
               x->steps_per_second.mean);
    if (x->curve_count)
        printf("convergence by %s along %s:\n", measure_infos[x->measure].title, x->curve_axis);
    print_curves(x);
    if (x->factor_count)
        printf("what decides %s:\n", measure_infos[x->measure].title);
    print_factors(x);
    analysis_free(x);
    return 0;
}

/* ============================== The choice ============================== */

static int run(int argc, char **argv)
{
    return family_run(&family, argc, argv);
}

const struct command command_experiment = {
    .name = "experiment",
    .summary = "plan, run, show and export experiments",
    .run = run,
};
