#include "engine/weights/weights.h"

#include "engine/weights/keymap.h"

const struct tensor *weights_get(const struct weights *w, const char *name)
{
    return map_get(&w->tensors, str_from(name));
}

void weights_put(struct arena *a, struct weights *w, struct str name, const struct tensor *t)
{
    struct tensor *own = ARENA_NEW(a, struct tensor);

    *own = *t;
    own->name = (struct str){arena_str(a, name), name.n};
    map_put(&w->tensors, own->name, own);
}
