/* Any bytes as a recipe out of a picture: refused, or read and then written as text and JSON that
 * reads back the same. */
#include "fuzz.h"

#include "recipe/recipe.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct arena a = {0};
    struct recipe r, again;
    struct err e;

    if (recipe_parse((struct str){(const char *)bytes, n}, &a, &r, &e) == 0) {
        const char *json = recipe_json(&r, &a);
        (void)recipe_parameters(&r, &a);
        if (recipe_parse(str_from(json), &a, &again, &e) ||
            strcmp(json, recipe_json(&again, &a)) != 0)
            abort();
    }
    arena_release(&a);
    return 0;
}
