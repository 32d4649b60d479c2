/* What a hub says: the first line is model_index.json, each further line the name of a file. Names
 * that are chosen are names that were offered, each once. */
#include "fuzz.h"

#include "models/hub.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    enum { MAX_FILES = 200 };
    struct arena a = {0};
    struct str rest = {(const char *)bytes, n}, line, index = STR("");
    const char *files[MAX_FILES], **chosen;
    size_t count = 0, chosen_count;
    struct err e;

    str_cut(&rest, '\n', &index);
    while (count < MAX_FILES && str_cut(&rest, '\n', &line)) {
        const char *file = arena_str(&a, line);
        (void)hub_name_ok(file);
        if (hub_path_ok(file))
            files[count++] = file;
    }
    for (int i = 0; i < 2; i++)
        if (hub_choose(index, files, count, i ? "fp16" : NULL, &a, &chosen, &chosen_count, &e) ==
                0 &&
            chosen_count > count + 1)
            abort();
    arena_release(&a);
    return 0;
}
