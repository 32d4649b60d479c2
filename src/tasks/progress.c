/* progress.c: screens and metrics are told how far tasks are. */
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "tasks/control.h"
#include "tasks/runner_inside.h"

#include <stdlib.h>
#include <string.h>

static const double METRICS_PERIOD = 5;

/* ============================== Events ============================== */

void runner_mark(struct task_runner *r, const char *task_id)
{
    size_t i = 0;

    pthread_mutex_lock(&r->lock);
    while (i < r->moved_count && strcmp(r->moved[i], task_id) != 0)
        i++;
    if (i == r->moved_count && i == r->moved_room) {
        size_t more = r->moved_room ? 2 * r->moved_room : 16;
        void *bigger = realloc(r->moved, more * sizeof *r->moved);
        if (bigger) { /* else the screens hear of it with the next step */
            r->moved = bigger;
            r->moved_room = more;
        }
    }
    if (i == r->moved_count && i < r->moved_room)
        snprintf(r->moved[r->moved_count++], UUID_TEXT, "%s", task_id);
    pthread_mutex_unlock(&r->lock);
}

static bool next_moved(struct task_runner *r, char out[UUID_TEXT])
{
    pthread_mutex_lock(&r->lock);
    bool any = r->moved_count > 0;
    if (any)
        memcpy(out, r->moved[--r->moved_count], UUID_TEXT);
    pthread_mutex_unlock(&r->lock);
    return any;
}

static int read_state(struct task_runner *r, const char *id, struct arena *a, struct task *task,
                      json_t **out, struct err *e)
{
    struct tx *tx;

    if (tx_begin(r->db, TX_READ, &tx, e))
        return e->code;
    int rc = tasks_get(tx, id, a, task, e);
    if (rc == 0)
        rc = task_to_json(r->tasks, tx, task, out, e);
    tx_rollback(tx);
    return rc;
}

/* One event to both rooms, so that who is in both gets it once. */
static void tell(struct task_runner *r, const char *id)
{
    struct arena a = {0};
    char user[USER_ROOM];
    struct task task = {0};
    json_t *state = NULL;
    struct err e;

    if (read_state(r, id, &a, &task, &state, &e) == 0 && state) {
        user_room(task.user_id, user);
        struct bus_event event = {.room = arena_printf(&a, "%s task:%s", user, id),
                                  .name = arena_printf(&a, "task:%s:progress", id),
                                  .data = json_compact(state, &a),
                                  .may_drop = task.status == TASK_RUNNING};
        bus_publish(r->tasks->submitter->bus, &event);
        json_decref(state);
    }
    arena_release(&a);
}

void runner_tell(struct task_runner *r)
{
    char id[UUID_TEXT];

    while (next_moved(r, id))
        tell(r, id);
}

/* ============================== Metrics ============================== */

void runner_count_records(struct task_runner *r, const struct task_record *rows, size_t count)
{
    char labels[METRIC_LABELS];

    for (size_t i = 0; r->tasks->metrics && i < count; i++) {
        metrics_labels(labels, "outcome", record_status_name(rows[i].status), NULL);
        metrics_add(r->tasks->metrics, METRIC_TASK_RECORDS, labels, 1);
    }
}

void runner_count_put(struct task_runner *r, int rc, const struct object_info *info)
{
    char labels[METRIC_LABELS];
    const char *outcome = rc ? err_name(rc) : info->existed ? "existed" : "stored";

    if (!r->tasks->metrics)
        return;
    metrics_labels(labels, "operation", "put", "outcome", outcome, NULL);
    metrics_add(r->tasks->metrics, METRIC_OBJECT_REQUESTS, labels, 1);
    if (rc == 0)
        metrics_add(r->tasks->metrics, METRIC_OBJECT_BYTES, "", (double)info->sent);
}

void runner_totals(struct task_runner *r, const struct tasks_totals *t)
{
    char labels[METRIC_LABELS];
    double now = clock_seconds();

    if (!r->tasks->metrics || now < r->metrics_at)
        return;
    r->metrics_at = now + METRICS_PERIOD;
    for (int s = TASK_RUNNING; s <= TASK_CANCELLED; s++) {
        metrics_labels(labels, "status", task_status_name((enum task_status)s), NULL);
        metrics_set(r->tasks->metrics, METRIC_TASKS, labels, (double)t->by_status[s]);
    }
}
