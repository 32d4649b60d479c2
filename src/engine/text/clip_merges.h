/*
 * clip_merges.h: the merge rules of CLIP's vocabulary, as the build embeds them from
 * clip_merges.bin.
 *
 * Rule i makes id 512 + i of two earlier ids, stored as two little-endian 16-bit numbers.
 * tools/parity/clip_merges.py writes the file; NOTICE has its origin and licence.
 */
#ifndef ENGINE_CLIP_MERGES_H
#define ENGINE_CLIP_MERGES_H

enum { CLIP_MERGES = 48894, CLIP_START = 49406, CLIP_END = 49407 };

extern const unsigned char clip_merges[4 * CLIP_MERGES];

#endif
