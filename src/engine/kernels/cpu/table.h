/*
 * cpu/table.h: what the files of this folder offer to the table, one line per kernel. Inside the
 * folder a kernel is called by its plain name; for the linker it carries its instruction set's.
 */
#ifndef ENGINE_KERNELS_CPU_TABLE_H
#define ENGINE_KERNELS_CPU_TABLE_H

#include "engine/kernels/cpu/simd.h"
#include "engine/kernels/kernels.h"

#define cpu_pack_size          ISA(cpu_pack_size)
#define cpu_pack               ISA(cpu_pack)
#define cpu_linear             ISA(cpu_linear)
#define cpu_linear_scratch     ISA(cpu_linear_scratch)
#define cpu_conv               ISA(cpu_conv)
#define cpu_conv_scratch       ISA(cpu_conv_scratch)
#define cpu_attention          ISA(cpu_attention)
#define cpu_attention_scratch  ISA(cpu_attention_scratch)
#define cpu_group_norm         ISA(cpu_group_norm)
#define cpu_group_norm_scratch ISA(cpu_group_norm_scratch)
#define cpu_layer_norm         ISA(cpu_layer_norm)
#define cpu_activate           ISA(cpu_activate)
#define cpu_add                ISA(cpu_add)
#define cpu_concat             ISA(cpu_concat)
#define cpu_resize_nearest     ISA(cpu_resize_nearest)
#define cpu_peak               ISA(cpu_peak)

size_t cpu_pack_size(const struct weight_source *, const struct pack_hint *);
void cpu_pack(struct packed *, const struct pack_hint *, int threads);
void cpu_linear(const struct linear_args *);
size_t cpu_linear_scratch(const struct linear_args *);
void cpu_conv(const struct conv_args *);
size_t cpu_conv_scratch(const struct conv_args *);
void cpu_attention(const struct attention_args *);
size_t cpu_attention_scratch(const struct attention_args *);
void cpu_group_norm(const struct group_norm_args *);
size_t cpu_group_norm_scratch(const struct group_norm_args *);
void cpu_layer_norm(const struct layer_norm_args *);
void cpu_activate(float *y, const float *x, size_t n, enum act act, int threads);
void cpu_add(float *y, const float *a, const float *b, size_t n, int threads);
void cpu_concat(float *y, const float *a, int ca, const float *b, int cb, size_t pixels,
                int threads);
void cpu_resize_nearest(float *y, const float *x, int pictures, int h, int w, int oh, int ow,
                        int channels, int threads);

double cpu_peak(enum compute compute, int threads);

#endif
