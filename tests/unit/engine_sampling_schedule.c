/* Tables, spacings, the beta distribution and the Brownian path, against values of the references.
 */
#include "test.h"

#include "engine/sampling/brownian.h"
#include "engine/sampling/family.h"

#include <math.h>

static void close_to(double got, double want, double relative)
{
    if (!(fabs(got - want) <= relative * fabs(want)))
        fail_msg("%.12g, not %.12g", got, want);
}

static struct sampler *bare(const struct family *family, bool zero_snr)
{
    struct sampler *s = calloc(1, sizeof *s);
    struct err e;

    s->family = family;
    s->o = (struct options){.train = 1000,
                            .beta_start = 0.00085,
                            .beta_end = 0.012,
                            .betas = BETA_SCALED_LINEAR,
                            .zero_snr = zero_snr};
    assert_int_equal(schedule_tables(s, &e), 0);
    return s;
}

/* Of torch: float32, to the last bit. */
static void test_tables(void **state)
{
    struct sampler *s = bare(&family_euler, false);

    (void)state;
    assert_true(s->alphas[0] == 0.999149978f);
    assert_true(s->alphas[499] == 0.27766943f);
    assert_true(s->alphas[999] == 0.00466009509f);
    close_to((double)s->table[0], 0.0291675329, 1e-7);
    close_to((double)s->table[999], 14.614647, 1e-7);
    sampler_free(s);

    s = bare(&family_euler, true);
    close_to((double)s->table[999], 4096, 1e-6);
    sampler_free(s);
    s = bare(&family_ddim, true);
    assert_true(s->alphas[999] == 0);
    sampler_free(s);
}

/* scipy.stats.beta.ppf(p, 0.6, 0.6) */
static void test_beta(void **state)
{
    static const double known[][2] = {
        {1e-06, 1.8558824624053043e-10}, {0.001, 1.855873851745199e-05},
        {0.05, 0.012554456873611399},    {0.2, 0.12292175045833292},
        {0.25, 0.17568037865269498},     {0.4, 0.3627009907532143},
        {0.49, 0.4861289142781599},      {0.6, 0.6372990092467856},
        {0.75, 0.824319621347305},       {0.9, 0.9604155944112192},
        {0.999, 0.9999814412614826}};

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        close_to(schedule_beta_ppf(known[i][0], 0.6), known[i][1], 1e-12);
    assert_true(schedule_beta_ppf(0, 0.6) == 0);
    assert_true(schedule_beta_ppf(1, 0.6) == 1);
    assert_true(schedule_beta_ppf(0.5, 0.6) == 0.5);
}

/* All of torch's alphas_cumprod by their FNV-1a hash. */
static void test_whole_tables(void **state)
{
    static const struct {
        enum beta_kind betas;
        double start, end;
        uint64_t hash;
    } known[] = {{BETA_SCALED_LINEAR, 0.00085, 0.012, 0x552efb731a320022ull},
                 {BETA_LINEAR, 0.0001, 0.02, 0x5b0ad40d73df8aecull},
                 {BETA_LINEAR, 0.00085, 0.012, 0x3bebd84d5a94d6f7ull},
                 {BETA_SQUAREDCOS, 0.0001, 0.02, 0x6d7434fdfe965e9eull}};

    (void)state;
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        struct sampler *s = calloc(1, sizeof *s);
        struct err e;
        uint64_t hash = 0xcbf29ce484222325ull;
        s->family = &family_euler;
        s->o = (struct options){.train = 1000,
                                .beta_start = known[k].start,
                                .beta_end = known[k].end,
                                .betas = known[k].betas};
        assert_int_equal(schedule_tables(s, &e), 0);
        for (size_t i = 0; i < 4000; i++)
            hash = (hash ^ ((unsigned char *)s->alphas)[i]) * 0x100000001b3ull;
        assert_int_equal(hash, known[k].hash);
        sampler_free(s);
    }
}

static void spaced(enum spacing_kind spacing, enum spacing_style style, int steps,
                   const double *want, int count)
{
    struct sampler s = {
        .steps = steps,
        .o = {.train = 1000, .spacing = spacing, .offset = spacing == SPACING_LEADING ? 1 : 0}};
    double t[64];

    assert_int_equal(schedule_spaced(&s, style, t), count);
    for (int i = 0; want && i < count; i++)
        assert_true(t[i] == want[i]);
    if (!want)
        assert_true(t[count - 1] == -1);
}

static void test_spacings(void **state)
{
    (void)state;
    spaced(SPACING_LINSPACE, SPACING_FRACTIONAL, 5, (double[]){999, 749.25, 499.5, 249.75, 0}, 5);
    spaced(SPACING_LEADING, SPACING_FRACTIONAL, 5, (double[]){801, 601, 401, 201, 1}, 5);
    spaced(SPACING_TRAILING, SPACING_FRACTIONAL, 5, (double[]){999, 799, 599, 399, 199}, 5);
    spaced(SPACING_LINSPACE, SPACING_WITHOUT_END, 5, (double[]){999, 799, 599, 400, 200}, 5);
    spaced(SPACING_LEADING, SPACING_WITHOUT_END, 5, (double[]){831, 665, 499, 333, 167}, 5);
    spaced(SPACING_LINSPACE, SPACING_ROUNDED, 5, (double[]){999, 749, 500, 250, 0}, 5);
    spaced(SPACING_LINSPACE, SPACING_FRACTIONAL, 1, (double[]){0}, 1);
    spaced(SPACING_LINSPACE, SPACING_WITHOUT_END, 1, (double[]){999}, 1);
    spaced(SPACING_TRAILING, SPACING_ROUNDED, 61, NULL, 62);
}

/* The float32 logarithm lies above the double one, so the largest sigma is not quite 999. */
static void test_sigma_to_t(void **state)
{
    struct sampler *s = bare(&family_euler, false);
    double last = schedule_sigma_to_t(s, (double)s->table[999]);

    (void)state;
    assert_true(last < 999 && last > 998.9999);
    assert_true(schedule_sigma_to_t(s, 1e9) == 999);
    assert_true(schedule_sigma_to_t(s, 0) == 0);
    sampler_free(s);
}

/* numpy.random.SeedSequence(...).generate_state */
static void test_seed_sequence(void **state)
{
    uint32_t got[4];
    static const uint32_t root[] = {3154616629u, 1086096781u, 1700057493u},
                          child[] = {3167909504u, 1362934025u, 692002524u, 1267392051u};

    (void)state;
    seed_sequence(5, false, 0, 0, got, 3);
    assert_memory_equal(got, root, sizeof root);
    seed_sequence((1ull << 32) + 5, true, 6, 3, got, 4);
    assert_memory_equal(got, child, sizeof child);
}

/* torchsde.BrownianInterval, from tools/parity/noise.py; and the same whatever was asked before. */
static void test_brownian(void **state)
{
    static const double queries[][2] = {{0.03, 14.614642}, {7.3, 14.61},     {1.2345678, 7.3},
                                        {0.0291675, 0.5},  {3.0078125, 3.1}, {0.5, 1.2345678}};
    static const uint64_t seeds[] = {0, 5, (1ull << 32) + 5, 1ull << 63};
    const char *source = getenv("CAULDRON_SOURCE");
    struct arena arena = {0};
    struct brownian *b;
    struct err e;
    char path[1024];
    float want[16], got[16];

    (void)state;
    snprintf(path, sizeof path, "%s/tests/parity/schedulers/brownian.bin", source ? source : ".");
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    for (int k = 0; k < 4; k++) {
        assert_int_equal(brownian_new(&arena, seeds[k], 0.0291675, 14.614642, 16, &b, &e), 0);
        for (int i = 0; i < 6; i++) {
            assert_int_equal(fread(want, sizeof *want, 16, f), 16);
            brownian_increment(b, queries[i][0], queries[i][1], got);
            for (int j = 0; j < 16; j++)
                if (!(fabsf(got[j] - want[j]) <= 1e-6f))
                    fail_msg("seed %d, query %d, at %d: %.9g, torchsde has %.9g", k, i, j,
                             (double)got[j], (double)want[j]);
        }
    }
    brownian_increment(b, 2, 2, got);
    assert_true(got[0] == 0);
    fclose(f);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),        cmocka_unit_test(test_beta),
        cmocka_unit_test(test_spacings),      cmocka_unit_test(test_sigma_to_t),
        cmocka_unit_test(test_seed_sequence), cmocka_unit_test(test_brownian),
        cmocka_unit_test(test_whole_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
