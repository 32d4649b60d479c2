/*
 * unicode.h: UTF-8 and the normalisation that CLIP's tokenizer applies to a prompt.
 *
 *   struct runes raw, clean;
 *   if (runes_decode(&arena, text, &raw, &e)) ...
 *   if (runes_normalise(&arena, raw, &clean, &e)) ...       NFC, blanks, lower case
 *   rune_class(clean.p[0]) == RUNE_LETTER
 *
 * Characters are classified as the reference does it, whatever version of Unicode utf8proc knows.
 * Threads: pure functions; results live in the caller's arena.
 */
#ifndef ENGINE_UNICODE_H
#define ENGINE_UNICODE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

struct runes {
    const int32_t *p; /* code points */
    size_t n;
};

enum rune_class { RUNE_OTHER, RUNE_LETTER, RUNE_NUMBER, RUNE_SPACE };

enum rune_class rune_class(int32_t c);
/* UTF-8 of one code point; returns the number of bytes, 1..4. */
int rune_encode(int32_t c, unsigned char bytes[4]);

/* ERR_ARG names the byte where the text stops being UTF-8. */
WARN_UNUSED_RESULT int runes_decode(struct arena *a, struct str text, struct runes *out,
                                    struct err *e);
/* UTF-8 with U+FFFD for each byte that is not, NUL-terminated; `out` has room for 3 n + 1 bytes. */
void runes_repair(struct str text, char *out);
/* NFC, then every run of white space to one blank, then lower case character by character (Rust's
 * char::to_lowercase: U+0130 becomes two characters, sigma is never final). */
WARN_UNUSED_RESULT int runes_normalise(struct arena *a, struct runes in, struct runes *out,
                                       struct err *e);

#endif
