/* order_picture.c: pictures that come inside requests. */
#include "api/access.h"
#include "api/app.h"
#include "api/order.h"
#include "base/json.h"

#include <string.h>

int order_picture(struct request *r, const char *text, char sha256[65], struct err *e)
{
    return submit_picture_text(app_of(r)->submitter, text, access_filter(r), sha256, e);
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
