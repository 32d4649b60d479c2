/* src/engine/kernels: every executor against torch, on the cases of tools/parity/kernel_goldens.py;
 * and the choice of an executor. tests/kernels compares the executors with each other. */
#include "test.h"

#include "base/arena.h"
#include "engine/kernels/kernels.h"
#include "engine/weights/safetensors.h"

#include <math.h>

/* The goldens, and an executor with memory for what it computes. */
struct fixture {
    struct arena arena;
    struct safetensors file;
    const struct kernels *k;
};

static struct tensor *find(struct fixture *f, const char *name, const char *argument)
{
    char full[64];
    int n = snprintf(full, sizeof full, "%s.%s", name, argument);

    for (int i = 0; i < f->file.count; i++) {
        struct tensor *t = &f->file.tensors[i];
        if (t->name.n == (size_t)n && memcmp(t->name.p, full, (size_t)n) == 0)
            return t;
    }
    fail_msg("no golden %s", full);
    return NULL;
}

/* 64-byte aligned, zero. */
static void *memory(struct fixture *f, size_t bytes)
{
    uintptr_t p = (uintptr_t)arena_alloc(&f->arena, bytes + 128);
    return (void *)((p + 63) & ~(uintptr_t)63);
}

/* The numbers, with room to read beyond their end as the contract allows. */
static float *numbers(struct fixture *f, const char *name, const char *argument)
{
    const struct tensor *t = find(f, name, argument);
    int64_t n = tensor_count(t);
    float *x = memory(f, (size_t)n * sizeof *x);
    tensor_read(x, t, 0, n);
    return x;
}

static void compare(struct fixture *f, const char *name, const float *got, double bound)
{
    const float *want = numbers(f, name, "y");
    int64_t n = tensor_count(find(f, name, "y"));

    for (int64_t i = 0; i < n; i++)
        if (!(fabs((double)got[i] - (double)want[i]) <= bound * fmax(1, fabs((double)want[i]))))
            fail_msg("%s, %s: at %d %.9g, torch %.9g", f->k->isa, name, (int)i, (double)got[i],
                     (double)want[i]);
}

static struct packed pack(struct fixture *f, const char *name, struct weight_source s,
                          struct pack_hint hint)
{
    struct packed p;
    struct err e;

    s.parts = 1;
    s.part[0] = find(f, name, "w");
    hint.compute = COMPUTE_F32;
    assert_int_equal(kernels_pack(f->k, &s, &hint, 1, &p, &e), 0);
    return p;
}

static void check_linear(struct fixture *f, const char *name, bool geglu)
{
    int n = geglu ? 18 : 20;
    struct weight_source s = {.rows = geglu ? 36 : 20, .in = 24, .kh = 1, .kw = 1, .geglu = geglu};
    struct packed w = pack(f, name, s, (struct pack_hint){.pixels = 5, .width = 1, .stride = 1});
    struct linear_args a = {
        .y = memory(f, sizeof(float) * 10 * n),
        .x = numbers(f, name, "x"),
        .ldx = 24,
        .m = 10,
        .rows_per_picture = 5,
        .w = &w,
        .bias = numbers(f, name, "b"),
        .residual = geglu ? NULL : numbers(f, name, "r"),
        .act = geglu ? ACT_GEGLU : ACT_SILU,
        .threads = 2,
    };
    a.scratch = memory(f, f->k->linear_scratch(&a));
    f->k->linear(&a);
    packed_release(&w);
    compare(f, name, a.y, 2e-6);
}

static void check_conv(struct fixture *f, const char *name, struct conv_args a, bool low_memory)
{
    struct weight_source s = {.rows = 10, .in = 12, .kh = 3, .kw = 3};
    struct pack_hint hint = {
        .low_memory = low_memory, .pixels = a.oh * a.ow, .width = a.ow, .stride = a.stride};
    struct packed w = pack(f, name, s, hint);

    a.pictures = 2;
    a.h = 9, a.w = 7;
    a.weight = &w;
    a.y = memory(f, sizeof(float) * 2 * a.oh * a.ow * 10);
    a.x = numbers(f, name, "x");
    a.bias = numbers(f, name, "b");
    a.threads = 2;
    a.scratch = memory(f, f->k->conv_scratch(&a));
    f->k->conv(&a);
    packed_release(&w);
    compare(f, name, a.y, 5e-6);
}

/* 64 channels on 24 x 24 pixels; the golden is every third pixel of every third row. */
static void check_large_conv(struct fixture *f, bool low_memory)
{
    struct weight_source s = {.rows = 64, .in = 64, .kh = 3, .kw = 3};
    struct pack_hint hint = {.low_memory = low_memory, .pixels = 576, .width = 24, .stride = 1};
    struct packed w = pack(f, "conv_large", s, hint);
    struct conv_args a = {
        .y = memory(f, sizeof(float) * 576 * 64),
        .x = numbers(f, "conv_large", "x"),
        .pictures = 1,
        .h = 24,
        .w = 24,
        .oh = 24,
        .ow = 24,
        .stride = 1,
        .pad_top = 1,
        .pad_left = 1,
        .weight = &w,
        .bias = numbers(f, "conv_large", "b"),
        .threads = 2,
    };
    float *thin = memory(f, sizeof(float) * 64 * 64);

    a.scratch = memory(f, f->k->conv_scratch(&a));
    f->k->conv(&a);
    packed_release(&w);
    for (int i = 0; i < 64; i++)
        memcpy(thin + i * 64, a.y + (i / 8 * 3 * 24 + i % 8 * 3) * 64, 64 * sizeof *thin);
    compare(f, "conv_large", thin, 3e-5); /* Winograd's error */
}

static void check_attention(struct fixture *f, const char *name, int dim, int nq, bool causal)
{
    struct attention_args a = {
        .y = memory(f, sizeof(float) * 2 * nq * 2 * dim),
        .q = numbers(f, name, "q"),
        .k = numbers(f, name, "k"),
        .v = numbers(f, name, "v"),
        .ldy = 2 * dim,
        .ldq = 2 * dim,
        .ldk = 2 * dim,
        .ldv = 2 * dim,
        .pictures = 2,
        .heads = 2,
        .dim = dim,
        .nq = nq,
        .nk = 77,
        .scale = 1 / sqrtf((float)dim),
        .causal = causal,
        .threads = 2,
    };
    a.scratch = memory(f, f->k->attention_scratch(&a));
    f->k->attention(&a);
    compare(f, name, a.y, 2e-6);
}

static void check_norms(struct fixture *f)
{
    struct group_norm_args g = {
        .y = memory(f, sizeof(float) * 2 * 15 * 12),
        .x = numbers(f, "group_norm", "x"),
        .pictures = 2,
        .pixels = 15,
        .channels = 12,
        .groups = 4,
        .scale = numbers(f, "group_norm", "w"),
        .shift = numbers(f, "group_norm", "b"),
        .eps = 1e-5f,
        .act = ACT_SILU,
        .threads = 2,
    };
    struct layer_norm_args l = {
        .y = memory(f, sizeof(float) * 6 * 37),
        .x = numbers(f, "layer_norm", "x"),
        .rows = 6,
        .channels = 37,
        .scale = numbers(f, "layer_norm", "w"),
        .shift = numbers(f, "layer_norm", "b"),
        .eps = 1e-5f,
        .threads = 2,
    };
    g.scratch = memory(f, f->k->group_norm_scratch(&g));
    f->k->group_norm(&g);
    compare(f, "group_norm", g.y, 3e-6);
    f->k->layer_norm(&l);
    compare(f, "layer_norm", l.y, 3e-6);
}

static void check_elementwise(struct fixture *f)
{
    static const struct {
        const char *name;
        enum act act;
    } acts[] = {{"silu", ACT_SILU}, {"gelu", ACT_GELU}, {"quick_gelu", ACT_QUICK_GELU}};
    float *y = memory(f, sizeof(float) * 11 * 9 * 3);

    for (int i = 0; i < 3; i++) {
        f->k->activate(y, numbers(f, acts[i].name, "x"), 211, acts[i].act, 2);
        compare(f, acts[i].name, y, 1e-6);
    }
    f->k->resize_nearest(y, numbers(f, "resize", "x"), 1, 5, 7, 11, 9, 3, 2);
    compare(f, "resize", y, 0);
}

static void check_executor(struct fixture *f)
{
    struct conv_args same = {.oh = 9, .ow = 7, .stride = 1, .pad_top = 1, .pad_left = 1};
    struct conv_args down = {.oh = 5, .ow = 4, .stride = 2, .pad_top = 1, .pad_left = 1};
    struct conv_args corner = {.oh = 4, .ow = 3, .stride = 2};
    struct conv_args up = {
        .oh = 18, .ow = 14, .stride = 1, .pad_top = 1, .pad_left = 1, .upsample = true};

    check_linear(f, "linear", false);
    check_linear(f, "geglu", true);
    for (int low_memory = 0; low_memory < 2; low_memory++) {
        check_conv(f, "conv", same, low_memory);
        check_conv(f, "conv_down", down, low_memory);
        check_conv(f, "conv_corner", corner, low_memory);
        check_conv(f, "conv_up", up, low_memory);
        check_large_conv(f, low_memory);
    }
    check_attention(f, "attention", 40, 30, false);
    check_attention(f, "attention_causal", 32, 77, true);
    check_norms(f);
    check_elementwise(f);
}

static void every_executor_computes_what_torch_computes(void **state)
{
    static const char *const isas[] = {NULL, "avx2", "avx512", "avx512bf16"};
    (void)state;

    for (int i = 0; i < 4; i++) {
        struct fixture f = {0};
        struct err e;
        char path[4096];
        if (kernels_pick(isas[i] ? "cpu" : "ref", isas[i], &f.k, &e)) {
            assert_int_equal(e.code, ERR_UNSUPPORTED); /* not on this CPU */
            continue;
        }
        snprintf(path, sizeof path, "%s/tests/unit/data/kernels.safetensors",
                 getenv("CAULDRON_SOURCE"));
        assert_int_equal(safetensors_open(&f.arena, path, &f.file, &e), 0);
        check_executor(&f);
        safetensors_close(&f.file);
        arena_release(&f.arena);
    }
}

static void the_executor_is_chosen_by_name_and_cpu(void **state)
{
    const struct kernels *k = NULL;
    struct err e;
    (void)state;

    assert_int_equal(kernels_pick("ref", NULL, &k, &e), 0);
    assert_ptr_equal(k, &kernels_ref);
    assert_int_equal(kernels_pick("ref", "avx2", &k, &e), 0); /* isa is for cpu */

    k = NULL;
    assert_int_equal(kernels_pick("cuda", NULL, &k, &e), ERR_UNSUPPORTED);
    assert_non_null(strstr(e.message, "cuda"));
    assert_int_equal(kernels_pick("cpu", "sse2", &k, &e), ERR_ARG);
    assert_non_null(strstr(e.message, "sse2"));
    assert_null(k); /* untouched on failure */

    if (kernels_pick("cpu", "avx2", &k, &e) == 0)
        assert_string_equal(k->isa, "avx2");
}

static void a_row_is_read_from_the_part_that_holds_it(void **state)
{
    float a[2][3] = {{1, 2, 3}, {4, 5, 6}}, b[1][3] = {{7, 8, 9}}, row[3];
    uint16_t c[2][3] = {{0x3c00, 0x4000, 0x4200}, {0x4400, 0x4500, 0x4600}}; /* 1 to 6 */
    struct tensor ta = {.dtype = DTYPE_F32, .dims = 2, .shape = {2, 3}, .data = a};
    struct tensor tb = {.dtype = DTYPE_F32, .dims = 2, .shape = {1, 3}, .data = b};
    struct tensor tc = {.dtype = DTYPE_F16, .dims = 2, .shape = {2, 3}, .data = c};
    struct weight_source s = {
        .parts = 3, .part = {&ta, &tb, &tc}, .rows = 5, .in = 3, .kh = 1, .kw = 1};
    static const float want[5][3] = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}, {1, 2, 3}, {4, 5, 6}};
    (void)state;

    for (int r = 0; r < 5; r++) {
        weight_row(row, &s, r);
        assert_memory_equal(row, want[r], sizeof row);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_executor_computes_what_torch_computes),
        cmocka_unit_test(the_executor_is_chosen_by_name_and_cpu),
        cmocka_unit_test(a_row_is_read_from_the_part_that_holds_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
