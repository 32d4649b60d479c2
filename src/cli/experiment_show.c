#include "base/file.h"
#include "base/json.h"
#include "cli/experiment.h"
#include "experiments/export.h"
#include "experiments/spec_diff.h"

#include <string.h>

struct want {
    struct platform_options platform;
    bool json;
    int run;
    struct strings outputs;
};

static const struct opt list_table[] = {
    {.name = "json",
     .type = OPT_FLAG,
     OPT_INTO(struct want, json),
     .help = "print a JSON object a line"},
    PLATFORM_STORE(struct want, platform),
    {0},
};
static const struct opt show_table[] = {
    {.name = "run",
     .type = OPT_INT,
     OPT_INTO(struct want, run),
     .value = "N",
     .min = 0,
     .max = 1000000,
     .initial = "0",
     .help = "which run; 0: the newest"},
    {.name = "json", .type = OPT_FLAG, OPT_INTO(struct want, json), .help = "print JSON"},
    PLATFORM_STORE(struct want, platform),
    {0},
};
static const struct opt export_table[] = {
    {.name = "output",
     .letter = 'o',
     .type = OPT_STRINGS,
     .needed = true,
     OPT_INTO(struct want, outputs),
     .value = "FILE",
     .help = ".html (one file, works offline), .csv, .json, or .png (a contact sheet)"},
    {.name = "run",
     .type = OPT_INT,
     OPT_INTO(struct want, run),
     .value = "N",
     .min = 0,
     .max = 1000000,
     .initial = "0",
     .help = "which run; 0: the newest"},
    PLATFORM_STORE(struct want, platform),
    {0},
};
static const struct opt diff_table[] = {
    {.name = "json", .type = OPT_FLAG, OPT_INTO(struct want, json), .help = "print JSON"},
    {0},
};

static const struct opt_spec list_spec = {.command = "experiment list",
                                          .usage = "[options]",
                                          .summary = "List the experiments, newest first.",
                                          .table = list_table,
                                          .environment = true};
static const struct opt_spec show_spec = {.command = "experiment show",
                                          .usage = "[options] EXPERIMENT",
                                          .summary = "Show where an experiment stands and what it "
                                                     "has found.",
                                          .table = show_table,
                                          .min_rest = 1,
                                          .max_rest = 1,
                                          .rest = "an experiment",
                                          .environment = true};
static const struct opt_spec export_spec = {.command = "experiment export",
                                            .usage = "[options] EXPERIMENT -o FILE",
                                            .summary = "Write an experiment into a file.",
                                            .table = export_table,
                                            .min_rest = 1,
                                            .max_rest = 1,
                                            .rest = "an experiment",
                                            .environment = true};
static const struct opt_spec diff_spec = {.command = "experiment diff",
                                          .usage = "[options] FILE FILE",
                                          .summary = "Say how two specifications differ. Ends with "
                                                     "1 when they do.",
                                          .table = diff_table,
                                          .min_rest = 2,
                                          .max_rest = 2,
                                          .rest = "two files"};

/* ============================== list ============================== */

static void print_row(const struct experiment *x, bool json)
{
    struct arena a = {0};

    if (json) {
        json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:i, s:o}", "id", x->id, "name", x->name,
                              "type", x->type, "status", experiment_status_name(x->status), "runs",
                              x->runs, "created_at", json_time_or_null(x->created_at));
        puts(json_compact(o, &a));
        json_decref(o);
    } else {
        printf("%s  %-10s %-16s %s\n", x->id, experiment_status_name(x->status), x->type, x->name);
    }
    arena_release(&a);
}

static int list(const struct want *want, struct platform *p, struct err *e)
{
    struct experiment_filter filter = {.status = -1, .limit = 200};
    struct tx *tx;

    do {
        struct experiment *rows;
        size_t count;
        if (tx_begin(p->db, TX_READ, &tx, e))
            return e->code;
        int rc = experiments_list(tx, &filter, &p->arena, &rows, &count, &filter.cursor, e);
        tx_rollback(tx);
        if (rc)
            return rc;
        for (size_t i = 0; i < count; i++)
            print_row(&rows[i], want->json);
    } while (filter.cursor);
    return 0;
}

/* ============================== show ============================== */

static int load(const struct want *want, struct platform *p, const char *word, bool measure,
                struct experiment *x, struct run *run, struct outcome *out, struct err *e)
{
    int rc = find_experiment(p->db, word, &p->arena, x, e);

    if (rc == 0)
        rc = find_run(p->db, x->id, want->run, &p->arena, run, e);
    if (rc)
        return rc;
    p->submitter = (struct submitter){.db = p->db, .blobs = p->blobs};
    rc = outcome_load(&p->submitter, run, out, e);
    if (rc)
        return rc;
    rc = measure ? outcome_measure(out, e) : 0;
    if (rc)
        outcome_release(out);
    return rc;
}

static int show_json(const struct outcome *o, struct err *e)
{
    struct analysis_options options = {0};
    struct analysis *analysis;
    struct arena a = {0};

    if (analysis_new(o->planned.plan, o->results, &options, &analysis, e))
        return e->code;
    json_t *json = analysis_to_json(analysis);
    puts(json_compact(json, &a));
    json_decref(json);
    arena_release(&a);
    analysis_free(analysis);
    return 0;
}

static int show(const struct want *want, struct platform *p, const char *word, struct err *e)
{
    struct experiment x;
    struct outcome outcome;
    struct run run;

    if (load(want, p, word, true, &x, &run, &outcome, e))
        return e->code;
    if (!want->json)
        printf("%s (%s), run %d, %s\n", x.name, x.type, run.number,
               experiment_status_name(run.status));
    int rc = want->json ? show_json(&outcome, e) : print_analysis(&outcome, e);
    outcome_release(&outcome);
    return rc;
}

/* ============================== export ============================== */

int export_to(struct outcome *o, const char *path, struct err *e)
{
    struct analysis_options options = {0};
    const char *ending = strrchr(path, '.') ? strrchr(path, '.') : "";
    struct analysis *analysis;
    struct buf out;

    if (analysis_new(o->planned.plan, o->results, &options, &analysis, e))
        return e->code;
    struct export_source source = {
        .plan = o->planned.plan, .results = o->results, .analysis = analysis, .loader = &o->loader};
    buf_init(&out, EXPORT_MAX);
    int rc = export_as(&source, ending[0] ? ending + 1 : path, &out, e);
    if (rc == 0)
        rc = file_write(path, out.p ? out.p : "", out.n, e);
    buf_release(&out);
    analysis_free(analysis);
    return rc;
}

static int export_all(const struct want *want, struct platform *p, const char *word, struct err *e)
{
    struct experiment x;
    struct outcome outcome;
    struct run run;

    if (load(want, p, word, true, &x, &run, &outcome, e))
        return e->code;
    int rc = 0;
    for (size_t i = 0; i < want->outputs.count && rc == 0; i++)
        rc = export_to(&outcome, want->outputs.items[i], e);
    outcome_release(&outcome);
    return rc;
}

/* ============================== diff ============================== */

static int read_spec(const char *path, struct spec **out, struct err *e)
{
    struct spec_problems problems = {0};
    json_t *document;

    if (read_spec_file(path, &document, e))
        return e->code;
    int rc = spec_read(document, NULL, out, &problems)
                 ? ERR(e, ERR_ARG, "%s: %s", path, spec_problems_line(&problems))
                 : 0;
    spec_problems_release(&problems);
    json_decref(document);
    return rc;
}

static int diff_main(int argc, char **argv)
{
    struct spec *a = NULL, *b = NULL;
    struct options options;
    struct want want = {0};
    struct arena arena = {0};
    struct err e;
    int status = options_parse(&diff_spec, argc, argv, &want, &options);

    if (status >= 0)
        return status;
    status = EXIT_DONE;
    if (read_spec(options.rest[0], &a, &e) || read_spec(options.rest[1], &b, &e)) {
        status = fail(EXIT_USAGE, &e);
    } else {
        json_t *changes = spec_diff(a, b);
        if (want.json)
            puts(json_compact(changes, &arena));
        for (size_t i = 0; i < json_array_size(changes) && !want.json; i++)
            puts(json_text(json_array_get(changes, i), "text", ""));
        if (json_array_size(changes))
            status = EXIT_FAILED;
        json_decref(changes);
    }
    arena_release(&arena);
    spec_free(a);
    spec_free(b);
    options_release(&options);
    return status;
}

/* ============================== The others ============================== */

static int with_storage(const struct opt_spec *spec, int argc, char **argv,
                        int (*act)(const struct want *want, struct platform *p, const char *word,
                                   struct err *e))
{
    struct want want = {0};
    struct options options;
    struct platform p;
    struct err e;
    int status = options_parse(spec, argc, argv, &want, &options);

    if (status >= 0)
        return status;
    if (!options_given(&options, "log-level"))
        want.platform.log_level = 2; /* warnings */
    status = EXIT_DONE;
    if (platform_open(&want.platform, PLATFORM_STORAGE, &p, &e)) {
        status = fail(EXIT_FAILED, &e);
    } else {
        if (act(&want, &p, options.rest_count ? options.rest[0] : "", &e))
            status = fail(e.code == ERR_ARG ? EXIT_USAGE : EXIT_FAILED, &e);
        platform_close(&p);
    }
    options_release(&options);
    return status;
}

static int list_act(const struct want *want, struct platform *p, const char *word, struct err *e)
{
    (void)word;
    return list(want, p, e);
}

static int list_main(int argc, char **argv)
{
    return with_storage(&list_spec, argc, argv, list_act);
}

static int show_main(int argc, char **argv)
{
    return with_storage(&show_spec, argc, argv, show);
}

static int export_main(int argc, char **argv)
{
    return with_storage(&export_spec, argc, argv, export_all);
}

const struct command experiment_list = {
    .name = "list", .summary = "list the experiments", .run = list_main};
const struct command experiment_show = {
    .name = "show", .summary = "where one stands and what it found", .run = show_main};
const struct command experiment_export = {
    .name = "export", .summary = "write one into a file", .run = export_main};
const struct command experiment_diff = {
    .name = "diff", .summary = "how two files differ", .run = diff_main};
