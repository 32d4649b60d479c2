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
