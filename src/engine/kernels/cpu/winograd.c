#include "engine/kernels/cpu/winograd.h"

#include <omp.h>

/*
 * Tiles are handled in chunks. All threads transform a chunk's inputs to v[36][tiles][in]; then
 * each takes panels of output channels: transforms the panel's weights to u[36][in][PANEL], block
 * by block of input channels, multiplies to m[36][tiles][PANEL] and turns m into output pixels.
 * v is sized for the last-level cache, u and m for the second.
 *
 * The weights are transformed in every call. Keeping u would take eight times the file's bytes,
 * and then reading it from memory would cost more than making it again.
 */
enum {
    POINTS = 36,
    EDGE = 4,          /* outputs of a tile in each direction */
    V_BYTES = 4 << 20, /* of a slice's inputs */
    BLOCK = 160,       /* input channels transformed and multiplied at a time */
    STRIP = 16,        /* input channels of the weights that are read at a time */
    TILES_MIN = 64,    /* in a slice: the weights are transformed again for each */
    TILES_MAX = 1024,
    ITEMS_PER_THREAD = 2
};

struct plan {
    int across, per_picture, tiles;          /* tiles in a row, in a picture, in all */
    int chunks, chunk_tiles;                 /* chunk_tiles: the most in one */
    int panels, slices;                      /* items are panels times slices of a chunk's tiles */
    int block;                               /* input channels in a block */
    size_t ldv;                              /* from tile to tile in v */
    size_t v_step, u_step, m_step;           /* from point to point */
    size_t v_bytes, u_bytes, m_bytes, bytes; /* of all threads; of one thread: u, m, all */
};

static int divide_up(int a, int b)
{
    return (a + b - 1) / b;
}

static int clamp(int n, int low, int high)
{
    return n < low ? low : n > high ? high : n;
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

bool winograd_applies(const struct product *p)
{
    const struct window *w = &p->window;
    return w->kh == 3 && w->kw == 3 && w->stride == 1 && w->oh * w->ow >= 64 && p->source->in >= 16;
}

/* At least n numbers, and an odd number of cache lines: the 36 points of a vector must not fall
 * into the same set of the first-level cache. */
static size_t apart(size_t n)
{
    return ((n + 15) / 16 | 1) * 16;
}

static struct plan make_plan(const struct product *p, int threads)
{
    const struct window *w = &p->window;
    int in = p->source->in, pictures = p->m / (w->oh * w->ow);
    struct plan n = {.across = divide_up(w->ow, EDGE), .panels = panel_count(p->source)};

    n.per_picture = n.across * divide_up(w->oh, EDGE);
    n.tiles = n.per_picture * pictures;
    n.ldv = apart((size_t)in);
    n.slices = divide_up(threads * ITEMS_PER_THREAD, n.panels);
    int most = (int)(V_BYTES / (POINTS * n.ldv * sizeof(float)));
    n.chunks = divide_up(n.tiles, n.slices * clamp(most, TILES_MIN, TILES_MAX));
    n.chunk_tiles = divide_up(n.tiles, n.chunks);
    n.slices = smaller(n.slices, n.chunk_tiles);
    n.block = divide_up(in, divide_up(in, BLOCK));
    n.v_step = apart(n.ldv * n.chunk_tiles);
    n.u_step = apart((size_t)n.block * PANEL);
    n.m_step = apart((size_t)divide_up(n.chunk_tiles, n.slices) * PANEL);
    n.v_bytes = POINTS * n.v_step * sizeof(float);
    n.u_bytes = POINTS * n.u_step * sizeof(float);
    n.m_bytes = POINTS * n.m_step * sizeof(float);
    n.bytes = n.u_bytes + n.m_bytes + (size_t)9 * STRIP * PANEL * sizeof(float);
    return n;
}

/* v, a row of zeros, then u, m and the strip of weights of each thread. */
size_t winograd_scratch(const struct product *p, int threads)
{
    struct plan n = make_plan(p, threads);
    return n.v_bytes + n.ldv * sizeof(float) + n.bytes * threads;
}

/* -- Inputs ----------------------------------------------------------------------------------- */

/*
 * The points of the interpolation are 0, +-A, +-B and infinity. With the textbook's A = 1, B = 2
 * the powers in the matrices reach from 1/24 to 8, and rounding errors with them; 5/8 and 3/2, a
 * choice known from oneDNN, keep them closer to 1 and cost nothing more: relative RMS 1.6e-6
 * instead of 3.6e-6 at 320 channels.
 */
#define POINT_A  0.625f
#define POINT_B  1.5f
#define SQUARE_A (POINT_A * POINT_A)
#define SQUARE_B (POINT_B * POINT_B)

/* One line of B^T d. */
INLINE void input_line(vec y[6], const vec x[6])
{
    vec ends = vec_set(SQUARE_A * SQUARE_B), middle = vec_set(SQUARE_A + SQUARE_B),
        aa = vec_set(SQUARE_A), bb = vec_set(SQUARE_B);
    vec even_a = vec_fnma(bb, x[2], x[4]), odd_a = vec_fnma(bb, x[1], x[3]);
    vec even_b = vec_fnma(aa, x[2], x[4]), odd_b = vec_fnma(aa, x[1], x[3]);

    y[0] = vec_fma(ends, x[0], vec_fnma(middle, x[2], x[4]));
    y[1] = vec_fma(vec_set(POINT_A), odd_a, even_a);
    y[2] = vec_fnma(vec_set(POINT_A), odd_a, even_a);
    y[3] = vec_fma(vec_set(POINT_B), odd_b, even_b);
    y[4] = vec_fnma(vec_set(POINT_B), odd_b, even_b);
    y[5] = vec_fma(ends, x[1], vec_fnma(middle, x[3], x[5]));
}

/* Where the 36 inputs of a tile are; outside of the picture: the row of zeros. */
static void tile_inputs(const float *from[POINTS], const struct product *p, const struct plan *n,
                        int tile, const float *zeros)
{
    const struct window *w = &p->window;
    int picture = tile / n->per_picture, place = tile % n->per_picture;
    int top = place / n->across * EDGE - w->pad_top, left = place % n->across * EDGE - w->pad_left;
    int enlarge = w->upsample ? 1 : 0;

    for (int i = 0; i < POINTS; i++) {
        int iy = top + i / 6, ix = left + i % 6;
        bool inside = iy >= 0 && iy < w->h << enlarge && ix >= 0 && ix < w->w << enlarge;
        size_t pixel = ((size_t)picture * w->h + (size_t)(iy >> enlarge)) * w->w +
                       (size_t)(ix >> enlarge);
        from[i] = inside ? w->x + pixel * w->ldx : zeros;
    }
}

/* Channels c to c + n - 1 (n <= LANES) of one tile: v = B^T d B. Points are `step` apart in v. */
INLINE void transform_input(float *v, size_t step, const float *const from[POINTS], int c, int n)
{
    vec d[6][6];

    UNROLL for (int j = 0; j < 6; j++)
    {
        vec x[6], y[6];
        UNROLL for (int i = 0; i < 6; i++) x[i] =
            n == LANES ? vec_load(from[6 * i + j] + c) : vec_load_part(from[6 * i + j] + c, n);
        input_line(y, x);
        UNROLL for (int i = 0; i < 6; i++) d[i][j] = y[i];
    }
    UNROLL for (int i = 0; i < 6; i++)
    {
        vec y[6];
        input_line(y, d[i]);
        UNROLL for (int j = 0; j < 6; j++) vec_store(v + (size_t)(6 * i + j) * step + c, y[j]);
    }
}

static void transform_tile(float *v, const struct product *p, const struct plan *n, int tile,
                           const float *zeros)
{
    const float *from[POINTS];
    int in = p->source->in, c = 0;

    tile_inputs(from, p, n, tile, zeros);
    for (; c + LANES <= in; c += LANES)
        transform_input(v, n->v_step, from, c, LANES);
    if (c < in)
        transform_input(v, n->v_step, from, c, in - c);
}

/* -- Weights ---------------------------------------------------------------------------------- */

#define SCALE_A (0.5f / (SQUARE_A * (SQUARE_A - SQUARE_B)))
#define SCALE_B (0.5f / (SQUARE_B * (SQUARE_B - SQUARE_A)))

/* One line of G g. */
INLINE void weight_line(vec y[6], const vec g[3])
{
    vec even_a = vec_fma(vec_set(SCALE_A), g[0], vec_set(SCALE_A * SQUARE_A) * g[2]);
    vec even_b = vec_fma(vec_set(SCALE_B), g[0], vec_set(SCALE_B * SQUARE_B) * g[2]);

    y[0] = g[0] * vec_set(1 / (SQUARE_A * SQUARE_B));
    y[1] = vec_fma(vec_set(SCALE_A * POINT_A), g[1], even_a);
    y[2] = vec_fnma(vec_set(SCALE_A * POINT_A), g[1], even_a);
    y[3] = vec_fma(vec_set(SCALE_B * POINT_B), g[1], even_b);
    y[4] = vec_fnma(vec_set(SCALE_B * POINT_B), g[1], even_b);
    y[5] = g[2];
}

/* u = G g G^T for one input channel and LANES outputs; taps and points are a step apart. */
INLINE void transform_weight(float *u, size_t step, const float *taps, size_t tap_step)
{
    vec d[6][3];

    UNROLL for (int j = 0; j < 3; j++)
    {
        vec g[3], y[6];
        UNROLL for (int i = 0; i < 3; i++) g[i] = vec_load(taps + (size_t)(3 * i + j) * tap_step);
        weight_line(y, g);
        UNROLL for (int i = 0; i < 6; i++) d[i][j] = y[i];
    }
    UNROLL for (int i = 0; i < 6; i++)
    {
        vec y[6];
        weight_line(y, d[i]);
        UNROLL for (int j = 0; j < 6; j++) vec_store(u + (size_t)(6 * i + j) * step, y[j]);
    }
}

/* Input channels c0 to c1 of a panel: u[36][c1 - c0][PANEL], points u_step apart. */
static void transform_panel(float *u, size_t step, const struct panel *panel, int c0, int c1,
                            float *strip)
{
    for (int from = c0; from < c1; from += STRIP) {
        int n = smaller(STRIP, c1 - from);
        panel_prefetch(panel, from + n, from + n + STRIP);
        panel_read(strip, panel, from, from + n);
        for (int c = 0; c < n; c++)
            for (int half = 0; half < PANEL; half += LANES)
                transform_weight(u + (size_t)(from - c0 + c) * PANEL + half, step,
                                 strip + c * PANEL + half, (size_t)n * PANEL);
    }
}

/* -- Outputs ---------------------------------------------------------------------------------- */

/* One line of A^T m. */
INLINE void output_line(vec y[4], const vec x[6])
{
    vec even_a = x[1] + x[2], odd_a = x[1] - x[2], even_b = x[3] + x[4], odd_b = x[3] - x[4];

    y[0] = x[0] + even_a + even_b;
    y[1] = vec_fma(vec_set(POINT_A), odd_a, vec_set(POINT_B) * odd_b);
    y[2] = vec_fma(vec_set(SQUARE_A), even_a, vec_set(SQUARE_B) * even_b);
    y[3] = vec_fma(vec_set(SQUARE_A * POINT_A), odd_a,
                   vec_fma(vec_set(SQUARE_B * POINT_B), odd_b, x[5]));
}

/* LANES channels of the 4x4 outputs of a tile: y = A^T m A. */
INLINE void transform_output(vec y[EDGE][EDGE], const float *m, size_t step)
{
    vec d[EDGE][6];

    UNROLL for (int j = 0; j < 6; j++)
    {
        vec x[6], t[EDGE];
        UNROLL for (int i = 0; i < 6; i++) x[i] = vec_load(m + (size_t)(6 * i + j) * step);
        output_line(t, x);
        UNROLL for (int i = 0; i < EDGE; i++) d[i][j] = t[i];
    }
    UNROLL for (int i = 0; i < EDGE; i++) output_line(y[i], d[i]);
}

static void store_tile(const struct product *p, const struct plan *n, int tile, int column,
                       const float *m, size_t step)
{
    const struct window *w = &p->window;
    const struct finish *f = &p->finish;
    int picture = tile / n->per_picture, place = tile % n->per_picture;
    int top = place / n->across * EDGE, left = place % n->across * EDGE;
    int high = smaller(EDGE, w->oh - top), wide = smaller(EDGE, w->ow - left);
    const float *shift = f->shift ? f->shift + (size_t)picture * f->columns : NULL;

    for (int half = 0; half < PANEL && column + half < f->columns; half += LANES) {
        vec y[EDGE][EDGE];
        transform_output(y, m + half, step);
        vec add = add_columns(vec_set(0), f->bias, column + half, f->columns);
        add = add_columns(add, shift, column + half, f->columns);
        for (int i = 0; i < high; i++)
            for (int j = 0; j < wide; j++) {
                size_t r = ((size_t)picture * w->oh + (size_t)(top + i)) * w->ow +
                           (size_t)(left + j);
                finish_store(f, r, column + half, y[i][j] + add);
            }
    }
}

/* -- The products ----------------------------------------------------------------------------- */

/* A chunk starts at tile `first` and has `count` tiles; an item is panel q and tiles t0 to t1 of
 * the chunk. */
static void run_item(const struct product *p, const struct plan *n, const float *v, int first,
                     int q, int t0, int t1, char *desk)
{
    float *u = (float *)(void *)desk, *m = (float *)(void *)(desk + n->u_bytes);
    float *strip = (float *)(void *)(desk + n->u_bytes + n->m_bytes);
    int in = p->source->in, rows = t1 - t0, groups = divide_up(rows, TILE);
    int vectors = p->finish.columns - q * PANEL <= LANES ? 1 : 2;
    struct panel panel;

    panel_open(&panel, p->source, q);
    for (int c0 = 0; c0 < in; c0 += n->block) {
        int c1 = smaller(c0 + n->block, in);
        transform_panel(u, n->u_step, &panel, c0, c1, strip);
        for (int point = 0; point < POINTS; point++) {
            const float *a = v + point * n->v_step + t0 * n->ldv + c0;
            const float *b = u + point * n->u_step;
            float *c = m + point * n->m_step;
            for (int g = 0; g < groups; g++) {
                int i0 = rows * g / groups, i1 = rows * (g + 1) / groups;
                const float *next = g + 1 < groups ? a + i1 * n->ldv : a + n->v_step;
                tile_f32(i1 - i0, vectors, c1 - c0, a + i0 * n->ldv, n->ldv, b, c + i0 * PANEL,
                         c0 > 0, next);
            }
        }
    }
    for (int t = t0; t < t1; t++)
        store_tile(p, n, first + t, q * PANEL, m + (size_t)(t - t0) * PANEL, n->m_step);
}

void winograd_run(const struct product *p, int threads, void *scratch)
{
    const struct plan n = make_plan(p, threads);
    float *v = scratch, *zeros = v + n.v_bytes / sizeof(float);
    char *desks = (char *)(zeros + n.ldv);

    memset(zeros, 0, n.ldv * sizeof *zeros);
#pragma omp parallel num_threads(threads)
    for (int chunk = 0; chunk < n.chunks; chunk++) {
        int first = (int)((long)n.tiles * chunk / n.chunks);
        int count = (int)((long)n.tiles * (chunk + 1) / n.chunks) - first;
#pragma omp for schedule(dynamic, 4)
        for (int t = 0; t < count; t++)
            transform_tile(v + t * n.ldv, p, &n, first + t, zeros);
#pragma omp for schedule(dynamic)
        for (int i = 0; i < n.panels * n.slices; i++) {
            int slice = i % n.slices;
            run_item(p, &n, v, first, i / n.slices, count * slice / n.slices,
                     count * (slice + 1) / n.slices,
                     desks + (size_t)omp_get_thread_num() * n.bytes);
        }
    }
}
