#include "api/names.h"

#include <strings.h>

static bool is_one_of(const char *text, const char *name, const char *label,
                      const char *const *aliases)
{
    if (strcasecmp(name, text) == 0 || strcasecmp(label, text) == 0)
        return true;
    for (; aliases && *aliases; aliases++)
        if (strcasecmp(*aliases, text) == 0)
            return true;
    return false;
}

const struct sampler_entry *find_sampler(const char *name, struct arena *a)
{
    size_t count;
    const struct sampler_entry *s = provider_samplers(a, &count);

    for (size_t i = 0; name && i < count; i++)
        if (is_one_of(name, s[i].name, s[i].label, s[i].aliases))
            return &s[i];
    return NULL;
}

const struct schedule_entry *find_schedule(const char *name, struct arena *a)
{
    size_t count;
    const struct schedule_entry *s = provider_schedules(a, &count);

    for (size_t i = 0; name && i < count; i++)
        if (is_one_of(name, s[i].name, s[i].label, s[i].aliases))
            return &s[i];
    return NULL;
}
