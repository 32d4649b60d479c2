/* src/engine/weights/single_file.c, infer.c: checkpoints told apart by names and shapes. */
#include "weights_files.h"

#include "engine/weights/model.h"

/* Lines of tensors, in the form that folder_tensors takes. */
struct lines {
    char text[1 << 17];
    size_t n;
};

static void add(struct lines *l, const char *format, ...) PRINTF_LIKE(2, 3);
static void add(struct lines *l, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    l->n += (size_t)vsnprintf(l->text + l->n, sizeof l->text - l->n, format, args);
    va_end(args);
    assert_true(l->n < sizeof l->text);
}

/* What inference looks at, as single bytes: shapes decide, not numbers. */
static void add_block(struct lines *l, const char *block, int width, int depth, int context,
                      bool linear)
{
    add(l, "model.diffusion_model.%s.0.out_layers.3.weight u8 %d 1 3 3\n", block, width);
    if (depth)
        add(l, "model.diffusion_model.%s.1.proj_in.weight u8 %d %d%s\n", block, width, width,
            linear ? "" : " 1 1");
    for (int i = 0; i < depth; i++)
        add(l, "model.diffusion_model.%s.1.transformer_blocks.%d.attn2.to_k.weight u8 %d %d\n",
            block, i, width, context);
}

struct kind {
    int levels, widths[4], layers, down[4], up[4], mid, context, channels;
    bool linear;
};
static const struct kind sd1 = {3, {32, 64, 64}, 2, {1, 1, 0}, {1, 1, 0}, 1, 64, 4, false};
static const struct kind sd2 = {2, {64, 128}, 1, {1, 0}, {1, 0}, 1, 64, 4, true};
static const struct kind sdxl = {3, {64, 64, 128}, 1, {0, 2, 3}, {0, 2, 3}, 3, 192, 4, true};

static void add_unet(struct lines *l, const struct kind *k)
{
    char block[64];
    int n = 1;

    add(l, "model.diffusion_model.input_blocks.0.0.weight u8 %d %d 3 3\n", k->widths[0],
        k->channels);
    for (int level = 0; level < k->levels; level++) {
        for (int i = 0; i < k->layers; i++) {
            snprintf(block, sizeof block, "input_blocks.%d", n++);
            add_block(l, block, k->widths[level], k->down[level], k->context, k->linear);
        }
        if (level < k->levels - 1)
            add(l, "model.diffusion_model.input_blocks.%d.0.op.weight u8 1\n", n++);
    }
    add_block(l, "middle_block", k->widths[k->levels - 1], k->mid, k->context, k->linear);
    n = 0;
    for (int level = k->levels - 1; level >= 0; level--)
        for (int i = 0; i <= k->layers; i++) {
            snprintf(block, sizeof block, "output_blocks.%d", n++);
            add_block(l, block, k->widths[level], k->up[level], k->context, k->linear);
        }
    add(l, "model.diffusion_model.out.2.weight u8 4 %d 3 3\n", k->widths[0]);
}

static void add_vae(struct lines *l, const char *prefix)
{
    static const int widths[] = {32, 32, 64, 64};

    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 3; j++)
            add(l, "%sdecoder.up.%d.block.%d.conv2.weight u8 %d 1 3 3\n", prefix, i, j, widths[i]);
    add(l, "%sdecoder.conv_in.weight u8 64 4 3 3\n", prefix);
    add(l, "%sdecoder.conv_out.weight u8 3 32 3 3\n", prefix);
    add(l, "%sdecoder.mid.attn_1.q.weight u8 64 64 1 1\n", prefix);
    add(l, "%squant_conv.weight u8 8 8 1 1\n%spost_quant_conv.weight u8 4 4 1 1\n", prefix, prefix);
}

static void add_clip(struct lines *l, const char *prefix, int width, int layers)
{
    add(l, "%stext_model.embeddings.token_embedding.weight u8 11 %d\n", prefix, width);
    add(l, "%stext_model.embeddings.position_embedding.weight u8 77 %d\n", prefix, width);
    add(l, "%stext_model.embeddings.position_ids i64 1 77\n", prefix);
    for (int i = 0; i < layers; i++)
        add(l, "%stext_model.encoder.layers.%d.mlp.fc1.weight u8 96 %d\n", prefix, i, width);
}

static void add_open_clip(struct lines *l, const char *prefix, int width, int layers,
                          int projection)
{
    add(l, "%stoken_embedding.weight u8 11 %d\n%spositional_embedding u8 77 %d\n", prefix, width,
        prefix, width);
    for (int i = 0; i < layers; i++)
        add(l, "%stransformer.resblocks.%d.mlp.c_fc.weight u8 96 %d\n", prefix, i, width);
    if (projection)
        add(l, "%stext_projection u8 %d %d\n%slogit_scale\n", prefix, width, projection, prefix);
}

static void fill_sd1(struct lines *l, const struct kind *k)
{
    add_unet(l, k);
    add_vae(l, "first_stage_model.");
    add_clip(l, "cond_stage_model.transformer.", 64, 2);
}

static void fill_sd2(struct lines *l, const struct kind *k, int layers, int projection)
{
    add_unet(l, k);
    add_vae(l, "first_stage_model.");
    add_open_clip(l, "cond_stage_model.model.", 64, layers, projection);
}

static void fill_xl(struct lines *l)
{
    add_unet(l, &sdxl);
    add(l, "model.diffusion_model.label_emb.0.0.weight u8 256 176\n"); /* 6 x 16 + 80 */
    add_vae(l, "first_stage_model.");
    add_clip(l, "conditioner.embedders.0.transformer.", 64, 2);
    add_open_clip(l, "conditioner.embedders.1.model.", 128, 3, 80);
}

static int try_open(const struct lines *l, const char *const *notes, struct model **out,
                    struct err *e)
{
    char *dir = folder_new();

    folder_tensors_noted(dir, "x.safetensors", l->text, notes);
    int rc = model_open(folder_path(dir, "x.safetensors"), NULL, out, e);
    folder_free(dir); /* the mapping outlives the name */
    return rc;
}

static struct model *open_lines(const struct lines *l, const char *const *notes)
{
    struct model *m = NULL;
    struct err e;

    if (try_open(l, notes, &m, &e))
        fail_msg("%s", e.message);
    return m;
}

static void assert_refused(const struct lines *l, int code, const char *mention)
{
    struct model *m = NULL;
    struct err e = {0};
    int rc = try_open(l, NULL, &m, &e);

    assert_mentions(e.message, mention);
    assert_mentions(e.message, "x.safetensors");
    assert_int_equal(rc, code);
}

static struct lines l; /* large: not on the stack */

static void sd1_is_told_by_its_shapes(void **state)
{
    (void)state;
    l = (struct lines){0};
    fill_sd1(&l, &sd1);
    add(&l, "model_ema.decay 1\nalphas_cumprod 1000\n"); /* ignored */
    struct model *m = open_lines(&l, NULL);
    const struct unet_config *u = &m->unet;

    assert_int_equal(m->architecture, ARCH_SD1);
    assert_true(m->single_file);
    assert_false(m->inpainting || u->linear_projection || u->text_time);
    assert_int_equal(u->levels, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(u->channels[i], sd1.widths[i]);
        assert_int_equal(u->layers[i], 2);
        assert_int_equal(u->heads[i], 8);
        assert_int_equal(u->attention_down[i], i < 2);
        assert_int_equal(u->attention_up[i], i < 2);
        assert_int_equal(u->transformer_layers[i], 1);
    }
    assert_true(u->mid_attention && u->transformer_layers_mid == 1);
    assert_int_equal(u->context, 64);
    assert_int_equal(u->in_channels, 4);
    assert_int_equal(u->out_channels, 4);
    assert_int_equal(u->sample_size, 64);
    assert_int_equal(u->groups, 32);
    assert_true(u->flip_sin_to_cos && u->eps == 1e-5f && u->freq_shift == 0);

    assert_int_equal(m->vae.levels, 4);
    assert_int_equal(m->vae.channels[2], 64);
    assert_int_equal(m->vae.layers, 2);
    assert_int_equal(m->vae.latent_channels, 4);
    assert_true(m->vae.mid_attention && m->vae.quant_conv && m->vae.post_quant_conv);
    assert_true(m->vae.scaling == 0.18215f);

    assert_int_equal(m->clip[0].width, 64);
    assert_int_equal(m->clip[0].layers, 2);
    assert_int_equal(m->clip[0].heads, 1);
    assert_int_equal(m->clip[0].ffn, 96);
    assert_int_equal(m->clip[0].positions, 77);
    assert_int_equal(m->clip[0].vocab, 11);
    assert_true(m->clip[0].quick_gelu);
    assert_int_equal(m->vocab[0].n, 0);
    assert_false(m->pad_with_zero[0]);

    assert_int_equal(m->scheduler.kind, SAMPLER_PNDM);
    assert_int_equal(m->scheduler.prediction, PREDICT_EPSILON);
    assert_int_equal(m->scheduler.spacing, SPACING_LEADING);
    assert_int_equal(m->scheduler.steps_offset, 1);
    assert_true(m->scheduler.beta_start == 0.00085 && m->scheduler.beta_end == 0.012);
    assert_int_equal(m->scheduler.beta_schedule, BETA_SCALED_LINEAR);
    assert_int_equal(m->scheduler.set_alpha_to_one, OPTION_FALSE);
    assert_int_equal(m->scheduler.clip_sample, OPTION_FALSE);
    model_close(m);
}

static void sd2_predicts_v_and_drops_a_layer(void **state)
{
    (void)state;
    l = (struct lines){0};
    fill_sd2(&l, &sd2, 3, 64);
    struct model *m = open_lines(&l, NULL);
    assert_int_equal(m->architecture, ARCH_SD2);
    assert_true(m->unet.linear_projection && m->pad_with_zero[0]);
    assert_int_equal(m->unet.heads[0], 1);
    assert_int_equal(m->unet.heads[1], 2);
    assert_int_equal(m->unet.sample_size, 96);
    assert_int_equal(m->clip[0].layers, 2);
    assert_int_equal(m->clip[0].projection, 0);
    assert_false(m->clip[0].quick_gelu);
    assert_null(weights_get(&m->clip_weights[0], "text_model.encoder.layers.2.mlp.fc1.weight"));
    assert_null(weights_get(&m->clip_weights[0], "text_projection.weight"));
    assert_int_equal(m->scheduler.kind, SAMPLER_DDIM);
    assert_int_equal(m->scheduler.prediction, PREDICT_V);
    model_close(m);

    /* Saved without the projection: the last layer is not there either. */
    l = (struct lines){0};
    fill_sd2(&l, &sd2, 3, 0);
    m = open_lines(&l, NULL);
    assert_int_equal(m->clip[0].layers, 3);
    model_close(m);
    l = (struct lines){0};
    fill_sd2(&l, &sd2, 24, 0);
    m = open_lines(&l, NULL);
    assert_int_equal(m->clip[0].layers, 23);
    model_close(m);
}

static enum prediction_kind prediction_of(const char *more, const char *const *notes, int *size,
                                          const struct kind *k)
{
    l = (struct lines){0};
    fill_sd2(&l, k, 2, 0);
    add(&l, "%s", more);
    struct model *m = open_lines(&l, notes);
    enum prediction_kind p = m->scheduler.prediction;

    *size = m->unet.sample_size;
    model_close(m);
    return p;
}

static void sd2_tells_its_prediction(void **state)
{
    (void)state;
    static const char *const told[] = {"modelspec.prediction_type", "epsilon", NULL};
    struct kind inpainting = sd2;
    int size;

    inpainting.channels = 9;
    assert_int_equal(prediction_of("", NULL, &size, &sd2), PREDICT_V);
    assert_int_equal(size, 96);
    assert_int_equal(prediction_of("", told, &size, &sd2), PREDICT_EPSILON);
    assert_int_equal(size, 64);
    assert_int_equal(prediction_of("", NULL, &size, &inpainting), PREDICT_EPSILON);
    /* global_step: the writer numbers from the tensor's place, so not 875000 */
    assert_int_equal(prediction_of("global_step i64\n", NULL, &size, &sd2), PREDICT_V);
}

static void the_global_step_of_the_512_model_means_epsilon(void **state)
{
    (void)state;
    static const int64_t step = 875000;
    const struct tensor extra = {STR("global_step"), DTYPE_I64, 0, {0}, &step};
    char *dir = folder_new();
    struct arena a = {0};
    struct safetensors file;
    struct model *m;
    struct err e;

    l = (struct lines){0};
    fill_sd2(&l, &sd2, 2, 0);
    folder_tensors(dir, "x.safetensors", l.text);
    const char *path = folder_path(dir, "x.safetensors");
    assert_int_equal(safetensors_open(&a, path, &file, &e), 0);
    struct tensor *all = arena_alloc(&a, sizeof *all * (size_t)(file.count + 1));
    memcpy(all, file.tensors, sizeof *all * (size_t)file.count);
    all[file.count] = extra;
    assert_int_equal(safetensors_write(path, all, file.count + 1, NULL, 0, &e), 0);
    safetensors_close(&file);
    assert_int_equal(model_open(path, NULL, &m, &e), 0);
    assert_int_equal(m->scheduler.prediction, PREDICT_EPSILON);
    model_close(m);
    arena_release(&a);
    folder_free(dir);
}

static void sdxl_is_told_by_its_two_encoders(void **state)
{
    (void)state;
    l = (struct lines){0};
    fill_xl(&l);
    struct model *m = open_lines(&l, NULL);

    assert_int_equal(m->architecture, ARCH_SDXL);
    assert_int_equal(m->encoders, 2);
    assert_int_equal(m->clip[0].width, 64);
    assert_int_equal(m->clip[1].width, 128);
    assert_int_equal(m->clip[1].layers, 3);
    assert_int_equal(m->clip[1].projection, 80);
    assert_true(m->clip[0].quick_gelu && !m->clip[1].quick_gelu);
    assert_int_equal(m->unet.class_embed_in, 176);
    assert_int_equal(m->unet.addition_time_dim, 16);
    assert_false(m->unet.attention_down[0]);
    assert_int_equal(m->unet.transformer_layers[1], 2);
    assert_int_equal(m->unet.transformer_layers_up[2], 3);
    assert_int_equal(m->unet.transformer_layers_mid, 3);
    assert_int_equal(m->unet.heads[2], 2);
    assert_int_equal(m->unet.sample_size, 128);
    assert_true(m->vae.scaling == 0.13025f);
    assert_true(m->force_zeros_for_empty_prompt && m->pad_with_zero[1] && !m->pad_with_zero[0]);
    assert_int_equal(m->scheduler.kind, SAMPLER_EULER);
    assert_int_equal(m->scheduler.prediction, PREDICT_EPSILON);
    assert_int_equal(m->scheduler.rescale_betas_zero_snr, OPTION_ABSENT);
    assert_non_null(weights_get(&m->clip_weights[1], "text_projection.weight"));
    model_close(m);

    add(&l, "v_pred u8 0\nztsnr u8 0\n");
    m = open_lines(&l, NULL);
    assert_int_equal(m->scheduler.prediction, PREDICT_V);
    assert_int_equal(m->scheduler.rescale_betas_zero_snr, OPTION_TRUE);
    model_close(m);
}

static void inpainting_has_nine_channels(void **state)
{
    (void)state;
    struct kind k = sd1;

    k.channels = 9;
    l = (struct lines){0};
    fill_sd1(&l, &k);
    struct model *m = open_lines(&l, NULL);
    assert_true(m->inpainting);
    assert_int_equal(m->unet.in_channels, 9);
    model_close(m);
    k.channels = 8;
    l = (struct lines){0};
    fill_sd1(&l, &k);
    assert_refused(&l, ERR_UNSUPPORTED, "8 channels in");
}

static void a_newer_vae_wins(void **state)
{
    (void)state;
    l = (struct lines){0};
    fill_sd1(&l, &sd1);
    add_vae(&l, "vae.");
    add(&l, "vae.quant_conv.bias u8 5\nfirst_stage_model.quant_conv.bias u8 6\n");
    struct model *m = open_lines(&l, NULL);
    assert_int_equal(weights_get(&m->vae_weights, "quant_conv.bias")->shape[0], 5);
    model_close(m);
}

static void other_files_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *lines, *mention;
    } cases[] = {
        {"", "no tensors named model.diffusion_model"},
        {"a.b 1\n", "no tensors named model.diffusion_model"},
        {"lora_unet_x.alpha 1\n", "is a LoRA"},
        {"control_model.x 1\n", "is a ControlNet"},
        {"down_blocks.0.x 1\n", "part of a Diffusers folder"},
        {"model.diffusion_model.joint_blocks.0.x 1\n", "Stable Diffusion 3"},
        {"model.diffusion_model.double_blocks.0.x 1\n", "Flux"},
        {"conditioner.embedders.0.model.x 1\n", "refiner"},
        {"model.diffusion_model.x 1\n", "has no VAE"},
        {"model.diffusion_model.x 1\nvae.x 1\n", "no text encoder"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        l = (struct lines){0};
        add(&l, "%s", cases[i].lines);
        assert_refused(&l, ERR_UNSUPPORTED, cases[i].mention);
    }
}

static void odd_shapes_are_refused(void **state)
{
    (void)state;
    struct kind k = sd1;

    l = (struct lines){0};
    add(&l, "model.diffusion_model.x 1\nvae.x 1\n");
    add_clip(&l, "cond_stage_model.transformer.", 64, 1);
    assert_refused(&l, ERR_FORMAT, "input_blocks.1.0.out_layers.3.weight' is missing");
    k.widths[0] = 40; /* no 32 groups */
    l = (struct lines){0};
    fill_sd1(&l, &k);
    assert_refused(&l, ERR_UNSUPPORTED, "x.safetensors.config'");
    k = sd1;
    k.context = 48; /* not what the text encoder gives */
    l = (struct lines){0};
    fill_sd1(&l, &k);
    assert_refused(&l, ERR_FORMAT, "cross_attention_dim");
    k = sd1;
    k.mid = k.down[0] = k.down[1] = k.up[0] = k.up[1] = 0;
    l = (struct lines){0};
    fill_sd1(&l, &k);
    assert_refused(&l, ERR_UNSUPPORTED, "without cross-attention");
    k = sd1;
    l = (struct lines){0};
    fill_sd1(&l, &k);
    add(&l, "model.diffusion_model.output_blocks.0.1.transformer_blocks.0.attn2.to_k.weight u8 4 "
            "4\n");
    assert_refused(&l, ERR_UNSUPPORTED, "level 2");
    l = (struct lines){0};
    fill_sd1(&l, &sd1);
    add(&l, "model.diffusion_model.label_emb.0.0.weight u8 4 4\n");
    assert_refused(&l, ERR_UNSUPPORTED, "class conditioning");
}

static void deep_networks_end(void **state)
{
    (void)state;
    l = (struct lines){0};
    for (int i = 1; i < 70; i++)
        add(&l, "model.diffusion_model.input_blocks.%d.0.out_layers.3.weight u8 32 1\n", i);
    add_vae(&l, "vae.");
    add_clip(&l, "cond_stage_model.transformer.", 64, 1);
    assert_refused(&l, ERR_UNSUPPORTED, "more than 64 blocks");
    l = (struct lines){0};
    for (int i = 1; i < 70; i++)
        add(&l, "model.diffusion_model.input_blocks.%d.0.op.weight u8 32 1\n", i);
    add_vae(&l, "vae.");
    add_clip(&l, "cond_stage_model.transformer.", 64, 1);
    assert_refused(&l, ERR_UNSUPPORTED, "more than 8 levels");
}

/* Real checkpoints with their configs beside them; shapes alone would not do for these widths. */
static void configs_beside_the_file_win(void **state)
{
    (void)state;
    static const char *const files[] = {"single-sd1", "single-xl"};
    const char *root = getenv("CAULDRON_SOURCE");

    for (int i = 0; i < 2; i++) {
        char from[512];
        struct model *m;
        struct err e;
        snprintf(from, sizeof from, "%s/tests/parity/models/%s.safetensors", root ? root : ".",
                 files[i]);
        if (model_open(from, NULL, &m, &e))
            fail_msg("%s", e.message);
        assert_true(m->single_file);
        assert_int_equal(m->architecture, i ? ARCH_SDXL : ARCH_SD1);
        assert_int_equal(m->encoders, i + 1);
        assert_int_equal(m->vocab[0].n, 0); /* CLIP's own */
        assert_int_equal(m->pad_with_zero[1], true);
        model_close(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sd1_is_told_by_its_shapes),
        cmocka_unit_test(sd2_predicts_v_and_drops_a_layer),
        cmocka_unit_test(sd2_tells_its_prediction),
        cmocka_unit_test(the_global_step_of_the_512_model_means_epsilon),
        cmocka_unit_test(sdxl_is_told_by_its_two_encoders),
        cmocka_unit_test(inpainting_has_nine_channels),
        cmocka_unit_test(a_newer_vae_wins),
        cmocka_unit_test(other_files_are_refused_by_name),
        cmocka_unit_test(odd_shapes_are_refused),
        cmocka_unit_test(deep_networks_end),
        cmocka_unit_test(configs_beside_the_file_win),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
