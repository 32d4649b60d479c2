/*
 * tokenizer.h: CLIP's byte-pair encoding, token for token as transformers 5 (CLIPTokenizer) does
 * it.
 *
 *   struct tokenizer *t;
 *   if (tokenizer_standard(&t, &e)) ...                              the 49,408 entries of CLIP,
 * built in if (tokenizer_parse(vocab_json, merges_txt, config_json, &t, &e)) ...   a folder's own
 *   int ids[77]; struct tokenized out;
 *   tokenizer_encode(t, STR("a cat"), 77, ids, &out, &e);
 *
 * Text: NFC, runs of Unicode white space to one blank, per-character lower case, CLIP's regular
 * expression, byte-level BPE (Sennrich et al. 2016). Prompts are literal: no weights, no HTML.
 * Threads: a tokenizer is read-only after it was made; any number of threads may encode with it.
 */
#ifndef ENGINE_TOKENIZER_H
#define ENGINE_TOKENIZER_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct tokenizer;

/* The files' contents; config (tokenizer_config.json) may be empty. `special`
 * (special_tokens_map.json) may be empty. */
WARN_UNUSED_RESULT int tokenizer_parse(struct str vocab_json, struct str merges_txt,
                                       struct str config_json, struct str special_json,
                                       struct tokenizer **out, struct err *e);
/* pad_with_zero: SD2's and SDXL's second text encoder pad with token 0 instead of the end token. */
WARN_UNUSED_RESULT int tokenizer_standard(bool pad_with_zero, struct tokenizer **out,
                                          struct err *e);
void tokenizer_free(struct tokenizer *t);

struct tokenized {
    int used;       /* ids before the padding, start and end included */
    size_t cut;     /* tokens that did not fit */
    char *cut_text; /* what they spell, in the caller's arena; NULL when nothing was cut */
};

/* Exactly `length` ids (start, at most length-2 tokens, end, padding). ERR_ARG when the text is not
 * valid UTF-8 (says where). */
WARN_UNUSED_RESULT int tokenizer_encode(const struct tokenizer *t, struct str text, int length,
                                        int *ids, struct arena *a, struct tokenized *out,
                                        struct err *e);
int tokenizer_size(const struct tokenizer *t);
int tokenizer_max_length(const struct tokenizer *t); /* model_max_length, 77 when absent */
int tokenizer_end(const struct tokenizer *t);        /* id of <|endoftext|> */

#endif
