/* a1111.c: POST /sdapi/v1/txt2img and img2img: what they ask for, in our words; the pictures, in
 * theirs. What is not done here is refused by name: a picture that is silently another one helps
 * nobody. */
#include "api/a1111.h"

#include "api/a1111_text.h"
#include "api/names.h"
#include "api/order.h"
#include "api/pictures.h"
#include "base/json.h"
#include "base/log.h"
#include "image/image.h"

#include "api/api_routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The web UI waits as long as it takes; connections do not. */
static const double PATIENCE = 3600;
enum { STEPS = 50, SIDE = 512, IMAGES_MAX = 64 };
static const double CFG_SCALE = 7, STRENGTH = 0.75;

/* ==== what is not done ==== */

static bool is_on(const json_t *v)
{
    if (json_is_string(v))
        return json_string_length(v) > 0 && strcasecmp(json_string_value(v), "none") != 0;
    if (json_is_array(v) || json_is_object(v))
        return json_array_size(v) + json_object_size(v) > 0;
    return json_is_true(v) || (json_is_number(v) && json_number_value(v) > 0);
}

/* Members that change pictures; each is refused when it is on. */
static const struct refusal {
    const char *name, *expected;
    bool with_mask; /* means something only then */
} refusals[] = {
    {"enable_hr", "false: there is no second pass; ask for the size you want", false},
    {"subseed_strength", "0: variations of seeds are not done", false},
    {"seed_resize_from_w", "-1 or 0: seeds are not resized", false},
    {"seed_resize_from_h", "-1 or 0: seeds are not resized", false},
    {"styles", "no styles: write them into the prompt", false},
    {"script_name", "no script: there are none", false},
    {"alwayson_scripts", "no scripts: there are none", false},
    {"restore_faces", "false: faces are not restored", false},
    {"tiling", "false: tiling is not done", false},
    {"refiner_checkpoint", "no refiner: it is not done", false},
    {"resize_mode", "0 (just resize)", false},
    {"s_churn", "0", false},
    {"s_min_uncond", "0", false},
    {"mask_blur", "0: the mask's edge is not blurred", true},
    {"inpaint_full_res", "false: the whole picture is drawn", true},
};

/* How many problems were answered. */
static int refuse(struct response *w, const json_t *body)
{
    const json_t *mask = json_object_get(body, "mask"), *fill;
    int count = 0;
    char pointer[64];

    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *x = &refusals[i];
        if (!is_on(json_object_get(body, x->name)) || (x->with_mask && !json_is_string(mask)))
            continue;
        if (!count++)
            respond_problem(w, 422, "unsupported", "%s must be %s", x->name, x->expected);
        snprintf(pointer, sizeof pointer, "/%s", x->name);
        problem_field(w, pointer, "%s", x->expected);
    }
    fill = json_object_get(body, "inpainting_fill");
    if (json_is_string(mask) && json_is_integer(fill) && json_integer_value(fill) != 1) {
        if (!count++)
            respond_problem(w, 422, "unsupported", "inpainting_fill must be 1 (original)");
        problem_field(w, "/inpainting_fill", "1 (original): what lies under the mask is the start");
    }
    return count;
}

/* Networks named in the prompt; a literal reading would be another picture. */
static int refuse_tags(struct response *w, const char *prompt)
{
    static const char *const tags[] = {"<lora:", "<lyco:", "<hypernet:"};

    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        if (strstr(prompt, tags[i])) {
            respond_problem(w, 422, "unsupported",
                            "the prompt names a network (%s...): that is not "
                            "done here",
                            tags[i]);
            problem_field(w, "/prompt", "no %s...>", tags[i]);
            return 1;
        }
    return 0;
}

/* ==== what is asked for ==== */

/* The value of the request, else of its infotext (as a number where that is one), else of A1111. A
 * new reference. */
static json_t *value_of(const json_t *body, const json_t *info, const char *name, const char *label,
                        json_t *fallback)
{
    json_t *v = json_object_get(body, name);
    const char *text = json_text(info, label, NULL);
    int64_t whole;
    double number;

    if (v && !json_is_null(v)) {
        json_decref(fallback);
        return json_incref(v);
    }
    if (!text)
        return fallback;
    json_decref(fallback);
    if (str_to_i64(str_from(text), &whole))
        return json_integer(whole);
    if (str_to_f64(str_from(text), &number))
        return json_real(number);
    return json_string(text);
}

static const char *text_of(const json_t *body, const json_t *info, const char *name,
                           const char *label)
{
    const char *text = json_text(body, name, NULL);

    return text && text[0] ? text : json_text(info, label, NULL);
}

static void set_names(struct request *r, json_t *p, const json_t *body, const json_t *info,
                      const char *model)
{
    const char *sampler = text_of(body, info, "sampler_name", "Sampler");
    const char *schedule = text_of(body, info, "scheduler", "Schedule type");

    if (!sampler)
        sampler = text_of(body, info, "sampler_index", "Sampler");
    if (sampler && strcasecmp(sampler, "Automatic") != 0)
        json_object_set_new(p, "sampler", json_string(sampler));
    if (schedule && strcasecmp(schedule, "Automatic") != 0)
        json_object_set_new(p, "schedule", json_string(schedule));
    if (model)
        json_object_set_new(p, "model", json_string(a1111_model(r, model)));
}

/* The parts of override_settings that decide pixels. 1: a problem was answered. */
static int set_overrides(struct response *w, json_t *p, const json_t *settings, const json_t *info)
{
    json_t *skip = value_of(settings, info, "CLIP_stop_at_last_layers", "Clip skip", NULL);
    const char *rng = text_of(settings, info, "randn_source", "RNG");
    const char *vae = json_text(settings, "sd_vae", "Automatic");

    if (json_is_integer(skip) && json_integer_value(skip) > 1)
        json_object_set_new(p, "clip_skip", json_integer(json_integer_value(skip) - 1));
    json_decref(skip);
    if (rng)
        json_object_set_new(p, "rng", json_string(strcmp(rng, "CPU") == 0 ? "cpu" : "cuda"));
    if (strcasecmp(vae, "Automatic") == 0 || strcasecmp(vae, "None") == 0)
        return 0;
    respond_problem(w, 422, "unsupported", "override_settings.sd_vae must be Automatic");
    problem_field(w, "/override_settings/sd_vae", "Automatic: the model's own is used");
    return 1;
}

/* A1111 sends eta to samplers that know it and lets others be: DDIM and TCD here. The ancestral
 * ones know it, too, but are drawn at 1 only. 1: a problem was answered. */
static int set_eta(struct request *r, struct response *w, json_t *p, const json_t *body,
                   const json_t *info)
{
    bool ddim = json_object_get(info, "Eta DDIM");
    json_t *eta = value_of(body, info, "eta", ddim ? "Eta DDIM" : "Eta", NULL);
    const char *name = json_text(p, "sampler", NULL);
    const struct sampler_entry *s = find_sampler(name, request_arena(r));
    bool ancestral = s && strstr(s->name, "ancestral");

    if (json_is_number(eta) && (!name || (s && s->uses_eta)) && json_number_value(eta) != 0)
        json_object_set(p, "eta", eta);
    bool refused = ancestral && json_is_number(eta) && json_number_value(eta) != 1;
    json_decref(eta);
    if (!refused)
        return 0;
    respond_problem(w, 422, "unsupported", "ancestral samplers are drawn with eta 1 only");
    problem_field(w, "/eta", "1, or nothing");
    return 1;
}

static void set_numbers(json_t *p, const json_t *body, const json_t *info, bool img2img)
{
    json_object_set_new(p, "seed", value_of(body, info, "seed", "Seed", json_integer(-1)));
    json_object_set_new(p, "steps", value_of(body, info, "steps", "Steps", json_integer(STEPS)));
    json_object_set_new(p, "cfg_scale",
                        value_of(body, info, "cfg_scale", "CFG scale", json_real(CFG_SCALE)));
    json_object_set_new(p, "width", value_of(body, info, "width", "Size-1", json_integer(SIDE)));
    json_object_set_new(p, "height", value_of(body, info, "height", "Size-2", json_integer(SIDE)));
    if (img2img)
        json_object_set_new(
            p, "strength",
            value_of(body, info, "denoising_strength", "Denoising strength", json_real(STRENGTH)));
}

/* A1111 takes a mask's transparency for the mask when there is some, and may want it inverted
 * (create_binary_mask in modules/processing.py). *out: a new PNG; the caller releases it. */
static int plain_mask(struct str bytes, bool invert, struct buf *out, struct err *e)
{
    struct image im = {0}, grey = {0};
    struct image_encoding how = image_encoding_default(IMAGE_PNG);
    bool clear = false;
    int rc;

    if ((rc = image_decode(bytes.p, bytes.n, &im, NULL, e)))
        return rc;
    size_t n = (size_t)im.width * (size_t)im.height;
    for (size_t i = 0; im.channels == 4 && i < n; i++)
        clear |= im.pixels[4 * i + 3] != 255;
    if ((rc = image_to_grey(&im, &grey, e)))
        goto out;
    for (size_t i = 0; i < n; i++) {
        unsigned char value = clear ? (im.pixels[4 * i + 3] > 128 ? 255 : 0) : grey.pixels[i];
        grey.pixels[i] = invert ? (unsigned char)(255 - value) : value;
    }
    rc = image_encode(&grey, how, NULL, out, e);
out:
    image_release(&grey);
    image_release(&im);
    return rc;
}

/* 1: a problem was answered. */
static int take_mask(struct request *r, struct response *w, json_t *p, const json_t *body,
                     struct err *e)
{
    const char *text = json_text(body, "mask", NULL);
    bool invert = is_on(json_object_get(body, "inpainting_mask_invert"));
    struct str bytes;
    struct buf png;
    struct sent_picture sent;
    int rc;

    if (!text || !text[0])
        return 0;
    buf_init(&png, (size_t)64 << 20);
    if (!(rc = picture_bytes(request_arena(r), text, &bytes, e)) &&
        !(rc = plain_mask(bytes, invert, &png, e)))
        rc = submit_picture(app_of(r)->submitter, (struct str){png.p, png.n}, &sent, e);
    buf_release(&png);
    if (rc == 0)
        json_object_set_new(p, "mask", json_string(sent.sha256));
    if (rc != ERR_ARG && rc != ERR_FORMAT && rc != ERR_UNSUPPORTED)
        return rc;
    respond_problem(w, 422, "invalid", "mask: %s", e->message);
    problem_field(w, "/mask", "a picture's file as base64");
    return 1;
}

static int take_pictures(struct request *r, struct response *w, json_t *p, const json_t *body,
                         struct err *e)
{
    const json_t *first = json_array_get(json_object_get(body, "init_images"), 0);
    int rc;

    if (!json_is_string(first)) {
        respond_problem(w, 422, "invalid", "img2img needs a picture in init_images");
        problem_field(w, "/init_images", "one picture's file as base64");
        return 1;
    }
    json_object_set(p, "init_image", (json_t *)first);
    if ((rc = order_take_picture(r, w, p, "init_image", "/init_images/0", e)))
        return rc;
    return take_mask(r, w, p, body, e);
}

/* Fill the parameters. 1: a problem was answered. */
static int translate(struct request *r, struct response *w, const json_t *body, const json_t *info,
                     bool img2img, json_t *p, struct err *e)
{
    const json_t *settings = json_object_get(body, "override_settings");
    const char *prompt = text_of(body, info, "prompt", "Prompt"), *chosen = NULL;
    const char *negative = text_of(body, info, "negative_prompt", "Negative prompt");
    const char *model = text_of(settings, info, "sd_model_checkpoint", "Model");
    int rc;

    if (refuse(w, body) || refuse_tags(w, prompt ? prompt : "") ||
        set_overrides(w, p, settings, info))
        return 1;
    if (!model && (rc = a1111_recall(r, A1111_MODEL, &chosen, e)))
        return rc;
    json_object_set_new(p, "prompt", json_string(prompt ? prompt : ""));
    if (negative && negative[0])
        json_object_set_new(p, "negative_prompt", json_string(negative));
    set_numbers(p, body, info, img2img);
    set_names(r, p, body, info, model ? model : chosen);
    if (set_eta(r, w, p, body, info))
        return 1;
    return img2img ? take_pictures(r, w, p, body, e) : 0;
}

/* ==== what is answered ==== */

/* The request as it came, without the pictures unless they are wanted. */
static json_t *echo(const struct request *r)
{
    json_t *body = json_copy(request_json(r));

    if (!json_flag(body, "include_init_images", false) && json_object_get(body, "init_images")) {
        json_object_set_new(body, "init_images", json_null());
        json_object_set_new(body, "mask", json_null());
    }
    return body;
}

static int answer_none(struct response *w, const struct order *o)
{
    const struct generation *g = &o->generations[0];

    if (o->timed_out)
        return respond_problem(w, 503, "unavailable", "the images are still being drawn");
    return respond_problem(w, 500, "image_failed", "%s",
                           g->error ? g->error : "the image could not be drawn");
}

/* After an interrupt: those that were drawn, perhaps none. */
static int answer(struct request *r, struct response *w, struct order *o, struct err *e)
{
    bool send = json_flag(request_json(r), "send_images", true), *img2img = o->user;
    const struct picture_form form = {.format = IMAGE_UNKNOWN};
    json_t *images = json_array();
    size_t drawn = 0, failed = 0;

    for (size_t i = 0; i < o->count; i++) {
        const struct generation *g = &o->generations[i];
        drawn += g->sha256 != NULL;
        failed += g->status == GENERATION_FAILED;
        if (!g->sha256 || !send)
            continue;
        json_t *image = picture_base64(app_of(r), g->sha256, &form, e);
        if (!image) {
            json_decref(images);
            return e->code;
        }
        json_array_append_new(images, image);
    }
    const char *info = a1111_info(r, o, *img2img, e);
    if (!info || o->timed_out || (!drawn && failed)) {
        json_decref(images);
        return info ? answer_none(w, o) : e->code;
    }
    return respond_json(
        w, 200,
        json_pack("{s:o, s:o, s:s}", "images", images, "parameters", echo(r), "info", info));
}

/* For progress, interrupt and skip. They are a courtesy: without the note the images still come. */
static void note_request(struct request *r, const struct order *o)
{
    json_t *ids = json_array();
    struct err e;

    for (size_t i = 0; i < o->count; i++)
        json_array_append_new(ids, json_string(o->generations[i].id));
    if (a1111_remember(r, A1111_REQUEST, json_compact(ids, request_arena(r)), &e))
        LOG(LOG_WARNING, "a request was not noted", LOG_ERR(&e));
    json_decref(ids);
}

/* Without override_settings_restore_afterwards the model of this request stays the chosen one. */
static void keep_model(struct request *r, const json_t *parameters)
{
    const json_t *body = request_json(r);
    const char *model = json_text(parameters, "model", NULL);
    struct err e;

    if (model && !json_flag(body, "override_settings_restore_afterwards", true) &&
        json_text(json_object_get(body, "override_settings"), "sd_model_checkpoint", NULL) &&
        a1111_remember(r, A1111_MODEL, model, &e))
        LOG(LOG_WARNING, "a chosen model was not noted", LOG_ERR(&e));
}

static int place(struct request *r, struct response *w, bool img2img, json_t *p, struct order **out,
                 struct err *e)
{
    static const char *const names[][2] = {
        {"sampler", "sampler_name"},
        {"schedule", "scheduler"},
        {"strength", "denoising_strength"},
        {"init_image", "init_images"},
        {"clip_skip", "override_settings/CLIP_stop_at_last_layers"},
        {"model", "override_settings/sd_model_checkpoint"},
        {NULL, NULL}};
    const json_t *body = request_json(r);
    const char *text = json_text(body, "infotext", NULL);
    json_t *info = text ? a1111_text_parse(str_from(text)) : NULL;
    int64_t count = json_int(body, "n_iter", 1) * json_int(body, "batch_size", 1);
    int rc = 1;

    if (count > IMAGES_MAX) {
        respond_problem(w, 422, "invalid", "n_iter x batch_size are %lld images; at most %d",
                        (long long)count, IMAGES_MAX);
        problem_field(w, "/n_iter", "at most %d images together with batch_size", IMAGES_MAX);
    } else if (!(rc = translate(r, w, body, info, img2img, p, e))) {
        struct order_wishes what = {
            .parameters = p, .count = (int)count, .priority = PRIORITY_INTERACTIVE, .names = names};
        rc = order_place(r, w, &what, out, e);
    }
    json_decref(info);
    return rc;
}

static int draw(struct request *r, struct response *w, bool is_img2img, struct err *e)
{
    bool *img2img = ARENA_NEW(request_arena(r), bool);
    json_t *parameters = json_object();
    struct order *o;
    int rc = place(r, w, is_img2img, parameters, &o, e);

    if (rc == 0) {
        *img2img = is_img2img;
        note_request(r, o);
        keep_model(r, parameters);
        rc = order_wait(o, r, w, PATIENCE, answer, img2img, e);
    }
    json_decref(parameters);
    return rc < 0 ? rc : 0;
}

int api_a1111_txt2img(struct request *r, struct response *w, struct err *e)
{
    return draw(r, w, false, e);
}

int api_a1111_img2img(struct request *r, struct response *w, struct err *e)
{
    return draw(r, w, true, e);
}
