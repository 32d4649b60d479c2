/*
 * recipes.h: what the cells of a plan were completed to, kept from the plan to the rows; private to
 * experiments/.
 *
 *   struct cell_recipes kept = {0};
 *   ... a plan is made; for every cell that can be drawn: recipes_keep(&kept, cell, &recipe) ...
 *   const struct recipe *r = recipes_get(&kept, cell);
 *   recipes_release(&kept);
 *
 * Completing is most of what planning costs, so that it is done once. Texts are kept once: tens of
 * thousands of cells share their prompts. Threads: one at a time. Ownership: what recipes_get gives
 * lives until recipes_release.
 */
#ifndef EXPERIMENTS_RECIPES_H
#define EXPERIMENTS_RECIPES_H

#include "base/map.h"
#include "recipe/recipe.h"

struct cell_recipes {
    struct recipe **by_cell; /* [room], NULL where there is none */
    size_t room;
    struct map texts;
    struct arena arena;
};

void recipes_keep(struct cell_recipes *k, size_t cell, const struct recipe *r);
const struct recipe *recipes_get(const struct cell_recipes *k, size_t cell); /* NULL: none */
void recipes_release(struct cell_recipes *k);

#endif
