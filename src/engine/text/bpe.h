/*
 * bpe.h: byte-level byte-pair encoding with CLIP's end-of-word mark: merge rules and the words they
 * make; private to text/.
 *
 *   struct bpe b = {0};
 *   if (bpe_parse(&b, vocab_json, merges_txt, &e)) ...     or bpe_standard(&b)
 *   struct bpe_scratch *s = bpe_scratch_new(&arena, longest, &e);
 *   n = bpe_word(&b, s, bytes, n_bytes, ids);
 *   bpe_release(&b);
 *
 * A word starts as one symbol per byte, the last one with the mark `</w>`; then the pair with the
 * best rank, leftmost first, is merged until no rule applies (Sennrich et al. 2016).
 * Threads: read-only once built.
 */
#ifndef ENGINE_BPE_H
#define ENGINE_BPE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/map.h"
#include "base/str.h"

#include <stdint.h>

enum { BPE_MAX_IDS = 1 << 20, BPE_NONE = -1 };

struct bpe_rule {
    int32_t left, right; /* ids; left BPE_NONE: a free slot */
    int32_t rank, made;
};

struct bpe {
    int size;               /* the largest id + 1 */
    int32_t inner[256];     /* symbol of a byte inside a word, BPE_NONE when it has none */
    int32_t final[256];     /* symbol of a word's last byte */
    int32_t unknown;        /* stands for bytes without a symbol */
    struct bpe_rule *rules; /* open addressing by (left, right) */
    size_t room;            /* a power of two */
    struct str *spelt;      /* [size]: the bytes an id stands for, the mark as a blank */
    struct map names;       /* vocab.json: the key's value is &ids[id]; empty when standard */
    int32_t *ids;           /* [size]: 0, 1, 2, ... */
    struct arena memory;
};

/* vocab.json and merges.txt as transformers and tokenizers read them. ERR_FORMAT names the line. */
WARN_UNUSED_RESULT int bpe_parse(struct bpe *b, struct str vocab_json, struct str merges_txt,
                                 struct err *e);
/* CLIP's own vocabulary, which is part of the program. */
void bpe_standard(struct bpe *b);
void bpe_release(struct bpe *b);
/* What builds a struct bpe: a table for `count` rules, and one rule; a later rule for the same pair
 * replaces an earlier one. */
void bpe_rules_new(struct bpe *b, size_t count);
void bpe_rules_add(struct bpe *b, struct bpe_rule rule);
/* The id of an entry of vocab.json, or BPE_NONE. */
int32_t bpe_find(const struct bpe *b, struct str name);

/* Room to work on words of up to `longest` bytes. */
struct bpe_scratch *bpe_scratch_new(struct arena *a, size_t longest, struct err *e);
/* Ids of one word of n >= 1 bytes; at most n. A byte that has neither a symbol nor an unknown
 * symbol is left out. */
size_t bpe_word(const struct bpe *b, struct bpe_scratch *s, const unsigned char *bytes, size_t n,
                int32_t *ids);

#endif
