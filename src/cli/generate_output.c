/* generate_output.c: where the pictures of `cauldron generate` go, and what is written into them.
 */
#include "base/file.h"
#include "cli/generate.h"
#include "engine/sampling/sampler.h"

#include <jansson.h>
#include <string.h>

static struct recipe make_recipe(const struct generate *s, const struct cauldron_request *r)
{
    const struct generate_want *w = &s->want;
    enum sampler_kind kind;
    enum schedule_kind schedule = SCHEDULE_MODEL;
    struct recipe out = s->base;

    out.sampler = s->info.sampler;
    if (r->sampler && sampler_by_name(str_from(r->sampler), &kind, &schedule))
        out.sampler = sampler_name(kind);
    if (r->schedule)
        schedule_by_name(str_from(r->schedule), &schedule);
    out.schedule = schedule_name(schedule);
    out.spacing = r->spacing;
    out.model = w->model;
    out.architecture = s->info.architecture;
    out.prompt = r->prompt;
    out.negative = r->negative;
    out.rng = r->rng;
    out.dtype = s->info.dtype;
    out.isa = s->info.isa;
    out.seed = r->seed;
    out.steps = r->steps;
    out.width = r->width;
    out.height = r->height;
    out.clip_skip = r->clip_skip;
    out.guidance = r->guidance;
    out.guidance_rescale = r->guidance_rescale;
    out.eta = r->eta;
    out.original_width = r->original_width;
    out.original_height = r->original_height;
    out.crop_left = r->crop_left;
    out.crop_top = r->crop_top;
    out.target_width = r->target_width;
    out.target_height = r->target_height;
    out.strength = r->strength;
    return out;
}

/* One picture: the name as given. Several: the seed (and the prompt's number, when there are
 * several prompts) before the dot. */
static char *output_path(struct generate *s, int prompt, uint64_t seed)
{
    const char *output = s->want.output;
    bool folder = output && (file_is_dir(output) || str_ends(str_from(output), "/"));
    bool many_prompts = s->options.rest_count > 1;
    char *number = many_prompts ? arena_printf(&s->arena, "%d-", prompt + 1) : "";

    if (!output || folder)
        return arena_printf(&s->arena, "%s%scauldron-%s%llu.png", output ? output : "",
                            folder && !str_ends(str_from(output), "/") ? "/" : "", number,
                            (unsigned long long)seed);
    if (s->total == 1)
        return arena_strdup(&s->arena, output);
    const char *dot = strrchr(output, '.');
    return arena_printf(&s->arena, "%.*s-%s%llu%s", (int)(dot - output), output, number,
                        (unsigned long long)seed, dot);
}

static void print_json(const struct recipe *r, const char *path, const struct cauldron_picture *p,
                       struct arena *a)
{
    json_error_t error;
    json_t *root = json_loads(recipe_json(r, a), 0, &error);

    json_object_set_new(root, "file", json_string(path));
    json_object_set_new(root, "seconds", json_real(p->seconds));
    json_dumpf(root, stdout, JSON_COMPACT);
    putchar('\n');
    fflush(stdout);
    json_decref(root);
}

int generate_write(struct generate *s, int prompt, const struct cauldron_request *r,
                   const struct cauldron_picture *p, struct err *e)
{
    struct recipe recipe = make_recipe(s, r);
    const char *path = output_path(s, prompt, r->seed);
    struct image image = {p->width, p->height, 3, p->pixels};
    struct image_meta meta = {.parameters = recipe_parameters(&recipe, &s->arena),
                              .recipe = recipe_json(&recipe, &s->arena)};
    int rc = image_write(path, &image, NULL, &meta, e);

    if (rc)
        return rc;
    if (s->want.json)
        print_json(&recipe, path, p, &s->arena);
    else if (!s->want.quiet)
        fprintf(stderr, "%s  %dx%d  seed %llu  %.2f s\n", path, p->width, p->height,
                (unsigned long long)r->seed, p->seconds);
    return 0;
}
