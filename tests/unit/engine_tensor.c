/* src/engine/tensor.c: half and bfloat16 by their definition (IEEE 754), every one of them. */
#include "test.h"

#include "engine/tensor.h"

#include <math.h>

static uint32_t bits(float f)
{
    uint32_t b;
    memcpy(&b, &f, sizeof b);
    return b;
}

static float from_bits(uint32_t b)
{
    float f;
    memcpy(&f, &b, sizeof f);
    return f;
}

/* The value of a half in arithmetic. */
static double half(uint16_t h)
{
    int exponent = h >> 10 & 31, mantissa = h & 1023;
    double value = exponent ? ldexp(1024 + mantissa, exponent - 25) : ldexp(mantissa, -24);

    if (exponent == 31)
        value = mantissa ? NAN : INFINITY;
    return h & 0x8000 ? -value : value;
}

static void halves_widen_exactly(void **state)
{
    (void)state;
    for (int h = 0; h < 65536; h++) {
        float got = f32_from_f16((uint16_t)h);
        double want = half((uint16_t)h);
        if (isnan(want))
            assert_true(isnan(got));
        else if ((double)got != want || !signbit(got) != !signbit(want))
            fail_msg("half %04x: %.9g, expected %.17g", h, (double)got, want);
    }
}

static void halves_survive_the_round_trip(void **state)
{
    (void)state;
    for (int h = 0; h < 65536; h++) {
        uint16_t back = f16_from_f32(f32_from_f16((uint16_t)h));
        if (isnan(half((uint16_t)h)))
            assert_true(isnan(half(back)) && (back & 0x8000) == (h & 0x8000));
        else
            assert_int_equal(back, h);
    }
}

/* Between two neighbours: the middle goes to the even one, what is beside it to the nearer one. */
static void floats_round_to_the_nearest_even_half(void **state)
{
    (void)state;
    for (int h = 0; h < 0x7c00; h++) {
        /* One past the largest half is where 65536 would be. */
        double low = half((uint16_t)h), high = h == 0x7bff ? 65536 : half((uint16_t)(h + 1));
        float middle = (float)((low + high) / 2); /* exact: one more bit */
        int even = h & 1 ? h + 1 : h;
        for (int sign = 0; sign < 2; sign++) {
            float s = sign ? -1.0f : 1.0f;
            int high_bit = sign << 15;
            assert_int_equal(f16_from_f32(s * middle), even | high_bit);
            assert_int_equal(f16_from_f32(s * nextafterf(middle, 0)), h | high_bit);
            assert_int_equal(f16_from_f32(s * nextafterf(middle, 1e9f)), (h + 1) | high_bit);
        }
    }
    assert_int_equal(f16_from_f32(3e38f), 0x7c00);
    assert_int_equal(f16_from_f32(-INFINITY), 0xfc00);
    assert_int_equal(f16_from_f32(1e-30f), 0);
}

static void bfloats_are_the_upper_half_of_floats(void **state)
{
    (void)state;
    for (uint32_t b = 0; b < 65536; b++) {
        float wide = f32_from_bf16((uint16_t)b);
        assert_int_equal(bits(wide), b << 16);
        uint16_t back = bf16_from_f32(wide);
        if (isnan(wide))
            assert_true(isnan(f32_from_bf16(back)));
        else
            assert_int_equal(back, b);
    }
}

static void floats_round_to_the_nearest_even_bfloat(void **state)
{
    (void)state;
    for (uint32_t b = 0; b < 0x7f80; b++) {
        for (uint32_t sign = 0; sign < 2; sign++) {
            uint32_t base = (b | sign << 15) << 16, up = (b + 1) | sign << 15;
            uint32_t even = b & 1 ? up : b | sign << 15;
            assert_int_equal(bf16_from_f32(from_bits(base | 0x7fff)), base >> 16);
            assert_int_equal(bf16_from_f32(from_bits(base | 0x8000)), even);
            assert_int_equal(bf16_from_f32(from_bits(base | 0x8001)), up);
        }
    }
    /* A NaN whose mantissa lies in the lower half alone stays a NaN. */
    assert_true(isnan(f32_from_bf16(bf16_from_f32(from_bits(0x7f800001)))));
}

static void every_dtype_reads_as_floats(void **state)
{
    (void)state;
    static const float f32[] = {1.5f, -2, 3e8f};
    static const uint16_t f16[] = {0x3e00, 0xc000, 0x7bff}, bf16[] = {0x3fc0, 0xc000, 0x4d8f};
    static const double f64[] = {1.5, -2, 1e300};
    static const int64_t i64[] = {1, -2, 3};
    static const int32_t i32[] = {1, -2, 3};
    static const uint8_t u8[] = {1, 254, 3};
    static const struct {
        enum dtype dtype;
        int size;
        const char *name;
        const void *data;
        float want[3];
    } cases[] = {
        {DTYPE_F32, 4, "f32", f32, {1.5f, -2, 3e8f}},
        {DTYPE_F16, 2, "f16", f16, {1.5f, -2, 65504}},
        {DTYPE_BF16, 2, "bf16", bf16, {1.5f, -2, 299892736}},
        {DTYPE_F64, 8, "f64", f64, {1.5f, -2, INFINITY}},
        {DTYPE_I64, 8, "i64", i64, {1, -2, 3}},
        {DTYPE_I32, 4, "i32", i32, {1, -2, 3}},
        {DTYPE_U8, 1, "u8", u8, {1, 254, 3}},
    };

    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct tensor t = {.dtype = cases[c].dtype, .dims = 1, .shape = {3}, .data = cases[c].data};
        float read[2];
        assert_int_equal(dtype_size(t.dtype), cases[c].size);
        assert_string_equal(dtype_name(t.dtype), cases[c].name);
        for (int i = 0; i < 3; i++)
            assert_true(tensor_at(&t, i) == cases[c].want[i]);
        tensor_read(read, &t, 1, 2);
        assert_true(read[0] == cases[c].want[1] && read[1] == cases[c].want[2]);
    }
}

static void counts_multiply_the_shape(void **state)
{
    (void)state;
    struct tensor scalar = {.dims = 0}, empty = {.dims = 2, .shape = {0, 7}},
                  cube = {.dims = 3, .shape = {2, 3, 5}};

    assert_int_equal(tensor_count(&scalar), 1);
    assert_int_equal(tensor_count(&empty), 0);
    assert_int_equal(tensor_count(&cube), 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(halves_widen_exactly),
        cmocka_unit_test(halves_survive_the_round_trip),
        cmocka_unit_test(floats_round_to_the_nearest_even_half),
        cmocka_unit_test(bfloats_are_the_upper_half_of_floats),
        cmocka_unit_test(floats_round_to_the_nearest_even_bfloat),
        cmocka_unit_test(every_dtype_reads_as_floats),
        cmocka_unit_test(counts_multiply_the_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
