/* tasks.c: datasets to images: what people do with tasks. What is in them: task_records.c. */
#include "api/tasks.h"
#include "api/access.h"
#include "api/api_routes.h"
#include "api/auth.h"
#include "base/json.h"
#include "tasks/control.h"
#include "tasks/kind.h"
#include "tasks/runner.h"

#include <string.h>

int task_of(struct request *r, struct tx *tx, struct task *out, struct err *e)
{
    const char *id = request_param(r, "id");
    struct task task;
    int rc = uuid_valid(str_from(id)) ? tasks_get(tx, id, request_arena(r), &task, e)
                                      : ERR(e, ERR_NOT_FOUND, "not an id");

    if (rc == ERR_NOT_FOUND || (rc == 0 && !auth_owns(r, task.user_id)))
        return ERR(e, ERR_NOT_FOUND, "there is no task '%.64s'", id);
    if (rc == 0)
        *out = task;
    return rc;
}

int task_read(struct request *r, struct task *out, struct err *e)
{
    struct tx *tx;
    int rc = tx_begin(app_of(r)->db, TX_READ, &tx, e);

    if (rc)
        return rc;
    rc = task_of(r, tx, out, e);
    tx_rollback(tx);
    return rc;
}

static int respond_task(struct request *r, struct response *w, unsigned status, const char *id,
                        struct err *e)
{
    struct task task;
    struct tx *tx;
    json_t *json = NULL;
    int rc = tx_begin(app_of(r)->db, TX_READ, &tx, e);

    if (rc)
        return rc;
    rc = tasks_get(tx, id, request_arena(r), &task, e);
    if (rc == 0)
        rc = task_to_json(app_of(r)->tasks, tx, &task, &json, e);
    tx_rollback(tx);
    return rc ? rc : respond_json(w, status, json);
}

static void wake(struct request *r)
{
    if (app_of(r)->task_runner)
        task_runner_wake(app_of(r)->task_runner);
}

/* ============================== Lists ============================== */

int api_list_tasks(struct request *r, struct response *w, struct err *e)
{
    const json_t *query = request_query(r);
    struct arena *a = request_arena(r);
    struct task_filter filter = {.user_id = access_filter(r),
                                 .status = -1,
                                 .limit = (int)json_int(query, "limit", 50),
                                 .cursor = json_text(query, "cursor", NULL)};
    enum task_status status;
    const char *next = NULL;
    struct task *rows = NULL;
    size_t count = 0;
    struct tx *tx;

    if (task_status_by_name(str_from(json_text(query, "status", "")), &status))
        filter.status = (int)status;
    int rc = tx_begin(app_of(r)->db, TX_READ, &tx, e);
    if (rc)
        return rc;
    json_t *items = json_array(), *item;
    rc = tasks_list(tx, &filter, a, &rows, &count, &next, e);
    for (size_t i = 0; i < count && rc == 0; i++) {
        rc = task_to_json(app_of(r)->tasks, tx, &rows[i], &item, e);
        if (rc == 0)
            json_array_append_new(items, item);
    }
    tx_rollback(tx);
    if (rc) {
        json_decref(items);
        return rc;
    }
    return respond_json(
        w, 200, json_pack("{s:o, s:o}", "items", items, "next_cursor", json_text_or_null(next)));
}

int api_get_task(struct request *r, struct response *w, struct err *e)
{
    struct task task;

    if (task_read(r, &task, e))
        return e->code;
    return respond_task(r, w, 200, task.id, e);
}

int api_list_task_kinds(struct request *r, struct response *w, struct err *e)
{
    const struct task_kind *const *kinds = task_kinds();
    json_t *items = json_array();

    (void)r, (void)e;
    for (size_t i = 0; kinds[i]; i++)
        json_array_append_new(items, json_pack("{s:s, s:s, s:s}", "name", kinds[i]->name, "summary",
                                               kinds[i]->summary, "media", kinds[i]->media));
    return respond_json(w, 200, json_pack("{s:o}", "items", items));
}

/* ============================== Making ============================== */

static struct task_create wanted(struct request *r)
{
    const json_t *body = request_json(r);

    return (struct task_create){.json = json_object_get(body, "document"),
                                .user_id = access_user(r),
                                .request_id = request_id(r),
                                .trusted = request_identity(r)->role >= ROLE_ADMIN,
                                .canary = (int)json_int(body, "canary", -1),
                                .again = json_flag(body, "again", false)};
}

static int respond_problems(struct request *r, struct response *w,
                            const struct task_problems *problems)
{
    respond_problem(w, 422, "invalid_task", "the task's document has %zu problem%s",
                    problems->count, problems->count == 1 ? "" : "s");
    for (size_t i = 0; i < problems->count; i++)
        problem_field(w, arena_printf(request_arena(r), "/document%s", problems->at[i].pointer),
                      "%s", problems->at[i].expected);
    return 0;
}

int api_create_task(struct request *r, struct response *w, struct err *e)
{
    struct task_problems problems = {0};
    struct task_create create = wanted(r);
    struct task task;
    bool existed;
    int rc =
        task_create(app_of(r)->tasks, &create, request_arena(r), &task, &existed, &problems, e);

    if (rc && problems.count)
        return respond_problems(r, w, &problems);
    if (rc)
        return rc;
    audit_alone(r, existed ? "task_run" : "task_created", task.id);
    wake(r);
    if (!existed)
        respond_header(w, "Location", arena_printf(request_arena(r), "/api/v1/tasks/%s", task.id));
    return respond_task(r, w, existed ? 200 : 201, task.id, e);
}

static int still_there(void *user, int64_t read, int64_t total)
{
    (void)read, (void)total;
    return request_gone(user);
}

int api_check_task(struct request *r, struct response *w, struct err *e)
{
    struct task_check_options options = {
        .limit = json_int(request_query(r), "limit", 1000), .tell = still_there, .user = r};
    struct task_problems problems = {0};
    struct task_create create = wanted(r);
    struct task_check check;
    int rc =
        task_check(app_of(r)->tasks, &create, &options, request_arena(r), &check, &problems, e);

    if (rc && problems.count)
        return respond_problems(r, w, &problems);
    return rc ? rc : respond_json(w, 200, task_check_to_json(&check));
}

/* ============================== Changing ============================== */

/* The end of every change: `rc` is of the change itself. */
static int changed(struct request *r, struct response *w, int rc, unsigned status,
                   const char *event, const char *id, struct err *e)
{
    if (rc)
        return rc;
    audit_alone(r, event, id);
    wake(r);
    return respond_task(r, w, status, id, e);
}

int api_pause_task(struct request *r, struct response *w, struct err *e)
{
    struct task task;

    if (task_read(r, &task, e))
        return e->code;
    int rc = task_pause(app_of(r)->tasks, task.id, true, e);
    return changed(r, w, rc, 200, "task_paused", task.id, e);
}

int api_resume_task(struct request *r, struct response *w, struct err *e)
{
    struct task task;

    if (task_read(r, &task, e))
        return e->code;
    int rc = task_pause(app_of(r)->tasks, task.id, false, e);
    return changed(r, w, rc, 200, "task_resumed", task.id, e);
}

int api_cancel_task(struct request *r, struct response *w, struct err *e)
{
    struct task task;

    if (task_read(r, &task, e))
        return e->code;
    int rc = task_cancel(app_of(r)->tasks, task.id, e);
    return changed(r, w, rc, 200, "task_cancelled", task.id, e);
}

int api_run_task(struct request *r, struct response *w, struct err *e)
{
    struct task task;

    if (task_read(r, &task, e))
        return e->code;
    int rc = task_run_again(app_of(r)->tasks, task.id, request_arena(r), &task, e);
    return changed(r, w, rc, 200, "task_run", task.id, e);
}

int api_approve_task(struct request *r, struct response *w, struct err *e)
{
    bool approved = json_flag(request_json(r), "approved", false);
    struct task task;

    if (task_read(r, &task, e))
        return e->code;
    int rc = task_approve(app_of(r)->tasks, task.id, approved, e);
    return changed(r, w, rc, 200, approved ? "task_approved" : "task_rejected", task.id, e);
}

int api_retry_task(struct request *r, struct response *w, struct err *e)
{
    const json_t *list = json_object_get(request_json(r), "classes"), *item;
    const char **classes = NULL;
    struct task task;
    int64_t count;
    size_t i;

    if (task_read(r, &task, e))
        return e->code;
    if (list) {
        classes = arena_alloc(request_arena(r), (json_array_size(list) + 1) * sizeof *classes);
        json_array_foreach(list, i, item)
        {
            classes[i] = json_string_value(item);
        }
        classes[json_array_size(list)] = NULL;
    }
    int rc = task_retry(app_of(r)->tasks, task.id, classes, &count, e);
    if (rc == 0 && count == 0)
        rc = ERR(e, ERR_CONFLICT, "no record of these classes has failed");
    return changed(r, w, rc, 202, "task_retried", task.id, e);
}

int api_delete_task(struct request *r, struct response *w, struct err *e)
{
    struct task task;
    struct tx *tx;
    int rc = tx_begin(app_of(r)->db, TX_WRITE, &tx, e);

    if (rc)
        return rc;
    rc = task_of(r, tx, &task, e);
    if (rc == 0)
        rc = tasks_delete(tx, task.id, e);
    if (rc) {
        tx_rollback(tx);
        return rc;
    }
    audit(r, tx, "task_deleted", task.id, NULL);
    return tx_commit(tx, e) ? e->code : respond_empty(w, 204);
}
