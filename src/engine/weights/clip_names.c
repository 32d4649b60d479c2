#include "engine/weights/keymap.h"

#include <string.h>

static void put_text_model(struct arena *a, struct weights *w, const char *middle, struct str rest,
                           const struct tensor *t)
{
    const char *name = arena_printf(a, "text_model.%s%.*s", middle, (int)rest.n, rest.p);
    weights_put(a, w, str_from(name), t);
}

void keymap_put_clip(struct arena *a, struct weights *w, const struct tensor *t)
{
    if (str_ends(t->name, "position_ids"))
        return; /* 0, 1, 2, ...: a buffer that old versions saved */
    if (str_starts(t->name, "text_model.") || str_starts(t->name, "text_projection."))
        weights_put(a, w, t->name, t);
    else
        put_text_model(a, w, "", t->name, t);
}

void keymap_trim_clip(struct weights *w, const struct clip_config *c)
{
    struct map kept = {0};

    for (size_t i = 0; i < w->tensors.room; i++) {
        struct tensor *t = w->tensors.slots[i].value;
        struct str rest, number;
        int64_t layer;

        if (!t)
            continue;
        rest = t->name;
        if (str_starts(rest, "text_projection.") && !c->projection)
            continue;
        if (str_skip(&rest, "text_model.encoder.layers.") && str_cut(&rest, '.', &number) &&
            str_to_i64(number, &layer) && layer >= c->layers)
            continue;
        map_put(&kept, t->name, t);
    }
    map_release(&w->tensors);
    w->tensors = kept;
}

/* in_proj_weight [3c, c] and in_proj_bias [3c] of nn.MultiheadAttention: q, k and v, one after the
 * other. */
static int put_in_proj(struct arena *a, const char *file, struct weights *w, const char *layer,
                       const char *kind, const struct tensor *t, struct err *e)
{
    static const char *const names[] = {"q_proj", "k_proj", "v_proj"};

    if (t->dims < 1 || t->shape[0] % 3)
        return ERR(e, ERR_FORMAT, "'%s': tensor '%s' is not three projections", file, t->name.p);
    struct tensor part = *t;
    part.shape[0] /= 3;
    size_t bytes = (size_t)tensor_count(&part) * (size_t)dtype_size(t->dtype);
    for (int i = 0; i < 3; i++) {
        part.data = t->data ? (const char *)t->data + bytes * (size_t)i : NULL;
        weights_put(a, w, str_from(arena_printf(a, "%s.self_attn.%s.%s", layer, names[i], kind)),
                    &part);
    }
    return 0;
}

/* text_projection multiplies from the right in OpenCLIP: [c, p]; transformers' is [p, c]. */
static int put_projection(struct arena *a, const char *file, struct weights *w,
                          const struct tensor *t, struct err *e)
{
    if (t->dims != 2)
        return ERR(e, ERR_FORMAT, "'%s': tensor '%s' is not a matrix", file, t->name.p);
    size_t rows = (size_t)t->shape[0], columns = (size_t)t->shape[1];
    size_t size = (size_t)dtype_size(t->dtype);
    struct tensor turned = *t;
    char *to = arena_try(a, rows * columns + 1, size);

    if (!to)
        return ERR(e, ERR_NOMEM, "'%s': no memory to transpose '%s'", file, t->name.p);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            memcpy(to + (c * rows + r) * size, (const char *)t->data + (r * columns + c) * size,
                   size);
    turned.shape[0] = (int64_t)columns;
    turned.shape[1] = (int64_t)rows;
    turned.data = to;
    weights_put(a, w, STR("text_projection.weight"), &turned);
    return 0;
}

int keymap_put_open_clip(struct arena *a, const char *file, struct weights *w,
                         const struct tensor *t, struct err *e)
{
    static const struct {
        const char *from, *to;
    } inside[] = {
        {"ln_1.", "layer_norm1."},
        {"ln_2.", "layer_norm2."},
        {"mlp.c_fc.", "mlp.fc1."},
        {"mlp.c_proj.", "mlp.fc2."},
        {"attn.out_proj.", "self_attn.out_proj."},
    };
    struct str rest = t->name, number;

    if (str_is(rest, "text_projection"))
        return put_projection(a, file, w, t, e);
    if (str_is(rest, "positional_embedding"))
        put_text_model(a, w, "embeddings.", STR("position_embedding.weight"), t);
    else if (str_is(rest, "token_embedding.weight"))
        put_text_model(a, w, "embeddings.", rest, t);
    else if (str_skip(&rest, "ln_final."))
        put_text_model(a, w, "final_layer_norm.", rest, t);
    else if (str_skip(&rest, "transformer.resblocks.") && str_cut(&rest, '.', &number) && rest.p) {
        const char *layer =
            arena_printf(a, "text_model.encoder.layers.%.*s", (int)number.n, number.p);
        if (str_skip(&rest, "attn.in_proj_"))
            return put_in_proj(a, file, w, layer, arena_str(a, rest), t, e);
        for (size_t i = 0; i < sizeof inside / sizeof *inside; i++)
            if (str_skip(&rest, inside[i].from)) {
                weights_put(a, w,
                            str_from(arena_printf(a, "%s.%s%.*s", layer, inside[i].to, (int)rest.n,
                                                  rest.p)),
                            t);
                break;
            }
    }
    return 0; /* logit_scale, attn_mask: not part of the encoder's sums */
}

void keymap_put_taesd(struct arena *a, struct weights *w, const struct tensor *t)
{
    struct str rest = t->name, number;
    int64_t at;
    bool shifted = str_skip(&rest, "decoder.layers.");

    if (!shifted && str_starts(rest, "encoder."))
        return;
    if (!str_cut(&rest, '.', &number) || !rest.p || !str_to_i64(number, &at) || at < 0 || at > 1000)
        return;
    /* The original's layer 0 clamps the latents; diffusers does that outside its list. */
    weights_put(a, w, str_from(arena_printf(a, "%d.%.*s", (int)at + shifted, (int)rest.n, rest.p)),
                t);
}
