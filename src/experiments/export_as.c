#include "base/json.h"
#include "experiments/export.h"

#include <string.h>

static int sheet(const struct export_source *s, struct buf *out, struct err *e)
{
    struct image picture;

    if (export_sheet(s, NULL, &picture, e))
        return e->code;
    int rc = image_encode(&picture, image_encoding_default(IMAGE_PNG), NULL, out, e);
    image_release(&picture);
    return rc;
}

static int json(const struct export_source *s, struct buf *out, struct err *e)
{
    json_t *value = export_json(s);
    struct arena a = {0};
    const char *text = json_compact(value, &a);
    int rc = buf_add(out, text, strlen(text)) ? ERR(e, ERR_NOMEM, "the export is too large") : 0;

    arena_release(&a);
    json_decref(value);
    return rc;
}

static int html(const struct export_source *s, struct buf *out, struct err *e)
{
    return export_html(s, NULL, out, e);
}

static const struct {
    const char *name;
    int (*write)(const struct export_source *s, struct buf *out, struct err *e);
} formats[] = {{"csv", export_csv}, {"json", json}, {"png", sheet}, {"html", html}};

int export_as(const struct export_source *s, const char *format, struct buf *out, struct err *e)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(formats[i].name, format) == 0)
            return formats[i].write(s, out, e);
    return ERR(e, ERR_ARG, "an experiment is exported as csv, json, png or html, not '%s'", format);
}
