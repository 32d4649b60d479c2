/* Noise against torch: tests/parity/schedulers/noise.bin, written by tools/parity/noise.py. */
#include "test.h"

#include "engine/sampling/noise.h"

#include <math.h>

static const size_t sizes[] = {1, 2, 3, 15, 16, 17, 31, 100, 4 * 9 * 9, 1, 3, 64, 1};
static const uint64_t seeds[] = {0, 42, (1ull << 32) + 1, 1ull << 63, (uint64_t)-1};

static float *read_golden(const char *name, size_t count)
{
    const char *source = getenv("CAULDRON_SOURCE");
    float *x = malloc(count * sizeof *x);
    char path[1024];
    FILE *f;

    snprintf(path, sizeof path, "%s/tests/parity/schedulers/%s", source ? source : ".", name);
    f = fopen(path, "rb");
    if (!f)
        fail_msg("%s cannot be read", path);
    assert_int_equal(fread(x, sizeof *x, count, f), count);
    assert_int_equal(fgetc(f), EOF);
    fclose(f);
    return x;
}

/* Bit-equal for blocks; below sixteen values libm's double functions are rounded to float. */
static void check(const float *got, const float *want, size_t count, uint64_t seed)
{
    for (size_t i = 0; i < count; i++)
        if (count >= 16 ? got[i] != want[i] : !(fabsf(got[i] - want[i]) <= 2e-7f * fabsf(want[i])))
            fail_msg("seed %llu, %zu values, at %zu: %.9g, torch has %.9g",
                     (unsigned long long)seed, count, i, (double)got[i], (double)want[i]);
}

static void test_several_calls(void **state)
{
    size_t calls = sizeof sizes / sizeof *sizes, total = 0, at = 0;
    float got[512];

    (void)state;
    for (size_t i = 0; i < calls; i++)
        total += sizes[i];
    float *want = read_golden("noise.bin", total * 5);
    for (int k = 0; k < 5; k++) {
        struct noise n;
        noise_init(&n, NOISE_CPU, seeds[k]);
        for (size_t i = 0; i < calls; i++) {
            noise_normal(&n, got, sizes[i]);
            check(got, want + at, sizes[i], seeds[k]);
            at += sizes[i];
        }
    }
    free(want);
}

/* A latent of 64 x 64 by its FNV-1a hash: every bit as torch's AVX2 code has it. */
static void test_latent(void **state)
{
    static float x[4 * 64 * 64];
    struct noise n;
    uint64_t hash = 0xcbf29ce484222325ull;
    unsigned char *bytes = (unsigned char *)x;

    (void)state;
    noise_init(&n, NOISE_CPU, 7);
    noise_normal(&n, x, sizeof x / sizeof *x);
    noise_normal(&n, x, sizeof x / sizeof *x);
    for (size_t i = 0; i < sizeof x; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3ull;
    assert_int_equal(hash, 0xbfa6150b6e4b7c36);
}

static void test_known_values(void **state)
{
    static const float want[] = {1.540996f, -0.293429f, -2.178789f, 0.568431f};
    struct noise n;
    float x[4];

    (void)state;
    noise_init(&n, NOISE_CPU, 0);
    noise_normal(&n, x, 4);
    for (int i = 0; i < 4; i++)
        assert_true(fabsf(x[i] - want[i]) < 1e-6f);
}

/* torch.randn(..., device="cuda"): the card's own fast sine leaves a few units in the last place.
 */
static void test_cuda(void **state)
{
    static const float want[][4] = {{-0.924663f, -0.425344f, -2.643846f, 0.145184f},
                                    {0.194019f, 2.161374f, -0.172051f, 0.849060f}};
    struct noise n;
    float x[4], again[4];

    (void)state;
    for (int k = 0; k < 2; k++) {
        noise_init(&n, NOISE_CUDA, k ? 42 : 0);
        noise_normal(&n, x, 4);
        noise_normal(&n, again, 4);
        for (int i = 0; i < 4; i++)
            assert_true(fabsf(x[i] - want[k][i]) < 3e-6f);
        assert_true(x[0] != again[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_several_calls),
        cmocka_unit_test(test_latent),
        cmocka_unit_test(test_known_values),
        cmocka_unit_test(test_cuda),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
