/* src/engine/weights/safetensors.c: hostile headers are refused by name, honest ones are read. */
#include "weights_files.h"

#include <dirent.h>

enum { ROOM = 1 << 16 };

/* header + data as a file in memory; n gets its length. */
static unsigned char *file_of(const char *header, const void *data, size_t data_n, size_t *n)
{
    size_t length = strlen(header);
    unsigned char *p = malloc(8 + length + data_n + 16);

    for (int i = 0; i < 8; i++)
        p[i] = (unsigned char)(length >> (8 * i));
    memcpy(p + 8, header, length);
    if (data_n)
        memcpy(p + 8 + length, data, data_n);
    *n = 8 + length + data_n;
    return p;
}

static int parse(struct arena *a, const char *header, size_t data_n, struct safetensors *out,
                 struct err *e)
{
    static unsigned char data[ROOM];
    size_t n;
    unsigned char *p = file_of(header, data, data_n, &n);
    int rc = safetensors_parse(a, "x.safetensors", p, n, out, e);

    free(p); /* results must not be used */
    return rc;
}

#define F32(name, shape, offsets)                                                                  \
    "\"" name "\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static void broken_headers_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t data;
        int code;
        const char *mention;
    } cases[] = {
        /* JSON */
        {"", 0, ERR_FORMAT, "expected '{'"},
        {"[]", 0, ERR_FORMAT, "expected '{'"},
        {"{", 0, ERR_FORMAT, "expected a string"},
        {"{} x", 0, ERR_FORMAT, "text after the end"},
        {"{" F32("a", "[1]", "[0,4]") ",}", 4, ERR_FORMAT, "expected a string"},
        {"{" F32("a", "[1]", "[0,4]"), 4, ERR_FORMAT, "expected ',' or '}'"},
        {"{\"a", 0, ERR_FORMAT, "without an end"},
        {"{\"a\\", 0, ERR_FORMAT, "without an end"},
        {"{\"a\\q\":{}}", 0, ERR_FORMAT, "unknown escape"},
        {"{\"\\u12\":{}}", 0, ERR_FORMAT, "\\u escape"},
        {"{\"\\ud800\":{}}", 0, ERR_FORMAT, "surrogate"},
        {"{\"\\u0000\":{}}", 0, ERR_FORMAT, "no name may hold"},
        {"{\"\xff\":{}}", 0, ERR_FORMAT, "not UTF-8"},
        {"{\"a\nb\":{}}", 0, ERR_FORMAT, "control character"},
        {"{\"a\":7}", 0, ERR_FORMAT, "description of a tensor"},
        {"{\"a\":{}}", 0, ERR_FORMAT, "expected a string"},
        {"{\"a\":{\"dtype\":\"F32\"}}", 0, ERR_FORMAT, "without dtype, shape"},
        {"{\"a\":{\"colour\":\"F32\"}}", 0, ERR_FORMAT, "unknown field"},
        {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", 0, ERR_FORMAT, "twice"},
        {"{\"__metadata__\":[]}", 0, ERR_FORMAT, "__metadata__"},
        {"{\"__metadata__\":{\"a\":1}}", 0, ERR_FORMAT, "expected a string"},
        /* shapes and dtypes */
        {"{" F32("a", "[-1]", "[0,4]") "}", 4, ERR_FORMAT, "non-negative"},
        {"{" F32("a", "[1.5]", "[0,4]") "}", 4, ERR_FORMAT, "shape"},
        {"{" F32("a", "[01]", "[0,4]") "}", 4, ERR_FORMAT, "non-negative"},
        {"{" F32("a", "[1", "[0,4]") "}", 4, ERR_FORMAT, "integer"},
        {"{" F32("a", "[99999999999999999999]", "[0,4]") "}", 4, ERR_FORMAT, "too large"},
        {"{" F32("a", "[4611686018427387904,4]", "[0,4]") "}", 4, ERR_FORMAT, "'a' is too large"},
        {"{" F32("a", "[9223372036854775807]", "[0,4]") "}", 4, ERR_FORMAT, "'a' is too large"},
        {"{" F32("a", "[1,1,1,1,1,1]", "[0,4]") "}", 4, ERR_FORMAT, "more than 5 dimensions"},
        {"{\"w8\":{\"dtype\":\"F8_E4M3\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4,
         ERR_UNSUPPORTED, "'w8' has dtype F8_E4M3"},
        {"{\"w8\":{\"dtype\":\"\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4, ERR_UNSUPPORTED,
         "'w8' has dtype"},
        /* offsets */
        {"{" F32("a", "[1]", "[0,8]") "}", 8, ERR_FORMAT, "needs 4 bytes"},
        {"{" F32("a", "[2]", "[0,4]") "}", 4, ERR_FORMAT, "needs 8 bytes"},
        {"{" F32("a", "[1]", "[4,0]") "}", 4, ERR_FORMAT, "data_offsets are 4 to 0"},
        {"{" F32("a", "[1]", "[0]") "}", 4, ERR_FORMAT, "two data_offsets"},
        {"{" F32("a", "[1]", "[0,4,8]") "}", 4, ERR_FORMAT, "two data_offsets"},
        {"{" F32("a", "[2]", "[0,8]") "}", 4, ERR_FORMAT, "'a' ends at byte 8 of 4"},
        {"{" F32("a", "[1]", "[9223372036854775800,9223372036854775804]") "}", 4, ERR_FORMAT,
         "'a' ends at byte"},
        {"{" F32("a", "[1]", "[4,8]") "}", 8, ERR_FORMAT, "'a' is preceded by unused bytes"},
        {"{" F32("a", "[1]", "[0,4]") "," F32("b", "[1]", "[8,12]") "}", 12, ERR_FORMAT,
         "'b' is preceded by unused bytes"},
        {"{" F32("a", "[2]", "[0,8]") "," F32("b", "[1]", "[4,8]") "}", 8, ERR_FORMAT,
         "'b' overlaps"},
        {"{" F32("a", "[1]", "[0,4]") "," F32("b", "[1]", "[0,4]") "}", 4, ERR_FORMAT, "overlaps"},
        {"{" F32("a", "[1]", "[0,4]") "}", 5, ERR_FORMAT, "1 bytes after the last tensor"},
        {"{}", 1, ERR_FORMAT, "after the last tensor"},
        {"{" F32("a", "[1]", "[0,4]") "," F32("a", "[1]", "[4,8]") "}", 8, ERR_FORMAT,
         "'a' is there twice"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena a = {0};
        struct err e = {0};
        struct safetensors file = {.count = 77};
        int rc = parse(&a, cases[i].header, cases[i].data, &file, &e);
        if (rc != cases[i].code)
            fail_msg("case %zu (%s): %d, %s", i, cases[i].header, rc, e.message);
        assert_int_equal(e.code, cases[i].code);
        assert_mentions(e.message, "x.safetensors");
        assert_mentions(e.message, cases[i].mention);
        assert_int_equal(file.count, 77); /* untouched */
        arena_release(&a);
    }
}

static void header_lengths_are_checked(void **state)
{
    (void)state;
    struct arena a = {0};
    struct safetensors file;
    struct err e;
    unsigned char bytes[16] = {0};

    assert_int_equal(safetensors_parse(&a, "x", bytes, 0, &file, &e), ERR_FORMAT);
    assert_mentions(e.message, "too short");
    assert_int_equal(safetensors_parse(&a, "x", bytes, 7, &file, &e), ERR_FORMAT);
    assert_int_equal(safetensors_parse(&a, "x", bytes, 8, &file, &e), ERR_FORMAT);
    bytes[0] = 9;
    assert_int_equal(safetensors_parse(&a, "x", bytes, 16, &file, &e), ERR_FORMAT);
    assert_mentions(e.message, "header should have 9 bytes");
    memset(bytes, 0xff, 8);
    assert_int_equal(safetensors_parse(&a, "x", bytes, 16, &file, &e), ERR_FORMAT);
    memcpy(bytes, "PK\3\4", 4);
    assert_int_equal(safetensors_parse(&a, "x", bytes, 16, &file, &e), ERR_FORMAT);
    assert_mentions(e.message, "pickle");
    arena_release(&a);
}

/* Names, escapes, order, scalars, empty tensors, metadata. */
static void honest_files_are_read(void **state)
{
    (void)state;
    static const char header[] =
        " { \"b\" : {\"shape\":[2,1],\"data_offsets\":[8,16],\"dtype\":\"F32\"},"
        "\"__metadata__\":{\"format\":\"pt\",\"k\":\"\"},"
        "\"sc\\u00e4l\\\"ar\\n\\ud83c\\udf53\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":"
        "[0,8]},\"none\":{\"dtype\":\"U8\",\"shape\":[3,0],\"data_offsets\":[8,8]}}\n  ";
    static const unsigned char data[] = {5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x3f, 0, 0, 0, 0x40};
    struct arena a = {0};
    struct safetensors file;
    struct err e;
    size_t n;
    unsigned char *p = file_of(header, data, sizeof data, &n);

    if (safetensors_parse(&a, "x", p, n, &file, &e))
        fail_msg("%s", e.message);
    assert_int_equal(file.count, 3);
    assert_string_equal(file.tensors[0].name.p, "b");
    assert_int_equal(file.tensors[0].dims, 2);
    assert_int_equal(file.tensors[0].shape[0], 2);
    assert_true(tensor_at(&file.tensors[0], 0) == 1 && tensor_at(&file.tensors[0], 1) == 2);
    assert_string_equal(file.tensors[1].name.p, "sc\xc3\xa4l\"ar\n\xf0\x9f\x8d\x93");
    assert_int_equal(file.tensors[1].dims, 0);
    assert_true(tensor_at(&file.tensors[1], 0) == 5);
    assert_int_equal(tensor_count(&file.tensors[2]), 0);
    assert_true(str_is(safetensors_note(&file, "format"), "pt"));
    assert_non_null(safetensors_note(&file, "k").p);
    assert_null(safetensors_note(&file, "format2").p);
    free(p);
    arena_release(&a);
}

/* The data may begin anywhere: every tensor must be readable as its dtype all the same. */
static void misaligned_tensors_are_copied(void **state)
{
    (void)state;
    double value = 1.25;
    unsigned char data[9] = {7};

    memcpy(data + 1, &value, 8);
    for (int pad = 0; pad < 16; pad++) {
        char header[256];
        struct arena a = {0};
        struct safetensors file;
        struct err e;
        size_t n;
        snprintf(header, sizeof header,
                 "{\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
                 "\"d\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[1,9]}}%*s",
                 pad, "");
        unsigned char *p = file_of(header, data, sizeof data, &n);
        assert_int_equal(safetensors_parse(&a, "x", p, n, &file, &e), 0);
        assert_int_equal((uintptr_t)file.tensors[1].data % 8, 0);
        assert_true(*(const double *)file.tensors[1].data == 1.25);
        assert_int_equal(*(const uint8_t *)file.tensors[0].data, 7);
        free(p);
        arena_release(&a);
    }
}

static void files_are_written_and_read_back(void **state)
{
    (void)state;
    char *dir = folder_new();
    static const float floats[] = {1, 2, 3, 4, 5, 6};
    static const uint8_t bytes[] = {9, 8, 7};
    static const int64_t wide[] = {-1};
    const struct tensor list[] = {
        {STR("bytes"), DTYPE_U8, 1, {3}, bytes},
        {STR("fl\"o\xc3\xa4ts"), DTYPE_F32, 2, {2, 3}, floats},
        {STR("wide"), DTYPE_I64, 0, {0}, wide},
        {STR("none"), DTYPE_F16, 2, {0, 4}, floats},
    };
    const struct safetensors_note notes[] = {{STR("prompt"), STR("a \"cat\"")}};
    struct safetensors file;
    struct arena a = {0};
    struct err e;
    const char *path = folder_path(dir, "t.safetensors");

    assert_int_equal(safetensors_write(path, list, 4, notes, 1, &e), 0);
    if (safetensors_open(&a, path, &file, &e))
        fail_msg("%s", e.message);
    assert_int_equal(file.count, 4);
    assert_true(str_is(safetensors_note(&file, "prompt"), "a \"cat\""));
    int seen = 0;
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 4; k++) {
            const struct tensor *got = &file.tensors[i];
            if (!str_eq(got->name, list[k].name))
                continue;
            seen++;
            assert_int_equal(got->dtype, list[k].dtype);
            assert_int_equal(got->dims, list[k].dims);
            assert_memory_equal(got->shape, list[k].shape, sizeof(int64_t) * (size_t)got->dims);
            size_t n = (size_t)tensor_count(got) * (size_t)dtype_size(got->dtype);
            if (n)
                assert_memory_equal(got->data, list[k].data, n);
            /* Aligned in the file itself: nothing had to be copied. */
            const unsigned char *at = got->data;
            assert_true(at >= file.map.p && at <= file.map.p + file.map.n);
        }
    assert_int_equal(seen, 4);
    safetensors_close(&file);
    arena_release(&a);
    folder_free(dir);
}

static void failed_writes_leave_nothing(void **state)
{
    (void)state;
    char *dir = folder_new();
    static const float one = 1;
    const struct tensor good = {STR("a"), DTYPE_F32, 0, {0}, &one}, nameless = {.data = &one},
                        numberless = {.name = STR("a")},
                        garbled = {STR("\xff"), DTYPE_F32, 0, {0}, &one};
    struct err e;
    const char *path = folder_path(dir, "t.safetensors");

    assert_int_equal(safetensors_write(path, &nameless, 1, NULL, 0, &e), ERR_ARG);
    assert_int_equal(safetensors_write(path, &numberless, 1, NULL, 0, &e), ERR_ARG);
    assert_int_equal(safetensors_write(path, &garbled, 1, NULL, 0, &e), ERR_ARG);
    assert_mentions(e.message, "UTF-8");
    assert_int_equal(safetensors_write("/nowhere/t.safetensors", &good, 1, NULL, 0, &e), ERR_IO);
    DIR *d = opendir(dir);
    for (const struct dirent *entry; (entry = readdir(d));)
        assert_true(entry->d_name[0] == '.');
    closedir(d);
    folder_free(dir);
}

static void missing_files_are_not_found(void **state)
{
    (void)state;
    struct arena a = {0};
    struct safetensors file;
    struct err e;

    assert_int_equal(safetensors_open(&a, "/nowhere/x.safetensors", &file, &e), ERR_NOT_FOUND);
    assert_int_equal(safetensors_open(&a, "/tmp", &file, &e), ERR_IO);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_headers_are_refused_by_name),
        cmocka_unit_test(header_lengths_are_checked),
        cmocka_unit_test(honest_files_are_read),
        cmocka_unit_test(misaligned_tensors_are_copied),
        cmocka_unit_test(files_are_written_and_read_back),
        cmocka_unit_test(failed_writes_leave_nothing),
        cmocka_unit_test(missing_files_are_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
