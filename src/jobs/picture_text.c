#include "base/json.h"
#include "jobs/submit.h"

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

/* A generation that the one who asks may look at, and that has a picture. */
static int of_generation(struct submitter *s, const char *id, const char *owner,
                         struct sent_picture *out, struct err *e)
{
    struct arena a = {0};
    struct generation g;
    struct tx *tx;
    int rc = tx_begin(s->db, TX_READ, &tx, e);

    if (rc)
        return rc;
    rc = generations_get(tx, id, &a, &g, e);
    tx_rollback(tx);
    if (rc == 0 && owner && (!g.user_id || strcmp(g.user_id, owner) != 0))
        rc = ERR(e, ERR_NOT_FOUND, "no generation %s", id);
    if (rc == 0 && !g.sha256)
        rc = ERR(e, ERR_ARG, "generation %s has no picture: it is %s", id,
                 generation_status_name(g.status));
    if (rc == 0) {
        memcpy(out->sha256, g.sha256, sizeof out->sha256);
        out->width = g.width;
        out->height = g.height;
    }
    arena_release(&a);
    return rc;
}

int submit_picture_text(struct submitter *s, const char *text, const char *owner,
                        struct sent_picture *out, struct err *e)
{
    struct arena a = {0};
    struct str bytes;
    int rc;

    if (uuid_valid(str_from(text)))
        return of_generation(s, text, owner, out, e);
    rc = picture_bytes(&a, text, &bytes, e);
    if (rc == 0)
        rc = submit_picture(s, bytes, out, e);
    arena_release(&a);
    return rc;
}

int submit_picture_parameter(struct submitter *s, json_t *parameters, const char *name,
                             const char *owner, struct err *e)
{
    const char *text = json_text(parameters, name, NULL);
    struct sent_picture sent;

    if (!text)
        return 0;
    if (submit_picture_text(s, text, owner, &sent, e))
        return err_prefix(e, "%s", name);
    json_object_set_new(parameters, name, json_string(sent.sha256));
    if (strcmp(name, "init_image") == 0) {
        json_object_set_new(parameters, "init_width", json_integer(sent.width));
        json_object_set_new(parameters, "init_height", json_integer(sent.height));
    }
    return 0;
}
