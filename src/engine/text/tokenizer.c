#include "engine/text/tokenizer.h"

#include "engine/text/bpe.h"
#include "engine/text/special.h"
#include "engine/text/unicode.h"

#include <stdlib.h>
#include <string.h>

struct tokenizer {
    struct bpe bpe;
    struct specials specials;
};

/* One text on its way to ids. */
struct encoder {
    const struct tokenizer *t;
    struct arena work;
    struct bpe_scratch *scratch;
    unsigned char *word; /* UTF-8 of the word at hand */
    int32_t *ids;
    size_t count;
};

/* Normalised text is at most 3 times as long as what was typed (Unicode's expansion factor of NFC
 * in UTF-8), and lower case of U+0130 makes 3 bytes of 2. */
enum { GROWTH = 6 };

static struct tokenizer *tokenizer_new(struct err *e)
{
    struct tokenizer *t = calloc(1, sizeof *t);

    if (!t)
        ERR(e, ERR_NOMEM, "no memory for a tokenizer");
    return t;
}

int tokenizer_parse(struct str vocab_json, struct str merges_txt, struct str config_json,
                    struct str special_json, struct tokenizer **out, struct err *e)
{
    struct tokenizer *t = tokenizer_new(e);

    if (!t)
        return e->code;
    if (bpe_parse(&t->bpe, vocab_json, merges_txt, e) ||
        specials_parse(&t->specials, &t->bpe, config_json, special_json, e)) {
        tokenizer_free(t);
        return e->code;
    }
    t->bpe.unknown = t->specials.unknown;
    *out = t;
    return 0;
}

int tokenizer_standard(bool pad_with_zero, struct tokenizer **out, struct err *e)
{
    struct tokenizer *t = tokenizer_new(e);

    if (!t)
        return e->code;
    bpe_standard(&t->bpe);
    if (specials_standard(&t->specials, &t->bpe, pad_with_zero, e)) {
        tokenizer_free(t);
        return e->code;
    }
    *out = t;
    return 0;
}

void tokenizer_free(struct tokenizer *t)
{
    if (!t)
        return;
    specials_release(&t->specials);
    bpe_release(&t->bpe);
    free(t);
}

static void encode_word(struct encoder *s, struct runes word)
{
    size_t n = 0;

    for (size_t i = 0; i < word.n; i++)
        n += (size_t)rune_encode(word.p[i], s->word + n);
    s->count += bpe_word(&s->t->bpe, s->scratch, s->word, n, s->ids + s->count);
}

static size_t literal(struct runes text, size_t at, const char *wanted)
{
    size_t n = strlen(wanted);

    if (n > text.n - at)
        return 0;
    for (size_t i = 0; i < n; i++)
        if (text.p[at + i] != wanted[i])
            return 0;
    return n;
}

/* How many characters the first matching alternative of CLIP's regular expression takes at `at`:
 * <|startoftext|> | <|endoftext|> | 's|'t|'re|'ve|'m|'ll|'d | letters | one number | others.
 * The reference splits the spelled-out tokens once more, into <| name |>, with the expression of
 * its byte-level step. */
static size_t next_word(struct runes text, size_t at)
{
    static const char *const endings[] = {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"};
    enum rune_class class = rune_class(text.p[at]);
    size_t end = at + 1;

    if (literal(text, at, "<|startoftext|>") || literal(text, at, "<|endoftext|>"))
        return 2;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (literal(text, at, endings[i]))
            return literal(text, at, endings[i]);
    while (class != RUNE_NUMBER && end < text.n && rune_class(text.p[end]) == class)
        end++;
    return end - at;
}

/* Normalised text without special tokens. */
static void encode_plain(struct encoder *s, struct runes text)
{
    for (size_t at = 0, n; at < text.n; at += n) {
        size_t rest = literal(text, at, "<|startoftext|>") + literal(text, at, "<|endoftext|>");
        n = next_word(text, at);
        if (rune_class(text.p[at]) != RUNE_SPACE)
            encode_word(s, (struct runes){text.p + at, n});
        if (rest) {
            encode_word(s, (struct runes){text.p + at + 2, rest - 4});
            encode_word(s, (struct runes){text.p + at + rest - 2, 2});
            n = rest;
        }
    }
}

/* Cut `text` at special tokens; what is between goes to the next stage. */
static int encode_section(struct encoder *s, struct runes text, bool normalised, struct err *e)
{
    size_t start = 0;

    for (size_t at = 0; at <= text.n;) {
        const struct special *token =
            at < text.n ? specials_match(&s->t->specials, text, at, normalised) : NULL;
        if (!token && at++ < text.n)
            continue;
        size_t end = token ? at : text.n;
        struct runes section = {text.p + start, end - start};
        if (section.n && normalised) {
            encode_plain(s, section);
        } else if (section.n) {
            if (runes_normalise(&s->work, section, &section, e) ||
                encode_section(s, section, true, e))
                return e->code;
        }
        if (token) {
            s->ids[s->count++] = token->id;
            at = start = at + token->text.n;
        }
    }
    return 0;
}

/* Tokens as text: their bytes, the end-of-word marks as blanks, blanks at both ends off, and
 * U+FFFD for what is not UTF-8 because the cut fell into a character. */
static char *decode(const struct tokenizer *t, const int32_t *ids, size_t n, struct arena *a)
{
    struct str text = {0};
    size_t room = 1;

    for (size_t i = 0; i < n; i++)
        room += ids[i] < t->bpe.size ? t->bpe.spelt[ids[i]].n : 0;
    char *bytes = arena_alloc(a, room), *clean = arena_alloc(a, 3 * room);
    for (size_t i = 0; i < n; i++) {
        struct str piece = ids[i] < t->bpe.size ? t->bpe.spelt[ids[i]] : (struct str){0};
        if (piece.n)
            memcpy(bytes + text.n, piece.p, piece.n);
        text.n += piece.n;
    }
    for (text.p = bytes; text.n && text.p[0] == ' '; text.n--)
        text.p++;
    while (text.n && text.p[text.n - 1] == ' ')
        text.n--;
    runes_repair(text, clean);
    return clean;
}

static int encode_text(struct encoder *s, struct str text, struct err *e)
{
    struct runes raw;
    size_t room = GROWTH * text.n + 1;

    if (text.n > TOKENIZER_MAX_TEXT)
        return ERR(e, ERR_ARG, "the text has %zu bytes, more than the %d that a prompt may have",
                   text.n, TOKENIZER_MAX_TEXT);
    s->word = arena_alloc(&s->work, room);
    s->ids = arena_alloc(&s->work, room * sizeof *s->ids);
    s->scratch = bpe_scratch_new(&s->work, room, e);
    if (!s->scratch || runes_decode(&s->work, text, &raw, e))
        return e->code;
    return encode_section(s, raw, false, e);
}

int tokenizer_encode(const struct tokenizer *t, struct str text, int length, int *ids,
                     struct arena *a, struct tokenized *out, struct err *e)
{
    const struct specials *special = &t->specials;
    struct encoder s = {.t = t};
    int rc = 0;

    if (length < 2)
        return ERR(e, ERR_ARG, "a text of %d tokens has no room for start and end", length);
    if ((rc = encode_text(&s, text, e)))
        goto out;
    size_t kept = s.count < (size_t)length - 2 ? s.count : (size_t)length - 2;
    ids[0] = special->start;
    for (size_t i = 0; i < kept; i++)
        ids[1 + i] = s.ids[i];
    ids[1 + kept] = special->end;
    for (size_t i = kept + 2; i < (size_t)length; i++)
        ids[i] = special->pad;
    *out = (struct tokenized){.used = (int)kept + 2, .cut = s.count - kept};
    if (out->cut)
        out->cut_text = decode(t, s.ids + kept, out->cut, a);
out:
    arena_release(&s.work);
    return rc;
}

int tokenizer_size(const struct tokenizer *t)
{
    return t->specials.size;
}

int tokenizer_max_length(const struct tokenizer *t)
{
    return t->specials.max_length;
}

int tokenizer_end(const struct tokenizer *t)
{
    return t->specials.end;
}
