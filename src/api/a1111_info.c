/* a1111_info.c: the member "info" of txt2img and img2img, after Processed.js() of A1111's
 * modules/processing.py: every key that clients look at, in its order. */
#include "api/a1111.h"

#include "api/generation_json.h"
#include "api/order.h"
#include "base/clock.h"
#include "base/json.h"
#include "recipe/recipe.h"

#include <stdlib.h>
#include <string.h>

/* "20261121180305": digits of the time of day. */
static const char *timestamp(struct arena *a)
{
    char text[CLOCK_TEXT], digits[15];
    size_t n = 0;

    clock_format(clock_unix_ms(), text);
    for (const char *p = text; *p && n < 14; p++)
        if (*p >= '0' && *p <= '9')
            digits[n++] = *p;
    digits[n] = '\0';
    return arena_strdup(a, digits);
}

/* What differs from picture to picture. */
static int set_lists(struct request *r, const struct order *o, json_t *info, struct recipe *first,
                     struct err *e)
{
    json_t *prompts = json_array(), *negatives = json_array(), *seeds = json_array();
    json_t *texts = json_array();
    int rc = 0;

    for (size_t i = 0; i < o->count && !rc; i++) {
        const struct generation *g = &o->generations[i];
        struct recipe recipe;
        json_t *stored;
        if (!g->sha256)
            continue;
        if ((rc = json_read(str_from(g->parameters), &stored, e)))
            break;
        rc = recipe_from_json(stored, request_arena(r), &recipe, e);
        json_decref(stored);
        if (rc)
            break;
        if (!json_array_size(seeds))
            *first = recipe;
        json_array_append_new(prompts, json_string(recipe.prompt));
        json_array_append_new(negatives, json_string(recipe.negative ? recipe.negative : ""));
        json_array_append_new(seeds, seed_json(recipe.seed));
        json_array_append_new(texts, json_string(recipe_parameters(&recipe, request_arena(r))));
    }
    json_object_set_new(info, "all_prompts", prompts);
    json_object_set_new(info, "all_negative_prompts", negatives);
    json_object_set_new(info, "all_seeds", seeds);
    json_object_set_new(info, "infotexts", texts);
    return rc;
}

static void set_from(json_t *info, const json_t *lists, const char *from, const char *as,
                     json_t *fallback)
{
    json_t *value = json_array_get(json_object_get(lists, from), 0);

    json_object_set(info, as, value ? value : fallback);
    json_decref(fallback);
}

char *a1111_info(struct request *r, const struct order *o, bool img2img, struct err *e)
{
    struct arena *a = request_arena(r);
    json_t *lists = json_object(), *info = json_object();
    struct recipe x = {.prompt = "", .sampler = "euler", .model = ""};
    char *text = NULL;

    if (set_lists(r, o, lists, &x, e))
        goto out;
    char hash[11] = "";
    if (x.digest)
        memcpy(hash, x.digest, strnlen(x.digest, 10));
    set_from(info, lists, "all_prompts", "prompt", json_string(""));
    json_object_set(info, "all_prompts", json_object_get(lists, "all_prompts"));
    set_from(info, lists, "all_negative_prompts", "negative_prompt", json_string(""));
    json_object_set(info, "all_negative_prompts", json_object_get(lists, "all_negative_prompts"));
    set_from(info, lists, "all_seeds", "seed", json_integer(-1));
    json_object_set(info, "all_seeds", json_object_get(lists, "all_seeds"));
    /* Variations are not done: the second seed is always the first one's equal. */
    set_from(info, lists, "all_seeds", "subseed", json_integer(-1));
    json_object_set(info, "all_subseeds", json_object_get(lists, "all_seeds"));
    json_t *rest = json_pack(
        "{s:i, s:i, s:i, s:s, s:f, s:i, s:I, s:b, s:n, s:s, s:s, s:n, s:n, s:i, s:i, s:o, s:{}, "
        "s:i, s:O, s:[], s:s, s:i, s:b, s:s+}",
        "subseed_strength", 0, "width", x.width, "height", x.height, "sampler_name",
        recipe_sampler_label(x.sampler), "cfg_scale", x.guidance, "steps", x.steps, "batch_size",
        (json_int_t)json_int(request_json(r), "batch_size", 1), "restore_faces", 0,
        "face_restoration_model", "sd_model_name", x.model, "sd_model_hash", hash, "sd_vae_name",
        "sd_vae_hash", "seed_resize_from_w", -1, "seed_resize_from_h", -1, "denoising_strength",
        img2img ? json_real(x.strength) : json_null(), "extra_generation_params",
        "index_of_first_image", 0, "infotexts", json_object_get(lists, "infotexts"), "styles",
        "job_timestamp", timestamp(a), "clip_skip", x.clip_skip + 1,
        "is_using_inpainting_conditioning", x.mask != NULL, "version", "cauldron ",
        o->app->version);
    json_object_update(info, rest);
    json_decref(rest);
    text = json_compact(info, a);
out:
    json_decref(info);
    json_decref(lists);
    return text;
}
