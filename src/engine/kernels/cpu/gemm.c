#include "engine/kernels/cpu/gemm.h"

#include <omp.h>

/* -- Blocks ----------------------------------------------------------------------------------- */

enum {
    BLOCK_BYTES = 5120, /* of one row of x: with TILE rows of it a tile's part fits into L1 or L2 */
    STAGE_BYTES = 3 << 20,           /* of the copy of x that one thread makes */
    PANELS_BYTES = L2_BYTES / 8 * 5, /* of the panels that one thread holds */
    ROWS_MAX = 1024,
    ITEMS_PER_THREAD = 3, /* for balance when the cores are not equally free */
};

/* How a product is cut. Only `channels` has a say in the bits: it depends on the weights alone. */
struct cut {
    int channels, blocks;                    /* input channels in a block of k, number of blocks */
    int row_chunks, panels, panel_chunks;    /* items are chunks of rows times chunks of panels */
    int rows, chunk_panels;                  /* the most of each in an item */
    int group;                               /* panels held at a time */
    bool stage;                              /* rows of x are copied first */
    size_t lda, k;                           /* numbers between rows of the copy; in a block of k */
    size_t a_bytes, b_bytes, c_bytes, bytes; /* scratch of one thread */
};

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

static int divide_up(int a, int b)
{
    return (a + b - 1) / b;
}

static int clamp(int n, int low, int high)
{
    return n < low ? low : n > high ? high : n;
}

/* Rows that are a multiple of 2 KiB apart fall into one or two sets of the first-level cache. */
static bool must_stage(const struct product *p)
{
    const struct window *w = &p->window;
    bool plain = w->kh * w->kw == 1 && w->stride == 1 && !w->pad_top && !w->pad_left &&
                 !w->upsample;
    return p->bf16 || !plain || w->oh * w->ow != w->h * w->w || w->ldx % 512 == 0;
}

static struct cut cut_product(const struct product *p, int threads)
{
    const struct weight_source *s = p->source;
    int taps = s->kh * s->kw, size = p->bf16 ? 2 : 4;
    struct cut c = {.panels = panel_count(s), .stage = must_stage(p)};

    int most = clamp(BLOCK_BYTES / (taps * size) / 16 * 16, 16, s->in);
    c.blocks = divide_up(s->in, most);
    c.channels = s->in;
    if (c.blocks > 1)
        c.channels = (int)round_up(divide_up(s->in, c.blocks), 16);
    c.blocks = divide_up(s->in, c.channels);
    c.k = (size_t)taps * (p->bf16 ? round_up(c.channels, 2) : (size_t)c.channels);
    c.lda = (round_up(c.k * size, 64) / 64 | 1) * 64 / size; /* an odd number of cache lines */

    c.row_chunks = divide_up(p->m, clamp((int)(STAGE_BYTES / (c.lda * size)), 96, ROWS_MAX));
    c.panel_chunks = clamp(divide_up(threads * ITEMS_PER_THREAD, c.row_chunks), 1, c.panels);
    c.rows = divide_up(p->m, c.row_chunks);
    c.chunk_panels = divide_up(c.panels, c.panel_chunks);
    c.group = clamp((int)(PANELS_BYTES / (c.k * PANEL * size)), 1, c.chunk_panels);

    c.a_bytes = c.stage ? round_up((size_t)c.rows * c.lda * size, 64) : 0;
    c.b_bytes = round_up((size_t)c.group * c.k * PANEL * size, 64);
    c.c_bytes = (size_t)TILE * PANEL * 4;
    if (c.blocks > 1)
        c.c_bytes *= (size_t)divide_up(c.rows, TILE) * c.chunk_panels;
    c.bytes = c.a_bytes + c.b_bytes + c.c_bytes + (p->bf16 ? (size_t)taps * 32 * PANEL * 4 : 0);
    return c;
}

size_t product_scratch(const struct product *p, int threads)
{
    return cut_product(p, threads).bytes * (size_t)threads;
}

/* -- Rows of x -------------------------------------------------------------------------------- */

/* The pixel under tap (ky, kx) of output pixel (oy, ox) of a picture; NULL: outside. */
INLINE const float *tap_pixel(const struct window *w, int picture, int oy, int ox, int ky, int kx)
{
    int enlarge = w->upsample ? 1 : 0;
    int iy = oy * w->stride - w->pad_top + ky, ix = ox * w->stride - w->pad_left + kx;

    if (iy < 0 || iy >= w->h << enlarge || ix < 0 || ix >= w->w << enlarge)
        return NULL;
    return w->x + (((size_t)picture * w->h + (iy >> enlarge)) * w->w + (ix >> enlarge)) * w->ldx;
}

/* n numbers (NULL: zeros) in the form that tiles read; returns where the next ones go. */
INLINE void *copy_numbers(void *to, const float *x, int n, bool bf16)
{
#ifdef __AVX512BF16__
    if (bf16) {
        uint16_t *out = to;
        int i = 0;
        for (; i + LANES <= n; i += LANES)
            vec_store_bf16(out + i, x ? vec_load(x + i) : vec_set(0));
        if (i < n) {
            uint16_t last[LANES];
            vec_store_bf16(last, x ? vec_load_part(x + i, n - i) : vec_set(0));
            memcpy(out + i, last, (size_t)((n - i + 1) & ~1) * sizeof *out);
        }
        return out + ((n + 1) & ~1);
    }
#endif
    (void)bf16;
    float *out = to;
    if (x)
        memcpy(out, x, (size_t)n * sizeof *out);
    else
        memset(out, 0, (size_t)n * sizeof *out);
    return out + n;
}

/* Channels c0 to c1 of rows r0 to r1, tap after tap. */
static void stage_rows(char *out, const struct product *p, const struct cut *cut, int r0, int r1,
                       int c0, int c1)
{
    const struct window *w = &p->window;
    size_t step = cut->lda * (p->bf16 ? 2 : 4);

    for (int r = r0; r < r1; r++, out += step) {
        int picture = r / (w->oh * w->ow), pixel = r % (w->oh * w->ow);
        int oy = pixel / w->ow, ox = pixel % w->ow;
        void *to = out;
        for (int ky = 0; ky < w->kh; ky++)
            for (int kx = 0; kx < w->kw; kx++) {
                const float *x = tap_pixel(w, picture, oy, ox, ky, kx);
                to = copy_numbers(to, x ? x + c0 : NULL, c1 - c0, p->bf16);
            }
    }
}

/* -- Sums to results -------------------------------------------------------------------------- */

static void finish_geglu(const struct finish *f, int row, int rows, int column, const float *c)
{
    for (int i = 0; i < rows; i++) {
        size_t r = (size_t)row + i;
        vec value = vec_load(c + i * PANEL), gate = vec_load(c + i * PANEL + LANES);
        value = add_columns(value, f->bias, column, f->columns);
        if (f->bias)
            gate = add_columns(gate, f->bias + f->columns, column, f->columns);
        if (f->shift)
            value = add_columns(value, f->shift + r / f->rows_per_picture * f->columns, column,
                                f->columns);
        finish_store(f, r, column, value * vec_gelu(gate));
    }
}

static void finish_tile(const struct finish *f, int row, int rows, int column, const float *c)
{
    for (int i = 0; i < rows; i++) {
        size_t r = (size_t)row + i;
        const float *shift = f->shift ? f->shift + r / f->rows_per_picture * f->columns : NULL;
        for (int j = 0; j < PANEL && column + j < f->columns; j += LANES) {
            vec v = vec_load(c + i * PANEL + j);
            v = add_columns(v, f->bias, column + j, f->columns);
            v = add_columns(v, shift, column + j, f->columns);
            finish_store(f, r, column + j, v);
        }
    }
}

/* -- The product ------------------------------------------------------------------------------ */

/* One thread's place in its scratch. */
struct desk {
    char *a, *b;
    float *c, *temp;
};

static void read_panels(const struct product *p, const struct cut *cut, const struct desk *d,
                        int from, int to, int c0, int c1)
{
    size_t step = cut->k * PANEL * (p->bf16 ? 2 : 4);

    for (int q = from; q < to; q++) {
        struct panel panel;
        char *out = d->b + (size_t)(q - from) * step;
        panel_open(&panel, p->source, q);
#ifdef __AVX512BF16__
        if (p->bf16) {
            panel_read_bf16((uint16_t *)(void *)out, &panel, c0, c1, d->temp);
            continue;
        }
#endif
        panel_read((float *)(void *)out, &panel, c0, c1);
    }
}

/* An item: rows r0 to r1 times panels q0 to q1. */
struct item {
    int r0, r1, q0, q1;
};

/* Block number `block` of k for the panels from .. to: every tile of the item's rows. */
static void multiply_group(const struct product *p, const struct cut *cut, const struct desk *d,
                           const struct item *it, int from, int to, int block)
{
    int c0 = block * cut->channels, c1 = c0 + cut->channels;
    if (c1 > p->source->in)
        c1 = p->source->in;
    int size = p->bf16 ? 2 : 4, taps = p->source->kh * p->source->kw;
    long k = (long)taps * (p->bf16 ? (c1 - c0 + 1) & ~1 : c1 - c0);
    size_t lda = cut->stage ? cut->lda : p->window.ldx, step = cut->k * PANEL * size;
    const char *a = cut->stage ? d->a : (const char *)(p->window.x + it->r0 * lda + c0);
    int rows = it->r1 - it->r0, tiles = divide_up(rows, TILE);
    int width = p->source->geglu ? LANES : PANEL;

    read_panels(p, cut, d, from, to, c0, c1);
    for (int t = 0; t < tiles; t++) {
        int i0 = (int)((long)rows * t / tiles), i1 = (int)((long)rows * (t + 1) / tiles);
        const char *rows_at = a + i0 * lda * size, *next = a + i1 * lda * size;
        for (int q = from; q < to; q++) {
            size_t slot = cut->blocks > 1 ? (size_t)(q - it->q0) * tiles + t : 0;
            float *c = d->c + slot * TILE * PANEL;
            const char *b = d->b + (size_t)(q - from) * step;
            int vectors = p->finish.columns - q * width <= LANES && !p->source->geglu ? 1 : 2;
            if (block == cut->blocks - 1)
                finish_fetch(&p->finish, (size_t)it->r0 + i0, i1 - i0, q * width, width);
#ifdef __AVX512BF16__
            if (p->bf16)
                tile_bf16(i1 - i0, k, (const void *)rows_at, lda, (const void *)b, c, block > 0,
                          (const void *)next);
            else
#endif
                tile_f32(i1 - i0, vectors, k, (const void *)rows_at, lda, (const void *)b, c,
                         block > 0, (const void *)next);
            if (block < cut->blocks - 1)
                continue;
            if (p->source->geglu)
                finish_geglu(&p->finish, it->r0 + i0, i1 - i0, q * width, c);
            else
                finish_tile(&p->finish, it->r0 + i0, i1 - i0, q * width, c);
        }
    }
}

static void run_item(const struct product *p, const struct cut *cut, int index, char *scratch)
{
    int row = index / cut->panel_chunks, column = index % cut->panel_chunks;
    struct item it = {
        .r0 = (int)((long)p->m * row / cut->row_chunks),
        .r1 = (int)((long)p->m * (row + 1) / cut->row_chunks),
        .q0 = (int)((long)cut->panels * column / cut->panel_chunks),
        .q1 = (int)((long)cut->panels * (column + 1) / cut->panel_chunks),
    };
    struct desk d = {.a = scratch, .b = scratch + cut->a_bytes};
    d.c = (float *)(void *)(d.b + cut->b_bytes);
    d.temp = d.c + cut->c_bytes / 4;

    for (int block = 0; block < cut->blocks; block++) {
        int c0 = block * cut->channels, c1 = clamp(c0 + cut->channels, c0, p->source->in);
        if (cut->stage)
            stage_rows(d.a, p, cut, it.r0, it.r1, c0, c1);
        for (int q = it.q0; q < it.q1; q += cut->group)
            multiply_group(p, cut, &d, &it, q, clamp(q + cut->group, q, it.q1), block);
    }
}

void product_run(const struct product *p, int threads, void *scratch)
{
    const struct cut cut = cut_product(p, threads);
    int items = cut.row_chunks * cut.panel_chunks;

#pragma omp parallel for num_threads(threads) schedule(dynamic)
    for (int i = 0; i < items; i++)
        run_item(p, &cut, i, (char *)scratch + (size_t)omp_get_thread_num() * cut.bytes);
}
