/* provider.c: the table of providers, and the one definition of a picture's key. */
#include "providers/backends.h"

#include <stdlib.h>
#include <string.h>

static const struct provider_backend *const backends[] = {&native_backend};

struct provider {
    const struct provider_backend *backend;
    void *state;
};

static const struct provider_backend *find(const char *name)
{
    for (size_t i = 0; i < sizeof backends / sizeof *backends; i++)
        if (strcmp(backends[i]->name, name) == 0)
            return backends[i];
    return NULL;
}

static const char *known_names(struct arena *a)
{
    const char *list = backends[0]->name;

    for (size_t i = 1; i < sizeof backends / sizeof *backends; i++)
        list = arena_printf(a, "%s, %s", list, backends[i]->name);
    return list;
}

int provider_from_backend(const struct provider_backend *backend, const struct provider_options *o,
                          struct provider **out, struct err *e)
{
    struct provider *p = calloc(1, sizeof *p);

    if (!p)
        abort();
    p->backend = backend;
    int rc = backend->open(p, o, e);
    if (rc) {
        free(p);
        return rc;
    }
    *out = p;
    return 0;
}

int provider_open(const char *name, const struct provider_options *o, struct provider **out,
                  struct err *e)
{
    const struct provider_backend *backend = find(name);
    struct arena a = {0};
    int rc =
        backend ? provider_from_backend(backend, o, out, e)
                : ERR(e, ERR_NOT_FOUND, "no provider '%.100s'; there is %s", name, known_names(&a));

    arena_release(&a);
    return rc;
}

void provider_close(struct provider *p)
{
    if (!p)
        return;
    if (p->backend->close)
        p->backend->close(p);
    free(p);
}

void provider_set_state(struct provider *p, void *state)
{
    p->state = state;
}

void *provider_state(const struct provider *p)
{
    return p->state;
}

const char *provider_name(const struct provider *p)
{
    return p->backend->name;
}

const char *provider_version(const struct provider *p)
{
    return p->backend->version;
}

int provider_models(struct provider *p, struct arena *a, struct provider_model **out, size_t *count,
                    struct err *e)
{
    return p->backend->models(p, a, out, count, e);
}

int provider_model(struct provider *p, const char *name, struct arena *a,
                   struct provider_model *out, struct err *e)
{
    return p->backend->model(p, name, a, out, e);
}

void provider_refresh(struct provider *p)
{
    p->backend->refresh(p);
}

int provider_hardware(struct provider *p, struct arena *a, struct hardware_info *out, struct err *e)
{
    return p->backend->hardware(p, a, out, e);
}

int provider_optimize(struct provider *p, const char *device, json_t **out, struct err *e)
{
    return p->backend->optimize(p, device, out, e);
}

int provider_complete(struct provider *p, const json_t *parameters, struct arena *a,
                      struct recipe *out, char key[65], struct parameter_problem **problems,
                      struct err *e)
{
    struct recipe r;
    int rc = p->backend->complete(p, parameters, a, &r, problems, e);

    if (rc)
        return rc;
    recipe_key(&r, provider_name(p), provider_version(p), key);
    *out = r;
    return 0;
}

int provider_draw(struct provider *p, const char *device, const struct draw_source *source,
                  struct err *e)
{
    return p->backend->draw(p, device, source, e);
}

void provider_interrupt(struct provider *p, const struct draw *d)
{
    if (p->backend->interrupt)
        p->backend->interrupt(p, d);
}

void provider_stats(struct provider *p, struct provider_stats *out)
{
    p->backend->stats(p, out);
}
