#include "experiments/normalise.h"

#include "base/json.h"
#include "base/map.h"
#include "experiments/parameters.h"

#include <string.h>

size_t axis_parts(const json_t *axis)
{
    const json_t *zip = json_object_get(axis, "zip");

    return zip ? json_array_size(zip) : 1;
}

const json_t *axis_part(const json_t *axis, size_t part)
{
    const json_t *zip = json_object_get(axis, "zip");

    return zip ? json_array_get(zip, part) : axis;
}

size_t axis_points(const json_t *axis)
{
    return json_array_size(json_object_get(axis_part(axis, 0), "values"));
}

static const json_t *point_of(const json_t *axis, size_t part, size_t i)
{
    return json_array_get(json_object_get(axis_part(axis, part), "values"), i);
}

/* Every point of an axis has its own values (with what they set), and its own label. */
static void check_points(const json_t *axis, struct spec_problems *problems, const struct at *at)
{
    struct map seen = {0};
    struct arena a = {0};
    size_t n = axis_points(axis);

    for (size_t i = 0; i < n; i++) {
        const char *identity = "=", *label = "~";
        for (size_t p = 0; p < axis_parts(axis); p++) {
            json_t *bare = json_copy((json_t *)point_of(axis, p, i));
            const char *l = axes_label(bare, &a);
            label = arena_printf(&a, "%s%zu:%s", label, strlen(l), l);
            json_object_del(bare, "label");
            if (json_object_get(bare, "value"))
                identity = arena_printf(&a, "%s%s", identity, json_canonical(bare, &a));
            json_decref(bare);
        }
        bool twice = identity[1] && map_put(&seen, str_from(identity), &seen);
        if (map_put(&seen, str_from(label), &seen) || twice) {
            problem(problems, at,
                    "every value, and every label, once (number %zu is there already)", i + 1);
            break;
        }
    }
    map_release(&seen);
    arena_release(&a);
}

/* No two axes have a name, a parameter, a variable or a search text in common. */
static void check_names(const struct axes *axes, struct spec_problems *problems)
{
    static const char *const kinds[] = {"parameter", "variable", "replace"};
    struct map seen = {0};
    struct arena a = {0};
    json_t *axis;
    size_t i;

    json_array_foreach(axes->list, i, axis)
    {
        const char *name = json_text(axis, "name", "");
        if (map_put(&seen, str_from(arena_printf(&a, "name %s", name)), axis))
            problem(problems, &axes->at[i], "a name that no other axis has ('%.100s' is taken)",
                    name);
        for (size_t p = 0; p < axis_parts(axis); p++)
            for (int k = 0; k < 3; k++) {
                const char *word = json_text(axis_part(axis, p), kinds[k], NULL);
                if (word &&
                    map_put(&seen, str_from(arena_printf(&a, "%s %s", kinds[k], word)), axis))
                    problem(problems, &axes->at[i], "%s '%.100s' on one axis only", kinds[k], word);
            }
    }
    map_release(&seen);
    arena_release(&a);
}

static bool contains(const json_t *text, const char *word)
{
    return json_is_string(text) && strstr(json_string_value(text), word);
}

/* Prompts of a set of parameters. */
static bool set_contains(const json_t *set, const char *word)
{
    return contains(json_object_get(set, "prompt"), word) ||
           contains(json_object_get(set, "negative_prompt"), word);
}

/* Is the word in any text that can become a part of a prompt? */
static bool anywhere(const struct axes *axes, const json_t *base, const char *word)
{
    json_t *axis, *point;
    size_t i, j;

    if (set_contains(base, word))
        return true;
    json_array_foreach(axes->list, i, axis)
    {
        for (size_t p = 0; p < axis_parts(axis); p++) {
            const json_t *part = axis_part(axis, p);
            const char *name = json_text(part, "parameter", NULL);
            bool prompts = !name || strcmp(name, "prompt") == 0 ||
                           strcmp(name, "negative_prompt") == 0;
            json_array_foreach(json_object_get(part, "values"), j, point)
            {
                if ((prompts && contains(json_object_get(point, "value"), word) &&
                     strcmp(json_text(part, "replace", ""), word) != 0) ||
                    set_contains(json_object_get(point, "set"), word))
                    return true;
            }
        }
    }
    return false;
}

static void check_words(const struct axes *axes, const json_t *base, struct spec_problems *problems)
{
    struct arena a = {0};
    json_t *axis;
    size_t i;

    json_array_foreach(axes->list, i, axis)
    {
        for (size_t p = 0; p < axis_parts(axis); p++) {
            const char *variable = json_text(axis_part(axis, p), "variable", NULL),
                       *search = json_text(axis_part(axis, p), "replace", NULL);
            if (variable && !anywhere(axes, base, arena_printf(&a, "{%s}", variable)))
                problem(problems, &axes->at[i], "{%s} in a prompt", variable);
            if (search && !anywhere(axes, base, search))
                problem(problems, &axes->at[i], "'%.100s' in a prompt", search);
        }
    }
    arena_release(&a);
}

static bool prompt_somewhere(const struct axes *axes, const json_t *base)
{
    json_t *axis, *point;
    size_t i, j;

    if (json_object_get(base, "prompt"))
        return true;
    json_array_foreach(axes->list, i, axis)
    {
        for (size_t p = 0; p < axis_parts(axis); p++) {
            const json_t *part = axis_part(axis, p);
            if (strcmp(json_text(part, "parameter", ""), "prompt") == 0)
                return true;
            json_array_foreach(json_object_get(part, "values"), j, point)
            {
                if (json_object_get(json_object_get(point, "set"), "prompt"))
                    return true;
            }
        }
    }
    return false;
}

void axes_check(const struct axes *axes, const json_t *base, size_t seeds, bool texts_known,
                struct spec_problems *problems)
{
    uint64_t cells = seeds;
    json_t *axis;
    size_t i;

    check_names(axes, problems);
    json_array_foreach(axes->list, i, axis)
    {
        check_points(axis, problems, &axes->at[i]);
        /* At most 10^5 x 10^4 at any moment. */
        if (cells <= SPEC_MAX_CELLS)
            cells *= axis_points(axis);
    }
    if (cells > SPEC_MAX_CELLS)
        problem(problems, &axes->axes_at, "at most %d cells; these axes and replicates make %s%llu",
                SPEC_MAX_CELLS, i < json_array_size(axes->list) ? "more than " : "",
                (unsigned long long)cells);
    if (!texts_known)
        return;
    if (!prompt_somewhere(axes, base))
        problem(problems, &(struct at){&axes->root, "base", 0},
                "a prompt in the base, or an axis of prompts");
    check_words(axes, base, problems);
}
