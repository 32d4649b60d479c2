/* src/engine/weights/folder.c, files.c, tokenizer_files.c, taesd.c: Diffusers folders. */
#include "weights_files.h"

#include "engine/weights/model.h"

static const char index_sd[] =
    "{\"_class_name\": \"StableDiffusionPipeline\", \"_diffusers_version\": \"0.42.1\", "
    "\"requires_safety_checker\": false, \"safety_checker\": [null, null], \"feature_extractor\": "
    "[null, null], \"image_encoder\": [null, null], \"scheduler\": [\"diffusers\", "
    "\"PNDMScheduler\"], \"text_encoder\": [\"transformers\", \"CLIPTextModel\"], \"tokenizer\": "
    "[\"transformers\", \"CLIPTokenizer\"], \"unet\": [\"diffusers\", \"UNet2DConditionModel\"], "
    "\"vae\": [\"diffusers\", \"AutoencoderKL\"]}";
static const char index_xl[] =
    "{\"_class_name\": \"StableDiffusionXLPipeline\", \"force_zeros_for_empty_prompt\": true, "
    "\"scheduler\": [\"diffusers\", \"EulerDiscreteScheduler\"], \"text_encoder\": "
    "[\"transformers\", \"CLIPTextModel\"], \"text_encoder_2\": [\"transformers\", "
    "\"CLIPTextModelWithProjection\"], \"tokenizer\": [\"transformers\", \"CLIPTokenizer\"], "
    "\"tokenizer_2\": [\"transformers\", \"CLIPTokenizerFast\"], \"unet\": [\"diffusers\", "
    "\"UNet2DConditionModel\"], \"vae\": [\"diffusers\", \"AutoencoderKL\"]}";
static const char unet_config[] =
    "{\"block_out_channels\": [8, 16], \"norm_num_groups\": 4, \"layers_per_block\": 1, "
    "\"attention_head_dim\": 2, \"cross_attention_dim\": 12, \"sample_size\": 16, "
    "\"down_block_types\": [\"CrossAttnDownBlock2D\", \"DownBlock2D\"], \"up_block_types\": "
    "[\"UpBlock2D\", \"CrossAttnUpBlock2D\"]}";
static const char unet_config_xl[] =
    "{\"block_out_channels\": [8, 16], \"norm_num_groups\": 4, \"layers_per_block\": 1, "
    "\"attention_head_dim\": 2, \"cross_attention_dim\": 28, \"sample_size\": 16, "
    "\"use_linear_projection\": true, \"addition_embed_type\": \"text_time\", "
    "\"addition_time_embed_dim\": 4, \"projection_class_embeddings_input_dim\": 44, "
    "\"down_block_types\": [\"CrossAttnDownBlock2D\", \"DownBlock2D\"], \"up_block_types\": "
    "[\"UpBlock2D\", \"CrossAttnUpBlock2D\"]}";
static const char vae_config[] =
    "{\"block_out_channels\": [4, 4, 4, 8], \"norm_num_groups\": 4, \"down_block_types\": "
    "[\"DownEncoderBlock2D\", \"DownEncoderBlock2D\", \"DownEncoderBlock2D\", "
    "\"DownEncoderBlock2D\"], \"up_block_types\": [\"UpDecoderBlock2D\", \"UpDecoderBlock2D\", "
    "\"UpDecoderBlock2D\", \"UpDecoderBlock2D\"], \"scaling_factor\": 0.5}";
static const char clip_config[] = "{\"hidden_size\": 12, \"intermediate_size\": 24, "
                                  "\"num_hidden_layers\": 1, \"num_attention_heads\": 2, "
                                  "\"vocab_size\": 9}";
static const char clip_config_2[] =
    "{\"hidden_size\": 16, \"intermediate_size\": 24, \"num_hidden_layers\": 2, "
    "\"num_attention_heads\": 2, \"vocab_size\": 9, \"projection_dim\": 20, \"hidden_act\": "
    "\"gelu\"}";
static const char scheduler_config[] =
    "{\"_class_name\": \"PNDMScheduler\", \"beta_schedule\": \"scaled_linear\", \"steps_offset\": "
    "1, \"skip_prk_steps\": true}";
static const char vocab[] = "{\"a</w>\": 0, \"<|startoftext|>\": 1, \"<|endoftext|>\": 2}";

static void fill_tokenizer(const char *dir, const char *name)
{
    char file[64];

    snprintf(file, sizeof file, "%s/vocab.json", name);
    folder_text(dir, file, vocab);
    snprintf(file, sizeof file, "%s/merges.txt", name);
    folder_text(dir, file, "#version: 0.2\n");
}

static void fill(const char *dir)
{
    folder_text(dir, "model_index.json", index_sd);
    folder_text(dir, "unet/config.json", unet_config);
    folder_text(dir, "vae/config.json", vae_config);
    folder_text(dir, "text_encoder/config.json", clip_config);
    folder_text(dir, "scheduler/scheduler_config.json", scheduler_config);
    fill_tokenizer(dir, "tokenizer");
    folder_tensors(dir, "unet/diffusion_pytorch_model.safetensors",
                   "conv_in.weight 8 4 3 3\ndown_blocks.0.resnets.0.conv1.bias 8\n"
                   "some.adapter.weight 3\n");
    folder_tensors(dir, "vae/diffusion_pytorch_model.safetensors", "quant_conv.bias 8\n");
    folder_tensors(dir, "text_encoder/model.safetensors", "final_layer_norm.bias 12\n");
}

static void fill_xl(const char *dir)
{
    fill(dir);
    folder_text(dir, "model_index.json", index_xl);
    folder_text(dir, "unet/config.json", unet_config_xl);
    folder_text(dir, "text_encoder_2/config.json", clip_config_2);
    folder_tensors(dir, "text_encoder_2/model.safetensors",
                   "text_model.final_layer_norm.bias 16\ntext_projection.weight 20 16\n");
    fill_tokenizer(dir, "tokenizer_2");
}

static struct model *open_model(const char *dir, const char *variant)
{
    struct model *m = NULL;
    struct err e;

    if (model_open(dir, variant, &m, &e))
        fail_msg("%s", e.message);
    return m;
}

static void assert_refused(const char *dir, int code, const char *mention)
{
    struct model *m = NULL;
    struct err e = {0};
    int rc = model_open(dir, NULL, &m, &e);

    assert_null(m);
    assert_mentions(e.message, mention);
    assert_int_equal(rc, code);
}

static void sd1_folders_are_read(void **state)
{
    (void)state;
    char *dir = folder_new();
    fill(dir);
    folder_text(dir, "tokenizer/tokenizer_config.json", "{\"pad_token\": \"!\"}");
    folder_text(dir, "tokenizer/special_tokens_map.json", "{\"pad_token\": \"?\"}");
    struct model *m = open_model(dir, NULL);

    assert_int_equal(m->architecture, ARCH_SD1);
    assert_string_equal(architecture_name(m->architecture), "sd1");
    assert_false(m->single_file || m->inpainting || m->taesd || m->force_zeros_for_empty_prompt);
    assert_int_equal(m->encoders, 1);
    assert_int_equal(m->clip[0].width, 12);
    assert_int_equal(m->unet.channels[1], 16);
    assert_int_equal(m->unet.sample_size, 16);
    assert_true(m->vae.scaling == 0.5f);
    assert_int_equal(m->scheduler.kind, SAMPLER_PNDM);
    assert_true(str_is(m->vocab[0], vocab));
    assert_true(str_is(m->merges[0], "#version: 0.2\n"));
    assert_true(str_is(m->tokenizer_config[0], "{\"pad_token\": \"!\"}"));
    assert_true(str_is(m->special_tokens[0], "{\"pad_token\": \"?\"}"));
    const struct tensor *t = weights_get(&m->unet_weights, "input_blocks.0.0.weight");
    assert_non_null(t);
    assert_int_equal(t->shape[1], 4);
    assert_true(tensor_at(t, 5) == 5);
    assert_non_null(weights_get(&m->unet_weights, "input_blocks.1.0.in_layers.2.bias"));
    assert_int_equal(m->unet_weights.tensors.count, 2); /* the adapter's key is no part of it */
    assert_non_null(weights_get(&m->vae_weights, "quant_conv.bias"));
    assert_non_null(weights_get(&m->clip_weights[0], "text_model.final_layer_norm.bias"));
    assert_int_equal(model_bytes(m), 4 * (8 * 4 * 9 + 8 + 8 + 12));
    model_forget(m, COMPONENT_UNET);
    assert_true(tensor_at(t, 5) == 5);
    model_close(m);
    model_close(NULL);
    folder_free(dir);
}

static void sdxl_folders_are_read(void **state)
{
    (void)state;
    char *dir = folder_new();
    fill_xl(dir);
    struct model *m = open_model(dir, NULL);

    assert_int_equal(m->architecture, ARCH_SDXL);
    assert_int_equal(m->encoders, 2);
    assert_true(m->force_zeros_for_empty_prompt && m->unet.text_time);
    assert_int_equal(m->clip[1].projection, 20);
    assert_int_equal(m->clip[0].projection, 0);
    assert_true(m->clip[0].quick_gelu && !m->clip[1].quick_gelu);
    assert_non_null(weights_get(&m->clip_weights[1], "text_projection.weight"));
    assert_true(str_is(m->vocab[1], vocab));
    model_close(m);
    folder_free(dir);
}

/* Replace one file (NULL: remove it) of a good folder and say what the refusal must mention. */
static void parts_that_lack_or_do_not_fit_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        bool xl;
        const char *file, *text;
        int code;
        const char *mention;
    } cases[] = {
        {false, "model_index.json", NULL, ERR_NOT_FOUND, "model_index.json"},
        {false, "model_index.json", "{", ERR_FORMAT, "not valid JSON"},
        {false, "model_index.json", "{\"_class_name\": \"FluxPipeline\"}", ERR_UNSUPPORTED,
         "FluxPipeline"},
        {false, "model_index.json", "{}", ERR_UNSUPPORTED, "class name"},
        {false, "model_index.json", "{\"_class_name\": \"StableDiffusionPipeline\"}",
         ERR_UNSUPPORTED, "no component 'unet'"},
        {false, "model_index.json",
         "{\"_class_name\": \"StableDiffusionPipeline\", \"unet\": [\"diffusers\", "
         "\"UNet3DConditionModel\"]}",
         ERR_UNSUPPORTED, "'unet' is a UNet3DConditionModel"},
        {false, "unet/config.json", NULL, ERR_NOT_FOUND, "'unet' has no config.json"},
        {false, "vae/config.json", NULL, ERR_NOT_FOUND, "'vae' has no config.json"},
        {false, "text_encoder/config.json", NULL, ERR_NOT_FOUND, "'text_encoder' has no config"},
        {false, "scheduler/scheduler_config.json", NULL, ERR_NOT_FOUND,
         "'scheduler' has no scheduler_config.json"},
        {false, "scheduler/scheduler_config.json", "{\"_class_name\": \"DreamScheduler\"}",
         ERR_UNSUPPORTED, "scheduler_config.json"},
        {false, "tokenizer/vocab.json", NULL, ERR_NOT_FOUND, "tokenizer' has no vocab.json"},
        {false, "tokenizer/merges.txt", NULL, ERR_NOT_FOUND, "tokenizer' has no merges.txt"},
        {true, "tokenizer_2/vocab.json", NULL, ERR_NOT_FOUND, "tokenizer_2' has no vocab.json"},
        {false, "unet/diffusion_pytorch_model.safetensors", NULL, ERR_NOT_FOUND,
         "there is no diffusion_pytorch_model.safetensors"},
        {false, "vae/diffusion_pytorch_model.safetensors", NULL, ERR_NOT_FOUND, "vae' has no"},
        {false, "text_encoder/model.safetensors", NULL, ERR_NOT_FOUND,
         "there is no model.safetensors"},
        {true, "text_encoder_2/model.safetensors", NULL, ERR_NOT_FOUND, "text_encoder_2"},
        {false, "unet/diffusion_pytorch_model.safetensors", "garbage!garbage!", ERR_FORMAT,
         "unet/diffusion_pytorch_model.safetensors"},
        {true, "unet/config.json", unet_config, ERR_FORMAT, "28 numbers a token"},
        {false, "unet/config.json", unet_config_xl, ERR_FORMAT, "cross_attention_dim"},
        {true, "text_encoder_2/config.json",
         "{\"hidden_size\": 16, \"num_attention_heads\": 2, \"projection_dim\": 24}", ERR_FORMAT,
         "projection_class_embeddings_input_dim is 44"},
        {true, "text_encoder_2/config.json",
         "{\"hidden_size\": 16, \"num_attention_heads\": 2, \"projection_dim\": 20, "
         "\"max_position_embeddings\": 64}",
         ERR_UNSUPPORTED, "different lengths"},
        {false, "unet/config.json",
         "{\"in_channels\": 8, \"cross_attention_dim\": 12, \"norm_num_groups\": 4}",
         ERR_UNSUPPORTED, "8 channels in"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *dir = folder_new();
        (cases[i].xl ? fill_xl : fill)(dir);
        if (cases[i].text)
            folder_text(dir, cases[i].file, cases[i].text);
        else
            unlink(folder_path(dir, cases[i].file));
        assert_refused(dir, cases[i].code, cases[i].mention);
        folder_free(dir);
    }
}

/* "key": value put before the last brace of an index. */
static void index_with(const char *dir, const char *index, const char *more)
{
    char text[4096];

    snprintf(text, sizeof text, "%.*s, %s}", (int)strlen(index) - 1, index, more);
    folder_text(dir, "model_index.json", text);
}

static void everything_an_index_names_must_be_there(void **state)
{
    (void)state;
    static const char checker[] = "\"safety_checker\": [\"stable_diffusion\", "
                                  "\"StableDiffusionSafetyChecker\"]";
    char *dir = folder_new();
    fill(dir);

    index_with(dir, index_sd, "\"controlnet\": [\"diffusers\", \"ControlNetModel\"]");
    assert_refused(dir, ERR_UNSUPPORTED, "'controlnet'");
    index_with(dir, index_sd, "\"requires_aesthetics_score\": true");
    assert_refused(dir, ERR_UNSUPPORTED, "'requires_aesthetics_score' is true");
    index_with(dir, index_sd, "\"unet_2\": [null, null]");
    model_close(open_model(dir, NULL));
    index_with(dir, index_sd, checker);
    assert_refused(dir, ERR_NOT_FOUND, "'safety_checker', but there is no such folder");
    folder_text(dir, "safety_checker/note.txt", "");
    assert_refused(dir, ERR_NOT_FOUND, "'safety_checker' has no config.json");
    folder_text(dir, "safety_checker/config.json", "{}");
    assert_refused(dir, ERR_NOT_FOUND, "'safety_checker' has no weights");
    folder_text(dir, "safety_checker/model.safetensors", "never read");
    model_close(open_model(dir, NULL));
    folder_free(dir);
}

static void pickles_are_refused_with_a_way_out(void **state)
{
    (void)state;
    char *dir = folder_new();
    fill(dir);

    folder_text(dir, "unet/diffusion_pytorch_model.bin", "x");
    model_close(open_model(dir, NULL)); /* beside safetensors it does no harm */
    unlink(folder_path(dir, "unet/diffusion_pytorch_model.safetensors"));
    assert_refused(dir, ERR_UNSUPPORTED, "diffusion_pytorch_model.bin' is a PyTorch pickle");
    assert_refused(dir, ERR_UNSUPPORTED, "save_file");
    folder_text(dir, "unet/diffusion_pytorch_model.safetensors", "PK\3\4 and so on");
    assert_refused(dir, ERR_FORMAT, "pickle");
    fill(dir);
    unlink(folder_path(dir, "text_encoder/model.safetensors"));
    folder_text(dir, "text_encoder/pytorch_model.bin", "x");
    assert_refused(dir, ERR_UNSUPPORTED, "pytorch_model.bin' is a PyTorch pickle");
    folder_text(dir, "old.ckpt", "x");
    assert_refused(folder_path(dir, "old.ckpt"), ERR_UNSUPPORTED, "pickle");
    assert_refused(folder_path(dir, "none.ckpt"), ERR_NOT_FOUND, "none.ckpt");
    folder_free(dir);
}

/* Which of the files of the unet was taken: it holds one number. */
static float taken(const char *dir, const char *variant)
{
    struct model *m = open_model(dir, variant);
    float f = (float)weights_get(&m->unet_weights, "out.2.bias")->shape[0];

    model_close(m);
    return f;
}

static void variants_follow_the_rule(void **state)
{
    (void)state;
    char *dir = folder_new();
    fill(dir);

#define WEIGHTS(name, number)                                                                      \
    folder_tensors(dir, "unet/diffusion_pytorch_model" name, "conv_out.bias " number "\n")
    WEIGHTS(".safetensors", "1");
    WEIGHTS(".fp16.safetensors", "2");
    WEIGHTS(".non_ema.safetensors", "3");
    assert_true(taken(dir, NULL) == 1);
    assert_true(taken(dir, "fp16") == 2); /* the other components have plain files only */
    assert_true(taken(dir, "bf16") == 1);
    unlink(folder_path(dir, "unet/diffusion_pytorch_model.safetensors"));
    assert_true(taken(dir, NULL) == 2);
    WEIGHTS(".bf16.safetensors", "4");
    assert_true(taken(dir, NULL) == 2);
    assert_true(taken(dir, "bf16") == 4);
    unlink(folder_path(dir, "unet/diffusion_pytorch_model.fp16.safetensors"));
    assert_true(taken(dir, NULL) == 4);
    WEIGHTS(".int8.safetensors", "5");
    assert_refused(dir, ERR_UNSUPPORTED, "several variants");
    unlink(folder_path(dir, "unet/diffusion_pytorch_model.bf16.safetensors"));
    unlink(folder_path(dir, "unet/diffusion_pytorch_model.int8.safetensors"));
    assert_refused(dir, ERR_NOT_FOUND, "unet' has no weights"); /* non_ema is no variant */
#undef WEIGHTS
    folder_free(dir);
}

static void shards_are_read_by_their_index(void **state)
{
    (void)state;
    char *dir = folder_new();
    fill(dir);
    const char *index = "unet/diffusion_pytorch_model.safetensors.index.json";

    unlink(folder_path(dir, "unet/diffusion_pytorch_model.safetensors"));
    folder_tensors(dir, "unet/diffusion_pytorch_model-00001-of-00002.safetensors",
                   "conv_in.bias 8\nconv_out.bias 4\n");
    folder_tensors(dir, "unet/diffusion_pytorch_model-00002-of-00002.safetensors",
                   "conv_norm_out.bias 8\n");
    assert_refused(dir, ERR_NOT_FOUND, "has no weights"); /* shards without an index */
#define ONE "\"diffusion_pytorch_model-00001-of-00002.safetensors\""
#define TWO "\"diffusion_pytorch_model-00002-of-00002.safetensors\""
    folder_text(dir, index,
                "{\"metadata\": {\"total_size\": 80}, \"weight_map\": {\"conv_in.bias\": " ONE
                ", \"conv_out.bias\": " ONE ", \"conv_norm_out.bias\": " TWO "}}");
    struct model *m = open_model(dir, NULL);
    assert_non_null(weights_get(&m->unet_weights, "input_blocks.0.0.bias"));
    assert_non_null(weights_get(&m->unet_weights, "out.0.bias"));
    assert_int_equal(m->unet_weights.tensors.count, 3);
    model_close(m);

    static const struct {
        const char *text;
        int code;
        const char *mention;
    } cases[] = {
        {"{}", ERR_FORMAT, "no weight_map"},
        {"{\"weight_map\": []}", ERR_FORMAT, "no weight_map"},
        {"{\"weight_map\": {\"a\": 1}}", ERR_FORMAT, "bad name"},
        {"{\"weight_map\": {\"a\": \"../x.safetensors\"}}", ERR_FORMAT, "bad name"},
        {"{\"weight_map\": {\"a\": \"/etc/passwd\"}}", ERR_FORMAT, "bad name"},
        {"{\"weight_map\": {\"a\": \"x.bin\"}}", ERR_FORMAT, "bad name"},
        {"{\"weight_map\": {\"a\": \"none.safetensors\"}}", ERR_NOT_FOUND, "none.safetensors"},
        {"{\"weight_map\": {\"a\": " ONE "}}", ERR_FORMAT, "'a' is not in"},
        {"{\"weight_map\": {\"conv_in.bias\": " TWO ", \"conv_out.bias\": " ONE "}}", ERR_FORMAT,
         "'conv_in.bias' is not in"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        folder_text(dir, index, cases[i].text);
        assert_refused(dir, cases[i].code, cases[i].mention);
    }
    folder_tensors(dir, "unet/diffusion_pytorch_model-00002-of-00002.safetensors",
                   "conv_in.bias 8\n");
    folder_text(dir, index,
                "{\"weight_map\": {\"conv_in.bias\": " ONE ", \"conv_out.bias\": " TWO "}}");
    assert_refused(dir, ERR_FORMAT, "'conv_in.bias' is in two shards");
#undef ONE
#undef TWO
    folder_free(dir);
}

/* What CLIPTokenizer.save_pretrained of transformers 5 writes. */
static void tokenizer_json_stands_for_vocabulary_and_merges(void **state)
{
    (void)state;
    char *dir = folder_new();
    fill(dir);
    unlink(folder_path(dir, "tokenizer/vocab.json"));
    unlink(folder_path(dir, "tokenizer/merges.txt"));

    folder_text(dir, "tokenizer/tokenizer.json",
                "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0, \"\\u00e9</w>\": 1}, "
                "\"merges\": [[\"a\", \"b</w>\"], \"c d\"]}}");
    struct model *m = open_model(dir, NULL);
    assert_true(str_is(m->vocab[0], "{\"a\":0,\"\xc3\xa9</w>\":1}"));
    assert_true(str_is(m->merges[0], "#version: 0.2\na b</w>\nc d\n"));
    model_close(m);
    folder_text(dir, "tokenizer/tokenizer.json", "{\"model\": {\"type\": \"Unigram\"}}");
    assert_refused(dir, ERR_UNSUPPORTED, "tokenizer.json' is not a byte-pair encoding");
    folder_text(dir, "tokenizer/tokenizer.json",
                "{\"model\": {\"type\": \"BPE\", \"vocab\": {}, \"merges\": [3]}}");
    assert_refused(dir, ERR_FORMAT, "tokenizer.json': broken vocabulary or merges");
    folder_text(dir, "tokenizer/tokenizer.json", "[");
    assert_refused(dir, ERR_FORMAT, "tokenizer.json' is not valid JSON");
    folder_free(dir);
}

/* StableDiffusionPipeline.__init__ changes old scheduler configs. */
static void old_schedulers_are_corrected(void **state)
{
    (void)state;
    char *dir = folder_new();
    fill(dir);

    folder_text(dir, "scheduler/scheduler_config.json",
                "{\"_class_name\": \"DDIMScheduler\", \"steps_offset\": 0, \"clip_sample\": true}");
    struct model *m = open_model(dir, NULL);
    assert_int_equal(model_scheduler(m, SAMPLER_EULER, false).steps_offset, 1);
    assert_int_equal(model_scheduler(m, SAMPLER_DDPM, false).clip_sample, OPTION_FALSE);
    assert_int_equal(model_scheduler(m, SAMPLER_DDPM, true).clip_sample, OPTION_TRUE);
    model_close(m);

    folder_text(dir, "scheduler/scheduler_config.json", "{\"_class_name\": \"DDIMScheduler\"}");
    m = open_model(dir, NULL);
    assert_int_equal(m->scheduler.steps_offset, -1);
    assert_int_equal(model_scheduler(m, SAMPLER_DDIM, false).steps_offset, 1);
    assert_int_equal(model_scheduler(m, SAMPLER_DDIM, false).clip_sample, OPTION_FALSE);
    assert_int_equal(model_scheduler(m, SAMPLER_EULER, false).steps_offset, -1);
    assert_int_equal(model_scheduler(m, SAMPLER_DDPM, false).clip_sample, OPTION_ABSENT);
    model_close(m);

    char inpaint[2048];
    snprintf(inpaint, sizeof inpaint, "{\"_class_name\": \"StableDiffusionInpaintPipeline\"%s",
             strchr(index_sd, ','));
    folder_text(dir, "model_index.json", inpaint);
    folder_text(dir, "scheduler/scheduler_config.json",
                "{\"_class_name\": \"PNDMScheduler\", \"skip_prk_steps\": false}");
    m = open_model(dir, NULL);
    assert_int_equal(model_scheduler(m, SAMPLER_PNDM, true).skip_prk_steps, OPTION_TRUE);
    assert_int_equal(model_scheduler(m, SAMPLER_PNDM, false).skip_prk_steps, OPTION_FALSE);
    model_close(m);

    fill_xl(dir);
    folder_text(dir, "scheduler/scheduler_config.json",
                "{\"_class_name\": \"DDIMScheduler\", \"steps_offset\": 0, \"clip_sample\": true}");
    m = open_model(dir, NULL);
    assert_int_equal(m->scheduler.steps_offset, 0);
    assert_int_equal(model_scheduler(m, SAMPLER_DDIM, false).clip_sample, OPTION_TRUE);
    model_close(m);
    folder_free(dir);
}

static bool has_taesd(const char *path)
{
    struct model *m = open_model(path, NULL);
    bool found = m->taesd;

    assert_int_equal(found, weights_get(&m->taesd_weights, "1.weight") != NULL);
    model_close(m);
    return found;
}

static void preview_decoders_are_found(void **state)
{
    (void)state;
    char *dir = folder_new();
    char *sd = strdup(folder_path(dir, "sd/x")), *xl = strdup(folder_path(dir, "xl/x"));
    *strrchr(sd, '/') = *strrchr(xl, '/') = 0;
    fill(sd);
    fill_xl(xl);

    assert_false(has_taesd(sd) || has_taesd(xl));
    folder_tensors(sd, "taesd_decoder.safetensors", "1.weight 64 4 3 3\n");
    assert_true(has_taesd(sd));
    unlink(folder_path(sd, "taesd_decoder.safetensors"));
    folder_tensors(dir, "taesdxl_decoder.safetensors", "1.weight 64 4 3 3\n"); /* beside */
    assert_true(has_taesd(xl));
    assert_false(has_taesd(sd));
    folder_text(dir, "taesd/config.json", "{\"_class_name\": \"AutoencoderTiny\"}");
    folder_tensors(dir, "taesd/diffusion_pytorch_model.safetensors",
                   "decoder.layers.0.weight 64 4 3 3\nencoder.layers.0.weight 4 4\n");
    assert_true(has_taesd(sd));
    folder_text(dir, "taesd/config.json", "{\"latent_channels\": 16}");
    assert_refused(sd, ERR_UNSUPPORTED, "'latent_channels' is 16");
    free(sd), free(xl);
    folder_free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sd1_folders_are_read),
        cmocka_unit_test(sdxl_folders_are_read),
        cmocka_unit_test(parts_that_lack_or_do_not_fit_are_refused_by_name),
        cmocka_unit_test(everything_an_index_names_must_be_there),
        cmocka_unit_test(pickles_are_refused_with_a_way_out),
        cmocka_unit_test(variants_follow_the_rule),
        cmocka_unit_test(shards_are_read_by_their_index),
        cmocka_unit_test(tokenizer_json_stands_for_vocabulary_and_merges),
        cmocka_unit_test(old_schedulers_are_corrected),
        cmocka_unit_test(preview_decoders_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
