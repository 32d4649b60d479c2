/*
 * cpu/pack.h: the weights of a product, from the rows of the file to panels.
 *
 *   struct panel p;
 *   panel_open(&p, source, q);
 *   panel_read(block, &p, 0, source->in);    f32 [taps][in][PANEL]
 *
 * A panel is PANEL output channels side by side: what one tile of the product multiplies. Nothing
 * is packed ahead: a panel is read from the file's rows in every call, widened and transposed in
 * registers. That costs half a cycle (from the cache) to one cycle (from memory) a number, its use
 * (rows of x) / 16 cycles with AVX-512; it saves a second copy of the model and the time to make
 * it. Threads: pure functions. Ownership: a panel borrows the source.
 */
#ifndef ENGINE_KERNELS_CPU_PACK_H
#define ENGINE_KERNELS_CPU_PACK_H

#include "engine/kernels/cpu/simd.h"
#include "engine/kernels/kernels.h"

enum { PANEL = 2 * LANES };

#define panel_count     ISA(panel_count)
#define panel_open      ISA(panel_open)
#define panel_prefetch  ISA(panel_prefetch)
#define panel_read      ISA(panel_read)
#define panel_read_bf16 ISA(panel_read_bf16)

/* Where the rows of one panel stand. With geglu the first LANES columns are values and the others
 * their gates, so that a tile holds both. */
struct panel {
    int in, taps;
    const struct tensor *part[PANEL]; /* NULL: the column is beyond the last and counts as zero */
    int64_t from[PANEL];              /* the row's first element in its part */
};

int panel_count(const struct weight_source *s);
void panel_open(struct panel *p, const struct weight_source *s, int index);

/* Fetch input channels c0 to c1 (c1 may lie beyond the last) into the cache: rows are far apart,
 * and the hardware does not guess so many streams. */
void panel_prefetch(const struct panel *p, int c0, int c1);

/* Input channels c0 to c1 as f32: out[tap][c - c0][PANEL]. */
void panel_read(float *out, const struct panel *p, int c0, int c1);

#ifdef __AVX512BF16__
/* The same as pairs of channels, rounded to bf16: out[tap][(c - c0) / 2][PANEL][2]; an odd last
 * channel is followed by zeros. temp: taps * 32 * PANEL numbers. */
void panel_read_bf16(uint16_t *out, const struct panel *p, int c0, int c1, float *temp);
#endif

#endif
