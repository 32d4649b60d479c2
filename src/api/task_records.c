/* task_records.c: what became of a task's records: lists, the report, files, callbacks. */
#include "api/api_routes.h"
#include "api/auth.h"
#include "api/tasks.h"
#include "base/clock.h"
#include "base/json.h"
#include "storage/callbacks.h"
#include "tasks/control.h"
#include "tasks/runner.h"
#include "tasks/task.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* ============================== Records ============================== */

int api_list_task_records(struct request *r, struct response *w, struct err *e)
{
    const json_t *query = request_query(r);
    struct record_filter filter = {.status = -1,
                                   .error_class = json_text(query, "class", NULL),
                                   .record_id = json_text(query, "record_id", NULL),
                                   .limit = (int)json_int(query, "limit", 50),
                                   .cursor = json_text(query, "cursor", NULL)};
    enum record_status status;
    struct task_record *rows = NULL;
    const char *next = NULL;
    struct task task;
    size_t count = 0;
    struct tx *tx;

    if (record_status_by_name(str_from(json_text(query, "status", "")), &status))
        filter.status = (int)status;
    int rc = tx_begin(app_of(r)->db, TX_READ, &tx, e);
    if (rc)
        return rc;
    rc = task_of(r, tx, &task, e);
    filter.task_id = rc ? NULL : task.id;
    if (rc == 0)
        rc = task_records_list(tx, &filter, request_arena(r), &rows, &count, &next, e);
    tx_rollback(tx);
    if (rc)
        return rc;
    json_t *items = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(items, task_record_to_json(&rows[i]));
    return respond_json(
        w, 200, json_pack("{s:o, s:o}", "items", items, "next_cursor", json_text_or_null(next)));
}

int api_get_task_report(struct request *r, struct response *w, struct err *e)
{
    struct task task;
    json_t *report;

    if (task_read(r, &task, e) || task_report(app_of(r)->tasks, task.id, &report, e))
        return e->code;
    return respond_json(w, 200, report);
}

/* ============================== Files ============================== */

static int write_all(void *user, const char *p, size_t n)
{
    int fd = *(int *)user;

    while (n) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return ERR_IO;
        p += done;
        n -= (size_t)done;
    }
    return 0;
}

/* A file without a name: a million records are more than memory should hold, and the answer's
 * length is known. */
static int open_unnamed(const char *folder, struct err *e)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    return fd >= 0 ? fd : ERR(e, ERR_IO, "no room for a temporary file: %s", strerror(errno));
}

int api_export_task(struct request *r, struct response *w, struct err *e)
{
    bool csv = strcmp(json_text(request_query(r), "format", "csv"), "csv") == 0;
    struct task task;

    if (task_read(r, &task, e))
        return e->code;
    int fd = open_unnamed(app_of(r)->tasks->data, e);
    if (fd < 0)
        return fd;
    int rc = task_export(app_of(r)->tasks, task.id, csv ? TASK_EXPORT_CSV : TASK_EXPORT_JSONL,
                         write_all, &fd, e);
    if (rc) {
        close(fd);
        return rc;
    }
    respond_header(w, "Content-Disposition",
                   arena_printf(request_arena(r), "attachment; filename=\"task-%.8s.%s\"", task.id,
                                csv ? "csv" : "jsonl"));
    return respond_file(w, fd, csv ? "text/csv; charset=utf-8" : "application/x-ndjson", NULL, 0);
}

/* ============================== Callbacks ============================== */

static json_t *callback_json(const struct callback *c)
{
    json_t *o = json_object();
    bool waits = c->status == CALLBACK_WAITING;

    json_object_set_new(o, "id", json_string(c->id));
    json_object_set_new(o, "kind", json_string(c->kind));
    json_object_set_new(o, "subject", json_string(c->subject));
    json_object_set_new(o, "status", json_string(callback_status_name(c->status)));
    json_object_set_new(o, "attempts", json_integer(c->attempts));
    json_object_set_new(o, "last_status",
                        c->last_status ? json_integer(c->last_status) : json_null());
    json_object_set_new(o, "error", json_text_or_null(c->error));
    json_object_set_new(o, "due_at", json_time_or_null(waits ? c->due_at : 0));
    json_object_set_new(o, "created_at", json_time_or_null(c->created_at));
    json_object_set_new(o, "delivered_at", json_time_or_null(c->delivered_at));
    return o;
}

int api_list_task_callbacks(struct request *r, struct response *w, struct err *e)
{
    const json_t *query = request_query(r);
    struct callback_filter filter = {.status = -1,
                                     .limit = (int)json_int(query, "limit", 50),
                                     .cursor = json_text(query, "cursor", NULL)};
    enum callback_status status;
    struct callback *rows = NULL;
    const char *next = NULL;
    struct task task;
    size_t count = 0;
    struct tx *tx;

    if (callback_status_by_name(str_from(json_text(query, "status", "")), &status))
        filter.status = (int)status;
    int rc = tx_begin(app_of(r)->db, TX_READ, &tx, e);
    if (rc)
        return rc;
    rc = task_of(r, tx, &task, e);
    filter.task_id = rc ? NULL : task.id;
    if (rc == 0)
        rc = callbacks_list(tx, &filter, request_arena(r), &rows, &count, &next, e);
    tx_rollback(tx);
    if (rc)
        return rc;
    json_t *items = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(items, callback_json(&rows[i]));
    return respond_json(
        w, 200, json_pack("{s:o, s:o}", "items", items, "next_cursor", json_text_or_null(next)));
}

static int replay(struct request *r, struct tx *tx, const char *task, int64_t *count, struct err *e)
{
    const char *status = json_text(request_json(r), "status", "dead");
    enum callback_status wanted = CALLBACK_DEAD;
    bool all = !callback_status_by_name(str_from(status), &wanted);

    return callbacks_replay(tx, task, json_text(request_json(r), "id", NULL),
                            all ? -1 : (int)wanted, clock_unix_ms(), count, e);
}

int api_replay_task_callbacks(struct request *r, struct response *w, struct err *e)
{
    struct task task;
    int64_t count = 0;
    struct tx *tx;
    int rc = tx_begin(app_of(r)->db, TX_WRITE, &tx, e);

    if (rc)
        return rc;
    rc = task_of(r, tx, &task, e);
    if (rc == 0)
        rc = replay(r, tx, task.id, &count, e);
    if (rc) {
        tx_rollback(tx);
        return rc;
    }
    audit(r, tx, "callbacks_replayed", task.id, NULL);
    if (tx_commit(tx, e))
        return e->code;
    if (app_of(r)->task_runner)
        task_runner_wake(app_of(r)->task_runner);
    return respond_json(w, 202, json_pack("{s:I}", "count", (json_int_t)count));
}
