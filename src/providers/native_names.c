/* native_names.c: samplers and schedules as the engine has them, with A1111's labels. */
#include "engine/sampling/sampler.h"
#include "providers/provider.h"

static const char *const *sampler_aliases(struct arena *a, enum sampler_kind k)
{
    int count = 0;

    while (sampler_alias(k, count))
        count++;
    const char **list = arena_alloc(a, ((size_t)count + 1) * sizeof *list);
    for (int i = 0; i < count; i++)
        list[i] = sampler_alias(k, i);
    return list;
}

static const char *const *schedule_aliases(struct arena *a, enum schedule_kind k)
{
    int count = 0;

    while (schedule_alias(k, count))
        count++;
    const char **list = arena_alloc(a, ((size_t)count + 1) * sizeof *list);
    for (int i = 0; i < count; i++)
        list[i] = schedule_alias(k, i);
    return list;
}

static const char *const *legal_schedules(struct arena *a, enum sampler_kind k)
{
    const char **list = arena_alloc(a, (SCHEDULE_COUNT + 1) * sizeof *list);
    int count = 0;

    for (enum schedule_kind s = 0; s < SCHEDULE_COUNT; s++)
        if (sampler_has_schedule(k, s))
            list[count++] = schedule_name(s);
    return list;
}

const struct sampler_entry *provider_samplers(struct arena *a, size_t *count)
{
    struct sampler_entry *list = arena_alloc(a, SAMPLER_COUNT * sizeof *list);

    for (enum sampler_kind k = 0; k < SAMPLER_COUNT; k++) {
        struct sampler_traits traits = sampler_traits(k);
        list[k] = (struct sampler_entry){.name = sampler_name(k),
                                         .label = recipe_sampler_label(sampler_name(k)),
                                         .aliases = sampler_aliases(a, k),
                                         .schedules = legal_schedules(a, k),
                                         .second_order = traits.second_order,
                                         .stochastic = traits.stochastic,
                                         .uses_eta = traits.eta,
                                         .uses_spacing = traits.spacing};
    }
    *count = SAMPLER_COUNT;
    return list;
}

const struct schedule_entry *provider_schedules(struct arena *a, size_t *count)
{
    struct schedule_entry *list = arena_alloc(a, SCHEDULE_COUNT * sizeof *list);

    for (enum schedule_kind k = 0; k < SCHEDULE_COUNT; k++)
        list[k] = (struct schedule_entry){.name = schedule_name(k),
                                          .label = recipe_schedule_label(schedule_name(k)),
                                          .aliases = schedule_aliases(a, k)};
    *count = SCHEDULE_COUNT;
    return list;
}
