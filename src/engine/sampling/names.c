/* names.c: what samplers and schedules are called, here and in other programs. */
#include "engine/sampling/family.h"

#include <string.h>

struct alias {
    const char *name;
    int kind;
};

/* Labels and aliases of A1111 (modules/sd_samplers_*.py), ComfyUI (comfy/samplers.py) and sd.cpp,
 * where they mean the same rule. Not here: names of samplers that diffusers lacks, such as "DPM++
 * 2S a", which is not the singlestep solver. */
static const struct alias sampler_aliases[] = {
    {"k_euler", SAMPLER_EULER},
    {"Euler a", SAMPLER_EULER_ANCESTRAL},
    {"euler_a", SAMPLER_EULER_ANCESTRAL},
    {"k_euler_a", SAMPLER_EULER_ANCESTRAL},
    {"k_euler_ancestral", SAMPLER_EULER_ANCESTRAL},
    {"k_heun", SAMPLER_HEUN},
    {"DPM2", SAMPLER_DPM_2},
    {"k_dpm_2", SAMPLER_DPM_2},
    {"DPM2 a", SAMPLER_DPM_2_ANCESTRAL},
    {"k_dpm_2_a", SAMPLER_DPM_2_ANCESTRAL},
    {"k_dpm_2_ancestral", SAMPLER_DPM_2_ANCESTRAL},
    {"k_lms", SAMPLER_LMS},
    {"DPM++ 2M", SAMPLER_DPMPP_2M},
    {"k_dpmpp_2m", SAMPLER_DPMPP_2M},
    {"dpm++2m", SAMPLER_DPMPP_2M},
    {"DPM++ 2M SDE", SAMPLER_DPMPP_2M_SDE},
    {"k_dpmpp_2m_sde", SAMPLER_DPMPP_2M_SDE},
    {"dpm++2m_sde", SAMPLER_DPMPP_2M_SDE},
    {"DPM++ 2S", SAMPLER_DPMPP_2S},
    {"DPM++ SDE", SAMPLER_DPMPP_SDE},
    {"k_dpmpp_sde", SAMPLER_DPMPP_SDE},
    {"UniPC", SAMPLER_UNI_PC},
    {"uni_pc_bh2", SAMPLER_UNI_PC},
    {"PLMS", SAMPLER_PNDM},
    {"k_lcm", SAMPLER_LCM},
};

static const char *const schedule_names[SCHEDULE_COUNT] = {
    "model", "uniform", "karras", "exponential", "beta", "sgm_uniform",
};
static const struct alias schedule_aliases[] = {
    {"Automatic", SCHEDULE_MODEL},        {"normal", SCHEDULE_UNIFORM},
    {"discrete", SCHEDULE_UNIFORM},       {"SGM Uniform", SCHEDULE_SGM_UNIFORM},
    {"SGMUniform", SCHEDULE_SGM_UNIFORM},
};

static const char *const spacing_names[SPACING_COUNT] = {
    "model",
    "leading",
    "linspace",
    "trailing",
};

static bool same(struct str a, const char *b)
{
    return a.n == strlen(b) && !strncasecmp(a.p, b, a.n);
}

/* The index of name, or -1. */
static int find(struct str name, const char *const *names, int count)
{
    for (int i = 0; i < count; i++)
        if (same(name, names[i]))
            return i;
    return -1;
}

static int find_alias(struct str name, const struct alias *aliases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (same(name, aliases[i].name))
            return aliases[i].kind;
    return -1;
}

static const char *nth_alias(int kind, int i, const struct alias *aliases, size_t count)
{
    for (size_t at = 0; at < count; at++)
        if (aliases[at].kind == kind && i-- == 0)
            return aliases[at].name;
    return NULL;
}

const char *sampler_alias(enum sampler_kind k, int i)
{
    return nth_alias((int)k, i, sampler_aliases, sizeof sampler_aliases / sizeof *sampler_aliases);
}

const char *schedule_alias(enum schedule_kind k, int i)
{
    return nth_alias((int)k, i, schedule_aliases,
                     sizeof schedule_aliases / sizeof *schedule_aliases);
}

static int find_sampler(struct str name)
{
    for (int i = 0; i < SAMPLER_COUNT; i++)
        if (same(name, sampler_classes[i].name))
            return i;
    return find_alias(name, sampler_aliases, sizeof sampler_aliases / sizeof *sampler_aliases);
}

/* "DPM++ 2M Karras" is a sampler and a schedule; so is "k_dpmpp_2m_ka" in A1111. */
static int find_sampler_with_schedule(struct str name, enum schedule_kind *schedule)
{
    struct str head = name, tail = {0};
    int kind = -1;

    if (name.n > 3 && name.p[0] == 'k' && str_ends(name, "_ka")) {
        head.n -= 3;
        tail = STR("karras");
        kind = find_sampler(head);
    }
    for (size_t i = 1; kind < 0 && i < name.n; i++) {
        if (name.p[i] != ' ')
            continue;
        head.n = i;
        tail = (struct str){name.p + i + 1, name.n - i - 1};
        kind = schedule_by_name(tail, &(enum schedule_kind){0}) ? find_sampler(head) : -1;
    }
    if (kind >= 0 && !schedule_by_name(tail, schedule))
        return -1;
    return kind;
}

bool sampler_by_name(struct str name, enum sampler_kind *out, enum schedule_kind *schedule)
{
    int kind = find_sampler(name);

    if (kind < 0)
        kind = find_sampler_with_schedule(name, schedule);
    if (kind < 0)
        return false;
    *out = (enum sampler_kind)kind;
    return true;
}

const char *sampler_name(enum sampler_kind k)
{
    return sampler_classes[k].name;
}

const char *sampler_class(enum sampler_kind k)
{
    return sampler_classes[k].class_name;
}

bool schedule_by_name(struct str name, enum schedule_kind *out)
{
    int kind = find(name, schedule_names, SCHEDULE_COUNT);

    if (kind < 0)
        kind =
            find_alias(name, schedule_aliases, sizeof schedule_aliases / sizeof *schedule_aliases);
    if (kind < 0)
        return false;
    *out = (enum schedule_kind)kind;
    return true;
}

const char *schedule_name(enum schedule_kind k)
{
    return schedule_names[k];
}

bool spacing_by_name(struct str name, enum spacing_kind *out)
{
    int kind = find(name, spacing_names, SPACING_COUNT);

    if (kind < 0)
        return false;
    *out = (enum spacing_kind)kind;
    return true;
}

const char *spacing_name(enum spacing_kind k)
{
    return spacing_names[k];
}
