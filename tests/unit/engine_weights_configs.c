/* src/engine/weights/{unet,vae,clip}_config.c: every field of the reference's classes is honoured,
 * refused by name, or known to be harmless. */
#include "weights_files.h"

#include "engine/weights/configs.h"

#include <jansson.h>
#include <math.h>

static struct str source_file(struct arena *a, const char *name)
{
    struct str text;
    struct err e;
    const char *root = getenv("CAULDRON_SOURCE");

    if (file_read(a, arena_printf(a, "%s/%s", root ? root : ".", name), 1 << 20, &text, &e))
        fail_msg("%s", e.message);
    return text;
}

/* Parse one of the three kinds; what it said, or the code. */
struct parsed {
    struct unet_config unet;
    struct vae_config vae;
    struct clip_config clip;
    struct err e;
};

static int parse(struct arena *a, const char *kind, struct str json, struct parsed *out)
{
    if (strcmp(kind, "unet") == 0)
        return unet_config_parse(a, json, "u.json", &out->unet, &out->e);
    if (strcmp(kind, "vae") == 0)
        return vae_config_parse(a, json, "v.json", &out->vae, &out->e);
    return clip_config_parse(a, json, "t.json", true, &out->clip, &out->e);
}

/* {} with one key. */
static int parse_with(struct arena *a, const char *kind, const char *key, const char *value,
                      struct parsed *out)
{
    return parse(a, kind, str_from(arena_printf(a, "{\"%s\": %s}", key, value)), out);
}

/* Fields of the classes that cannot change a picture here. */
static const char *const harmless[] = {
    "unet dropout", "unet upcast_attention", "unet addition_embed_type_num_heads",
    /* read with addition_embed_type text_time alone */
    "unet addition_time_embed_dim", "unet projection_class_embeddings_input_dim",
    "vae force_upcast", "vae sample_size", "clip _name_or_path", "clip architectures",
    "clip attention_dropout", "clip bos_token_id", "clip chunk_size_feed_forward", "clip dtype",
    "clip id2label", "clip initializer_factor", "clip initializer_range", "clip label2id",
    "clip output_attentions", "clip output_hidden_states", "clip pad_token_id", "clip problem_type",
    "clip return_dict", "clip transformers_version"};

static bool is_harmless(const char *kind, const char *key)
{
    char both[128];

    snprintf(both, sizeof both, "%s %s", kind, key);
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
        if (strcmp(harmless[i], both) == 0)
            return true;
    return false;
}

static void all_fields_of_the_reference_are_known(void **state)
{
    (void)state;
    struct arena a = {0};
    struct str text = source_file(&a, "tests/unit/data/config_fields.json");
    json_t *kinds = json_loadb(text.p, text.n, 0, NULL), *fields, *value;
    const char *kind, *key;
    struct parsed p;

    assert_int_equal(json_object_size(kinds), 3);
    json_object_foreach(kinds, kind, fields)
    {
        char *all = json_dumps(fields, 0);
        if (parse(&a, kind, str_from(all), &p))
            fail_msg("the defaults of %s: %s", kind, p.e.message);
        free(all);
        json_object_foreach(fields, key, value)
        {
            char *one = json_dumps(value, JSON_ENCODE_ANY);
            if (parse_with(&a, kind, key, one, &p))
                fail_msg("the default of %s %s: %s", kind, key, p.e.message);
            free(one);
            int rc = parse_with(&a, kind, key, "\"frobnicate\"", &p);
            if (is_harmless(kind, key)) {
                assert_int_equal(rc, 0);
                continue;
            }
            if (!rc)
                fail_msg("%s: '%s' was ignored", kind, key);
            assert_mentions(p.e.message, strcmp(key, "model_type") ? key : "model type");
        }
    }
    json_decref(kinds);
    arena_release(&a);
}

/* Without any key the classes' own defaults hold. */
static void defaults_are_those_of_the_classes(void **state)
{
    (void)state;
    struct arena a = {0};
    struct parsed p;
    static const int widths[] = {320, 640, 1280, 1280};

    assert_int_equal(parse(&a, "unet", STR("{}"), &p), 0);
    assert_int_equal(p.unet.levels, 4);
    assert_memory_equal(p.unet.channels, widths, sizeof widths);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(p.unet.attention_down[i], i < 3);
        assert_int_equal(p.unet.attention_up[i], i < 3);
        assert_int_equal(p.unet.layers[i], 2);
        assert_int_equal(p.unet.heads[i], 8);
        assert_int_equal(p.unet.transformer_layers[i], 1);
        assert_int_equal(p.unet.transformer_layers_up[i], 1);
    }
    assert_true(p.unet.mid_attention && p.unet.flip_sin_to_cos);
    assert_false(p.unet.linear_projection || p.unet.text_time);
    assert_int_equal(p.unet.context, 1280);
    assert_int_equal(p.unet.in_channels, 4);
    assert_int_equal(p.unet.out_channels, 4);
    assert_int_equal(p.unet.groups, 32);
    assert_int_equal(p.unet.time_cond_dim, 0);
    assert_true(p.unet.eps == 1e-5f && p.unet.freq_shift == 0);

    assert_int_equal(parse(&a, "vae", STR("{}"), &p), 0);
    assert_int_equal(p.vae.levels, 1);
    assert_int_equal(p.vae.channels[0], 64);
    assert_int_equal(p.vae.layers, 1);
    assert_true(p.vae.scaling == 0.18215f && p.vae.shift == 0);
    assert_true(p.vae.mid_attention && p.vae.quant_conv && p.vae.post_quant_conv);

    assert_int_equal(parse(&a, "clip", STR("{}"), &p), 0);
    assert_int_equal(p.clip.width, 512);
    assert_int_equal(p.clip.ffn, 2048);
    assert_int_equal(p.clip.layers, 12);
    assert_int_equal(p.clip.heads, 8);
    assert_int_equal(p.clip.positions, 77);
    assert_int_equal(p.clip.vocab, 49408);
    assert_int_equal(p.clip.eos, 49407);
    assert_int_equal(p.clip.projection, 512);
    assert_true(p.clip.quick_gelu && p.clip.eps == 1e-5f);
    arena_release(&a);
}

static void sdxl_like_unets_are_read(void **state)
{
    (void)state;
    static const char json[] =
        "{\"_class_name\": \"UNet2DConditionModel\", \"in_channels\": 9, \"block_out_channels\": "
        "[32, 64, 96], \"down_block_types\": [\"DownBlock2D\", \"CrossAttnDownBlock2D\", "
        "\"CrossAttnDownBlock2D\"], \"up_block_types\": [\"CrossAttnUpBlock2D\", "
        "\"UNetResCrossAttnUpBlock2D\", \"UpBlock2D\"], \"attention_head_dim\": [1, 2, 3], "
        "\"layers_per_block\": [1, 2, 3], \"transformer_layers_per_block\": [1, 2, 10], "
        "\"reverse_transformer_layers_per_block\": [7, 5, 1], \"cross_attention_dim\": [40, 40, "
        "40], \"use_linear_projection\": true, \"norm_num_groups\": 16, \"norm_eps\": 1e-6, "
        "\"flip_sin_to_cos\": false, \"freq_shift\": 1, \"addition_embed_type\": \"text_time\", "
        "\"addition_time_embed_dim\": 8, \"projection_class_embeddings_input_dim\": 60, "
        "\"time_cond_proj_dim\": 256, \"sample_size\": [12, 8], \"only_cross_attention\": [false, "
        "false, false], \"num_attention_heads\": null, \"mid_block_type\": \"UNetMidBlock2D\"}";
    struct arena a = {0};
    struct parsed p;

    if (parse(&a, "unet", str_from(json), &p))
        fail_msg("%s", p.e.message);
    const struct unet_config *u = &p.unet;
    assert_int_equal(u->levels, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(u->channels[i], 32 * (i + 1));
        assert_int_equal(u->attention_down[i], i > 0);
        assert_int_equal(u->attention_up[i], i > 0);
        assert_int_equal(u->heads[i], i + 1);
        assert_int_equal(u->layers[i], i + 1);
    }
    assert_int_equal(u->transformer_layers[1], 2);
    assert_int_equal(u->transformer_layers_mid, 10);
    assert_int_equal(u->transformer_layers_up[2], 7); /* the first up block is the last level */
    assert_int_equal(u->transformer_layers_up[1], 5);
    assert_int_equal(u->context, 40);
    assert_int_equal(u->in_channels, 9);
    assert_int_equal(u->groups, 16);
    assert_int_equal(u->addition_time_dim, 8);
    assert_int_equal(u->class_embed_in, 60);
    assert_int_equal(u->time_cond_dim, 256);
    assert_int_equal(u->sample_size, 12);
    assert_int_equal(u->sample_width, 8);
    assert_true(u->linear_projection && u->text_time);
    assert_false(u->mid_attention || u->flip_sin_to_cos);
    assert_true(u->eps == 1e-6f && u->freq_shift == 1);
    arena_release(&a);
}

static void values_that_are_not_done_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *key, *value, *mention;
    } cases[] = {
        {"unet", "_class_name", "\"UNet3DConditionModel\"", "UNet3DConditionModel"},
        {"unet", "act_fn", "\"gelu\"", "'act_fn' is \"gelu\""},
        {"unet", "act_fn", "null", "'act_fn'"},
        {"unet", "addition_embed_type", "\"image\"", "'addition_embed_type' is 'image'"},
        {"unet", "addition_embed_type", "\"text_time\"", "addition_time_embed_dim"},
        {"unet", "attention_head_dim", "0", "'attention_head_dim'"},
        {"unet", "attention_head_dim", "[8, 8]", "'attention_head_dim' has 2 entries"},
        {"unet", "attention_head_dim", "[8, 8, 8, null]", "'attention_head_dim'"},
        {"unet", "attention_head_dim", "7", "do not divide into 7 heads"},
        {"unet", "attention_type", "\"gated\"", "'attention_type' is \"gated\""},
        {"unet", "block_out_channels", "[320, 640]", "'down_block_types' has 4 entries for 2"},
        {"unet", "block_out_channels", "[]", "'block_out_channels' must list 1 to 8"},
        {"unet", "block_out_channels", "320", "'block_out_channels'"},
        {"unet", "block_out_channels", "[320, 640, 1280, 1e9]", "'block_out_channels'"},
        {"unet", "block_out_channels", "[320, 640, 1280, \"x\"]", "'block_out_channels'"},
        {"unet", "center_input_sample", "true", "'center_input_sample' is true"},
        {"unet", "class_embed_type", "\"projection\"", "'class_embed_type'"},
        {"unet", "conv_in_kernel", "1", "'conv_in_kernel' is 1"},
        {"unet", "cross_attention_dim", "[768, 768, 768, 1024]", "differs between levels"},
        {"unet", "down_block_types",
         "[\"AttnDownBlock2D\", \"DownBlock2D\", \"DownBlock2D\", \"DownBlock2D\"]",
         "'AttnDownBlock2D'"},
        {"unet", "down_block_types", "[1, 2, 3, 4]", "'down_block_types'"},
        {"unet", "dual_cross_attention", "true", "'dual_cross_attention' is true"},
        {"unet", "encoder_hid_dim", "768", "'encoder_hid_dim' is 768"},
        {"unet", "frobnication", "1", "'frobnication' is unknown"},
        {"unet", "layers_per_block", "1000000", "'layers_per_block' is 1000000"},
        {"unet", "layers_per_block", "2.5", "'layers_per_block' must be an integer"},
        {"unet", "mid_block_type", "null", "'mid_block_type' is null"},
        {"unet", "mid_block_type", "\"UNetMidBlock2DSimpleCrossAttn\"", "'mid_block_type'"},
        {"unet", "norm_eps", "0", "'norm_eps'"},
        {"unet", "norm_num_groups", "33", "do not divide into 33 groups"},
        {"unet", "norm_num_groups", "null", "'norm_num_groups'"},
        {"unet", "num_attention_heads", "8", "'num_attention_heads' is 8"},
        {"unet", "only_cross_attention", "[false, true, false, false]", "'only_cross_attention'"},
        {"unet", "resnet_time_scale_shift", "\"scale_shift\"", "'resnet_time_scale_shift'"},
        {"unet", "sample_size", "[64, 64, 64]", "'sample_size'"},
        {"unet", "sample_size", "0", "'sample_size'"},
        {"unet", "time_embedding_dim", "512", "'time_embedding_dim'"},
        {"unet", "transformer_layers_per_block", "[[1, 1], 2, 3, 4]",
         "'transformer_layers_per_block'"},
        {"vae", "_class_name", "\"VQModel\"", "VQModel"},
        {"vae", "block_out_channels", "[64, 128]", "'down_block_types' has 1 entries for 2"},
        {"vae", "down_block_types", "[\"AttnDownEncoderBlock2D\"]", "'down_block_types'"},
        {"vae", "in_channels", "1", "1 and 3 channels"},
        {"vae", "latents_mean", "[0.1, 0, 0, 0]", "'latents_mean'"},
        {"vae", "norm_num_groups", "48", "do not divide into 48 groups"},
        {"vae", "scaling_factor", "-1", "'scaling_factor'"},
        {"vae", "shift_factor", "0.1", "'shift_factor' is 0.1"},
        {"vae", "something_new", "true", "'something_new' is unknown"},
        {"clip", "eos_token_id", "[1, 2]", "'eos_token_id'"},
        {"clip", "hidden_act", "\"gelu_new\"", "'hidden_act' is 'gelu_new'"},
        {"clip", "model_type", "\"t5\"", "'t5'"},
        {"clip", "num_attention_heads", "5", "does not divide into 5 heads"},
        {"clip", "rope_theta", "1", "'rope_theta' is unknown"},
        {"clip", "vocab_size", "1e12", "'vocab_size'"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena a = {0};
        struct parsed p;
        memset(&p, 77, sizeof p);
        if (!parse_with(&a, cases[i].kind, cases[i].key, cases[i].value, &p))
            fail_msg("%s %s = %s was accepted", cases[i].kind, cases[i].key, cases[i].value);
        assert_mentions(p.e.message, cases[i].mention);
        assert_mentions(p.e.message, ".json'");
        /* Outputs are untouched. */
        assert_int_equal(p.unet.levels, 0x4d4d4d4d);
        assert_int_equal(p.vae.levels, 0x4d4d4d4d);
        assert_int_equal(p.clip.width, 0x4d4d4d4d);
        arena_release(&a);
    }
}

static void broken_json_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "{", "[]", "7", "{\"a\": }", "{\"a\": NaN}", "\xff"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct arena a = {0};
        struct parsed p;
        assert_int_equal(parse(&a, "unet", str_from(texts[i]), &p), ERR_FORMAT);
        assert_mentions(p.e.message, "u.json");
        arena_release(&a);
    }
}

static void text_encoders_without_projection_have_none(void **state)
{
    (void)state;
    struct arena a = {0};
    struct clip_config t;
    struct err e;

    assert_int_equal(clip_config_parse(&a,
                                       STR("{\"projection_dim\": 64, \"hidden_act\": \"gelu\", "
                                           "\"eos_token_id\": 2}"),
                                       "t", false, &t, &e),
                     0);
    assert_int_equal(t.projection, 0);
    assert_int_equal(t.eos, 2);
    assert_false(t.quick_gelu);
    arena_release(&a);
}

/* What diffusers' constructor does to folders written before 0.9. */
static void old_unets_are_drawn_at_64(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        int size;
    } cases[] = {
        {"{\"_diffusers_version\": \"0.6.0\", \"sample_size\": 32}", 64},
        {"{\"_diffusers_version\": \"0.6.0\", \"sample_size\": 96}", 96},
        {"{\"_diffusers_version\": \"0.9.0\", \"sample_size\": 32}", 32},
        {"{\"_diffusers_version\": \"0.42.1\", \"sample_size\": 32}", 32},
        {"{\"sample_size\": 32}", 32},
        {"{\"_diffusers_version\": \"0.6.0\", \"sample_size\": null}", 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena a = {0};
        struct parsed p;
        assert_int_equal(parse(&a, "unet", str_from(cases[i].json), &p), 0);
        assert_int_equal(p.unet.sample_size, cases[i].size);
        assert_int_equal(p.unet.sample_width, cases[i].size);
        arena_release(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_fields_of_the_reference_are_known),
        cmocka_unit_test(defaults_are_those_of_the_classes),
        cmocka_unit_test(sdxl_like_unets_are_read),
        cmocka_unit_test(values_that_are_not_done_are_refused_by_name),
        cmocka_unit_test(broken_json_is_refused),
        cmocka_unit_test(text_encoders_without_projection_have_none),
        cmocka_unit_test(old_unets_are_drawn_at_64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
