/* The examples of AWS: the "Signature Version 4 Test Suite" (service "service") and those of
 * "Signature Calculations for the Authorization Header" in the S3 API Reference. */
#include "test.h"

#include "base/sha256.h"
#include "objects/s3_sign.h"
#include "objects/store.h"

enum { HEADERS = 8, PAIRS = 8 };
static const char EMPTY[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

struct example {
    const char *what, *method, *path;
    struct object_pair query[PAIRS], headers[HEADERS];
    const char *body, *signature;
};

static const struct sigv4_key suite_key = {
    "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "service"};
#define SUITE_HEADERS {"Host", "example.amazonaws.com"}, {"X-Amz-Date", "20150830T123600Z"}
static const struct example suite[] = {
    {"get-vanilla",
     "GET",
     "/",
     {{0}},
     {SUITE_HEADERS},
     "",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"post-vanilla",
     "POST",
     "/",
     {{0}},
     {SUITE_HEADERS},
     "",
     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {"get-vanilla-query-order-key-case",
     "GET",
     "/",
     {{"Param2", "value2"}, {"Param1", "value1"}},
     {SUITE_HEADERS},
     "",
     "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
    {"get-vanilla-query-unreserved",
     "GET",
     "/",
     {{"-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
       "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"}},
     {SUITE_HEADERS},
     "",
     "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
    {"get-vanilla-utf8-query",
     "GET",
     "/",
     {{"\341\210\264", "bar"}},
     {SUITE_HEADERS},
     "",
     "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
    {"get-utf8",
     "GET",
     "/\341\210\264",
     {{0}},
     {SUITE_HEADERS},
     "",
     "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
    {"get-header-value-trim",
     "GET",
     "/",
     {{0}},
     {SUITE_HEADERS, {"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}},
     "",
     "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
};

static const struct sigv4_key s3_key = {
    "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1", "s3"};
#define S3_HOST  {"Host", "examplebucket.s3.amazonaws.com"}, {"x-amz-date", "20130524T000000Z"}
#define S3_EMPTY {"x-amz-content-sha256", EMPTY}
static const struct example documented[] = {
    {"GET Object",
     "GET",
     "/test.txt",
     {{0}},
     {S3_HOST, S3_EMPTY, {"Range", "bytes=0-9"}},
     "",
     "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
    {"PUT Object",
     "PUT",
     "/test$file.text",
     {{0}},
     {S3_HOST,
      {"Date", "Fri, 24 May 2013 00:00:00 GMT"},
      {"x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"},
      {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
     "Welcome to Amazon S3.",
     "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
    {"GET Bucket Lifecycle",
     "GET",
     "/",
     {{"lifecycle", ""}},
     {S3_HOST, S3_EMPTY},
     "",
     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
    {"Get Bucket (List Objects)",
     "GET",
     "/",
     {{"prefix", "J"}, {"max-keys", "2"}},
     {S3_HOST, S3_EMPTY},
     "",
     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
};

static void check(const struct sigv4_key *key, const struct example *x, const char *date)
{
    struct arena a = {0};
    char payload[65];
    size_t pairs = 0, headers = 0;

    while (pairs < PAIRS && x->query[pairs].name)
        pairs++;
    while (headers < HEADERS && x->headers[headers].name)
        headers++;
    sha256_hex(x->body, strlen(x->body), payload);
    struct sigv4_request r = {.method = x->method,
                              .path = store_percent(&a, x->path, "/"),
                              .query = sigv4_query(x->query, pairs, &a),
                              .headers = x->headers,
                              .header_count = headers,
                              .payload = payload};
    const char *line = sigv4_authorization(key, &r, date, &a);
    const char *signature = strstr(line, "Signature=");
    if (!signature || strcmp(signature + 10, x->signature) != 0)
        fail_msg("%s: %s", x->what, line);
    arena_release(&a);
}

static void the_test_suite(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof suite / sizeof *suite; i++)
        check(&suite_key, &suite[i], "20150830T123600Z");
}

static void the_documentation_of_s3(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof documented / sizeof *documented; i++)
        check(&s3_key, &documented[i], "20130524T000000Z");
}

static void the_whole_line(void **state)
{
    struct arena a = {0};
    struct sigv4_request r = {.method = "GET",
                              .path = "/",
                              .query = "",
                              .headers = suite[0].headers,
                              .header_count = 2,
                              .payload = EMPTY};

    (void)state;
    assert_string_equal(sigv4_authorization(&suite_key, &r, "20150830T123600Z", &a),
                        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/"
                        "aws4_request, SignedHeaders=host;x-amz-date, Signature="
                        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
    arena_release(&a);
}

static void dates_and_queries(void **state)
{
    struct arena a = {0};
    const struct object_pair pairs[] = {{"b", "x y"}, {"a/c", "\xc3\xa4"}, {"a", ""}, {"a", "&="}};
    char date[SIGV4_DATE];

    (void)state;
    sigv4_date(1369353600000, date);
    assert_string_equal(date, "20130524T000000Z");
    sigv4_date(1440938160999, date);
    assert_string_equal(date, "20150830T123600Z");
    assert_string_equal(sigv4_query(pairs, 4, &a), "a=&a=%26%3D&a%2Fc=%C3%A4&b=x%20y");
    assert_string_equal(sigv4_query(NULL, 0, &a), "");
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_test_suite),
        cmocka_unit_test(the_documentation_of_s3),
        cmocka_unit_test(the_whole_line),
        cmocka_unit_test(dates_and_queries),
    };
    return cmocka_run_group_tests_name("objects_s3_sign", tests, NULL, NULL);
}
