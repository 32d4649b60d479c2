#include "server/shape.h"

#include "base/json.h"

/* "/override_settings/sd_vae" as ["body", "override_settings", "sd_vae"]; numbers are indices. */
static json_t *location(const char *pointer)
{
    struct str rest = str_from(pointer), part;
    json_t *list = json_array();
    int64_t index;

    json_array_append_new(list, json_string("body"));
    while (str_cut(&rest, '/', &part))
        if (part.n)
            json_array_append_new(list, str_to_i64(part, &index) ? json_integer(index)
                                                                 : json_stringn(part.p, part.n));
    return list;
}

static json_t *fastapi(const json_t *problem)
{
    const json_t *errors = json_object_get(problem, "errors"), *one;
    size_t i;

    if (!json_array_size(errors))
        return json_pack("{s:s}", "detail", json_text(problem, "detail", ""));
    json_t *list = json_array();
    json_array_foreach(errors, i, one)
    {
        json_array_append_new(
            list, json_pack("{s:o, s:s, s:s}", "loc", location(json_text(one, "pointer", "")),
                            "msg", json_text(one, "expected", ""), "type", "value_error"));
    }
    return json_pack("{s:o}", "detail", list);
}

static const char *openai_type(int64_t status)
{
    switch (status) {
    case 401:
        return "authentication_error";
    case 403:
        return "permission_error";
    case 429:
        return "rate_limit_error";
    default:
        return status < 500 ? "invalid_request_error" : "server_error";
    }
}

static json_t *openai(const json_t *problem)
{
    const json_t *first = json_array_get(json_object_get(problem, "errors"), 0);
    const char *param = json_text(first, "pointer", NULL);

    if (param && param[0] == '/')
        param++;
    json_t *message =
        first ? json_sprintf("%s: %s", param ? param : "the body", json_text(first, "expected", ""))
              : json_string(json_text(problem, "detail", ""));
    return json_pack("{s:{s:o, s:s, s:s?, s:s?}}", "error", "message", message, "type",
                     openai_type(json_int(problem, "status", 500)), "param", param, "code",
                     json_text(problem, "code", NULL));
}

json_t *shape_error(enum error_shape shape, const json_t *problem)
{
    switch (shape) {
    case ERRORS_OPENAI:
        return openai(problem);
    case ERRORS_DETAIL:
        return fastapi(problem);
    case ERRORS_PROBLEM:
        break;
    }
    return NULL;
}
