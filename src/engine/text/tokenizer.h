/*
 * tokenizer.h: CLIP's byte-pair encoding, token for token as transformers 5 (CLIPTokenizer).
 *
 *   struct tokenizer *t;
 *   if (tokenizer_standard(false, &t, &e)) ...                     CLIP's 49,408 entries, built in
 *   if (tokenizer_parse(vocab, merges, config, special, &t, &e)) ...            a folder's own
 *   int ids[77];
 *   struct tokenized out;
 *   if (tokenizer_encode(t, STR("a cat"), 77, ids, &arena, &out, &e)) ...
 *   tokenizer_free(t);
 *
 * Text: NFC, runs of Unicode white space to one blank, per-character lower case, CLIP's regular
 * expression, byte-level BPE (Sennrich et al. 2016). Prompts are literal: no weights, no HTML.
 * Special tokens spelled out in a prompt are themselves, as in the reference: where the padding is
 * `!`, every `!` of a prompt is that token and stands alone.
 * Threads: a tokenizer is read-only after it was made; any number of threads may encode with it.
 */
#ifndef ENGINE_TOKENIZER_H
#define ENGINE_TOKENIZER_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* Longer prompts are refused: the time to encode is bounded. */
enum { TOKENIZER_MAX_TEXT = 1 << 16 };

struct tokenizer;

/* The contents of vocab.json and merges.txt, tokenizer_config.json (may be empty) and
 * special_tokens_map.json (may be empty). ERR_FORMAT, ERR_UNSUPPORTED. */
WARN_UNUSED_RESULT int tokenizer_parse(struct str vocab_json, struct str merges_txt,
                                       struct str config_json, struct str special_json,
                                       struct tokenizer **out, struct err *e);
/* pad_with_zero: the files of SD2 and of SDXL's second encoder, which pad with token 0 (`!`);
 * otherwise those of SD1 and SDXL's first, which pad with the end token. */
WARN_UNUSED_RESULT int tokenizer_standard(bool pad_with_zero, struct tokenizer **out,
                                          struct err *e);
void tokenizer_free(struct tokenizer *t);

struct tokenized {
    int used;       /* ids before the padding, start and end included */
    size_t cut;     /* tokens that did not fit */
    char *cut_text; /* what they spell, in the caller's arena; NULL when nothing was cut */
};

/* Exactly `length` ids (start, at most length-2 tokens, end, padding). ERR_ARG when the text is not
 * valid UTF-8 (says at which byte) or longer than TOKENIZER_MAX_TEXT bytes. */
WARN_UNUSED_RESULT int tokenizer_encode(const struct tokenizer *t, struct str text, int length,
                                        int *ids, struct arena *a, struct tokenized *out,
                                        struct err *e);
int tokenizer_size(const struct tokenizer *t);       /* the largest id + 1 */
int tokenizer_max_length(const struct tokenizer *t); /* model_max_length, 77 when absent */
int tokenizer_end(const struct tokenizer *t);        /* id of <|endoftext|> */

#endif
