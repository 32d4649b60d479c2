#include "ref.h"

const struct kernels kernels_ref = {
    .name = "ref",
    .isa = "c",
    .pack_size = ref_pack_size,
    .pack = ref_pack,
    .linear = ref_linear,
    .linear_scratch = ref_linear_scratch,
    .conv = ref_conv,
    .conv_scratch = ref_conv_scratch,
    .attention = ref_attention,
    .attention_scratch = ref_attention_scratch,
    .group_norm = ref_group_norm,
    .group_norm_scratch = ref_group_norm_scratch,
    .layer_norm = ref_layer_norm,
    .activate = ref_activate,
    .add = ref_add,
    .concat = ref_concat,
    .resize_nearest = ref_resize_nearest,
};
