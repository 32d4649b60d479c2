/* task_run.c: the sub-commands that move a task on: they run it here, with this process's threads,
 * beside whatever servers and workers share the database. */
#include "base/json.h"
#include "cli/experiment.h"
#include "cli/task.h"
#include "cli/terminal.h"
#include "storage/callbacks.h"
#include "tasks/runner.h"

#include <limits.h>
#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// clang-format off
#define ATTEND_ROWS                                                                                \
    {.name = "detach", .type = OPT_FLAG, OPT_INTO(struct task_want, detach),                       \
     .help = "only write it down: servers and workers on the same database do it"},                \
    {.name = "no-draw", .type = OPT_FLAG, OPT_INTO(struct task_want, no_draw),                     \
     .help = "read and deliver here, and let others draw"},                                        \
    {.name = "json", .type = OPT_FLAG, OPT_INTO(struct task_want, json),                           \
     .help = "print the report as JSON"},                                                          \
    {.name = "quiet", .letter = 'q', .type = OPT_FLAG, OPT_INTO(struct task_want, quiet),          \
     .help = "no progress bar"},                                                                   \
    PLATFORM_STORE(struct task_want, platform), PLATFORM_DRAW(struct task_want, platform),         \
    PLATFORM_TASKS(struct task_want, platform)
// clang-format on

static const struct opt run_table[] = {
    {.name = "canary",
     .type = OPT_INT,
     OPT_INTO(struct task_want, canary),
     .value = "N",
     .min = 0,
     .max = 200,
     .help = "draw a sample of N records first, as an experiment, and ask before the rest; 0: no "
             "sample; else as the document says"},
    {.name = "dry-run",
     .type = OPT_FLAG,
     OPT_INTO(struct task_want, dry_run),
     .help = "check everything, touch nothing; the same as 'task check'"},
    ATTEND_ROWS,
    {0},
};
static const struct opt attend_table[] = {ATTEND_ROWS, {0}};
static const struct opt retry_table[] = {
    {.name = "class",
     .type = OPT_STRINGS,
     OPT_INTO(struct task_want, classes),
     .value = "NAME",
     .help = "only those that failed for this (repeatable): draw, storage, conflict, results, "
             "mapping; else all but mapping"},
    ATTEND_ROWS,
    {0},
};
static const struct opt check_table[] = {
    {.name = "limit",
     .type = OPT_INT,
     OPT_INTO(struct task_want, limit),
     .value = "N",
     .min = 0,
     .max = 2000000000,
     .initial = "0",
     .help = "read only so many records; 0: all"},
    {.name = "json", .type = OPT_FLAG, OPT_INTO(struct task_want, json), .help = "print JSON"},
    PLATFORM_STORE(struct task_want, platform),
    PLATFORM_DRAW(struct task_want, platform),
    PLATFORM_TASKS(struct task_want, platform),
    {0},
};

/* ============================== Checking ============================== */

static void print_estimate(const struct task_check *c)
{
    if (isfinite(c->seconds))
        printf("about %.0f s of drawing and %.1f MB", c->seconds, c->bytes / 1e6);
    else
        printf("no picture like these was drawn yet: no estimate");
    if (isfinite(c->cost))
        printf(", cost %.2f", c->cost);
    putchar('\n');
}

static bool print_check(const struct task_check *c)
{
    bool good = c->invalid == 0 && c->collisions == 0;

    for (size_t i = 0; i < c->part_count; i++) {
        printf("%-12s %s  %s\n", c->parts[i].part, c->parts[i].ok ? "ok" : "NO",
               c->parts[i].detail);
        good = good && c->parts[i].ok;
    }
    printf("%lld records%s, %lld pictures: %lld exist already, %lld are the same as another's\n",
           (long long)c->records, c->complete ? "" : " (and more)", (long long)c->works,
           (long long)c->drawn, (long long)c->duplicates);
    if (c->invalid || c->collisions)
        printf("%lld records cannot be mapped, %lld object names are taken twice\n",
               (long long)c->invalid, (long long)c->collisions);
    for (size_t i = 0; i < c->problem_count; i++)
        printf("  record %lld '%s'%s%s: %s\n", (long long)c->problems[i].number,
               c->problems[i].record_id ? c->problems[i].record_id : "",
               c->problems[i].field ? ", field " : "",
               c->problems[i].field ? c->problems[i].field : "", c->problems[i].message);
    for (size_t i = 0; i < c->example_count; i++)
        printf("  %s -> %s\n", c->examples[i].record_id, c->examples[i].object);
    print_estimate(c);
    return good;
}

struct check_bar {
    struct progress bar;
    bool started;
};

static int tell_check(void *user, int64_t read, int64_t total)
{
    struct check_bar *b = user;

    if (!b->started && total > 0) {
        progress_start(&b->bar, "record", total);
        b->started = true;
    }
    if (b->started)
        progress_set(&b->bar, read);
    return interrupted();
}

static struct task_create create_of(const struct task_want *want, const json_t *document,
                                    const char *folder)
{
    return (struct task_create){
        .json = document, .folder = folder, .trusted = true, .canary = want->canary};
}

static int check_document(const struct task_want *want, struct platform *p, const json_t *document,
                          const char *folder, struct err *e)
{
    struct task_create create = create_of(want, document, folder);
    struct task_problems problems = {0};
    struct check_bar bar = {.started = false};
    struct task_check_options options = {.limit = want->limit, .tell = tell_check, .user = &bar};
    struct task_check check;
    struct arena a = {0};
    int rc = task_check(&p->tasks, &create, &options, &a, &check, &problems, e);

    if (bar.started)
        progress_end(&bar.bar);
    if (rc && problems.count)
        print_task_problems(&problems);
    if (rc == 0 && want->json) {
        json_t *json = task_check_to_json(&check);
        puts(json_compact(json, &a));
        if (!json_flag(json, "ok", false))
            rc = ERR(e, ERR_CANCELLED, "the check found something");
        json_decref(json);
    } else if (rc == 0 && !print_check(&check)) {
        rc = ERR(e, ERR_CANCELLED, "the check found something");
    }
    arena_release(&a);
    return rc;
}

/* ============================== Running ============================== */

static int get_task(struct db *db, const char *id, struct arena *a, struct task *out, struct err *e)
{
    struct tx *tx;
    int rc = tx_begin(db, TX_READ, &tx, e);

    if (rc)
        return rc;
    rc = tasks_get(tx, id, a, out, e);
    tx_rollback(tx);
    return rc;
}

/* How many records there will be, as far as is known. */
static int64_t total_of(const struct task *t)
{
    int64_t read = 0;

    for (int i = 0; i < RECORD_STATUSES; i++)
        read += t->counts[i];
    return t->read_all || t->records < read ? read : t->records;
}

static int64_t done_of(const struct task *t)
{
    return t->counts[RECORD_SUCCEEDED] + t->counts[RECORD_FAILED] + t->counts[RECORD_CANCELLED];
}

/* Until it has ended, is paused or waits for somebody, or ^C. */
static int watch(const struct task_want *want, struct platform *p, const char *id, struct arena *a,
                 struct task *out, struct err *e)
{
    struct progress bar = {0};
    int64_t total = -1;
    int rc = 0;
    bool runs = true;

    while (rc == 0 && runs && !interrupted()) {
        struct arena scratch = {0};
        struct task state;
        nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
        rc = get_task(p->db, id, &scratch, &state, e);
        if (rc == ERR_NETWORK) {
            rc = 0; /* the database will be back */
        } else if (rc == 0) {
            runs = state.status == TASK_RUNNING;
            if (total_of(&state) != total && !want->quiet) {
                double started = bar.started;
                if (total >= 0)
                    progress_end(&bar);
                total = total_of(&state);
                progress_start(&bar, "record", total);
                bar.started = started > 0 ? started : bar.started;
            }
            if (total >= 0)
                progress_set(&bar, done_of(&state));
        }
        arena_release(&scratch);
    }
    if (total >= 0)
        progress_end(&bar);
    return rc ? rc : get_task(p->db, id, a, out, e);
}

static int run_here(const struct task_want *want, struct platform *p, const char *id,
                    struct arena *a, struct task *out, struct err *e)
{
    struct worker_options o = platform_worker(p, &want->platform);
    struct worker *worker;

    o.draw = !want->no_draw;
    if (worker_start(&o, &worker, e))
        return e->code;
    int rc = platform_run_tasks(p, &want->platform, id, e);
    if (rc == 0)
        rc = watch(want, p, id, a, out, e);
    platform_stop_tasks(p);
    worker_stop(worker, interrupted() ? 5 : 0);
    return rc;
}

/* What was drawn stays where it is looked at: experiment_id. True when a person said yes. */
static bool ask(const struct task *t)
{
    char answer[16] = "";

    fprintf(stderr,
            "the sample of task '%s' is drawn, as experiment %s\n"
            "  look at it: cauldron experiment export %s -o sample.html\n",
            t->name, t->experiment_id, t->experiment_id);
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
        fprintf(stderr, "  then:       cauldron task approve '%s', or reject it\n", t->name);
        return false;
    }
    fprintf(stderr, "go on with all records? [y/N] ");
    return fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

static int say(const struct task_want *want, struct platform *p, const struct task *t,
               struct err *e)
{
    switch (t->status) {
    case TASK_RUNNING:
        fprintf(stderr, "stopped: 'cauldron task resume %s' goes on\n", t->id);
        return 0;
    case TASK_PAUSED:
        fprintf(stderr, "paused: 'cauldron task resume %s' goes on\n", t->id);
        return 0;
    case TASK_FAILED:
        return ERR(e, ERR_IO, "task '%s' failed: %s", t->name, t->error ? t->error : "");
    default:
        break;
    }
    if (print_report(p, t->id, want->json, e))
        return e->code;
    if (t->status == TASK_CANCELLED)
        return ERR(e, ERR_CANCELLED, "task '%s' was cancelled", t->name);
    return t->counts[RECORD_FAILED] ? ERR(e, ERR_CANCELLED, "some records failed") : 0;
}

int task_attend(const struct task_want *want, struct platform *p, const char *id, struct err *e)
{
    struct arena a = {0};
    struct task t = {0};
    int rc = want->detach ? get_task(p->db, id, &a, &t, e) : run_here(want, p, id, &a, &t, e);

    if (rc == 0 && !want->detach && t.status == TASK_AWAITING_APPROVAL && !interrupted() &&
        ask(&t)) {
        rc = task_approve(&p->tasks, id, true, e);
        if (rc == 0)
            rc = run_here(want, p, id, &a, &t, e);
    }
    if (rc == 0 && !want->detach && t.status != TASK_AWAITING_APPROVAL)
        rc = say(want, p, &t, e);
    arena_release(&a);
    return rc;
}

/* ============================== run, check ============================== */

/* A task of that name that is on its way: it goes on as it was started. */
static int on_its_way(struct platform *p, const json_t *document, struct arena *a, struct task *out,
                      bool *is, struct err *e)
{
    const char *name = json_text(document, "name", NULL);
    struct tx *tx;
    int rc = tx_begin(p->db, TX_READ, &tx, e);

    *is = false;
    if (rc || !name) {
        if (rc == 0)
            tx_rollback(tx);
        return rc;
    }
    rc = tasks_by_name(tx, NULL, name, a, out, e);
    tx_rollback(tx);
    if (rc == ERR_NOT_FOUND)
        return 0;
    *is = rc == 0 && (out->status == TASK_RUNNING || out->status == TASK_PAUSED ||
                      out->status == TASK_AWAITING_APPROVAL);
    return rc;
}

static int go_on(const struct task_want *want, struct platform *p, const struct task *t,
                 struct err *e)
{
    fprintf(stderr, "task '%s' is on its way: going on with it as it was started\n", t->name);
    if (t->status == TASK_PAUSED && task_pause(&p->tasks, t->id, false, e))
        return e->code;
    return task_attend(want, p, t->id, e);
}

static int run_document(const struct task_want *want, struct platform *p, const json_t *document,
                        const char *folder, struct err *e)
{
    struct task_create create = create_of(want, document, folder);
    struct task_problems problems = {0};
    struct arena a = {0};
    bool running, existed;
    struct task t = {0};

    create.again = true;
    int rc = on_its_way(p, document, &a, &t, &running, e);
    if (rc == 0 && running) {
        rc = go_on(want, p, &t, e);
    } else if (rc == 0) {
        rc = task_create(&p->tasks, &create, &a, &t, &existed, &problems, e);
        if (rc && problems.count)
            print_task_problems(&problems);
        if (rc == 0 && !want->json)
            printf("%s\n", t.id);
        fflush(stdout);
        if (rc == 0)
            rc = task_attend(want, p, t.id, e);
    }
    arena_release(&a);
    return rc;
}

static int with_file(const struct task_want *want, struct platform *p, const char *path,
                     int (*act)(const struct task_want *want, struct platform *p,
                                const json_t *document, const char *folder, struct err *e),
                     struct err *e)
{
    char folder[PATH_MAX];
    json_t *document;
    int rc;

    if (!getcwd(folder, sizeof folder))
        return ERR(e, ERR_IO, "the current folder is gone");
    rc = read_spec_file(path, &document, e);
    if (rc == 0) {
        rc = platform_tasks(p, &want->platform, e);
        if (rc == 0)
            rc = act(want, p, document, folder, e);
        json_decref(document);
    }
    return rc;
}

static int act_run(const struct task_want *want, struct platform *p, char **words, struct err *e)
{
    return with_file(want, p, words[0], want->dry_run ? check_document : run_document, e);
}

static int act_check(const struct task_want *want, struct platform *p, char **words, struct err *e)
{
    return with_file(want, p, words[0], check_document, e);
}

static const struct opt_spec run_spec = {
    .command = "task run",
    .usage = "[options] FILE",
    .summary = "Draw a dataset into object storage and write back what became of each record. What "
               "was drawn or delivered already is not done again: ^C or a crash loses nothing, and "
               "the same command goes on.",
    .table = run_table,
    .min_rest = 1,
    .max_rest = 1,
    .rest = "a file",
    .environment = true,
};
static const struct opt_spec check_spec = {
    .command = "task check",
    .usage = "[options] FILE",
    .summary = "Check a task without running it: every record is read and mapped, destination, "
               "results and callbacks are asked whether they are there. Nothing is written. Ends "
               "with 1 when something stands in the way.",
    .table = check_table,
    .min_rest = 1,
    .max_rest = 1,
    .rest = "a file",
    .environment = true,
};

static int run_run(int argc, char **argv)
{
    return task_main(&run_spec, argc, argv, PLATFORM_DRAWING, act_run);
}

static int run_check(int argc, char **argv)
{
    return task_main(&check_spec, argc, argv, PLATFORM_DRAWING, act_check);
}

const struct command task_run = {.name = "run", .summary = "draw a dataset", .run = run_run};
const struct command task_check_command = {
    .name = "check", .summary = "say what would be drawn, and what is wrong", .run = run_check};

/* ============================== resume, approve, retry ============================== */

static int with_task(const struct task_want *want, struct platform *p, const char *word,
                     int (*change)(const struct task_want *want, struct platform *p,
                                   const struct task *t, struct err *e),
                     struct err *e)
{
    struct arena a = {0};
    struct task t = {0};
    int rc = platform_tasks(p, &want->platform, e);

    if (rc == 0)
        rc = find_task(p->db, word, &a, &t, e);
    if (rc == 0)
        rc = change(want, p, &t, e);
    if (rc == 0)
        rc = task_attend(want, p, t.id, e);
    arena_release(&a);
    return rc;
}

/* One that was killed is still running, as far as anybody knows. */
static int resume_it(const struct task_want *want, struct platform *p, const struct task *t,
                     struct err *e)
{
    (void)want;
    if (t->status == TASK_PAUSED)
        return task_pause(&p->tasks, t->id, false, e);
    if (t->status == TASK_RUNNING || t->status == TASK_AWAITING_APPROVAL)
        return 0;
    return ERR(e, ERR_CONFLICT, "task '%s' is %s: 'cauldron task run' runs it again", t->name,
               task_status_name(t->status));
}

static int approve_it(const struct task_want *want, struct platform *p, const struct task *t,
                      struct err *e)
{
    (void)want;
    return task_approve(&p->tasks, t->id, true, e);
}

static int retry_it(const struct task_want *want, struct platform *p, const struct task *t,
                    struct err *e)
{
    const char **classes = arena_alloc(&p->arena, (want->classes.count + 1) * sizeof *classes);
    int64_t count;

    for (size_t i = 0; i < want->classes.count; i++)
        classes[i] = want->classes.items[i];
    classes[want->classes.count] = NULL;
    int rc = task_retry(&p->tasks, t->id, want->classes.count ? classes : NULL, &count, e);
    if (rc == 0)
        fprintf(stderr, "%lld records are tried again\n", (long long)count);
    return rc;
}

static int act_resume(const struct task_want *want, struct platform *p, char **words, struct err *e)
{
    return with_task(want, p, words[0], resume_it, e);
}

static int act_approve(const struct task_want *want, struct platform *p, char **words,
                       struct err *e)
{
    return with_task(want, p, words[0], approve_it, e);
}

static int act_retry(const struct task_want *want, struct platform *p, char **words, struct err *e)
{
    return with_task(want, p, words[0], retry_it, e);
}

#define ATTEND_SPEC(name_, summary_, table_)                                                       \
    {.command = "task " name_,                                                                     \
     .usage = "[options] TASK",                                                                    \
     .summary = summary_,                                                                          \
     .table = table_,                                                                              \
     .min_rest = 1,                                                                                \
     .max_rest = 1,                                                                                \
     .rest = "a task",                                                                             \
     .environment = true}
static const struct opt_spec resume_spec =
    ATTEND_SPEC("resume", "Go on with a task that was paused, stopped or killed.", attend_table);
static const struct opt_spec approve_spec =
    ATTEND_SPEC("approve", "The sample is good: draw all records.", attend_table);
static const struct opt_spec retry_spec =
    ATTEND_SPEC("retry", "Try records that failed once more.", retry_table);

static int run_resume(int argc, char **argv)
{
    return task_main(&resume_spec, argc, argv, PLATFORM_DRAWING, act_resume);
}

static int run_approve(int argc, char **argv)
{
    return task_main(&approve_spec, argc, argv, PLATFORM_DRAWING, act_approve);
}

static int run_retry(int argc, char **argv)
{
    return task_main(&retry_spec, argc, argv, PLATFORM_DRAWING, act_retry);
}

const struct command task_resume = {.name = "resume",
                                    .summary = "go on with one that was paused, stopped or killed",
                                    .run = run_resume};
const struct command task_approve_command = {
    .name = "approve", .summary = "the sample is good: draw the rest", .run = run_approve};
const struct command task_retry_command = {
    .name = "retry", .summary = "try records that failed once more", .run = run_retry};
