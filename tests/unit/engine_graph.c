/* The graph: what is bound, what is fused, and that no two values that live at the same time share
 * memory. */
#include "engine/graph/place.h"
#include "engine/graph/plan.h"
#include "engine/networks/networks.h"

#include "test.h"

static struct model *tiny(const char *name)
{
    struct err e = {0};
    struct model *m = NULL;
    char path[512];

    snprintf(path, sizeof path, "%s/tests/parity/models/%s", getenv("CAULDRON_SOURCE"), name);
    if (model_open(path, NULL, &m, &e))
        fail_msg("%s", e.message);
    return m;
}

static int count_nodes(const struct g *g, enum op op)
{
    int n = 0;

    for (const struct node *node = g->head; node; node = node->next)
        n += node->op == op;
    return n;
}

static void fusion_leaves_no_activation_or_addition_behind(void **state)
{
    struct model *m = tiny("sd1");
    struct err e = {0};
    struct g g;
    (void)state;

    graph_init(&g, &m->unet_weights, 2);
    unet_build(&g, &m->unet, 16, 16, 77);
    int linears = count_nodes(&g, OP_LINEAR), convs = count_nodes(&g, OP_CONV);
    assert_true(count_nodes(&g, OP_ADD) > 10 && count_nodes(&g, OP_ACTIVATE) > 10 &&
                count_nodes(&g, OP_RESIZE) > 0);
    assert_int_equal(graph_finish(&g, &e), 0);
    assert_int_equal(count_nodes(&g, OP_ADD), 0);
    assert_int_equal(count_nodes(&g, OP_SHIFT), 0);
    assert_int_equal(count_nodes(&g, OP_RESIZE), 0); /* 16 is twice 8 is twice 4 */
    /* Of the activations only silu(time embedding) has several readers, but its producer is a
     * linear all the same. */
    assert_int_equal(count_nodes(&g, OP_ACTIVATE), 0);
    assert_int_equal(count_nodes(&g, OP_LINEAR), linears);
    assert_int_equal(count_nodes(&g, OP_CONV), convs);
    graph_release(&g);
    model_close(m);
}

/* A resize to an odd size is not a doubling and stays. */
static void odd_sizes_keep_their_resize(void **state)
{
    struct model *m = tiny("sd1");
    struct err e = {0};
    struct g g;
    (void)state;

    graph_init(&g, &m->unet_weights, 1);
    unet_build(&g, &m->unet, 7, 5, 77);
    assert_int_equal(graph_finish(&g, &e), 0);
    assert_true(count_nodes(&g, OP_RESIZE) > 0);
    graph_release(&g);
    model_close(m);
}

static void mistakes_name_the_tensor(void **state)
{
    struct model *m = tiny("sd1");
    struct err e = {0};
    struct g g;
    (void)state;

    graph_init(&g, &m->unet_weights, 1);
    struct t *x = g_input(&g, "latents", 8, 8, m->unet.in_channels, false);
    x = g_conv(&g, x, "input_blocks.0.0", m->unet.channels[0] + 8, 3, 1, 1);
    g_output(&g, "out", g_conv(&g, x, "no_such_layer", 4, 3, 1, 1));
    assert_int_equal(graph_finish(&g, &e), ERR_FORMAT);
    assert_non_null(strstr(e.message, "'input_blocks.0.0.weight' has shape ["));
    graph_release(&g);

    graph_init(&g, &m->unet_weights, 1);
    x = g_input(&g, "latents", 8, 8, m->unet.in_channels, false);
    g_output(&g, "out", g_conv(&g, x, "no_such_layer", 4, 3, 1, 1));
    assert_int_equal(graph_finish(&g, &e), ERR_FORMAT);
    assert_string_equal(e.message, "tensor 'no_such_layer.weight' is missing");
    graph_release(&g);
    model_close(m);
}

static void check_places(struct g *g)
{
    struct node *list[2048];
    int count = 0;
    struct err e = {0};

    assert_int_equal(graph_finish(g, &e), 0);
    for (struct node *n = g->head; n; n = n->next)
        list[count++] = n;
    struct placement p = graph_place(g, list, count);
    size_t sum = 0;
    for (int i = 0; i < count; i++) {
        const struct t *a = list[i]->out;
        if (a->storage != a)
            continue;
        sum += a->bytes;
        assert_true(a->at + a->bytes + 64 <= (a->kept ? p.kept : p.transient));
        for (int j = 0; j < i; j++) {
            const struct t *b = list[j]->out;
            if (b->storage != b || a->kept != b->kept)
                continue;
            bool together = a->kept || (a->first <= b->last && b->first <= a->last);
            bool apart = a->at >= b->at + b->bytes || b->at >= a->at + a->bytes;
            if (together && !apart)
                fail_msg("'%s' and '%s' live together at %zu and %zu", list[i]->name, list[j]->name,
                         a->at, b->at);
        }
    }
    assert_true(p.transient * 2 < sum); /* memory is used again */
}

static void values_that_live_together_lie_apart(void **state)
{
    const char *const models[] = {"sd1", "sdxl", "sd2-v"};
    (void)state;

    for (int i = 0; i < 3; i++) {
        struct model *m = tiny(models[i]);
        struct g g;
        graph_init(&g, &m->unet_weights, 2);
        unet_build(&g, &m->unet, 16, 12, 77);
        check_places(&g);
        graph_release(&g);
        graph_init(&g, &m->vae_weights, 1);
        vae_decoder_build(&g, &m->vae, 16, 12);
        check_places(&g);
        graph_release(&g);
        model_close(m);
    }
}

/* The text's keys and values are computed by PLAN_ALL and still there in PLAN_STEP. */
static void constant_part_stays(void **state)
{
    struct model *m = tiny("sd1");
    struct err e = {0};
    struct plan *plan;
    struct pack_cache packs = {0};
    struct workspace ws = {0};
    struct g g;
    (void)state;

    graph_init(&g, &m->unet_weights, 1);
    unet_build(&g, &m->unet, 8, 8, 77);
    struct plan_context c = {.kernels = &kernels_ref, .packs = &packs, .threads = 1};
    assert_int_equal(graph_plan(&g, &c, &plan, &e), 0);
    assert_int_equal(workspace_reserve(&ws, plan_workspace(plan), &e), 0);
    int n = 8 * 8 * m->unet.in_channels;
    float first[1024];
    for (int run = 0; run < 2; run++) {
        float *latents = plan_value(plan, &ws, "latents"), *time = plan_value(plan, &ws, "time");
        for (int i = 0; i < n; i++)
            latents[i] = (float)(i % 7) - 3;
        time_embedding(time, 500, m->unet.channels[0], true, 0);
        if (run == 0)
            for (int i = 0; i < 77 * m->unet.context; i++)
                plan_value(plan, &ws, "context")[i] = (float)(i % 5) - 2;
        assert_int_equal(plan_run(plan, &ws, run ? PLAN_STEP : PLAN_ALL, NULL, NULL), 0);
        if (run == 0)
            memcpy(first, plan_value(plan, &ws, "out"), sizeof *first * 8 * 8 * 4);
        else
            assert_memory_equal(first, plan_value(plan, &ws, "out"), sizeof *first * 8 * 8 * 4);
    }
    atomic_bool cancel = true;
    assert_int_equal(plan_run(plan, &ws, PLAN_ALL, &cancel, NULL), ERR_CANCELLED);
    graph_plan_free(plan);
    workspace_release(&ws);
    pack_cache_release(&packs);
    model_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fusion_leaves_no_activation_or_addition_behind),
        cmocka_unit_test(odd_sizes_keep_their_resize),
        cmocka_unit_test(mistakes_name_the_tensor),
        cmocka_unit_test(values_that_live_together_lie_apart),
        cmocka_unit_test(constant_part_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
