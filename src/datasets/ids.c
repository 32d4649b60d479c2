#include "base/json.h"
#include "datasets/inside.h"

#include <string.h>

const char *id_problem(const char *text, size_t n, const char *name, struct arena *a)
{
    if (n == 0)
        return arena_printf(a, "'%s' is empty", name);
    if (n > DATASET_ID_MOST)
        return arena_printf(a, "'%s' has %zu bytes, more than %d", name, n, DATASET_ID_MOST);
    if (memchr(text, 0, n))
        return arena_printf(a, "'%s' has a NUL in it", name);
    return NULL;
}

const char *id_text(const json_t *value, const char *name, struct arena *a, const char **problem)
{
    const char *text;
    size_t n;

    if (!value || json_is_null(value)) {
        *problem = arena_printf(a, "it has no '%s'", name);
        return NULL;
    }
    if (json_is_string(value)) {
        n = json_string_length(value);
        text = arena_str(a, (struct str){json_string_value(value), n});
    } else {
        text = json_canonical(value, a);
        n = strlen(text);
    }
    *problem = id_problem(text, n, name, a);
    return *problem ? NULL : text;
}
