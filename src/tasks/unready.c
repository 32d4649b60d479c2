/* unready.c: weak definitions that keep the tree linking until the modules that define these
 * functions are in it. */
#include "storage/callbacks.h"
#include "tasks/control.h"
#include "tasks/kind.h"
#include "tasks/runner.h"

#define UNREADY(e) ERR(e, ERR_UNSUPPORTED, "tasks are not in this program")
#define WEAK       __attribute__((weak))
#pragma GCC diagnostic ignored "-Wunused-parameter"

WEAK int task_create(const struct tasks *t, const struct task_create *c, struct arena *a,
                     struct task *out, bool *existed, struct task_problems *problems, struct err *e)
{
    return UNREADY(e);
}
WEAK int task_run_again(const struct tasks *t, const char *id, struct arena *a, struct task *out,
                        struct err *e)
{
    return UNREADY(e);
}
WEAK int task_pause(const struct tasks *t, const char *id, bool paused, struct err *e)
{
    return UNREADY(e);
}
WEAK int task_cancel(const struct tasks *t, const char *id, struct err *e)
{
    return UNREADY(e);
}
WEAK int task_approve(const struct tasks *t, const char *id, bool approved, struct err *e)
{
    return UNREADY(e);
}
WEAK int task_retry(const struct tasks *t, const char *id, const char *const *classes,
                    int64_t *count, struct err *e)
{
    return UNREADY(e);
}
WEAK int task_check(const struct tasks *t, const struct task_create *c,
                    const struct task_check_options *o, struct arena *a, struct task_check *out,
                    struct task_problems *problems, struct err *e)
{
    return UNREADY(e);
}
WEAK json_t *task_check_to_json(const struct task_check *c)
{
    return NULL;
}
WEAK int task_to_json(const struct tasks *t, struct tx *tx, const struct task *task, json_t **out,
                      struct err *e)
{
    return UNREADY(e);
}
WEAK json_t *task_record_to_json(const struct task_record *r)
{
    return NULL;
}
WEAK int task_report(const struct tasks *t, const char *id, json_t **out, struct err *e)
{
    return UNREADY(e);
}
WEAK int task_export(const struct tasks *t, const char *id, enum task_export_format format,
                     int (*write)(void *user, const char *p, size_t n), void *user, struct err *e)
{
    return UNREADY(e);
}
static const struct task_kind *const none[] = {NULL};
WEAK const struct task_kind *const *task_kinds(void)
{
    return none;
}
WEAK int task_runner_start(const struct task_runner_options *o, struct task_runner **out,
                           struct err *e)
{
    return 0;
}
WEAK void task_runner_stop(struct task_runner *r)
{
}
WEAK int describer_open(const char *url, const struct describer_options *o, struct describer **out,
                        struct err *e)
{
    *out = NULL;
    return 0;
}
WEAK void describer_close(struct describer *d)
{
}
WEAK const char *record_status_name(enum record_status s)
{
    return "";
}
WEAK const char *task_status_name(enum task_status s)
{
    return "";
}
WEAK int tasks_by_name(struct tx *tx, const char *user_id, const char *name, struct arena *a,
                       struct task *out, struct err *e)
{
    return UNREADY(e);
}
WEAK void task_runner_wake(struct task_runner *r)
{
}
WEAK bool task_status_by_name(struct str name, enum task_status *out)
{
    return false;
}
WEAK bool record_status_by_name(struct str name, enum record_status *out)
{
    return false;
}
WEAK bool callback_status_by_name(struct str name, enum callback_status *out)
{
    return false;
}
WEAK const char *callback_status_name(enum callback_status s)
{
    return "";
}
WEAK int tasks_get(struct tx *tx, const char *id, struct arena *a, struct task *out, struct err *e)
{
    return UNREADY(e);
}
WEAK int tasks_list(struct tx *tx, const struct task_filter *f, struct arena *a, struct task **out,
                    size_t *count, const char **next, struct err *e)
{
    return UNREADY(e);
}
WEAK int tasks_delete(struct tx *tx, const char *id, struct err *e)
{
    return UNREADY(e);
}
WEAK int task_records_list(struct tx *tx, const struct record_filter *f, struct arena *a,
                           struct task_record **out, size_t *count, const char **next,
                           struct err *e)
{
    return UNREADY(e);
}
WEAK int callbacks_list(struct tx *tx, const struct callback_filter *f, struct arena *a,
                        struct callback **out, size_t *count, const char **next, struct err *e)
{
    return UNREADY(e);
}
WEAK int callbacks_replay(struct tx *tx, const char *task_id, const char *id, int status,
                          int64_t now, int64_t *count, struct err *e)
{
    return UNREADY(e);
}
