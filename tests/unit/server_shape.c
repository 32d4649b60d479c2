#include "server/shape.h"

#include "test.h"

static const char invalid[] =
    "{\"type\":\"/docs#problem-invalid\",\"status\":422,\"code\":\"invalid\",\"detail\":\"2 "
    "parts\",\"errors\":[{\"pointer\":\"/override_settings/0/sd_vae\",\"expected\":\"Automatic\"},"
    "{\"pointer\":\"\",\"expected\":\"an object\"}]}";
static const char missing[] = "{\"status\":404,\"code\":\"not_found\",\"detail\":\"no model\"}";

static void expect(enum error_shape shape, const char *problem, const char *want)
{
    json_t *p = json_loads(problem, 0, NULL), *w = json_loads(want, 0, NULL);
    json_t *got = shape_error(shape, p);

    assert_non_null(p);
    assert_non_null(w);
    assert_non_null(got);
    assert_true(json_equal(got, w));
    json_decref(got);
    json_decref(w);
    json_decref(p);
}

static void as_fastapi(void **state)
{
    (void)state;
    expect(ERRORS_DETAIL, missing, "{\"detail\":\"no model\"}");
    expect(ERRORS_DETAIL, invalid,
           "{\"detail\":[{\"loc\":[\"body\",\"override_settings\",0,\"sd_vae\"],\"msg\":"
           "\"Automatic\",\"type\":\"value_error\"},{\"loc\":[\"body\"],\"msg\":\"an "
           "object\",\"type\":\"value_error\"}]}");
}

static void as_openai(void **state)
{
    (void)state;
    expect(ERRORS_OPENAI, missing,
           "{\"error\":{\"message\":\"no model\",\"type\":\"invalid_request_error\",\"param\":null,"
           "\"code\":\"not_found\"}}");
    expect(ERRORS_OPENAI, invalid,
           "{\"error\":{\"message\":\"override_settings/0/sd_vae: Automatic\",\"type\":"
           "\"invalid_request_error\",\"param\":\"override_settings/0/sd_vae\",\"code\":"
           "\"invalid\"}}");
    expect(ERRORS_OPENAI, "{\"status\":401}",
           "{\"error\":{\"message\":\"\",\"type\":\"authentication_error\",\"param\":null,\"code\":"
           "null}}");
    expect(ERRORS_OPENAI, "{\"status\":503,\"detail\":\"busy\"}",
           "{\"error\":{\"message\":\"busy\",\"type\":\"server_error\",\"param\":null,\"code\":"
           "null}}");
}

static void problems_stay(void **state)
{
    json_t *p = json_loads(missing, 0, NULL);
    (void)state;

    assert_null(shape_error(ERRORS_PROBLEM, p));
    json_decref(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_fastapi),
        cmocka_unit_test(as_openai),
        cmocka_unit_test(problems_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
