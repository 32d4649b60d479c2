#include "plugins/describe_inside.h"

#include <stdlib.h>
#include <string.h>

static const struct describer_backend *const backends[] = {&describer_measured, &describer_openai};

int describer_open(const char *url, const struct describer_options *o, struct describer **out,
                   struct err *e)
{
    const struct describer_backend *backend = NULL;
    struct str place = str_from(url);

    for (size_t i = 0; i < sizeof backends / sizeof *backends && !backend; i++) {
        struct str rest = place;
        if (str_skip(&rest, backends[i]->scheme) && str_skip(&rest, ":")) {
            backend = backends[i];
            place = rest;
        }
    }
    if (!backend)
        return ERR(e, ERR_ARG, "'%.200s' is no describer: measured: or openai:URL", url);
    struct describer *d = calloc(1, sizeof *d);
    if (!d)
        return ERR(e, ERR_NOMEM, "no memory for a describer");
    d->backend = backend;
    if (backend->open(d, place.p, o, e)) {
        arena_release(&d->arena);
        free(d);
        return e->code;
    }
    *out = d;
    return 0;
}

void describer_close(struct describer *d)
{
    if (!d)
        return;
    d->backend->close(d);
    arena_release(&d->arena);
    free(d);
}

const char *describer_identity(const struct describer *d)
{
    return d->identity;
}

int describe(struct describer *d, const struct picture_to_describe *p, struct arena *a,
             struct description *out, struct err *e)
{
    return d->backend->describe(d, p, a, out, e);
}
