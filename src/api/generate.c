/* generate.c: POST /api/v1/generate. */
#include "api/app.h"
#include "api/generation_json.h"
#include "api/idempotency.h"
#include "api/order.h"
#include "base/json.h"

#include "api/api_routes.h"

#include <stdio.h>
#include <string.h>

enum { WAIT_MAX = 300 };

/* N of "Prefer: wait=N" (RFC 7240), at most WAIT_MAX; -1 without one. */
static int64_t preferred_wait(const struct request *r)
{
    struct str list = str_from(request_header(r, "Prefer")), one, name;
    int64_t seconds;

    while (str_cut(&list, ',', &one)) {
        while (one.n && *one.p == ' ')
            one.p++, one.n--;
        if (!str_cut(&one, '=', &name) || name.n != 4 || strncasecmp(name.p, "wait", 4) != 0)
            continue;
        if (one.n > 1 && one.p[0] == '"' && one.p[one.n - 1] == '"')
            one = (struct str){one.p + 1, one.n - 2};
        if (str_to_i64(one, &seconds) && seconds >= 0)
            return seconds < WAIT_MAX ? seconds : WAIT_MAX;
    }
    return -1;
}

static int answer(struct request *r, struct response *w, struct order *o, struct err *e)
{
    json_t *list = generations_json(o->generations, o->count, o->app->live);
    int64_t wait = preferred_wait(r);
    char applied[32];
    (void)e;

    if (wait >= 0) {
        snprintf(applied, sizeof applied, "wait=%lld", (long long)wait);
        respond_header(w, "Preference-Applied", applied);
    }
    respond_header(w, "Location", json_text(json_array_get(list, 0), "url", ""));
    return respond_json(
        w, wait >= 0 && order_ended(o) ? 201 : 202,
        json_pack("{s:o, s:I}", "generations", list, "total", (json_int_t)o->count));
}

static int place(struct request *r, struct response *w, json_t *parameters, struct order **o,
                 struct err *e)
{
    const json_t *body = request_json(r);
    struct order_wishes what = {.parameters = parameters,
                                .count = (int)json_int(body, "count", 1),
                                .priority = strcmp(json_text(body, "priority", ""), "batch") == 0
                                                ? PRIORITY_BATCH
                                                : PRIORITY_INTERACTIVE,
                                .tags = json_object_get(body, "tags")};
    int rc;

    json_object_del(parameters, "count");
    json_object_del(parameters, "priority");
    json_object_del(parameters, "tags");
    if ((rc = order_take_picture(r, w, parameters, "init_image", "/init_image", e)) ||
        (rc = order_take_picture(r, w, parameters, "mask", "/mask", e)))
        return rc;
    return order_place(r, w, &what, o, e);
}

/* A new order, or the one that a request with the same Idempotency-Key made. */
static int place_once(struct request *r, struct response *w, struct order **out, struct err *e)
{
    const char **ids;
    int rc = idempotency_claim(r, w, &ids, e);

    if (rc)
        return rc;
    if (ids)
        return order_recall(r, ids, out, e);
    json_t *parameters = json_copy(request_json(r));
    rc = place(r, w, parameters, out, e);
    json_decref(parameters);
    if (rc)
        idempotency_drop(r);
    else
        idempotency_keep(r, (*out)->generations, (*out)->count);
    return rc;
}

int api_generate(struct request *r, struct response *w, struct err *e)
{
    struct order *o;
    int rc = place_once(r, w, &o, e);

    if (rc)
        return rc < 0 ? rc : 0;
    int64_t wait = preferred_wait(r);
    return wait > 0 ? order_wait(o, r, w, (double)wait, answer, NULL, e) : answer(r, w, o, e);
}
