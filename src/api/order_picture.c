/* order_picture.c: pictures that come inside requests. */
#include "api/access.h"
#include "api/app.h"
#include "api/order.h"
#include "base/json.h"

#include <string.h>

int order_take_picture(struct request *r, struct response *w, json_t *parameters, const char *name,
                       const char *pointer, struct err *e)
{
    int rc = submit_picture_parameter(app_of(r)->submitter, parameters, name, access_filter(r), e);

    if (rc == ERR_ARG || rc == ERR_FORMAT || rc == ERR_UNSUPPORTED || rc == ERR_NOT_FOUND) {
        respond_problem(w, 422, "invalid", "%s", e->message);
        problem_field(w, pointer,
                      "a PNG, JPEG or WebP file as base64 or data URL, or the id of a generation "
                      "that has a picture");
        return 1;
    }
    return rc;
}
