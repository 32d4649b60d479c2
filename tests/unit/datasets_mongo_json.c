#include "datasets/mongo_json.h"

#include "base/json.h"
#include "test.h"

static struct err e;

static json_t *read_json(const char *text)
{
    json_t *value;

    assert_int_equal(json_read(str_from(text), &value, &e), 0);
    return value;
}

static void check_plain(const char *extended, const char *plain)
{
    json_t *in = read_json(extended), *expected = read_json(plain), *out;
    bson_t *bson = bson_from_extended(in, &e);
    const char *problem;

    assert_non_null(bson);
    out = json_from_bson(bson, &problem);
    assert_non_null(out);
    assert_true(json_equal(out, expected));
    bson_destroy(bson);
    json_decref(in);
    json_decref(out);
    json_decref(expected);
}

static void extended_json_becomes_plain(void **state)
{
    (void)state;
    check_plain("{\"a\": {\"$oid\": \"0123456789abcdef01234567\"}}",
                "{\"a\": \"0123456789abcdef01234567\"}");
    check_plain("{\"a\": {\"$date\": \"2026-11-22T01:02:03.5Z\"}}",
                "{\"a\": \"2026-11-22T01:02:03.500Z\"}");
    check_plain("{\"a\": {\"$numberLong\": \"9223372036854775807\"}}",
                "{\"a\": 9223372036854775807}");
    check_plain("{\"a\": {\"$numberDecimal\": \"1.50\"}}", "{\"a\": \"1.50\"}");
    check_plain("{\"a\": {\"$numberDouble\": \"NaN\"}}", "{\"a\": \"NaN\"}");
    check_plain("{\"a\": {\"$binary\": {\"base64\": \"AAEC\", \"subType\": \"00\"}}}",
                "{\"a\": \"AAEC\"}");
    check_plain("{\"a\": {\"$binary\": {\"base64\": \"\", \"subType\": \"00\"}}}", "{\"a\": \"\"}");
    check_plain("{\"a\": [1, 2.5, null, true, {\"b\": []}]}",
                "{\"a\": [1, 2.5, null, true, {\"b\": []}]}");
    check_plain("{\"a\": {\"$maxKey\": 1}}", "{\"a\": {\"$maxKey\": 1}}");
}

static void nonsense_is_refused(void **state)
{
    json_t *in = read_json("{\"a\": {\"$oid\": \"x\"}}");
    (void)state;

    assert_null(bson_from_extended(in, &e));
    assert_int_equal(e.code, ERR_ARG);
    json_decref(in);
}

static void what_is_written_back_means_nothing_special(void **state)
{
    json_t *in = read_json("{\"a\": {\"$oid\": \"x\", \"b.c\": {\"$date\": 5}}, \"n\": 2147483648,"
                           " \"d\": [{\"$date\": \"2026-01-01T00:00:00Z\"}], \"r\": 0.5}");
    bson_t *bson = bson_from_plain(in, NULL);
    char *text = bson_as_canonical_extended_json(bson, NULL);
    (void)state;

    assert_string_equal(text,
                        "{ \"a\" : { \"$oid\" : \"x\", \"b.c\" : { \"$date\" : { \"$numberInt\" "
                        ": \"5\" } } }, \"n\" : { \"$numberLong\" : \"2147483648\" }, \"d\" : [ "
                        "{ \"$date\" : { \"$numberLong\" : \"1767225600000\" } } ], \"r\" : { "
                        "\"$numberDouble\" : \"0.5\" } }");
    bson_free(text);
    bson_destroy(bson);
    json_decref(in);
}

/* {"a": {"a": ... }} */
static bson_t *nested(int depth)
{
    bson_t *inner = bson_new();

    while (depth--) {
        bson_t *outer = bson_new();
        BSON_APPEND_DOCUMENT(outer, "a", inner);
        bson_destroy(inner);
        inner = outer;
    }
    return inner;
}

static void depth_is_bounded(void **state)
{
    const char *problem;
    bson_t *deep = nested(99), *deeper = nested(100), *far = nested(20000);
    json_t *value = json_from_bson(deep, &problem);
    (void)state;

    assert_non_null(value);
    json_decref(value);
    assert_null(json_from_bson(deeper, &problem));
    assert_string_equal(problem, "it is nested too deeply, or broken");
    assert_null(json_from_bson(far, &problem));
    bson_destroy(deep);
    bson_destroy(deeper);
    bson_destroy(far);
}

static void texts_that_are_none_are_problems(void **state)
{
    bson_t bad = BSON_INITIALIZER, name = BSON_INITIALIZER, nul = BSON_INITIALIZER;
    const bson_t *all[] = {&bad, &name, &nul};
    const char *problem;
    (void)state;

    bson_append_utf8(&bad, "a", 1, "\xff", 1);
    bson_append_int32(&name, "\xff", 1, 1);
    bson_append_utf8(&nul, "a", 1, "x\0y", 3);
    for (size_t i = 0; i < 3; i++) {
        assert_null(json_from_bson(all[i], &problem));
        assert_non_null(problem);
    }
    bson_destroy(&bad);
    bson_destroy(&name);
    bson_destroy(&nul);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extended_json_becomes_plain),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(what_is_written_back_means_nothing_special),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(texts_that_are_none_are_problems),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
