#include "cli/trace.h"

#include "base/arena.h"
#include "engine/weights/safetensors.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_TENSORS = 2048 };

struct trace {
    struct arena arena;
    struct tensor tensors[MAX_TENSORS];
    int count;
};

struct trace *trace_new(void)
{
    struct trace *t = calloc(1, sizeof *t);

    if (!t)
        abort();
    return t;
}

void trace_free(struct trace *t)
{
    if (!t)
        return;
    arena_release(&t->arena);
    free(t);
}

void trace_add(struct trace *t, const struct cauldron_trace *from)
{
    if (t->count == MAX_TENSORS)
        return;
    struct tensor *to = &t->tensors[t->count++];
    *to = (struct tensor){.name = str_from(arena_strdup(&t->arena, from->name)),
                          .dtype = DTYPE_F32,
                          .dims = from->dims};
    memcpy(to->shape, from->shape, sizeof from->shape);
    size_t bytes = (size_t)tensor_count(to) * sizeof(float);
    void *copy = arena_alloc(&t->arena, bytes);
    memcpy(copy, from->data, bytes);
    to->data = copy;
}

int trace_write(const struct trace *t, const char *path, struct err *e)
{
    return safetensors_write(path, t->tensors, t->count, NULL, 0, e);
}
