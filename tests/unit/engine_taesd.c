/* The preview decoder against diffusers' AutoencoderTiny (tools/parity/taesd.py, which draws the
 * same weights). */
#include "base/file.h"
#include "engine/graph/plan.h"
#include "engine/networks/networks.h"

#include <math.h>

#include "test.h"

enum { SIDE = 4, WIDTH = 64 };

static uint32_t generator = 1;

static float number(void)
{
    generator = generator * 1664525u + 1013904223u;
    return (float)(generator >> 8) / (float)(1 << 23) - 1.0f;
}

static void add(struct weights *w, struct arena *a, const char *name, int out, int in)
{
    struct tensor *t = ARENA_NEW(a, struct tensor);
    int count = in ? out * in * 9 : out;
    float *x = arena_alloc(a, (size_t)count * sizeof *x),
          scale = in ? 1.5f / sqrtf((float)(in * 9)) : 0.1f;

    for (int i = 0; i < count; i++)
        x[i] = number() * scale;
    *t = (struct tensor){.name = str_from(name),
                         .dtype = DTYPE_F32,
                         .dims = in ? 4 : 1,
                         .shape = {out, in, 3, 3},
                         .data = x};
    map_put(&w->tensors, t->name, t);
}

static void layer(struct weights *w, struct arena *a, const char *name, int out, int in, bool bias)
{
    add(w, a, arena_printf(a, "%s.weight", name), out, in);
    if (bias)
        add(w, a, arena_printf(a, "%s.bias", name), out, 0);
}

static void fill(struct weights *w, struct arena *a)
{
    int at = 3;

    layer(w, a, "1", WIDTH, 4, true);
    for (int level = 0; level < 4; level++) {
        for (int block = 0; block < (level < 3 ? 3 : 1); block++, at++)
            for (int i = 0; i < 3; i++)
                layer(w, a, arena_printf(a, "%d.conv.%d", at, 2 * i), WIDTH, WIDTH, true);
        if (level < 3) {
            layer(w, a, arena_printf(a, "%d", at + 1), WIDTH, WIDTH, false);
            at += 2;
        }
    }
    layer(w, a, arena_printf(a, "%d", at), 3, WIDTH, true);
}

static void decodes_as_diffusers_does(void **state)
{
    struct arena a = {0};
    struct weights w = {0};
    struct pack_cache packs = {0};
    struct workspace ws = {0};
    struct plan *plan;
    struct err e = {0};
    struct str golden;
    struct g g;
    float latents[4 * SIDE * SIDE];
    char path[512];
    (void)state;

    for (int i = 0; i < 4 * SIDE * SIDE; i++)
        latents[i] = number() * 2;
    fill(&w, &a);
    snprintf(path, sizeof path, "%s/tests/unit/data/taesd.bin", getenv("CAULDRON_SOURCE"));
    if (file_read(&a, path, 1 << 20, &golden, &e))
        fail_msg("%s", e.message);

    graph_init(&g, &w, 1);
    taesd_build(&g, SIDE, SIDE);
    struct plan_context c = {.kernels = &kernels_ref, .packs = &packs, .threads = 2};
    if (graph_plan(&g, &c, &plan, &e))
        fail_msg("%s", e.message);
    assert_int_equal(workspace_reserve(&ws, plan_workspace(plan), &e), 0);
    float *in = plan_value(plan, &ws, "latents");
    for (int p = 0; p < SIDE * SIDE; p++)
        for (int ch = 0; ch < 4; ch++)
            in[4 * p + ch] = tanhf(latents[ch * SIDE * SIDE + p] / 3) * 3;
    assert_int_equal(plan_run(plan, &ws, PLAN_ALL, NULL, NULL), 0);
    const float *out = plan_value(plan, &ws, "image");
    size_t count = (size_t)(8 * SIDE * 8 * SIDE * 3);
    assert_int_equal(golden.n, count * sizeof(float));
    for (size_t i = 0; i < count; i++) {
        float want;
        memcpy(&want, golden.p + i * sizeof want, sizeof want);
        if (!(fabsf(out[i] - want) <= 1e-4f * (1 + fabsf(want))))
            fail_msg("number %zu is %g, diffusers has %g", i, (double)out[i], (double)want);
    }
    graph_plan_free(plan);
    workspace_release(&ws);
    pack_cache_release(&packs);
    map_release(&w.tensors);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_as_diffusers_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
