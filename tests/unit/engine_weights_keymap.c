/* src/engine/weights/keymap.c, clip_names.c: other libraries' names onto the native ones. */
#include "weights_files.h"

#include "engine/weights/configs.h"
#include "engine/weights/keymap.h"

/* Every name of whole models, as the reference's own converter pairs them. */
static void names_are_those_of_the_reference(void **state)
{
    (void)state;
    struct arena a = {0};
    struct str text, line, from;
    struct err e;
    struct keymap *map = NULL;
    const char *root = getenv("CAULDRON_SOURCE");
    int names = 0;

    if (file_read(&a, arena_printf(&a, "%s/tests/unit/data/key_names.txt", root ? root : "."),
                  1 << 20, &text, &e))
        fail_msg("%s", e.message);
    while (str_cut(&text, '\n', &line)) {
        struct str got;
        int rc = 0;
        if (str_skip(&line, "= unet ")) {
            struct unet_config u;
            rc = unet_config_parse(&a, line, "u", &u, &e);
            map = rc ? NULL : keymap_unet(&a, &u);
        } else if (str_skip(&line, "= vae ")) {
            struct vae_config v;
            rc = vae_config_parse(&a, line, "v", &v, &e);
            map = rc ? NULL : keymap_vae(&a, &v);
        } else if (line.n) {
            assert_true(str_cut(&line, ' ', &from));
            if (!keymap_name(map, &a, from, &got))
                fail_msg("%s has no native name", arena_str(&a, from));
            if (!str_eq(got, line))
                fail_msg("%s became %s", arena_str(&a, from), got.p);
            names++;
        }
        if (rc)
            fail_msg("%s", e.message);
    }
    assert_int_equal(names, 1068);
    arena_release(&a);
}

static void old_vae_attention_names_are_known(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"decoder.mid_block.attentions.0.query.weight", "decoder.mid.attn_1.q.weight"},
        {"decoder.mid_block.attentions.0.key.bias", "decoder.mid.attn_1.k.bias"},
        {"encoder.mid_block.attentions.0.value.weight", "encoder.mid.attn_1.v.weight"},
        {"encoder.mid_block.attentions.0.proj_attn.bias", "encoder.mid.attn_1.proj_out.bias"},
    };
    struct arena a = {0};
    struct vae_config v = {.levels = 2, .layers = 1};
    struct keymap *map = keymap_vae(&a, &v);

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct str got;
        assert_true(keymap_name(map, &a, str_from(pairs[i][0]), &got));
        assert_string_equal(got.p, pairs[i][1]);
    }
    arena_release(&a);
}

static void strange_names_have_no_native_one(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",
        "conv_in",
        "down_blocks.0.resnets.0.conv3.weight",
        "down_blocks.0.resnets.1.conv1.weight", /* one layer a block */
        "down_blocks.7.resnets.0.conv1.weight",
        "down_blocks.1.downsamplers.0.conv.weight", /* the last level */
        "position_net.linears.0.weight",
    };
    struct arena a = {0};
    struct unet_config u = {.levels = 2, .layers = {1, 1}};
    struct keymap *map = keymap_unet(&a, &u);
    struct str got;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_false(keymap_name(map, &a, str_from(names[i]), &got));
    /* LCM's guidance embedding */
    assert_true(keymap_name(map, &a, STR("time_embedding.cond_proj.weight"), &got));
    assert_string_equal(got.p, "time_embed.cond_proj.weight");
    arena_release(&a);
}

static void put(struct arena *a, struct weights *w, const char *name, const float *data, int rows,
                int columns)
{
    struct err e;
    struct tensor t = {str_from(name), DTYPE_F32, columns ? 2 : 1, {rows, columns}, data};

    if (keymap_put_open_clip(a, "x", w, &t, &e))
        fail_msg("%s", e.message);
}

static void open_clip_becomes_transformers(void **state)
{
    (void)state;
    static const float data[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    static const char *const pairs[][2] = {
        {"positional_embedding", "text_model.embeddings.position_embedding.weight"},
        {"token_embedding.weight", "text_model.embeddings.token_embedding.weight"},
        {"ln_final.bias", "text_model.final_layer_norm.bias"},
        {"transformer.resblocks.11.ln_1.weight", "text_model.encoder.layers.11.layer_norm1.weight"},
        {"transformer.resblocks.0.ln_2.bias", "text_model.encoder.layers.0.layer_norm2.bias"},
        {"transformer.resblocks.0.mlp.c_fc.weight", "text_model.encoder.layers.0.mlp.fc1.weight"},
        {"transformer.resblocks.0.mlp.c_proj.bias", "text_model.encoder.layers.0.mlp.fc2.bias"},
        {"transformer.resblocks.0.attn.out_proj.weight",
         "text_model.encoder.layers.0.self_attn.out_proj.weight"},
    };
    struct arena a = {0};
    struct weights w = {0};
    struct err e;

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        put(&a, &w, pairs[i][0], data, 6, 2);
        const struct tensor *t = weights_get(&w, pairs[i][1]);
        if (!t)
            fail_msg("%s did not become %s", pairs[i][0], pairs[i][1]);
        assert_ptr_equal(t->data, data);
        assert_string_equal(t->name.p, pairs[i][1]);
    }

    put(&a, &w, "transformer.resblocks.3.attn.in_proj_weight", data, 6, 2);
    put(&a, &w, "transformer.resblocks.3.attn.in_proj_bias", data, 6, 0);
    static const char *const parts[] = {"q", "k", "v"};
    for (int i = 0; i < 3; i++) {
        const struct tensor *t = weights_get(
            &w, arena_printf(&a, "text_model.encoder.layers.3.self_attn.%s_proj.weight", parts[i]));
        assert_int_equal(t->shape[0], 2);
        assert_int_equal(t->shape[1], 2);
        assert_true(tensor_at(t, 0) == (float)(4 * i));
        t = weights_get(
            &w, arena_printf(&a, "text_model.encoder.layers.3.self_attn.%s_proj.bias", parts[i]));
        assert_int_equal(t->shape[0], 2);
        assert_true(tensor_at(t, 1) == (float)(2 * i + 1));
    }

    put(&a, &w, "text_projection", data, 4, 3);
    const struct tensor *t = weights_get(&w, "text_projection.weight");
    assert_int_equal(t->shape[0], 3);
    assert_int_equal(t->shape[1], 4);
    for (int r = 0; r < 4; r++)
        for (int c = 0; c < 3; c++)
            assert_true(tensor_at(t, c * 4 + r) == data[r * 3 + c]);

    struct tensor uneven = {
        STR("transformer.resblocks.0.attn.in_proj_bias"), DTYPE_F32, 1, {4}, data};
    assert_int_equal(keymap_put_open_clip(&a, "x", &w, &uneven, &e), ERR_FORMAT);
    assert_mentions(e.message, "in_proj_bias");
    struct tensor flat = {STR("text_projection"), DTYPE_F32, 1, {4}, data};
    assert_int_equal(keymap_put_open_clip(&a, "x", &w, &flat, &e), ERR_FORMAT);

    size_t before = w.tensors.count;
    put(&a, &w, "logit_scale", data, 1, 0);
    put(&a, &w, "attn_mask", data, 3, 3);
    put(&a, &w, "transformer.resblocks.0", data, 1, 0);
    assert_int_equal(w.tensors.count, before);
    map_release(&w.tensors);
    arena_release(&a);
}

static void text_encoders_keep_what_they_use(void **state)
{
    (void)state;
    static const char *const names[] = {
        "text_model.embeddings.position_ids",
        "embeddings.position_ids",
        "embeddings.token_embedding.weight",
        "text_model.final_layer_norm.weight",
        "encoder.layers.1.mlp.fc1.weight",
        "text_model.encoder.layers.2.mlp.fc1.weight",
        "text_projection.weight",
    };
    static const float data[] = {1};
    struct arena a = {0};
    struct weights w = {0};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct tensor t = {str_from(names[i]), DTYPE_F32, 1, {1}, data};
        keymap_put_clip(&a, &w, &t);
    }
    assert_int_equal(w.tensors.count, 5);
    assert_non_null(weights_get(&w, "text_model.embeddings.token_embedding.weight"));
    assert_non_null(weights_get(&w, "text_model.encoder.layers.1.mlp.fc1.weight"));
    keymap_trim_clip(&w, &(struct clip_config){.layers = 2});
    assert_int_equal(w.tensors.count, 3);
    assert_null(weights_get(&w, "text_model.encoder.layers.2.mlp.fc1.weight"));
    assert_null(weights_get(&w, "text_projection.weight"));
    map_release(&w.tensors);
    arena_release(&a);
}

static void taesd_is_numbered_as_the_original(void **state)
{
    (void)state;
    static const float data[] = {1};
    static const char *const pairs[][2] = {
        {"decoder.layers.0.weight", "1.weight"},
        {"decoder.layers.2.conv.0.weight", "3.conv.0.weight"},
        {"18.bias", "18.bias"},
        {"encoder.layers.0.weight", NULL},
        {"decoder.layers.x.weight", NULL},
        {"decoder.layers.-1.weight", NULL},
        {"decoder.layers.99999999999.weight", NULL},
    };

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct arena a = {0};
        struct weights w = {0};
        struct tensor t = {str_from(pairs[i][0]), DTYPE_F32, 1, {1}, data};
        keymap_put_taesd(&a, &w, &t);
        assert_int_equal(w.tensors.count, pairs[i][1] ? 1 : 0);
        if (pairs[i][1])
            assert_non_null(weights_get(&w, pairs[i][1]));
        map_release(&w.tensors);
        arena_release(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_those_of_the_reference),
        cmocka_unit_test(old_vae_attention_names_are_known),
        cmocka_unit_test(strange_names_have_no_native_one),
        cmocka_unit_test(open_clip_becomes_transformers),
        cmocka_unit_test(text_encoders_keep_what_they_use),
        cmocka_unit_test(taesd_is_numbered_as_the_original),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
