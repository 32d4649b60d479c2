#include "storage/experiments.h"

#include "api/access.h"
#include "api/api_routes.h"
#include "api/auth.h"
#include "api/experiment_json.h"
#include "base/clock.h"
#include "base/json.h"
#include "jobs/sweep.h"
#include "storage/events.h"
#include "storage/trash.h"

#include <string.h>

int api_list_experiments(struct request *r, struct response *w, struct err *e)
{
    const json_t *query = request_query(r);
    const char *status = json_text(query, "status", NULL), *next = NULL;
    struct arena *a = request_arena(r);
    enum experiment_status wanted;
    struct experiment_filter filter = {.user_id = access_filter(r),
                                       .type = json_text(query, "type", NULL),
                                       .text = json_text(query, "q", NULL),
                                       .status = -1,
                                       .limit = (int)json_int(query, "limit", 50),
                                       .cursor = json_text(query, "cursor", NULL)};
    struct experiment *rows = NULL;
    json_t *items = json_array();
    size_t count = 0;
    struct tx *tx;

    if (status && experiment_status_by_name(str_from(status), &wanted))
        filter.status = (int)wanted;
    int rc = tx_begin(app_of(r)->db, TX_READ, &tx, e);
    if (rc)
        goto out;
    rc = experiments_list(tx, &filter, a, &rows, &count, &next, e);
    for (size_t i = 0; i < count && rc == 0; i++) {
        struct run run;
        bool ran = rows[i].runs && runs_last(tx, rows[i].id, a, &run, e) == 0;
        json_array_append_new(items, experiment_json(&rows[i], ran ? &run : NULL));
    }
    tx_rollback(tx);
out:
    if (rc) {
        json_decref(items);
        return rc;
    }
    return respond_json(
        w, 200, json_pack("{s:o, s:o}", "items", items, "next_cursor", json_text_or_null(next)));
}

int api_get_experiment(struct request *r, struct response *w, struct err *e)
{
    struct experiment x;

    if (experiment_read(r, &x, e))
        return e->code;
    return respond_experiment(r, w, 200, x.id, e);
}

/* The spec's own name, else its type and the date. */
static const char *name_of(const struct spec *spec, int64_t now, struct arena *a)
{
    char text[CLOCK_TEXT];

    if (spec->name[0])
        return spec->name;
    clock_format(now, text);
    return arena_printf(a, "%s, %.10s %.5s", spec_type_name(spec->type), text, text + 11);
}

static int insert(struct request *r, const char *name, const char *type, const char *config,
                  char id[UUID_TEXT], struct err *e)
{
    int64_t now = clock_unix_ms();
    struct tx *tx;

    uuid_v7(id);
    struct experiment x = {.id = id,
                           .name = name,
                           .type = type,
                           .config = config,
                           .status = EXPERIMENT_DRAFT,
                           .user_id = access_user(r),
                           .created_at = now,
                           .updated_at = now};
    if (tx_begin(app_of(r)->db, TX_WRITE, &tx, e))
        return e->code;
    if (experiments_insert(tx, &x, e)) {
        tx_rollback(tx);
        return e->code;
    }
    audit(r, tx, "experiment_created", id, NULL);
    return tx_commit(tx, e);
}

/* Read a spec as far as it can be read without planning; answered already when it returns 1. */
static int read_spec(struct request *r, struct response *w, const json_t *document,
                     const char **name, const char **type, struct err *e)
{
    struct spec_problems problems = {0};
    struct spec *spec;
    int rc = 0;

    (void)e;
    if (spec_read(document, NULL, &spec, &problems)) {
        respond_spec_problems(r, w, "/spec", &problems);
        rc = 1;
    } else {
        *name = arena_strdup(request_arena(r), name_of(spec, clock_unix_ms(), request_arena(r)));
        *type = spec_type_name(spec->type);
        spec_free(spec);
    }
    spec_problems_release(&problems);
    return rc;
}

static int start_now(struct request *r, struct response *w, const char *id, int priority,
                     struct err *e)
{
    struct launch launch = launch_of(r, priority);
    struct spec_problems problems = {0};
    struct experiment x;
    struct run run;
    struct tx *tx;

    int rc = tx_begin(app_of(r)->db, TX_READ, &tx, e);
    if (rc)
        return rc;
    rc = experiments_get(tx, id, request_arena(r), &x, e);
    tx_rollback(tx);
    if (rc == 0)
        rc = launch_start(&launch, &x, request_arena(r), &run, &problems, e);
    if (rc && problems.count) {
        respond_spec_problems(r, w, "/spec", &problems);
        rc = 1;
    }
    spec_problems_release(&problems);
    return rc;
}

int api_create_experiment(struct request *r, struct response *w, struct err *e)
{
    const json_t *body = request_json(r), *document = json_object_get(body, "spec");
    struct arena *a = request_arena(r);
    const char *name, *type;
    char id[UUID_TEXT];
    int priority = strcmp(json_text(body, "priority", "batch"), "interactive") == 0
                       ? PRIORITY_INTERACTIVE
                       : PRIORITY_BATCH;
    int rc = read_spec(r, w, document, &name, &type, e);

    if (rc)
        return rc < 0 ? rc : 0;
    rc = insert(r, json_text(body, "name", name), type, json_compact(document, a), id, e);
    if (rc == 0 && json_flag(body, "start", false))
        rc = start_now(r, w, id, priority, e);
    if (rc)
        return rc < 0 ? rc : 0;
    respond_header(w, "Location", arena_printf(a, "/api/v1/experiments/%s", id));
    return respond_experiment(r, w, 201, id, e);
}

int api_update_experiment(struct request *r, struct response *w, struct err *e)
{
    const json_t *body = request_json(r), *document = json_object_get(body, "spec");
    struct arena *a = request_arena(r);
    const char *name, *type, *config;
    struct experiment x;
    struct tx *tx;

    if (experiment_read(r, &x, e))
        return e->code;
    name = x.name;
    type = x.type;
    config = x.config;
    if (document) {
        const char *spec_name;
        if (x.status != EXPERIMENT_DRAFT)
            return ERR(e, ERR_CONFLICT,
                       "the experiment has run: clone or extend it instead of changing its spec");
        if (read_spec(r, w, document, &spec_name, &type, e))
            return 0;
        config = json_compact(document, a);
    }
    name = json_text(body, "name", name);
    if (tx_begin(app_of(r)->db, TX_WRITE, &tx, e))
        return e->code;
    if (experiments_update(tx, x.id, x.version, name, type, config, clock_unix_ms(), e)) {
        tx_rollback(tx);
        return e->code;
    }
    if (tx_commit(tx, e))
        return e->code;
    return respond_experiment(r, w, 200, x.id, e);
}

/* The mark first: the experiment is gone from then on; then its cells, in short transactions. */
int api_delete_experiment(struct request *r, struct response *w, struct err *e)
{
    bool keep = !json_flag(request_query(r), "generations", false);
    struct experiment x;
    struct tx *tx;

    int rc = tx_begin(app_of(r)->db, TX_WRITE, &tx, e);
    if (rc)
        return rc;
    rc = experiment_of(r, tx, &x, e);
    if (rc == 0 && (x.status == EXPERIMENT_RUNNING || x.status == EXPERIMENT_PAUSED))
        rc = ERR(e, ERR_CONFLICT, "the experiment is %s: cancel it first",
                 experiment_status_name(x.status));
    if (rc == 0)
        rc = trash_experiment(tx, x.id, keep, clock_unix_ms(), e);
    if (rc) {
        tx_rollback(tx);
        return rc;
    }
    audit(r, tx, "experiment_deleted", x.id, NULL);
    if (tx_commit(tx, e) || sweep_cells(app_of(r)->db, x.id, e))
        return e->code;
    return respond_empty(w, 204);
}

/* The deleted one that {id} names. */
static int find_deleted(struct request *r, struct tx *tx, const char *id, struct experiment *x,
                        struct err *e)
{
    struct experiment there;
    int rc = trash_experiment_find(tx, id, request_arena(r), x, e);

    if (rc == 0 && !auth_owns(r, x->user_id))
        rc = ERR_NOT_FOUND;
    if (rc == ERR_NOT_FOUND && experiment_of(r, tx, &there, e) == 0)
        return ERR(e, ERR_CONFLICT, "experiment %s is not deleted", id);
    if (rc == ERR_NOT_FOUND)
        return ERR(e, ERR_NOT_FOUND,
                   "there is no deleted experiment %s: it was swept away, or never was", id);
    return rc;
}

int api_restore_experiment(struct request *r, struct response *w, struct err *e)
{
    const char *id = request_param(r, "id");
    struct experiment x;
    struct tx *tx;

    int rc = tx_begin(app_of(r)->db, TX_WRITE, &tx, e);
    if (rc)
        return rc;
    rc = find_deleted(r, tx, id, &x, e);
    if (rc == 0)
        rc = trash_experiment_take(tx, id, e);
    if (rc) {
        tx_rollback(tx);
        return rc;
    }
    audit(r, tx, "experiment_restored", id, NULL);
    if (tx_commit(tx, e) || sweep_cells(app_of(r)->db, id, e))
        return e->code;
    return respond_experiment(r, w, 200, id, e);
}

int api_clone_experiment(struct request *r, struct response *w, struct err *e)
{
    struct arena *a = request_arena(r);
    struct experiment x;
    char id[UUID_TEXT];

    if (experiment_read(r, &x, e))
        return e->code;
    const char *name = json_text(request_json(r), "name", arena_printf(a, "%.190s (copy)", x.name));
    if (insert(r, name, x.type, x.config, id, e))
        return e->code;
    respond_header(w, "Location", arena_printf(a, "/api/v1/experiments/%s", id));
    return respond_experiment(r, w, 201, id, e);
}

int api_get_spec(struct request *r, struct response *w, struct err *e)
{
    struct experiment x;
    json_t *spec;

    if (experiment_read(r, &x, e) || json_read(str_from(x.config), &spec, e))
        return e->code;
    return respond_json(w, 200, spec);
}
