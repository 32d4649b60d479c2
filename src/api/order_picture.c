/* order_picture.c: pictures that come inside requests. */
#include "api/generation_json.h"
#include "api/order.h"
#include "base/json.h"

#include <sodium.h>
#include <string.h>

/* "data:image/png;base64,": the part behind the comma. */
static int skip_data_url(struct str *text, struct err *e)
{
    if (!str_starts(*text, "data:"))
        return 0;
    const char *comma = memchr(text->p, ',', text->n < 256 ? text->n : 256);
    if (!comma || !str_ends((struct str){text->p, (size_t)(comma - text->p)}, ";base64"))
        return ERR(e, ERR_ARG, "a data URL must be like data:image/png;base64,...");
    text->n -= (size_t)(comma + 1 - text->p);
    text->p = comma + 1;
    return 0;
}

static bool is_filler(char c)
{
    return c == '=' || c == '\n' || c == '\r' || c == ' ';
}

int picture_bytes(struct arena *a, const char *text, struct str *out, struct err *e)
{
    struct str s = str_from(text);
    size_t n = 0;
    int rc;

    if ((rc = skip_data_url(&s, e)))
        return rc;
    while (s.n && is_filler(s.p[s.n - 1]))
        s.n--;
    unsigned char *bytes = arena_try(a, s.n / 4 * 3 + 4, 1);
    if (!bytes)
        return ERR(e, ERR_NOMEM, "no memory for a picture of %zu characters", s.n);
    if (sodium_base642bin(bytes, s.n / 4 * 3 + 4, s.p, s.n, " \r\n", &n, NULL,
                          sodium_base64_VARIANT_ORIGINAL_NO_PADDING))
        return ERR(e, ERR_ARG,
                   "a picture must be a PNG, JPEG or WebP file as base64, or a data URL");
    *out = (struct str){(const char *)bytes, n};
    return 0;
}

static int of_generation(struct request *r, const char *id, char sha256[65], struct err *e)
{
    struct generation g;
    int rc = generation_read(r, id, &g, e);

    if (rc)
        return rc;
    if (!g.sha256)
        return ERR(e, ERR_ARG, "generation %s has no picture: it is %s", id,
                   generation_status_name(g.status));
    memcpy(sha256, g.sha256, 65);
    return 0;
}

int order_picture(struct request *r, const char *text, char sha256[65], struct err *e)
{
    struct str bytes;
    int rc;

    if (uuid_valid(str_from(text)))
        return of_generation(r, text, sha256, e);
    if ((rc = picture_bytes(request_arena(r), text, &bytes, e)))
        return rc;
    return submit_picture(app_of(r)->submitter, bytes, sha256, e);
}

int order_take_picture(struct request *r, struct response *w, json_t *parameters, const char *name,
                       const char *pointer, struct err *e)
{
    const char *text = json_text(parameters, name, NULL);
    char sha256[65];
    int rc;

    if (!text)
        return 0;
    rc = order_picture(r, text, sha256, e);
    if (rc == ERR_ARG || rc == ERR_FORMAT || rc == ERR_UNSUPPORTED || rc == ERR_NOT_FOUND) {
        respond_problem(w, 422, "invalid", "%s: %s", pointer, e->message);
        problem_field(w, pointer,
                      "a PNG, JPEG or WebP file as base64 or data URL, or the id of a generation "
                      "that has a picture");
        return 1;
    }
    if (rc)
        return rc;
    json_object_set_new(parameters, name, json_string(sha256));
    return 0;
}
