#include "datasets/mongo_client.h"

#include "test.h"

static enum err_code code_of(uint32_t domain, uint32_t code)
{
    bson_error_t error;

    bson_set_error(&error, domain, code, "x");
    return mongo_code(&error);
}

static void a_server_that_is_away_is_worth_another_try(void **state)
{
    (void)state;
    assert_int_equal(code_of(MONGOC_ERROR_SERVER_SELECTION, MONGOC_ERROR_SERVER_SELECTION_FAILURE),
                     ERR_NETWORK);
    assert_int_equal(code_of(MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_SOCKET), ERR_NETWORK);
    assert_int_equal(code_of(MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_NAME_RESOLUTION),
                     ERR_NETWORK);
    assert_int_equal(code_of(MONGOC_ERROR_PROTOCOL, MONGOC_ERROR_PROTOCOL_INVALID_REPLY),
                     ERR_NETWORK);
    assert_int_equal(code_of(MONGOC_ERROR_WRITE_CONCERN, 64), ERR_NETWORK);
    assert_int_equal(code_of(MONGOC_ERROR_SERVER, 10107), ERR_NETWORK); /* not primary */
    assert_int_equal(code_of(MONGOC_ERROR_SERVER, 91), ERR_NETWORK);    /* it is shutting down */
    assert_int_equal(code_of(MONGOC_ERROR_SERVER, 50), ERR_NETWORK);    /* out of time */
}

static void a_login_that_is_refused_is_not(void **state)
{
    (void)state;
    assert_int_equal(code_of(MONGOC_ERROR_CLIENT, MONGOC_ERROR_CLIENT_AUTHENTICATE), ERR_DENIED);
    assert_int_equal(code_of(MONGOC_ERROR_SCRAM, 1), ERR_DENIED);
    assert_int_equal(code_of(MONGOC_ERROR_SERVER, 13), ERR_DENIED); /* Unauthorized */
    assert_int_equal(code_of(MONGOC_ERROR_SERVER, 18), ERR_DENIED); /* AuthenticationFailed */
}

static void a_question_that_makes_no_sense_is_the_callers(void **state)
{
    (void)state;
    assert_int_equal(code_of(MONGOC_ERROR_SERVER, 2), ERR_ARG);     /* BadValue */
    assert_int_equal(code_of(MONGOC_ERROR_SERVER, 9), ERR_ARG);     /* FailedToParse */
    assert_int_equal(code_of(MONGOC_ERROR_SERVER, 121), ERR_ARG);   /* validation */
    assert_int_equal(code_of(MONGOC_ERROR_SERVER, 10334), ERR_ARG); /* too large */
    assert_int_equal(code_of(MONGOC_ERROR_BSON, MONGOC_ERROR_BSON_INVALID), ERR_ARG);
    assert_int_equal(code_of(MONGOC_ERROR_SERVER, 8888888), ERR_IO);
}

static void texts_of_documents(void **state)
{
    static const char *const fields[] = {"a", "a.b", "a.0.b", "é"}, *const no_fields[] = {
                                                                        "",     ".",  "a.",  ".a",
                                                                        "a..b", "$a", "a.$b"};
    json_t *text;
    (void)state;

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        text = json_string(fields[i]);
        assert_true(is_field_path(text, NULL));
        json_decref(text);
    }
    for (size_t i = 0; i < sizeof no_fields / sizeof *no_fields; i++) {
        text = json_string(no_fields[i]);
        assert_false(is_field_path(text, NULL));
        json_decref(text);
    }
}

static void uris_are_for_those_who_are_trusted(void **state)
{
    const struct dataset_access outside = {.inside = false}, inside = {.inside = true};
    json_t *uri = json_string("mongodb+srv://user:word@db.example.org/?tls=true"),
           *other = json_string("https://db.example.org");
    (void)state;

    assert_true(is_mongo_uri(uri, NULL));
    assert_true(is_mongo_uri(uri, &outside));
    assert_false(is_mongo_uri(uri, &inside));
    assert_false(is_mongo_uri(other, &outside));
    json_decref(uri);
    json_decref(other);
}

static void passwords_stay_out_of_messages(void **state)
{
    struct mongo m = {.hosts = (char *)(uintptr_t)"h:1", .password = (char *)(uintptr_t)"word"};
    bson_error_t error;
    struct err e;
    (void)state;

    bson_set_error(&error, MONGOC_ERROR_SERVER, 18, "no user with word, word");
    assert_int_equal(mongo_failed(&m, &error, "cannot read", &e), ERR_DENIED);
    assert_string_equal(e.message, "cannot read: MongoDB at h:1: no user with ****, ****");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_that_is_away_is_worth_another_try),
        cmocka_unit_test(a_login_that_is_refused_is_not),
        cmocka_unit_test(a_question_that_makes_no_sense_is_the_callers),
        cmocka_unit_test(texts_of_documents),
        cmocka_unit_test(uris_are_for_those_who_are_trusted),
        cmocka_unit_test(passwords_stay_out_of_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
