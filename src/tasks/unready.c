/* unready.c: weak definitions that keep the tree linking until the modules that define these
 * functions are in it. */
#include "storage/callbacks.h"
#include "tasks/call_back.h"
#include "tasks/control.h"
#include "tasks/kind.h"
#include "tasks/runner.h"

#define WEAK       __attribute__((weak))
#pragma GCC diagnostic ignored "-Wunused-parameter"

WEAK int describer_open(const char *url, const struct describer_options *o, struct describer **out,
                        struct err *e)
{
    *out = NULL;
    return 0;
}
WEAK void describer_close(struct describer *d)
{
}
WEAK int call_back_start(const struct call_back_options *o, struct call_back **out, struct err *e)
{
    *out = NULL;
    return 0;
}
WEAK void call_back_stop(struct call_back *c)
{
}
WEAK void call_back_wake(struct call_back *c)
{
}
WEAK int call_back_records(struct tx *tx, const struct task_document *d, const struct task *task,
                           const struct task_record *ended, size_t count, int64_t now,
                           struct arena *a, struct err *e)
{
    return 0;
}
WEAK int call_back_end(struct tx *tx, const struct task_document *d, const struct task *task,
                       const json_t *report, int64_t now, struct arena *a, struct err *e)
{
    return 0;
}
WEAK int call_back_canary(struct tx *tx, const struct task_document *d, const struct task *task,
                          int64_t now, struct arena *a, struct err *e)
{
    return 0;
}
WEAK int call_back_check(const struct tasks *t, const struct task_callbacks *c, struct err *e)
{
    return 0;
}
