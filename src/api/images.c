/* images.c: GET /api/v1/generations/{id}/image and .../thumbnail. */
#include "api/app.h"
#include "api/generation_json.h"
#include "api/pictures.h"
#include "base/json.h"

#include "api/api_routes.h"

#include <stdio.h>

/* No picture: why. */
static int answer_none(struct response *w, const struct generation *g)
{
    const char *status = generation_status_name(g->status);

    if (g->status == GENERATION_CANCELLED)
        respond_problem(w, 410, "cancelled", "generation %s was cancelled before it was drawn",
                        g->id);
    else
        respond_problem(w, 404, "no_picture", "generation %s has no picture: it is %s", g->id,
                        status);
    problem_add(w, "generation_status", json_string(status));
    return 0;
}

static int answer_picture(struct request *r, struct response *w, const struct generation *g,
                          const struct picture_form *form, bool download, struct err *e)
{
    enum image_format stored = IMAGE_PNG;
    char name[PICTURE_NAME], etag[PICTURE_NAME + 2], file[96], disposition[160];
    int fd, rc;

    picture_name(g->sha256, form, name);
    snprintf(etag, sizeof etag, "\"%s\"", name);
    bool as_stored = form->format == IMAGE_UNKNOWN && !form->width && !form->longest;
    if (respond_not_modified(r, w, etag, PICTURE_AGE, as_stored ? (uint64_t)g->bytes : 0))
        return 0;
    if ((rc = picture_open(app_of(r), g->sha256, form, &fd, e)))
        return rc;
    picture_format_by_name(g->format, &stored);
    enum image_format format = form->format == IMAGE_UNKNOWN ? stored : form->format;
    picture_file_name(g, format, file, sizeof file);
    snprintf(disposition, sizeof disposition, "%s; filename=\"%s\"",
             download ? "attachment" : "inline", file);
    respond_header(w, "Content-Disposition", disposition);
    return respond_file(w, fd, picture_type(format), etag, PICTURE_AGE);
}

int api_get_generation_image(struct request *r, struct response *w, struct err *e)
{
    const json_t *query = request_query(r);
    struct picture_form form = {.width = (int)json_int(query, "width", 0),
                                .quality = (int)json_int(query, "quality", PICTURE_QUALITY)};
    enum image_format stored = IMAGE_PNG;
    struct generation g;
    int rc;

    if ((rc = generation_read(r, request_param(r, "id"), &g, e)))
        return rc;
    if (!g.sha256)
        return answer_none(w, &g);
    picture_format_by_name(g.format, &stored);
    picture_format_by_name(json_text(query, "format", NULL), &form.format);
    if (form.width == g.width)
        form.width = 0;
    if (form.format == stored && !form.width)
        form.format = IMAGE_UNKNOWN;
    else if (form.format == IMAGE_UNKNOWN && form.width)
        form.format = stored;
    return answer_picture(r, w, &g, &form, json_flag(query, "download", false), e);
}

int api_get_generation_thumbnail(struct request *r, struct response *w, struct err *e)
{
    struct picture_form form = {.format = IMAGE_WEBP,
                                .longest = (int)json_int(request_query(r), "size", 256),
                                .quality = PICTURE_QUALITY};
    struct generation g;
    int rc;

    if ((rc = generation_read(r, request_param(r, "id"), &g, e)))
        return rc;
    if (!g.sha256)
        return answer_none(w, &g);
    return answer_picture(r, w, &g, &form, false, e);
}
