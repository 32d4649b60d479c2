#include "engine/kernels/cpu/pack.h"

int panel_count(const struct weight_source *s)
{
    int width = s->geglu ? LANES : PANEL;
    return (weight_columns(s) + width - 1) / width;
}

/* The file's row for column j of the panel, or -1. */
static int source_row(const struct weight_source *s, int index, int j)
{
    int columns = weight_columns(s);
    int row = s->geglu ? index * LANES + j % LANES : index * PANEL + j;

    if (row >= columns)
        return -1;
    return s->geglu && j >= LANES ? columns + row : row;
}

void panel_open(struct panel *p, const struct weight_source *s, int index)
{
    int64_t size = (int64_t)s->in * s->kh * s->kw;

    p->in = s->in;
    p->taps = s->kh * s->kw;
    for (int j = 0; j < PANEL; j++) {
        int64_t row = source_row(s, index, j);
        p->part[j] = NULL;
        for (int i = 0; i < s->parts && row >= 0; i++) {
            int64_t rows = tensor_count(s->part[i]) / size;
            if (row < rows) {
                p->part[j] = s->part[i];
                p->from[j] = row * size;
                break;
            }
            row -= rows;
        }
    }
}

void panel_prefetch(const struct panel *p, int c0, int c1)
{
    if (c1 > p->in)
        c1 = p->in;
    for (int j = 0; j < PANEL; j++) {
        if (!p->part[j])
            continue;
        int size = dtype_size(p->part[j]->dtype);
        const char *row = (const char *)p->part[j]->data + p->from[j] * size;
        long end = (long)c1 * p->taps * size;
        for (long at = (long)c0 * p->taps * size; at < end; at += 64)
            _mm_prefetch(row + at, _MM_HINT_T0);
    }
}

INLINE vec load_wide(enum dtype dtype, const void *data, int64_t at)
{
    switch (dtype) {
    case DTYPE_F16:
        return vec_load_f16((const uint16_t *)data + at);
    case DTYPE_BF16:
        return vec_load_bf16((const uint16_t *)data + at);
    default:
        return vec_load((const float *)data + at);
    }
}

static vec load_slowly(const struct tensor *t, int64_t at, int n)
{
    float part[LANES] = {0};
    tensor_read(part, t, at, n);
    return vec_load(part);
}

/* Elements at .. at + n - 1 of LANES rows, as columns. dtype: of all rows, or DTYPE_COUNT. */
INLINE void load_block(vec v[LANES], const struct panel *p, int half, int64_t at, int n,
                       enum dtype dtype)
{
    const struct tensor *const *part = p->part + half * LANES;
    const int64_t *from = p->from + half * LANES;

    if (dtype != DTYPE_COUNT && n == LANES) {
        UNROLL for (int i = 0; i < LANES; i++) v[i] = load_wide(dtype, part[i]->data, from[i] + at);
    } else {
        for (int i = 0; i < LANES; i++)
            v[i] = part[i] ? load_slowly(part[i], from[i] + at, n) : vec_set(0);
    }
    vec_transpose(v);
}

/* The file has channel after channel, each with its taps; a panel wants tap after tap. */
INLINE void read_half(float *out, const struct panel *p, int half, int c0, int c1, enum dtype dtype)
{
    int taps = p->taps, end = c1 * taps, tap = 0, c = 0;

    for (int at = c0 * taps; at < end; at += LANES) {
        int n = end - at < LANES ? end - at : LANES;
        vec v[LANES];
        load_block(v, p, half, at, n, dtype);
        for (int i = 0; i < n; i++) {
            vec_store(out + ((size_t)tap * (c1 - c0) + c) * PANEL + half * LANES, v[i]);
            if (++tap == taps)
                tap = 0, c++;
        }
    }
}

/* The one dtype of LANES rows that the fast path knows, or DTYPE_COUNT. */
static enum dtype common_dtype(const struct tensor *const *part)
{
    for (int i = 0; i < LANES; i++)
        if (!part[i] || part[i]->dtype != part[0]->dtype)
            return DTYPE_COUNT;
    return part[0]->dtype <= DTYPE_BF16 ? part[0]->dtype : DTYPE_COUNT;
}

void panel_read(float *out, const struct panel *p, int c0, int c1)
{
    for (int half = 0; half < 2; half++)
        switch (common_dtype(p->part + half * LANES)) {
        case DTYPE_F32:
            read_half(out, p, half, c0, c1, DTYPE_F32);
            break;
        case DTYPE_F16:
            read_half(out, p, half, c0, c1, DTYPE_F16);
            break;
        case DTYPE_BF16:
            read_half(out, p, half, c0, c1, DTYPE_BF16);
            break;
        default:
            read_half(out, p, half, c0, c1, DTYPE_COUNT);
        }
}

#ifdef __AVX512BF16__
enum { STRIP = 32 }; /* channels that pass through temp at a time */

void panel_read_bf16(uint16_t *out, const struct panel *p, int c0, int c1, float *temp)
{
    int half_count = (c1 - c0 + 1) / 2;

    for (int from = c0; from < c1; from += STRIP) {
        int n = c1 - from < STRIP ? c1 - from : STRIP;
        panel_prefetch(p, from + n, from + n + STRIP);
        panel_read(temp, p, from, from + n);
        for (int tap = 0; tap < p->taps; tap++)
            for (int c = 0; c < n; c += 2) {
                const float *x = temp + ((size_t)tap * n + c) * PANEL;
                uint16_t *to = out + ((size_t)tap * half_count + (from - c0 + c) / 2) * 2 * PANEL;
                for (int half = 0; half < 2; half++) {
                    vec odd = c + 1 < n ? vec_load(x + PANEL + half * LANES) : vec_set(0);
                    pairs_store(to + half * PANEL, vec_load(x + half * LANES), odd);
                }
            }
    }
}
#endif
