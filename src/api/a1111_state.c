/* a1111_state.c: progress, interrupt, skip and options of A1111's API: about the caller's newest
 * request and chosen model. */
#include "api/a1111.h"

#include "api/generation_json.h"
#include "api/live.h"
#include "api/models.h"
#include "api/order.h"
#include "api/pictures.h"
#include "base/clock.h"
#include "base/json.h"
#include "image/image.h"

#include "api/api_routes.h"

#include <stdio.h>
#include <string.h>

/* ==== the newest request ==== */

struct newest {
    struct generation *rows;
    size_t count, ended;
    const struct generation *current; /* drawn now, else the next one; NULL: all have ended */
};

static void choose_current(struct newest *n)
{
    for (size_t i = 0; i < n->count; i++) {
        const struct generation *g = &n->rows[i];
        if (generation_ended(g))
            n->ended++;
        else if (!n->current ||
                 (n->current->status == GENERATION_QUEUED && g->status == GENERATION_RUNNING))
            n->current = g;
    }
}

static int read_rows(struct request *r, struct tx *tx, const json_t *ids, struct newest *n,
                     struct err *e)
{
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const char *id = json_string_value(json_array_get(ids, i));
        int rc = generations_get(tx, id ? id : "", request_arena(r), &n->rows[n->count], e);
        if (rc && rc != ERR_NOT_FOUND) /* deleted meanwhile */
            return rc;
        n->count += rc == 0;
    }
    return 0;
}

static int read_newest(struct request *r, struct newest *out, struct err *e)
{
    struct newest n = {0};
    const char *note;
    json_t *ids;
    struct tx *tx;
    int rc;

    if ((rc = a1111_recall(r, A1111_REQUEST, &note, e)))
        return rc;
    if (!note || json_read(str_from(note), &ids, e)) {
        *out = n;
        return 0;
    }
    n.rows = arena_alloc(request_arena(r), (json_array_size(ids) + 1) * sizeof *n.rows);
    if (!(rc = tx_begin(app_of(r)->db, TX_READ, &tx, e))) {
        rc = read_rows(r, tx, ids, &n, e);
        tx_rollback(tx);
    }
    json_decref(ids);
    if (rc)
        return rc;
    choose_current(&n);
    *out = n;
    return 0;
}

/* ==== progress ==== */

/* Previews are small JPEGs; clients expect a PNG. */
static json_t *current_image(struct request *r, const struct generation *g)
{
    struct image im;
    struct live_step step;
    struct str jpeg;
    struct buf png;
    struct err e;
    json_t *text = NULL;

    live_watch(app_of(r)->live, g->id);
    if (!live_preview(app_of(r)->live, g->id, 0, request_arena(r), &step, &jpeg) ||
        image_decode(jpeg.p, jpeg.n, &im, NULL, &e))
        return json_null();
    buf_init(&png, (size_t)16 << 20);
    if (image_encode(&im, image_encoding_default(IMAGE_PNG), NULL, &png, &e) == 0)
        text = bytes_base64((struct str){png.p, png.n});
    buf_release(&png);
    image_release(&im);
    return text ? text : json_null();
}

static json_t *state_json(const struct newest *n, const struct live_step *step)
{
    char job[64] = "", digits[15] = "";
    bool interrupted = false;

    for (size_t i = 0; i < n->count; i++)
        interrupted |= n->rows[i].status == GENERATION_CANCELLED;
    if (n->current) {
        char text[CLOCK_TEXT];
        size_t k = 0;
        snprintf(job, sizeof job, "Batch %zu out of %zu", n->ended + 1, n->count);
        clock_format(n->current->created_at, text);
        for (const char *p = text; *p && k < 14; p++)
            if (*p >= '0' && *p <= '9')
                digits[k++] = *p;
    }
    return json_pack("{s:b, s:b, s:b, s:s, s:i, s:s, s:i, s:i, s:i}", "skipped", false,
                     "interrupted", interrupted && n->current != NULL, "stopping_generation", false,
                     "job", job, "job_count", n->current ? (int)n->count : 0, "job_timestamp",
                     digits, "job_no", n->current ? (int)n->ended : 0, "sampling_step", step->step,
                     "sampling_steps", step->steps);
}

int api_a1111_progress(struct request *r, struct response *w, struct err *e)
{
    bool skip = json_flag(request_query(r), "skip_current_image", false);
    struct live_step step = {0};
    struct newest n;
    double done = 0, eta = 0;
    int rc = read_newest(r, &n, e);

    if (rc)
        return rc;
    if (n.current) {
        step.steps = n.current->steps;
        if (n.current->status == GENERATION_RUNNING)
            live_step(app_of(r)->live, n.current->id, &step);
        double part = step.steps > 0 ? (double)step.step / step.steps : 0;
        double seconds = (double)(clock_unix_ms() - n.rows[0].created_at) / 1000;
        done = ((double)n.ended + (part < 1 ? part : 1)) / (double)n.count;
        eta = done > 0 && seconds > 0 ? seconds / done * (1 - done) : 0;
    }
    json_t *image = n.current && !skip ? current_image(r, n.current) : json_null();
    return respond_json(w, 200,
                        json_pack("{s:f, s:f, s:o, s:o, s:n}", "progress", done, "eta_relative",
                                  eta, "state", state_json(&n, &step), "current_image", image,
                                  "textinfo"));
}

static int cancel(struct request *r, struct response *w, bool all, struct err *e)
{
    struct newest n;
    int rc = read_newest(r, &n, e);

    for (size_t i = 0; !rc && i < n.count; i++) {
        if (generation_ended(&n.rows[i]) || (!all && &n.rows[i] != n.current))
            continue;
        rc = cancel_generation(app_of(r)->submitter, n.rows[i].id, e);
        if (rc == ERR_CONFLICT || rc == ERR_NOT_FOUND) /* it ended meanwhile */
            rc = 0;
    }
    return rc ? rc : respond_json(w, 200, json_object());
}

int api_a1111_interrupt(struct request *r, struct response *w, struct err *e)
{
    return cancel(r, w, true, e);
}

int api_a1111_skip(struct request *r, struct response *w, struct err *e)
{
    return cancel(r, w, false, e);
}

/* ==== options ==== */

static const struct provider_model *chosen_model(const char *name,
                                                 const struct provider_model *models, size_t count)
{
    for (size_t i = 0; name && i < count; i++)
        if (strcmp(models[i].name, name) == 0)
            return &models[i];
    return default_model(models, count);
}

int api_a1111_get_options(struct request *r, struct response *w, struct err *e)
{
    struct provider_model *models;
    const char *name;
    size_t count;
    int rc;

    if ((rc = a1111_recall(r, A1111_MODEL, &name, e)) ||
        (rc = provider_models(app_of(r)->provider, request_arena(r), &models, &count, e)))
        return rc;
    const struct provider_model *m = chosen_model(name, models, count);
    const char *title = m ? a1111_title(m, request_arena(r)) : NULL;
    return respond_json(w, 200,
                        json_pack("{s:o, s:o, s:s, s:s, s:i, s:s, s:i, s:b, s:b, s:b}",
                                  "sd_model_checkpoint", json_text_or_null(title),
                                  "sd_checkpoint_hash", json_text_or_null(m ? m->digest : NULL),
                                  "sd_vae", "Automatic", "samples_format", "png",
                                  "CLIP_stop_at_last_layers", 1, "randn_source", "CPU",
                                  "eta_noise_seed_delta", 0, "samples_save", true, "return_grid",
                                  false, "live_previews_enable", true));
}

int api_a1111_set_options(struct request *r, struct response *w, struct err *e)
{
    const char *wanted = json_text(request_json(r), "sd_model_checkpoint", NULL);
    struct provider_model *models;
    size_t count;
    int rc;

    if (!wanted)
        return respond_json(w, 200, json_null());
    if ((rc = provider_models(app_of(r)->provider, request_arena(r), &models, &count, e)))
        return rc;
    const char *name = a1111_model(r, wanted);
    for (size_t i = 0; i < count; i++)
        if (strcmp(models[i].name, name) == 0) {
            rc = a1111_remember(r, A1111_MODEL, name, e);
            return rc ? rc : respond_json(w, 200, json_null());
        }
    struct err missing;
    ERR(&missing, ERR_NOT_FOUND, "there is no model '%.200s'; /sdapi/v1/sd-models lists them",
        wanted);
    answer_model_missing(r, w, &missing);
    return 0;
}
