/*
 * ref.h: the reference executor's functions, one file per kind of operation.
 *
 * Every function is the definition of what kernels.h says, written to be read: plain loops, sums in
 * double, no packing. The fast executors are checked against them (tests/kernels). Threads share
 * outputs, never a sum. Ownership: nothing is kept.
 */
#ifndef ENGINE_KERNELS_REF_REF_H
#define ENGINE_KERNELS_REF_REF_H

#include "engine/kernels/kernels.h"

/* One activation; ACT_GEGLU is not one (see ref_linear) and passes x through. */
double ref_activation(double x, enum act act);

/* sum_i a[i] * b[i] */
double ref_dot(const float *a, const float *b, int n);

size_t ref_pack_size(const struct weight_source *source, const struct pack_hint *hint);
void ref_pack(struct packed *out, const struct pack_hint *hint, int threads);

void ref_linear(const struct linear_args *a);
size_t ref_linear_scratch(const struct linear_args *a);
void ref_conv(const struct conv_args *a);
size_t ref_conv_scratch(const struct conv_args *a);
void ref_attention(const struct attention_args *a);
size_t ref_attention_scratch(const struct attention_args *a);
void ref_group_norm(const struct group_norm_args *a);
size_t ref_group_norm_scratch(const struct group_norm_args *a);
void ref_layer_norm(const struct layer_norm_args *a);

void ref_activate(float *y, const float *x, size_t n, enum act act, int threads);
void ref_add(float *y, const float *a, const float *b, size_t n, int threads);
void ref_concat(float *y, const float *a, int ca, const float *b, int cb, size_t pixels,
                int threads);
void ref_resize_nearest(float *y, const float *x, int pictures, int h, int w, int oh, int ow,
                        int channels, int threads);

#endif
