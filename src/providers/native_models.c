/* native_models.c: which models are installed, and what each is like. Facts are remembered by path
 * as long as size and time of the weights stay what they were. */
#include "base/clock.h"
#include "providers/native.h"

#include <stdlib.h>
#include <string.h>

/* ==== what is remembered ==== */

static bool same_stamp(const struct model_stamp *a, const struct model_stamp *b)
{
    return a->size == b->size && a->time == b->time && a->files == b->files;
}

/* The place of a path in the list; its end when there is none. */
static struct known **find(struct native *n, const char *path)
{
    struct known **at = &n->known;

    while (*at && strcmp((*at)->facts.path, path) != 0)
        at = &(*at)->next;
    return at;
}

static void known_free(struct known *k)
{
    free((char *)(uintptr_t)k->facts.path);
    free(k->name);
    free(k);
}

static bool recall(struct native *n, const char *path, const struct model_stamp *stamp,
                   struct arena *a, struct facts *out)
{
    pthread_mutex_lock(&n->lock);
    const struct known *k = *find(n, path);
    bool same = k && same_stamp(&k->facts.stamp, stamp);
    if (same) {
        *out = k->facts;
        out->path = arena_strdup(a, k->facts.path);
    }
    pthread_mutex_unlock(&n->lock);
    return same;
}

static void remember(struct native *n, const struct facts *f)
{
    struct known *k = malloc(sizeof *k);

    if (!k)
        abort();
    *k = (struct known){.facts = *f};
    k->facts.path = native_copy(f->path);
    pthread_mutex_lock(&n->lock);
    struct known **at = find(n, f->path), *former = *at;
    k->next = former ? former->next : NULL;
    *at = k;
    pthread_mutex_unlock(&n->lock);
    if (former)
        known_free(former);
}

void native_facts_free(struct native *n)
{
    while (n->known) {
        struct known *k = n->known;
        n->known = k->next;
        known_free(k);
    }
}

/* ==== what a model is like ==== */

static int clip_layers(const struct model *m)
{
    int layers = m->clip[0].layers;

    if (m->encoders == 2 && m->clip[1].layers < layers)
        layers = m->clip[1].layers;
    return layers - (m->architecture == ARCH_SDXL ? 2 : 1);
}

static void describe(const struct cauldron_model *model, struct facts *f)
{
    const struct model *m = model->files;
    struct cauldron_request defaults = cauldron_request(model);
    struct cauldron_info info;

    cauldron_describe(model, &info);
    f->architecture = m->architecture;
    f->sampler = m->scheduler.kind;
    for (int masked = 0; masked < 2; masked++) {
        enum sampler_kind other = (f->sampler + 1) % SAMPLER_COUNT;
        f->schedulers[0][masked] = model_scheduler(m, other, masked);
        f->schedulers[1][masked] = model_scheduler(m, f->sampler, masked);
    }
    f->width = info.width;
    f->height = info.height;
    f->multiple = info.multiple;
    f->inpainting = info.inpainting;
    f->guidance = defaults.guidance;
    f->train_steps = m->scheduler.num_train_timesteps < 0 ? 1000 : m->scheduler.num_train_timesteps;
    f->clip_layers = clip_layers(m);
}

static int read_facts(struct native *n, const char *path, const struct model_stamp *stamp,
                      struct arena *a, struct facts *out, struct err *e)
{
    struct cauldron_options o = cauldron_options();
    struct facts f = {.path = arena_strdup(a, path), .stamp = *stamp};
    struct cauldron_model *model;
    struct cauldron_error error;

    o.isa = n->isa;
    o.threads = 1;
    if (cauldron_open(path, &o, &model, &error))
        return native_error(&error, e);
    describe(model, &f);
    cauldron_close(model);
    if (!model_digest_known(a, n->data_folder, path, NULL, stamp, f.digest))
        f.digest[0] = 0;
    pthread_mutex_lock(&n->lock);
    f.reading = ++n->readings;
    pthread_mutex_unlock(&n->lock);
    remember(n, &f);
    *out = f;
    return 0;
}

static int facts_of_path(struct native *n, const char *path, struct arena *a, struct facts *out,
                         struct err *e)
{
    struct model_stamp stamp;
    int rc = model_stamp_read(path, &stamp, e);

    if (rc || recall(n, path, &stamp, a, out))
        return rc;
    return read_facts(n, path, &stamp, a, out, e);
}

/* Reading all weights takes seconds; who needs another model meanwhile does not wait. */
static int add_digest(struct native *n, struct arena *a, struct facts *f, struct err *e)
{
    struct facts other;
    char digest[65];
    int rc = 0;

    pthread_mutex_lock(&n->digesting);
    if (recall(n, f->path, &f->stamp, a, &other) && other.digest[0]) {
        memcpy(f->digest, other.digest, sizeof f->digest);
    } else if ((rc = model_digest_cached(a, n->data_folder, f->path, NULL, digest, e)) == 0) {
        memcpy(f->digest, digest, sizeof f->digest);
        remember(n, f);
    }
    pthread_mutex_unlock(&n->digesting);
    return rc;
}

int native_facts(struct native *n, const char *name, bool digest, struct arena *a,
                 struct facts *out, struct err *e)
{
    struct facts f;
    char *path;
    int rc = model_find_installed(a, name, &n->paths, &path, e);

    if (rc || (rc = facts_of_path(n, path, a, &f, e)))
        return rc;
    if (digest && !f.digest[0] && (rc = add_digest(n, a, &f, e)))
        return rc;
    *out = f;
    return 0;
}

static void note_look(struct native *n, const char *path, const char *name)
{
    pthread_mutex_lock(&n->lock);
    struct known *k = *find(n, path);
    if (k) {
        if (!k->name || strcmp(k->name, name) != 0) {
            free(k->name);
            k->name = native_copy(name);
        }
        k->checked = clock_seconds();
    }
    pthread_mutex_unlock(&n->lock);
}

static bool looked_recently(struct native *n, const char *name, struct arena *a, struct facts *out)
{
    bool recent = false;

    pthread_mutex_lock(&n->lock);
    for (const struct known *k = n->known; k && !recent; k = k->next)
        if (k->name && strcmp(k->name, name) == 0 && k->facts.digest[0] &&
            clock_seconds() - k->checked < 1) {
            recent = true;
            *out = k->facts;
            out->path = arena_strdup(a, k->facts.path);
        }
    pthread_mutex_unlock(&n->lock);
    return recent;
}

int native_facts_recent(struct native *n, const char *name, struct arena *a, struct facts *out,
                        struct err *e)
{
    if (looked_recently(n, name, a, out))
        return 0;
    int rc = native_facts(n, name, true, a, out, e);
    if (rc == 0)
        note_look(n, out->path, name);
    return rc;
}

const struct scheduler_config *facts_scheduler(const struct facts *f, enum sampler_kind k,
                                               bool masked)
{
    return &f->schedulers[k == f->sampler][masked];
}

int facts_allow(const struct facts *f, const struct sampler_spec *spec, bool picture, bool masked,
                struct err *e)
{
    struct sampler_spec one = *spec;
    struct sampler *s = NULL;
    struct noise noise;
    float start = 0;

    one.count = 1;
    noise_init(&noise, NOISE_CPU, 0);
    int rc = sampler_new(&one, facts_scheduler(f, spec->kind, masked), &noise, 0, &start,
                         picture && !(masked && spec->strength >= 1) ? &start : NULL, &s, e);
    if (rc == 0)
        sampler_free(s);
    return rc;
}

static size_t allowed_place(uint64_t reading, const struct sampler_spec *s, bool picture,
                            bool masked)
{
    uint64_t h = reading;

    h = h * 31 + (uint64_t)s->kind;
    h = h * 31 + (uint64_t)s->schedule;
    h = h * 31 + (uint64_t)s->spacing;
    h = h * 1021 + (uint64_t)s->steps;
    h = h * 31 + (uint64_t)(s->strength * 1000) + (uint64_t)(s->eta * 1000);
    h = h * 4 + (uint64_t)picture * 2 + (uint64_t)masked;
    return (size_t)((h * 0x9e3779b97f4a7c15u) >> 32) % ALLOWED;
}

static bool is_allowed(const struct allowed *x, const struct allowed *y)
{
    const struct sampler_spec *a = &x->spec, *b = &y->spec;

    return x->reading == y->reading && a->kind == b->kind && a->schedule == b->schedule &&
           a->spacing == b->spacing && a->steps == b->steps && a->eta == b->eta &&
           a->strength == b->strength && x->picture == y->picture && x->masked == y->masked;
}

int native_allow(struct native *n, const struct facts *f, const struct sampler_spec *spec,
                 bool picture, bool masked, struct err *e)
{
    struct allowed asked = {f->reading, *spec, picture, masked};
    struct allowed *place = &n->allowed[allowed_place(f->reading, spec, picture, masked)];

    pthread_mutex_lock(&n->lock);
    bool known = is_allowed(place, &asked);
    pthread_mutex_unlock(&n->lock);
    if (known)
        return 0;
    int rc = facts_allow(f, spec, picture, masked, e);
    if (rc == 0) {
        pthread_mutex_lock(&n->lock);
        *place = asked;
        pthread_mutex_unlock(&n->lock);
    }
    return rc;
}

/* ==== lists ==== */

static int default_steps(const struct facts *f)
{
    return f->train_steps < NATIVE_STEPS ? f->train_steps : NATIVE_STEPS;
}

static const char *const *legal_samplers(struct native *n, const struct facts *f, struct arena *a)
{
    const char **names = arena_alloc(a, (SAMPLER_COUNT + 1) * sizeof *names);
    int count = 0;

    for (enum sampler_kind k = 0; k < SAMPLER_COUNT; k++) {
        struct sampler_spec spec = {.kind = k, .steps = default_steps(f), .strength = 1};
        struct err ignored;
        if (native_allow(n, f, &spec, false, f->inpainting, &ignored) == 0)
            names[count++] = sampler_name(k);
    }
    return names;
}

static void fill(struct native *n, const struct facts *f, const char *name, struct arena *a,
                 struct provider_model *out)
{
    *out = (struct provider_model){
        .name = arena_strdup(a, name),
        .path = f->path,
        .architecture = architecture_name(f->architecture),
        .digest = f->digest[0] ? arena_strdup(a, f->digest) : NULL,
        .bytes = f->stamp.size,
        .width = f->width,
        .height = f->height,
        .multiple = f->multiple,
        .sampler = sampler_name(f->sampler),
        .samplers = legal_samplers(n, f, a),
        .steps = default_steps(f),
        .cfg_scale = f->guidance,
        .inpainting = f->inpainting,
        .loaded = pool_holds(n, f->path),
    };
}

/* A name that an earlier place has stands for the model there. */
static bool listed(const struct provider_model *models, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(models[i].name, name) == 0)
            return true;
    return false;
}

int native_models(struct provider *p, struct arena *a, struct provider_model **out, size_t *count,
                  struct err *e)
{
    static const char *const none[] = {NULL};
    struct native *n = provider_state(p);
    struct model_entry *entries;
    size_t used = 0;
    int found;

    (void)e;
    model_list(a, &n->paths, &entries, &found);
    struct provider_model *models = arena_alloc(a, ((size_t)found + 1) * sizeof *models);
    for (int i = 0; i < found; i++) {
        const struct model_entry *entry = &entries[i];
        struct facts f;
        struct err error;
        if (listed(models, used, entry->name))
            continue;
        if (facts_of_path(n, entry->path, a, &f, &error) == 0)
            fill(n, &f, entry->name, a, &models[used++]);
        else
            models[used++] = (struct provider_model){.name = entry->name,
                                                     .path = entry->path,
                                                     .architecture = entry->architecture,
                                                     .bytes = entry->bytes,
                                                     .samplers = none,
                                                     .error = arena_strdup(a, error.message)};
    }
    *out = models;
    *count = used;
    return 0;
}

int native_model(struct provider *p, const char *name, struct arena *a, struct provider_model *out,
                 struct err *e)
{
    struct native *n = provider_state(p);
    struct facts f;
    int rc = native_facts(n, name, true, a, &f, e);

    if (rc == 0)
        fill(n, &f, name, a, out);
    return rc;
}

void native_refresh(struct provider *p)
{
    struct native *n = provider_state(p);

    pthread_mutex_lock(&n->lock);
    native_facts_free(n);
    pthread_mutex_unlock(&n->lock);
    pool_close_idle(n);
}
