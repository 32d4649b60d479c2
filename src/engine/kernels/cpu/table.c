/* cpu/table.c: the executor's table for one instruction set. */
#include "engine/kernels/cpu/table.h"

const struct kernels ISA(kernels) = {
    .name = "cpu",
    .isa = ISA_TEXT,
    .pack_size = cpu_pack_size,
    .pack = cpu_pack,
    .linear = cpu_linear,
    .linear_scratch = cpu_linear_scratch,
    .conv = cpu_conv,
    .conv_scratch = cpu_conv_scratch,
    .attention = cpu_attention,
    .attention_scratch = cpu_attention_scratch,
    .group_norm = cpu_group_norm,
    .group_norm_scratch = cpu_group_norm_scratch,
    .layer_norm = cpu_layer_norm,
    .activate = cpu_activate,
    .add = cpu_add,
    .concat = cpu_concat,
    .resize_nearest = cpu_resize_nearest,
    .peak = cpu_peak,
};
