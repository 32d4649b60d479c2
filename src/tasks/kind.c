#include "tasks/kind.h"

static const struct task_kind *const kinds[] = {&task_kind_image, &task_kind_caption, NULL};

const struct task_kind *task_kind_by_name(struct str name)
{
    for (size_t i = 0; kinds[i]; i++)
        if (str_is(name, kinds[i]->name))
            return kinds[i];
    return NULL;
}

const struct task_kind *const *task_kinds(void)
{
    return kinds;
}
