/* task_show.c: the sub-commands that look at tasks, and those that change one without running it.
 */
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "cli/task.h"
#include "storage/callbacks.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

static const char *const record_statuses[] = {"waiting",   "ready",  "stored",    "failing",
                                              "succeeded", "failed", "cancelled", NULL};
static const char *const callback_statuses[] = {"waiting", "delivered", "dead", NULL};

#define JSON_ROW(help_)                                                                            \
    {.name = "json", .type = OPT_FLAG, OPT_INTO(struct task_want, json), .help = help_}

static const struct opt plain_table[] = {
    PLATFORM_STORE(struct task_want, platform),
    PLATFORM_DRAW(struct task_want, platform),
    PLATFORM_TASKS(struct task_want, platform),
    {0},
};
static const struct opt json_table[] = {
    JSON_ROW("print JSON"),
    PLATFORM_STORE(struct task_want, platform),
    PLATFORM_DRAW(struct task_want, platform),
    PLATFORM_TASKS(struct task_want, platform),
    {0},
};
static const struct opt list_table[] = {
    JSON_ROW("print a JSON object a line"),
    PLATFORM_STORE(struct task_want, platform),
    {0},
};
static const struct opt records_table[] = {
    {.name = "status",
     .type = OPT_CHOICE,
     OPT_INTO(struct task_want, status),
     .choices = record_statuses,
     .help = "only those in this state"},
    {.name = "class",
     .type = OPT_STRING,
     OPT_INTO(struct task_want, error_class),
     .value = "NAME",
     .help = "only those that failed for this: mapping, draw, storage, conflict, results"},
    JSON_ROW("print a JSON object a line"),
    PLATFORM_STORE(struct task_want, platform),
    {0},
};
static const struct opt export_table[] = {
    {.name = "output",
     .letter = 'o',
     .type = OPT_STRINGS,
     .needed = true,
     OPT_INTO(struct task_want, outputs),
     .value = "FILE",
     .help = ".csv or .jsonl"},
    PLATFORM_STORE(struct task_want, platform),
    PLATFORM_DRAW(struct task_want, platform),
    PLATFORM_TASKS(struct task_want, platform),
    {0},
};
static const struct opt callbacks_table[] = {
    {.name = "status",
     .type = OPT_CHOICE,
     OPT_INTO(struct task_want, status),
     .choices = callback_statuses,
     .help = "only those in this state"},
    JSON_ROW("print a JSON object a line"),
    PLATFORM_STORE(struct task_want, platform),
    {0},
};
static const struct opt replay_table[] = {
    {.name = "event",
     .type = OPT_STRING,
     OPT_INTO(struct task_want, event),
     .value = "ID",
     .help = "this one; else all that are dead"},
    {.name = "all",
     .type = OPT_FLAG,
     OPT_INTO(struct task_want, all),
     .help = "also those that were delivered"},
    PLATFORM_STORE(struct task_want, platform),
    {0},
};

/* ============================== list, status ============================== */

static int64_t read_of(const struct task *t)
{
    int64_t sum = 0;

    for (int i = 0; i < RECORD_STATUSES; i++)
        sum += t->counts[i];
    return sum;
}

static void print_line(const struct task *t, bool json)
{
    struct arena a = {0};

    if (json) {
        json_t *o = json_pack(
            "{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:o}", "id", t->id, "name", t->name, "kind",
            t->kind, "status", task_status_name(t->status), "read", (json_int_t)read_of(t),
            "succeeded", (json_int_t)t->counts[RECORD_SUCCEEDED], "failed",
            (json_int_t)t->counts[RECORD_FAILED], "created_at", json_time_or_null(t->created_at));
        puts(json_compact(o, &a));
        json_decref(o);
    } else {
        printf("%s  %-17s %8lld of %-8lld %lld failed  %s\n", t->id, task_status_name(t->status),
               (long long)t->counts[RECORD_SUCCEEDED], (long long)read_of(t),
               (long long)t->counts[RECORD_FAILED], t->name);
    }
    arena_release(&a);
}

static int act_list(const struct task_want *want, struct platform *p, char **words, struct err *e)
{
    struct task_filter filter = {.status = -1, .limit = 200};

    (void)words;
    do {
        struct task *rows;
        struct tx *tx;
        size_t count;
        if (tx_begin(p->db, TX_READ, &tx, e))
            return e->code;
        int rc = tasks_list(tx, &filter, &p->arena, &rows, &count, &filter.cursor, e);
        tx_rollback(tx);
        if (rc)
            return rc;
        for (size_t i = 0; i < count; i++)
            print_line(&rows[i], want->json);
    } while (filter.cursor);
    return 0;
}

static void print_number(const json_t *o, const char *name, const char *before, const char *after)
{
    const json_t *x = json_object_get(o, name);

    if (json_is_number(x))
        printf("%s%.10g%s", before, json_number_value(x), after);
}

static void print_status(const json_t *t)
{
    const json_t *counts = json_object_get(t, "counts"), *calls = json_object_get(t, "callbacks");
    const json_t *error = json_object_get(t, "error"), *value;
    const char *name;

    printf("%s  %s (%s)\n", json_text(t, "id", ""), json_text(t, "name", ""),
           json_text(t, "kind", ""));
    printf("%s, phase %s\n", json_text(t, "status", ""), json_text(t, "phase", ""));
    if (json_is_object(error))
        printf("%s: %s\n", json_text(error, "code", ""), json_text(error, "message", ""));
    json_object_foreach((json_t *)counts, name, value)
    {
        printf("%10lld %s\n", (long long)json_integer_value(value), name);
    }
    printf("%10lld read%s", (long long)json_int(t, "read", 0),
           json_flag(t, "read_all", false) ? ", all" : "");
    print_number(t, "source_records", " of ", "");
    putchar('\n');
    print_number(t, "per_second", "", " records/s\n");
    print_number(t, "eta_seconds", "", " s left\n");
    print_number(t, "cost", "cost so far ", "\n");
    if (json_int(calls, "waiting", 0) || json_int(calls, "dead", 0))
        printf("callbacks: %lld wait, %lld were taken, %lld are dead\n",
               (long long)json_int(calls, "waiting", 0), (long long)json_int(calls, "delivered", 0),
               (long long)json_int(calls, "dead", 0));
    if (json_text(t, "experiment_id", NULL))
        printf("sample: experiment %s\n", json_text(t, "experiment_id", ""));
}

static int act_status(const struct task_want *want, struct platform *p, char **words, struct err *e)
{
    struct task t = {0};
    json_t *json;
    struct tx *tx;

    if (platform_tasks(p, &want->platform, e) || find_task(p->db, words[0], &p->arena, &t, e) ||
        tx_begin(p->db, TX_READ, &tx, e))
        return e->code;
    int rc = task_to_json(&p->tasks, tx, &t, &json, e);
    tx_rollback(tx);
    if (rc)
        return rc;
    if (want->json)
        puts(json_compact(json, &p->arena));
    else
        print_status(json);
    json_decref(json);
    return 0;
}

/* ============================== records ============================== */

static void print_record(const struct task_record *r, bool json)
{
    struct arena a = {0};

    if (json) {
        json_t *o = task_record_to_json(r);
        puts(json_compact(o, &a));
        json_decref(o);
    } else {
        printf("%8lld  %-24s %-10s %s%s%s\n", (long long)r->number, r->record_id,
               record_status_name(r->status), r->url ? r->url : "",
               r->error_class ? r->error_class : "",
               r->error ? arena_printf(&a, ": %s", r->error) : "");
    }
    arena_release(&a);
}

static int act_records(const struct task_want *want, struct platform *p, char **words,
                       struct err *e)
{
    struct record_filter filter = {
        .status = want->status, .error_class = want->error_class, .limit = 1000};
    struct task t = {0};

    if (find_task(p->db, words[0], &p->arena, &t, e))
        return e->code;
    filter.task_id = t.id;
    do {
        struct arena a = {0};
        struct task_record *rows;
        const char *next = NULL;
        struct tx *tx;
        size_t count;
        if (tx_begin(p->db, TX_READ, &tx, e))
            return e->code;
        int rc = task_records_list(tx, &filter, &a, &rows, &count, &next, e);
        tx_rollback(tx);
        for (size_t i = 0; i < count && rc == 0; i++)
            print_record(&rows[i], want->json);
        filter.cursor = rc == 0 && next ? arena_strdup(&p->arena, next) : NULL;
        arena_release(&a);
        if (rc)
            return rc;
    } while (filter.cursor);
    return 0;
}

/* ============================== report, export ============================== */

static void print_percentiles(const json_t *seconds, const char *name, const char *what)
{
    const json_t *p = json_object_get(seconds, name);

    if (json_is_number(json_object_get(p, "p50")))
        printf("  %-9s %8.2f %8.2f %8.2f %8.2f\n", what, json_num(p, "p50", 0),
               json_num(p, "p90", 0), json_num(p, "p99", 0), json_num(p, "max", 0));
}

static void print_report_words(const json_t *r)
{
    const json_t *counts = json_object_get(r, "counts"), *seconds = json_object_get(r, "seconds");
    const json_t *calls = json_object_get(r, "callbacks"), *failure;
    size_t i;

    printf("%s: %s\n", json_text(r, "name", ""), json_text(r, "status", ""));
    printf(
        "  %lld succeeded (%lld existed before), %lld failed, %lld cancelled, %lld known before\n",
        (long long)json_int(counts, "succeeded", 0), (long long)json_int(r, "reused", 0),
        (long long)json_int(counts, "failed", 0), (long long)json_int(counts, "cancelled", 0),
        (long long)json_int(r, "known", 0));
    printf("  %.1f MB stored", (double)json_int(r, "bytes", 0) / 1e6);
    print_number(r, "seconds_elapsed", ", ", " s");
    print_number(r, "per_second", ", ", " records/s");
    print_number(r, "cost", ", cost ", " ");
    puts(json_text(r, "currency", ""));
    json_array_foreach(json_object_get(r, "failures"), i, failure)
    {
        printf("  %lld failed, %s/%s: %s\n", (long long)json_int(failure, "count", 0),
               json_text(failure, "class", ""), json_text(failure, "code", ""),
               json_text(failure, "example", ""));
    }
    if (json_is_number(json_object_get(json_object_get(seconds, "total"), "p50")))
        printf("  seconds        p50      p90      p99      max\n");
    print_percentiles(seconds, "making", "making");
    print_percentiles(seconds, "storing", "storing");
    print_percentiles(seconds, "total", "total");
    if (json_int(calls, "waiting", 0) || json_int(calls, "dead", 0))
        printf("  callbacks: %lld still wait, %lld are dead\n",
               (long long)json_int(calls, "waiting", 0), (long long)json_int(calls, "dead", 0));
}

int print_report(struct platform *p, const char *id, bool json, struct err *e)
{
    struct arena a = {0};
    json_t *report;

    if (task_report(&p->tasks, id, &report, e))
        return e->code;
    if (json)
        puts(json_compact(report, &a));
    else
        print_report_words(report);
    json_decref(report);
    arena_release(&a);
    return 0;
}

static int act_report(const struct task_want *want, struct platform *p, char **words, struct err *e)
{
    struct task t = {0};

    if (platform_tasks(p, &want->platform, e) || find_task(p->db, words[0], &p->arena, &t, e))
        return e->code;
    return print_report(p, t.id, want->json, e);
}

static int write_piece(void *user, const char *p, size_t n)
{
    return fwrite(p, 1, n, user) == n ? 0 : ERR_IO;
}

static int export_file(struct platform *p, const char *id, const char *path, struct err *e)
{
    bool csv = str_ends(str_from(path), ".csv");
    FILE *f;

    if (!csv && !str_ends(str_from(path), ".jsonl"))
        return ERR(e, ERR_ARG, "'%s' ends neither with .csv nor with .jsonl", path);
    f = fopen(path, "w");
    if (!f)
        return ERR(e, ERR_IO, "cannot write '%s': %s", path, strerror(errno));
    int rc =
        task_export(&p->tasks, id, csv ? TASK_EXPORT_CSV : TASK_EXPORT_JSONL, write_piece, f, e);
    if (fclose(f) && rc == 0)
        rc = ERR(e, ERR_IO, "cannot write '%s': %s", path, strerror(errno));
    if (rc)
        unlink(path);
    return rc;
}

static int act_export(const struct task_want *want, struct platform *p, char **words, struct err *e)
{
    struct task t = {0};
    int rc = 0;

    if (platform_tasks(p, &want->platform, e) || find_task(p->db, words[0], &p->arena, &t, e))
        return e->code;
    for (size_t i = 0; i < want->outputs.count && rc == 0; i++)
        rc = export_file(p, t.id, want->outputs.items[i], e);
    return rc;
}

/* ============================== pause, cancel, reject, delete ============================== */

static int find(const struct task_want *want, struct platform *p, const char *word,
                struct task *out, struct err *e)
{
    if (platform_tasks(p, &want->platform, e) || find_task(p->db, word, &p->arena, out, e))
        return e->code;
    return 0;
}

static int act_pause(const struct task_want *want, struct platform *p, char **words, struct err *e)
{
    struct task t = {0};
    int rc = find(want, p, words[0], &t, e);

    return rc ? rc : task_pause(&p->tasks, t.id, true, e);
}

static int act_cancel(const struct task_want *want, struct platform *p, char **words, struct err *e)
{
    struct task t = {0};
    int rc = find(want, p, words[0], &t, e);

    return rc ? rc : task_cancel(&p->tasks, t.id, e);
}

static int act_reject(const struct task_want *want, struct platform *p, char **words, struct err *e)
{
    struct task t = {0};
    int rc = find(want, p, words[0], &t, e);

    return rc ? rc : task_approve(&p->tasks, t.id, false, e);
}

static int act_delete(const struct task_want *want, struct platform *p, char **words, struct err *e)
{
    struct task t = {0};
    struct tx *tx;

    (void)want;
    if (find_task(p->db, words[0], &p->arena, &t, e) || tx_begin(p->db, TX_WRITE, &tx, e))
        return e->code;
    if (tasks_delete(tx, t.id, e)) {
        tx_rollback(tx);
        return e->code;
    }
    return tx_commit(tx, e);
}

/* ============================== callbacks, replay ============================== */

static void print_callback(const struct callback *c, bool json)
{
    char when[CLOCK_TEXT];
    struct arena a = {0};

    clock_format(c->created_at, when);
    if (json) {
        json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:o, s:s}", "id", c->id, "kind",
                              c->kind, "subject", c->subject, "status",
                              callback_status_name(c->status), "attempts", c->attempts,
                              "last_status", c->last_status, "error", json_text_or_null(c->error),
                              "created_at", when);
        puts(json_compact(o, &a));
        json_decref(o);
    } else {
        printf("%s  %-6s %-9s %d tries  %s%s\n", c->id, c->kind, callback_status_name(c->status),
               c->attempts, when, c->error ? arena_printf(&a, "  %s", c->error) : "");
    }
    arena_release(&a);
}

static int act_callbacks(const struct task_want *want, struct platform *p, char **words,
                         struct err *e)
{
    struct callback_filter filter = {.status = want->status, .limit = 200};
    struct task t = {0};

    if (find_task(p->db, words[0], &p->arena, &t, e))
        return e->code;
    filter.task_id = t.id;
    do {
        struct callback *rows;
        struct tx *tx;
        size_t count;
        if (tx_begin(p->db, TX_READ, &tx, e))
            return e->code;
        int rc = callbacks_list(tx, &filter, &p->arena, &rows, &count, &filter.cursor, e);
        tx_rollback(tx);
        if (rc)
            return rc;
        for (size_t i = 0; i < count; i++)
            print_callback(&rows[i], want->json);
    } while (filter.cursor);
    return 0;
}

static int act_replay(const struct task_want *want, struct platform *p, char **words, struct err *e)
{
    int64_t count = 0;
    struct task t = {0};
    struct tx *tx;

    if (find_task(p->db, words[0], &p->arena, &t, e) || tx_begin(p->db, TX_WRITE, &tx, e))
        return e->code;
    if (callbacks_replay(tx, t.id, want->event, want->all ? -1 : (int)CALLBACK_DEAD,
                         clock_unix_ms(), &count, e)) {
        tx_rollback(tx);
        return e->code;
    }
    if (tx_commit(tx, e))
        return e->code;
    printf("%lld events are sent again by whoever runs tasks\n", (long long)count);
    return 0;
}

/* ============================== The commands ============================== */

#define SHOW(variable, word, summary_, usage_, paragraph, table_, rest_, parts, act)               \
    static int run_##variable(int argc, char **argv)                                               \
    {                                                                                              \
        static const struct opt_spec spec = {.command = "task " word,                              \
                                             .usage = usage_,                                      \
                                             .summary = paragraph,                                 \
                                             .table = table_,                                      \
                                             .min_rest = rest_,                                    \
                                             .max_rest = rest_,                                    \
                                             .rest = "a task",                                     \
                                             .environment = true};                                 \
        return task_main(&spec, argc, argv, parts, act);                                           \
    }                                                                                              \
    const struct command variable = {.name = word, .summary = summary_, .run = run_##variable}

SHOW(task_list, "list", "all tasks", "[options]", "List the tasks, newest first.", list_table, 0,
     PLATFORM_STORAGE, act_list);
SHOW(task_status, "status", "where one stands", "[options] TASK",
     "Say where a task stands: records by state, rate, time left, cost, callbacks.", json_table, 1,
     PLATFORM_DRAWING, act_status);
SHOW(task_records, "records", "what became of each record", "[options] TASK",
     "List the records of a task, by their number, with where they are or why they failed.",
     records_table, 1, PLATFORM_STORAGE, act_records);
SHOW(task_report_command, "report", "counts, failures, percentiles, cost", "[options] TASK",
     "Print the report of a task.", json_table, 1, PLATFORM_DRAWING, act_report);
SHOW(task_export_command, "export", "all records as a file", "[options] TASK -o FILE",
     "Write what became of all records into a table.", export_table, 1, PLATFORM_DRAWING,
     act_export);
SHOW(task_pause_command, "pause", "stop handing out and delivering", "[options] TASK",
     "Pause a task: what is being drawn or sent is finished, nothing else begins.", plain_table, 1,
     PLATFORM_DRAWING, act_pause);
SHOW(task_reject, "reject", "the sample is not good: cancel", "[options] TASK",
     "Cancel a task whose sample waits for approval.", plain_table, 1, PLATFORM_DRAWING,
     act_reject);
SHOW(task_cancel_command, "cancel", "stop it for good", "[options] TASK",
     "Cancel a task: what was begun is finished, the rest is cancelled.", plain_table, 1,
     PLATFORM_DRAWING, act_cancel);
SHOW(task_callbacks, "callbacks", "what its receiver was told", "[options] TASK",
     "List the callbacks of a task, newest first.", callbacks_table, 1, PLATFORM_STORAGE,
     act_callbacks);
SHOW(task_replay, "replay", "send callbacks again", "[options] TASK",
     "Send callbacks again, with the same event ids: those that are dead, or one, or all.",
     replay_table, 1, PLATFORM_STORAGE, act_replay);
SHOW(task_delete, "delete", "forget one that has ended", "[options] TASK",
     "Forget a task that has ended. Objects and results stay where they are.", list_table, 1,
     PLATFORM_STORAGE, act_delete);
