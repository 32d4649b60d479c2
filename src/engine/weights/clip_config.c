#include "engine/weights/configs.h"

#include "base/file.h"

#include <string.h>

/* CLIPTextConfig (transformers, models/clip/configuration_clip.py) and what PretrainedConfig adds:
 * training, bookkeeping and text generation, none of which the encoder's forward pass reads. */
static const char *const harmless[] = {
    "architectures",
    "attention_dropout",
    "bos_token_id",
    "chunk_size_feed_forward",
    "decoder_start_token_id",
    "dropout",
    "dtype",
    "finetuning_task",
    "gradient_checkpointing",
    "id2label",
    "initializer_factor",
    "initializer_range",
    "label2id",
    "model_type",
    "output_attentions",
    "output_hidden_states",
    "pad_token_id",
    "prefix",
    "problem_type",
    "projection_dim",
    "return_dict",
    "sep_token_id",
    "task_specific_params",
    "tie_word_embeddings",
    "tokenizer_class",
    "torch_dtype",
    "torchscript",
    "transformers_version",
    "use_bfloat16",
    "use_cache",
    NULL,
};
static const struct config_fixed fixed[] = {
    {"add_cross_attention", "[false]"},
    {"is_decoder", "[false]"},
    {"is_encoder_decoder", "[false]"},
    {"pruned_heads", "[{}]"},
};

int clip_config_check(const struct clip_config *t, const char *path, struct err *e)
{
    if (t->width % t->heads)
        return ERR(e, ERR_FORMAT, "'%s': a width of %d does not divide into %d heads", path,
                   t->width, t->heads);
    if (!(t->eps > 0 && t->eps < 1))
        return ERR(e, ERR_FORMAT, "'%s': 'layer_norm_eps' must lie between 0 and 1", path);
    return 0;
}

int clip_config_parse(struct arena *a, struct str json, const char *path, bool projected,
                      struct clip_config *out, struct err *e)
{
    struct config c;
    struct clip_config t = {0};
    int rc = config_parse(json, path, &c, e);

    if (rc)
        return rc;
    const char *type = config_text(&c, a, "model_type");
    if (type && strcmp(type, "clip_text_model") != 0)
        config_fail(&c, ERR_UNSUPPORTED, "the model type is '%.100s', not 'clip_text_model'", type);
    t.width = config_int(&c, "hidden_size", 512, 1, MAX_WIDTH);
    t.ffn = config_int(&c, "intermediate_size", 2048, 1, 4 * MAX_WIDTH);
    t.layers = config_int(&c, "num_hidden_layers", 12, 1, MAX_LAYERS);
    t.heads = config_int(&c, "num_attention_heads", 8, 1, MAX_HEADS);
    t.positions = config_int(&c, "max_position_embeddings", 77, 2, 4096);
    t.vocab = config_int(&c, "vocab_size", 49408, 2, MAX_VOCAB);
    t.eps = (float)config_real(&c, "layer_norm_eps", 1e-5);
    t.eos = config_int(&c, "eos_token_id", 49407, 0, MAX_VOCAB);
    if (projected)
        t.projection = config_int(&c, "projection_dim", 512, 1, MAX_WIDTH);

    const char *act = config_text(&c, a, "hidden_act");
    t.quick_gelu = !act || strcmp(act, "quick_gelu") == 0;
    if (!t.quick_gelu && strcmp(act, "gelu") != 0)
        config_fail(&c, ERR_UNSUPPORTED, "'hidden_act' is '%.100s', not quick_gelu or gelu", act);
    config_fixed(&c, fixed, ARRAY_COUNT(fixed));
    rc = config_close(&c, harmless);
    if (rc == 0)
        rc = clip_config_check(&t, path, e);
    if (rc == 0)
        *out = t;
    return rc;
}

int clip_config_read(struct arena *a, const char *path, bool projected, struct clip_config *out,
                     struct err *e)
{
    struct str text;
    int rc = file_read(a, path, CONFIG_MAX_BYTES, &text, e);

    return rc ? rc : clip_config_parse(a, text, path, projected, out, e);
}
