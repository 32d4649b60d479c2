/*
 * special.h: a vocabulary's special tokens, which stand for themselves wherever a prompt spells
 * them; private to text/.
 *
 *   struct specials s = {0};
 *   if (specials_parse(&s, &bpe, config_json, special_json, &e)) ...
 *   const struct special *hit = specials_match(&s, runes, at, false);
 *   specials_release(&s);
 *
 * A token is searched for either in the prompt as it was typed or in its normalised form; CLIP's
 * published files have both kinds, so `<|STARTOFTEXT|>` is the start token in all of them and
 * `<|ENDOFTEXT|>` is the end token in some.
 */
#ifndef ENGINE_SPECIAL_H
#define ENGINE_SPECIAL_H

#include "engine/text/bpe.h"
#include "engine/text/unicode.h"

struct special {
    struct str name;
    struct runes text; /* what is searched for */
    int32_t id;
    bool normalised; /* searched for in normalised text */
};

struct specials {
    struct special *list;
    size_t count;
    int32_t start, end, unknown, pad; /* ids */
    int size;                         /* of the vocabulary with tokens that only live here */
    int max_length;                   /* model_max_length; 77 when absent */
    struct arena memory;
};

/* tokenizer_config.json and special_tokens_map.json; either may be empty. Follows
 * PreTrainedTokenizerBase._from_pretrained: added_tokens_decoder in the former makes the latter
 * ignored. ERR_FORMAT, ERR_UNSUPPORTED. */
WARN_UNUSED_RESULT int specials_parse(struct specials *s, const struct bpe *b, struct str config,
                                      struct str map, struct err *e);
/* Those of CLIP's own vocabulary, as SD1's files (or SD2's, which pad with `!`) declare them. */
WARN_UNUSED_RESULT int specials_standard(struct specials *s, const struct bpe *b,
                                         bool pad_with_zero, struct err *e);
void specials_release(struct specials *s);

/* The longest special token at text.p[at], or NULL. */
const struct special *specials_match(const struct specials *s, struct runes text, size_t at,
                                     bool normalised);

#endif
