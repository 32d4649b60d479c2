/*
 * place.h: where every value of a graph lives: lifetimes, values that take over the memory of an
 * input, offsets. Private to graph/.
 */
#ifndef ENGINE_PLACE_H
#define ENGINE_PLACE_H

#include "engine/graph/graph.h"

struct placement {
    size_t transient,
        kept; /* bytes of the two regions; every value is followed by 64 readable bytes */
};

/* Sets storage, at, kept of every value of the list's nodes. */
struct placement graph_place(struct g *g, struct node **list, int count);
/* The value whose memory holds t. */
struct t *value_storage(const struct t *t);

#endif
