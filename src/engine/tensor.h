/*
 * tensor.h: a named block of numbers in somebody else's memory (usually a mapped weight file).
 */
#ifndef ENGINE_TENSOR_H
#define ENGINE_TENSOR_H

#include "base/str.h"

#include <stdint.h>

enum dtype {
    DTYPE_F32,
    DTYPE_F16,
    DTYPE_BF16,
    DTYPE_F64,
    DTYPE_I64,
    DTYPE_I32,
    DTYPE_U8,
    DTYPE_COUNT
};
enum { TENSOR_MAX_DIMS = 5 };

struct tensor {
    struct str name;
    enum dtype dtype;
    int dims;
    int64_t shape[TENSOR_MAX_DIMS]; /* outermost first, densely packed, row-major */
    const void *data;               /* NULL: the shape is known, the numbers are not (dry runs) */
};

/* Bytes of one element: 4, 2, 2, 8, 8, 4, 1. */
int dtype_size(enum dtype d);
const char *dtype_name(enum dtype d); /* "f32", "f16", "bf16", ... */
int64_t tensor_count(const struct tensor *t);

/* IEEE half and bfloat16 to f32, exact; f32 to them, round to nearest even. */
float f32_from_f16(uint16_t h);
float f32_from_bf16(uint16_t b);
uint16_t f16_from_f32(float f);
uint16_t bf16_from_f32(float f);

/* Element i as f32, whatever the dtype. */
float tensor_at(const struct tensor *t, int64_t i);
/* Elements from..from+n-1 as f32. */
void tensor_read(float *out, const struct tensor *t, int64_t from, int64_t n);

#endif
