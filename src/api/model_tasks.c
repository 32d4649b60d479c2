/* model_tasks.c: downloads and checks of models. Tasks are of the server that was asked; what
 * happens to them is told on every server, over the bus. */
#include "api/model_tasks.h"
#include "api/app.h"
#include "api/generation_json.h"
#include "api/models.h"
#include "base/json.h"
#include "models/tasks.h"

#include "api/api_routes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {[MODEL_PULL] = "pull", [MODEL_VERIFY] = "verify"};
static const char *const statuses[] = {[MODEL_TASK_RUNNING] = "running",
                                       [MODEL_TASK_SUCCEEDED] = "succeeded",
                                       [MODEL_TASK_FAILED] = "failed",
                                       [MODEL_TASK_CANCELLED] = "cancelled"};

static json_t *known(double number)
{
    return number >= 0 ? json_real(round(number * 10) / 10) : json_null();
}

static json_t *task_json(const struct model_task *t)
{
    json_t *o = json_object();

    json_object_set_new(o, "id", json_string(t->id));
    json_object_set_new(o, "kind", json_string(kinds[t->kind]));
    json_object_set_new(o, "model", json_string(t->model));
    json_object_set_new(o, "status", json_string(statuses[t->status]));
    json_object_set_new(o, "done", json_integer(t->done));
    json_object_set_new(o, "total", t->total >= 0 ? json_integer(t->total) : json_null());
    json_object_set_new(o, "file", json_text_or_null(t->file));
    json_object_set_new(o, "bytes_per_second", known(t->bytes_per_second));
    json_object_set_new(o, "eta_seconds", known(t->eta_seconds));
    json_object_set_new(o, "detail", json_text_or_null(t->detail));
    json_object_set_new(o, "error", failure_json(t->error ? err_name(t->code) : NULL, t->error));
    json_object_set_new(o, "created_at", json_time_or_null(t->created_at));
    json_object_set_new(o, "finished_at", json_time_or_null(t->finished_at));
    return o;
}

/* ==== what the tasks tell ==== */

static void changed(void *user, const struct model_task *t)
{
    struct app *app = user;
    json_t *o = task_json(t);
    struct arena a = {0};

    bus_publish(app->bus, &(struct bus_event){.room = "models",
                                              .name = "model-task",
                                              .data = json_compact(o, &a),
                                              .may_drop = t->status == MODEL_TASK_RUNNING});
    json_decref(o);
    arena_release(&a);
}

static void pulled(void *user)
{
    const struct app *app = user;

    for (size_t i = 0; app->submitter->providers[i]; i++)
        provider_refresh(app->submitter->providers[i]);
}

int model_tasks_start(struct app *app, const struct model_hub *hub, const char *no_hub,
                      const char *data_folder, struct err *e)
{
    return model_tasks_open(&(struct model_tasks_options){.hub = *hub,
                                                          .no_hub = no_hub,
                                                          .data_folder = data_folder,
                                                          .user = app,
                                                          .changed = changed,
                                                          .pulled = pulled},
                            &app->model_tasks, e);
}

/* ==== routes ==== */

int api_list_model_tasks(struct request *r, struct response *w, struct err *e)
{
    json_t *items = json_array();
    struct model_task *tasks;
    size_t count;

    (void)e;
    model_tasks_list(app_of(r)->model_tasks, request_arena(r), &tasks, &count);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(items, task_json(&tasks[i]));
    return respond_json(w, 200, json_pack("{s:o}", "items", items));
}

static int pull(struct request *r, const json_t *body, struct model_task *out, struct err *e)
{
    return model_tasks_pull(app_of(r)->model_tasks, json_text(body, "model", ""),
                            json_text(body, "revision", "main"), json_text(body, "variant", NULL),
                            request_arena(r), out, e);
}

static int verify(struct request *r, const char *name, struct model_task *out, struct err *e)
{
    struct provider_model *models;
    size_t count;
    int rc = provider_models(app_of(r)->provider, request_arena(r), &models, &count, e);

    for (size_t i = 0; i < count && rc == 0; i++)
        if (strcmp(models[i].name, name) == 0 && models[i].path)
            return model_tasks_verify(app_of(r)->model_tasks, name, models[i].path,
                                      request_arena(r), out, e);
    return rc ? rc
              : ERR(e, ERR_NOT_FOUND,
                    "there is no model '%.200s' here to check; GET /api/v1/models lists them",
                    name);
}

int api_create_model_task(struct request *r, struct response *w, struct err *e)
{
    const json_t *body = request_json(r);
    bool is_pull = strcmp(json_text(body, "kind", ""), kinds[MODEL_PULL]) == 0;
    struct model_task task;
    int rc = is_pull ? pull(r, body, &task, e) : verify(r, json_text(body, "model", ""), &task, e);

    if (rc == ERR_ARG)
        return respond_problem(w, 422, "invalid", "%s", e->message);
    return rc ? rc : respond_json(w, 202, task_json(&task));
}

int api_get_model_task(struct request *r, struct response *w, struct err *e)
{
    struct model_task task;
    int rc =
        model_tasks_get(app_of(r)->model_tasks, request_param(r, "id"), request_arena(r), &task, e);

    return rc ? rc : respond_json(w, 200, task_json(&task));
}

int api_cancel_model_task(struct request *r, struct response *w, struct err *e)
{
    struct model_task task;
    int rc = model_tasks_cancel(app_of(r)->model_tasks, request_param(r, "id"), request_arena(r),
                                &task, e);

    return rc ? rc : respond_json(w, 200, task_json(&task));
}
