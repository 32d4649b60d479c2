#include "experiments/recipes.h"

#include <stdlib.h>
#include <string.h>

static const char *kept(struct cell_recipes *k, const char *text)
{
    if (!text)
        return NULL;
    char *copy = map_get(&k->texts, str_from(text));
    if (!copy) {
        copy = arena_strdup(&k->arena, text);
        map_put(&k->texts, str_from(copy), copy);
    }
    return copy;
}

static void make_room(struct cell_recipes *k, size_t cell)
{
    size_t room = k->room ? k->room : 1024;

    if (cell < k->room)
        return;
    while (room <= cell)
        room *= 2;
    struct recipe **grown = realloc(k->by_cell, room * sizeof(struct recipe *));
    if (!grown)
        abort(); /* a pointer per cell, whose number is limited */
    memset(grown + k->room, 0, (room - k->room) * sizeof(struct recipe *));
    k->by_cell = grown;
    k->room = room;
}

void recipes_keep(struct cell_recipes *k, size_t cell, const struct recipe *r)
{
    struct recipe *copy = ARENA_NEW(&k->arena, struct recipe);
    const char **texts[] = {&copy->model,    &copy->digest,  &copy->architecture, &copy->prompt,
                            &copy->negative, &copy->sampler, &copy->schedule,     &copy->spacing,
                            &copy->rng,      &copy->dtype,   &copy->isa,          &copy->init,
                            &copy->mask};

    *copy = *r;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = kept(k, *texts[i]);
    make_room(k, cell);
    k->by_cell[cell] = copy;
}

const struct recipe *recipes_get(const struct cell_recipes *k, size_t cell)
{
    return cell < k->room ? k->by_cell[cell] : NULL;
}

void recipes_release(struct cell_recipes *k)
{
    map_release(&k->texts);
    arena_release(&k->arena);
    free(k->by_cell);
    *k = (struct cell_recipes){0};
}
