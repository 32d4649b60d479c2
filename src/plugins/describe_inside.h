/*
 * describe_inside.h: a describer as its backends see it; private to plugins/.
 *
 *   extern const struct describer_backend describer_measured;      listed in describe.c
 *
 * A backend's open sets identity and state; what lives as long as the describer goes into its
 * arena.
 */
#ifndef PLUGINS_DESCRIBE_INSIDE_H
#define PLUGINS_DESCRIBE_INSIDE_H

#include "plugins/describe.h"

struct describer {
    const struct describer_backend *backend;
    struct arena arena;
    const char *identity;
    void *state;
};
extern const struct describer_backend describer_measured, describer_openai;

#endif
