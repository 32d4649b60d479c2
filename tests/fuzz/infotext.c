/* Any bytes as the text that A1111 writes into pictures: taken apart into texts, and what our own
 * writer makes of a recipe with these bytes in it comes back. */
#include "fuzz.h"

#include "api/a1111_text.h"
#include "base/json.h"
#include "recipe/recipe.h"

#include <stdlib.h>
#include <string.h>

static void check_texts(const json_t *object)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)object, key, value) if (!json_is_string(value)) abort();
    if (!json_object_get(object, "Clip skip") || !json_object_get(object, "RNG"))
        abort();
}

/* A model's name may hold anything but control characters. */
static bool is_name(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20)
            return false;
    return true;
}

static void check_writer(const char *name, struct arena *a)
{
    struct recipe r = {.model = name,
                       .prompt = "p",
                       .sampler = "euler",
                       .schedule = "karras",
                       .rng = "cpu",
                       .steps = 20,
                       .width = 512,
                       .height = 256};
    json_t *string = json_string(name), *object;

    if (string && is_name(name) && name[0] && name[0] != '"' && name[0] != ' ') {
        object = a1111_text_parse(str_from(recipe_parameters(&r, a)));
        if (strcmp(json_text(object, "Steps", ""), "20") != 0 ||
            strcmp(json_text(object, "Size-2", ""), "256") != 0)
            abort();
        json_decref(object);
    }
    json_decref(string);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct arena a = {0};
    struct str text = {(const char *)bytes, n};
    json_t *object = a1111_text_parse(text);

    check_texts(object);
    json_decref(object);
    check_writer(arena_str(&a, text), &a);
    arena_release(&a);
    return 0;
}
