#include "experiments/spec_diff.h"

#include "base/json.h"
#include "base/map.h"

#include <string.h>

/* What the functions below share. */
struct differ {
    json_t *changes;
    struct arena arena;
};

static const char *shown(struct differ *d, const json_t *v)
{
    const char *name = json_text(v, "name", json_text(v, "label", NULL));

    if (name)
        return name;
    if (json_is_string(v))
        return json_string_value(v);
    if (json_is_real(v))
        return arena_printf(&d->arena, "%.12g", json_real_value(v));
    return json_compact(v, &d->arena);
}

static void change(struct differ *d, const char *pointer, const char *where, const json_t *from,
                   const json_t *to)
{
    const char *kind = !from ? "added" : !to ? "removed" : "changed";
    const char *text =
        from && to
            ? arena_printf(&d->arena, "%s: %s became %s", where, shown(d, from), shown(d, to))
            : arena_printf(&d->arena, "%s: %s %s", where, shown(d, from ? from : to), kind);
    json_t *c = json_pack("{ssssss}", "pointer", pointer, "kind", kind, "text", text);

    if (from)
        json_object_set(c, "from", (json_t *)from);
    if (to)
        json_object_set(c, "to", (json_t *)to);
    json_array_append_new(d->changes, c);
}

/* What makes two items of a list the same thing, if not in everything. */
static const char *identity(struct differ *d, const json_t *item)
{
    const char *name = json_text(item, "name", NULL);

    if (name)
        return arena_printf(&d->arena, "n%s", name);
    if (json_is_object(item) &&
        (json_object_get(item, "value") || json_object_get(item, "label"))) {
        json_t *bare = json_copy((json_t *)item);
        if (json_object_get(item, "value"))
            json_object_del(bare, "label");
        else
            json_object_del(bare, "set");
        const char *text = json_canonical(bare, &d->arena);
        json_decref(bare);
        return text;
    }
    return json_canonical(item, &d->arena);
}

static void compare(struct differ *d, const char *pointer, const char *where, const json_t *a,
                    const json_t *b);

/* One identity per item; the second of two alike is another one. */
static const char **identities(struct differ *d, const json_t *list, struct map *index)
{
    const char **out = arena_alloc(&d->arena, (json_array_size(list) + 1) * sizeof *out);
    struct map counts = {0};
    json_t *item;
    size_t i;

    json_array_foreach((json_t *)list, i, item)
    {
        size_t *at = ARENA_NEW(&d->arena, size_t);
        *at = i;
        out[i] = identity(d, item);
        size_t *count = map_get(&counts, str_from(out[i]));
        if (!count) {
            count = ARENA_NEW(&d->arena, size_t);
            map_put(&counts, str_from(out[i]), count);
        }
        if ((*count)++)
            out[i] = arena_printf(&d->arena, "%s #%zu", out[i], *count);
        map_put(index, str_from(out[i]), at);
    }
    map_release(&counts);
    return out;
}

/* Lists are sets here: what is in one alone was added or removed; the rest is compared. */
static void compare_lists(struct differ *d, const char *pointer, const char *where, const json_t *a,
                          const json_t *b)
{
    struct map in_a = {0}, in_b = {0};
    const char **of_a = identities(d, a, &in_a), **of_b = identities(d, b, &in_b);
    size_t i, last = 0, common = 0;
    bool moved = false;
    json_t *item;

    json_array_foreach((json_t *)a, i, item)
    {
        const char *place = arena_printf(&d->arena, "%s/%zu", pointer, i);
        const size_t *at = map_get(&in_b, str_from(of_a[i]));
        if (!at) {
            change(d, place, where, item, NULL);
            continue;
        }
        moved |= common++ && *at < last;
        last = *at;
        compare(d, place, arena_printf(&d->arena, "%s %s", where, shown(d, item)), item,
                json_array_get(b, *at));
    }
    json_array_foreach((json_t *)b, i, item)
    {
        if (!map_get(&in_a, str_from(of_b[i])))
            change(d, arena_printf(&d->arena, "%s/%zu", pointer, i), where, NULL, item);
    }
    if (moved)
        json_array_append_new(d->changes,
                              json_pack("{ssssss}", "pointer", pointer, "kind", "changed", "text",
                                        arena_printf(&d->arena, "%s: another order", where)));
    map_release(&in_a);
    map_release(&in_b);
}

static void compare(struct differ *d, const char *pointer, const char *where, const json_t *a,
                    const json_t *b)
{
    const char *key;
    json_t *v;

    if (json_is_array(a) && json_is_array(b)) {
        compare_lists(d, pointer, where, a, b);
    } else if (json_is_object(a) && json_is_object(b)) {
        const char *gap = where[0] ? " " : "";
        json_object_foreach((json_t *)a, key, v)
        {
            compare(d, arena_printf(&d->arena, "%s/%s", pointer, key),
                    arena_printf(&d->arena, "%s%s%s", where, gap, key), v, json_object_get(b, key));
        }
        json_object_foreach((json_t *)b, key, v)
        {
            if (!json_object_get(a, key))
                change(d, arena_printf(&d->arena, "%s/%s", pointer, key),
                       arena_printf(&d->arena, "%s%s%s", where, gap, key), NULL, v);
        }
    } else if (!a || !b ||
               strcmp(json_canonical(a, &d->arena), json_canonical(b, &d->arena)) != 0) {
        change(d, pointer, where, a, b);
    }
}

json_t *spec_diff(const struct spec *a, const struct spec *b)
{
    struct differ d = {.changes = json_array()};

    compare(&d, "", "", a->normalised, b->normalised);
    arena_release(&d.arena);
    return d.changes;
}
