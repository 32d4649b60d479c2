#include "base/clock.h"
#include "base/json.h"
#include "cli/experiment.h"
#include "cli/terminal.h"

#include <math.h>
#include <string.h>
#include <time.h>

struct want {
    struct platform_options platform;
    const char *name;
    struct strings exports;
    bool json, no_draw, quiet;
    int cells;
};

/* ============================== plan ============================== */

static const struct opt plan_table[] = {
    {.name = "json", .type = OPT_FLAG, OPT_INTO(struct want, json), .help = "print JSON"},
    {.name = "cells",
     .type = OPT_INT,
     OPT_INTO(struct want, cells),
     .value = "N",
     .min = 0,
     .max = 100000,
     .initial = "0",
     .help = "with --json: that many cells in their order"},
    PLATFORM_STORE(struct want, platform),
    PLATFORM_DRAW(struct want, platform),
    {0},
};
static const struct opt_spec plan_spec = {
    .command = "experiment plan",
    .usage = "[options] FILE",
    .summary = "Say what an experiment would draw, what exists already, what is impossible and "
               "why, and what it would cost. Nothing is drawn.",
    .table = plan_table,
    .min_rest = 1,
    .max_rest = 1,
    .rest = "a file",
    .environment = true,
};

static void print_plan(const struct plan *plan)
{
    const struct plan_totals *t = &plan->totals;

    printf("%zu cells, %zu different pictures\n", t->cells, t->pictures);
    printf("  %zu exist already, %zu to draw", t->drawn, t->to_draw);
    if (t->cut)
        printf(", %zu beyond the budget", t->cut);
    printf(", %zu impossible, %zu dropped\n", t->impossible, t->dropped);
    for (size_t i = 0; i < plan->reason_count; i++)
        printf("    %zu %s: %s\n", plan->reasons[i].cells, plan_state_name(plan->reasons[i].state),
               plan->reasons[i].text);
    printf("  %zu model loads\n", t->model_loads);
    if (t->estimated)
        printf("  about %.0f s and %.1f MB, from at least %zu measured pictures of each kind%s\n",
               t->seconds, t->bytes / 1e6, t->samples_min,
               t->estimated < t->to_draw ? "; not all kinds were measured yet" : "");
    else if (t->to_draw)
        printf("  no picture like these was measured yet: no estimate\n");
}

static int plan_file(const struct want *want, struct platform *p, const char *path,
                     struct spec_problems *problems, struct err *e)
{
    struct launch launch = {.submitter = &p->submitter};
    struct planned planned = {0};
    json_t *document;

    if (read_spec_file(path, &document, e))
        return e->code;
    int rc = launch_plan(&launch, document, &planned, problems, e);
    if (rc == 0 && want->json) {
        json_t *json = plan_to_json(planned.plan, (size_t)want->cells);
        struct arena a = {0};
        puts(json_compact(json, &a));
        arena_release(&a);
        json_decref(json);
    } else if (rc == 0) {
        print_plan(planned.plan);
    }
    planned_release(&planned);
    json_decref(document);
    return rc;
}

/* ============================== run and resume ============================== */

static const struct opt run_table[] = {
    {.name = "name",
     .type = OPT_STRING,
     OPT_INTO(struct want, name),
     .value = "TEXT",
     .help = "else the file's, or the type and the time"},
    {.name = "output",
     .letter = 'o',
     .type = OPT_STRINGS,
     OPT_INTO(struct want, exports),
     .value = "FILE",
     .help = "export when it is done: .html .csv .json or .png"},
    {.name = "no-draw",
     .type = OPT_FLAG,
     OPT_INTO(struct want, no_draw),
     .help = "only watch: servers or workers on the same database draw"},
    {.name = "quiet",
     .letter = 'q',
     .type = OPT_FLAG,
     OPT_INTO(struct want, quiet),
     .help = "print only the experiment's id"},
    PLATFORM_STORE(struct want, platform),
    PLATFORM_DRAW(struct want, platform),
    {0},
};
static const struct opt_spec run_spec = {
    .command = "experiment run",
    .usage = "[options] FILE",
    .summary = "Draw an experiment, without a server. What is drawn already is not drawn again; "
               "^C stops, and 'experiment resume' goes on.",
    .table = run_table,
    .min_rest = 1,
    .max_rest = 1,
    .rest = "a file",
    .environment = true,
};
static const struct opt_spec resume_spec = {
    .command = "experiment resume",
    .usage = "[options] EXPERIMENT",
    .summary = "Go on with an experiment that was stopped.",
    .table = run_table,
    .min_rest = 1,
    .max_rest = 1,
    .rest = "an experiment",
    .environment = true,
};

static int get_run(struct db *db, const char *id, struct arena *a, struct run *out, struct err *e)
{
    struct tx *tx;

    int rc = tx_begin(db, TX_READ, &tx, e);
    if (rc)
        return rc;
    rc = runs_get(tx, id, a, out, e);
    tx_rollback(tx);
    return rc;
}

/* Until the run has ended, or ^C. */
static int watch(struct platform *p, const char *run_id, bool quiet, struct arena *a,
                 struct run *out, struct err *e)
{
    struct progress bar;
    struct run run;
    int rc = get_run(p->db, run_id, a, &run, e);

    if (rc)
        return rc;
    progress_start(&bar, "cell", quiet ? 0 : run.total);
    while (rc == 0 && run.status == EXPERIMENT_RUNNING && !interrupted()) {
        struct arena scratch = {0};
        struct run state;
        nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
        rc = get_run(p->db, run_id, &scratch, &state, e);
        if (rc == ERR_NETWORK)
            rc = 0; /* the database will be back */
        else if (rc == 0) {
            run.status = state.status;
            run.completed = state.completed;
            run.failed = state.failed;
            progress_set(&bar, state.completed + state.failed + state.cancelled + state.impossible);
        }
        arena_release(&scratch);
    }
    progress_end(&bar);
    return rc ? rc : get_run(p->db, run_id, a, out, e);
}

static int draw_and_watch(const struct want *want, struct platform *p, const char *run_id,
                          struct arena *a, struct run *out, struct err *e)
{
    struct worker_options o = platform_worker(p, &want->platform);
    struct worker *worker;

    o.draw = !want->no_draw;
    if (worker_start(&o, &worker, e))
        return e->code;
    int rc = watch(p, run_id, want->quiet, a, out, e);
    worker_stop(worker, interrupted() ? 5 : 0);
    return rc;
}

static int show_results(const struct want *want, struct platform *p, const struct run *run,
                        struct err *e)
{
    struct outcome outcome;

    if (outcome_load(&p->submitter, run, &outcome, e))
        return e->code;
    int rc = outcome_measure(&outcome, e);
    if (rc == 0 && !want->quiet)
        rc = print_analysis(&outcome, e);
    for (size_t i = 0; i < want->exports.count && rc == 0; i++)
        rc = export_to(&outcome, want->exports.items[i], e);
    outcome_release(&outcome);
    return rc;
}

static int insert(struct platform *p, const struct want *want, const json_t *document,
                  struct spec_problems *problems, struct arena *a, struct experiment *out,
                  struct err *e)
{
    char *id = arena_alloc(a, UUID_TEXT), now_text[CLOCK_TEXT];
    int64_t now = clock_unix_ms();
    struct spec *spec;
    struct tx *tx;

    if (spec_read(document, NULL, &spec, problems))
        return ERR(e, ERR_ARG, "%s", spec_problems_line(problems));
    uuid_v7(id);
    clock_format(now, now_text);
    *out = (struct experiment){
        .id = id,
        .name = want->name      ? want->name
                : spec->name[0] ? arena_strdup(a, spec->name)
                                : arena_printf(a, "%s, %s", spec_type_name(spec->type), now_text),
        .type = spec_type_name(spec->type),
        .config = json_compact(document, a),
        .status = EXPERIMENT_DRAFT,
        .created_at = now,
        .updated_at = now};
    spec_free(spec);
    if (tx_begin(p->db, TX_WRITE, &tx, e))
        return e->code;
    if (experiments_insert(tx, out, e)) {
        tx_rollback(tx);
        return e->code;
    }
    return tx_commit(tx, e);
}

static int finish(const struct want *want, struct platform *p, const struct experiment *x,
                  const char *run_id, struct arena *a, struct err *e)
{
    struct run run = {0};

    printf("%s\n", x->id);
    fflush(stdout);
    int rc = draw_and_watch(want, p, run_id, a, &run, e);
    if (rc == 0 && interrupted()) {
        fprintf(stderr, "stopped: 'cauldron experiment resume %s' goes on\n", x->id);
        return 0;
    }
    return rc ? rc : show_results(want, p, &run, e);
}

static int run_file(const struct want *want, struct platform *p, const char *path,
                    struct spec_problems *problems, struct err *e)
{
    struct launch launch = {.submitter = &p->submitter, .priority = PRIORITY_BATCH};
    struct experiment x;
    struct arena a = {0};
    json_t *document;
    struct run run;

    if (read_spec_file(path, &document, e))
        return e->code;
    int rc = insert(p, want, document, problems, &a, &x, e);
    if (rc == 0)
        rc = launch_start(&launch, &x, &a, &run, problems, e);
    if (rc == 0)
        rc = finish(want, p, &x, run.id, &a, e);
    json_decref(document);
    arena_release(&a);
    return rc;
}

static int resume(const struct want *want, struct platform *p, const char *word,
                  struct spec_problems *problems, struct err *e)
{
    struct launch launch = {.submitter = &p->submitter, .priority = PRIORITY_BATCH};
    struct experiment x;
    struct arena a = {0};
    struct run run;
    int rc = find_experiment(p->db, word, &a, &x, e);

    if (rc == 0)
        rc = find_run(p->db, x.id, 0, &a, &run, e);
    if (rc == 0 && run.status == EXPERIMENT_PAUSED)
        rc = run.started_at ? pause_run(&p->submitter, run.id, false, e)
                            : launch_start(&launch, &x, &a, &run, problems, e);
    else if (rc == 0 && run.status != EXPERIMENT_RUNNING)
        rc = ERR(e, ERR_CONFLICT, "run %d is %s: there is nothing to go on with", run.number,
                 experiment_status_name(run.status));
    if (rc == 0)
        rc = finish(want, p, &x, run.id, &a, e);
    arena_release(&a);
    return rc;
}

/* ============================== All three ============================== */

static int with_platform(const struct opt_spec *spec, int argc, char **argv,
                         int (*act)(const struct want *want, struct platform *p, const char *word,
                                    struct spec_problems *problems, struct err *e))
{
    struct spec_problems problems = {0};
    struct want want = {.platform.log_level = 0};
    struct options options;
    struct platform platform;
    struct err e;
    int status = options_parse(spec, argc, argv, &want, &options);

    if (status >= 0)
        return status;
    if (!options_given(&options, "log-level"))
        want.platform.log_level = 2; /* warnings: the bar is in the way of anything less */
    interrupt_catch();
    status = EXIT_DONE;
    if (platform_open(&want.platform, PLATFORM_DRAWING, &platform, &e)) {
        status = fail(EXIT_FAILED, &e);
    } else {
        if (act(&want, &platform, options.rest[0], &problems, &e)) {
            status = fail(e.code == ERR_ARG ? EXIT_USAGE : EXIT_FAILED, &e);
            if (problems.count > 1)
                print_problems(&problems);
        }
        platform_close(&platform);
    }
    if (status == EXIT_DONE && interrupted())
        status = interrupt_status();
    spec_problems_release(&problems);
    options_release(&options);
    return status;
}

static int plan_main(int argc, char **argv)
{
    return with_platform(&plan_spec, argc, argv, plan_file);
}

static int run_main(int argc, char **argv)
{
    return with_platform(&run_spec, argc, argv, run_file);
}

static int resume_main(int argc, char **argv)
{
    return with_platform(&resume_spec, argc, argv, resume);
}

const struct command experiment_plan = {
    .name = "plan", .summary = "say what a file would draw and cost", .run = plan_main};
const struct command experiment_run = {
    .name = "run", .summary = "draw a file's experiment", .run = run_main};
const struct command experiment_resume = {
    .name = "resume", .summary = "go on with one that was stopped", .run = resume_main};
