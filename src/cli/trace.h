/*
 * trace.h: the tensors of one picture on its way, collected and written as a safetensors file.
 *
 *   struct trace *t = trace_new();
 *   trace_add(t, tensor);                    from cauldron_request.on_trace; copies
 *   if (trace_write(t, path, &e)) ...
 *   trace_free(t);
 */
#ifndef CLI_TRACE_H
#define CLI_TRACE_H

#include "base/err.h"
#include "cauldron.h"

struct trace;
struct trace *trace_new(void);
void trace_add(struct trace *t, const struct cauldron_trace *from);
WARN_UNUSED_RESULT int trace_write(const struct trace *t, const char *path, struct err *e);
void trace_free(struct trace *t); /* NULL is fine */

#endif
