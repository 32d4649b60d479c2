#include "engine/tensor.h"

#include <string.h>

static const struct {
    const char *name;
    int size;
} dtypes[DTYPE_COUNT] = {
    [DTYPE_F32] = {"f32", 4}, [DTYPE_F16] = {"f16", 2}, [DTYPE_BF16] = {"bf16", 2},
    [DTYPE_F64] = {"f64", 8}, [DTYPE_I64] = {"i64", 8}, [DTYPE_I32] = {"i32", 4},
    [DTYPE_U8] = {"u8", 1},
};

int dtype_size(enum dtype d)
{
    return dtypes[d].size;
}

const char *dtype_name(enum dtype d)
{
    return dtypes[d].name;
}

int64_t tensor_count(const struct tensor *t)
{
    int64_t n = 1;
    for (int i = 0; i < t->dims; i++)
        n *= t->shape[i];
    return n;
}

static float bits_to_float(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static uint32_t float_to_bits(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

float f32_from_f16(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, mantissa = h & 1023;

    if (exponent == 31)
        return bits_to_float(sign | 0x7f800000 | mantissa << 13);
    if (exponent)
        return bits_to_float(sign | (exponent + 112) << 23 | mantissa << 13);
    float tiny = (float)mantissa * 0x1p-24f; /* subnormal or zero */
    return sign ? -tiny : tiny;
}

float f32_from_bf16(uint16_t b)
{
    return bits_to_float((uint32_t)b << 16);
}

uint16_t f16_from_f32(float f)
{
    uint32_t bits = float_to_bits(f), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;

    if (magnitude > 0x7f800000)
        return (uint16_t)(sign | 0x7e00); /* NaN */
    if (magnitude >= 0x477ff000)
        return (uint16_t)(sign | 0x7c00); /* rounds to infinity */
    if (magnitude < 0x38800000) {         /* subnormal: let the adder do the rounding */
        float shifted = bits_to_float(magnitude) + 0.5f;
        return (uint16_t)(sign | (float_to_bits(shifted) - 0x3f000000));
    }
    uint32_t rounded = magnitude - 0x38000000 + 0xfff + (magnitude >> 13 & 1);
    return (uint16_t)(sign | rounded >> 13);
}

uint16_t bf16_from_f32(float f)
{
    uint32_t bits = float_to_bits(f);

    if ((bits & 0x7fffffff) > 0x7f800000)
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

float tensor_at(const struct tensor *t, int64_t i)
{
    switch (t->dtype) {
    case DTYPE_F32:
        return ((const float *)t->data)[i];
    case DTYPE_F16:
        return f32_from_f16(((const uint16_t *)t->data)[i]);
    case DTYPE_BF16:
        return f32_from_bf16(((const uint16_t *)t->data)[i]);
    case DTYPE_F64:
        return (float)((const double *)t->data)[i];
    case DTYPE_I64:
        return (float)((const int64_t *)t->data)[i];
    case DTYPE_I32:
        return (float)((const int32_t *)t->data)[i];
    case DTYPE_U8:
    case DTYPE_COUNT:
        break;
    }
    return (float)((const uint8_t *)t->data)[i];
}

void tensor_read(float *out, const struct tensor *t, int64_t from, int64_t n)
{
    if (t->dtype == DTYPE_F32) {
        memcpy(out, (const float *)t->data + from, (size_t)n * sizeof *out);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        out[i] = tensor_at(t, from + i);
}
