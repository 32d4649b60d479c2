/* vocabulary.c: where merge rules come from: a folder's files, or CLIP's own, which is built in. */
#include "engine/text/bpe.h"
#include "engine/text/clip_merges.h"
#include "engine/text/unicode.h"

#include <jansson.h>
#include <string.h>

#define MARK "</w>"

/* CLIP writes every byte as a printable character: those that are printable in Latin-1 as
 * themselves, the others as U+0100 and on, in order (bytes_to_unicode of openai/CLIP). */
struct alphabet {
    int32_t rune[256];        /* of a byte */
    int16_t byte[256 + 256];  /* of such a character; -1 for others */
    unsigned char order[256]; /* the bytes in the order of their ids in CLIP's vocabulary */
};

static void alphabet_init(struct alphabet *a)
{
    int moved = 0, listed = 0;

    memset(a->byte, -1, sizeof a->byte);
    for (int i = 0; i < 256; i++) {
        bool printable = (i >= '!' && i <= '~') || (i >= 0xa1 && i <= 0xff && i != 0xad);
        a->rune[i] = printable ? i : 256 + moved++;
        a->byte[a->rune[i]] = (int16_t)i;
        if (printable)
            a->order[listed++] = (unsigned char)i;
    }
    for (int i = 0; i < moved; i++)
        a->order[listed++] = (unsigned char)a->byte[256 + i];
}

/* The bytes that an entry stands for; an entry with characters outside the alphabet stands for
 * itself. */
static struct str spell(struct bpe *b, const struct alphabet *a, struct str name)
{
    struct arena work = {0};
    struct runes runes;
    struct err ignored;
    bool marked = str_ends(name, MARK);
    struct str stem = {name.p, name.n - (marked ? strlen(MARK) : 0)};
    char *text = arena_alloc(&b->memory, name.n + 2);
    size_t n = 0;
    bool plain = runes_decode(&work, stem, &runes, &ignored) == 0;

    for (size_t i = 0; plain && i < runes.n; i++) {
        plain = runes.p[i] < 512 && a->byte[runes.p[i]] >= 0;
        if (plain)
            text[n++] = (char)a->byte[runes.p[i]];
    }
    if (!plain) {
        memcpy(text, stem.p, stem.n);
        n = stem.n;
    }
    if (marked)
        text[n++] = ' ';
    arena_release(&work);
    return (struct str){text, n};
}

static int read_entry(struct bpe *b, const struct alphabet *a, const char *key, const json_t *value,
                      struct err *e)
{
    struct str name = str_from(key);
    json_int_t id = json_is_integer(value) ? json_integer_value(value) : -1;

    if (id < 0 || id >= b->size)
        return ERR(e, ERR_FORMAT, "vocabulary: '%s' has no id in 0..%d", key, b->size - 1);
    if (b->spelt[id].p)
        return ERR(e, ERR_FORMAT, "vocabulary: id %d belongs to '%s' and to another entry", (int)id,
                   key);
    b->spelt[id] = spell(b, a, name);
    map_put(&b->names, name, &b->ids[id]);
    return 0;
}

static int read_vocab(struct bpe *b, const struct alphabet *a, struct str text, struct err *e)
{
    json_error_t where;
    json_t *root = json_loadb(text.p ? text.p : "", text.n, 0, &where), *value;
    const char *key;
    json_int_t largest = -1;
    int rc = 0;

    if (!json_is_object(root)) {
        rc = ERR(e, ERR_FORMAT, "vocabulary: not a JSON object (line %d: %s)",
                 root ? 1 : where.line, root ? "another type" : where.text);
        goto out;
    }
    json_object_foreach(root, key, value)
        largest = json_integer_value(value) > largest ? json_integer_value(value) : largest;
    if (largest < 0 || largest >= BPE_MAX_IDS) {
        rc = ERR(e, ERR_FORMAT, "vocabulary: the largest id is %lld, not in 0..%d",
                 (long long)largest, BPE_MAX_IDS - 1);
        goto out;
    }
    b->size = (int)largest + 1;
    b->spelt = arena_alloc(&b->memory, (size_t)b->size * sizeof *b->spelt);
    b->ids = arena_alloc(&b->memory, (size_t)b->size * sizeof *b->ids);
    for (int i = 0; i < b->size; i++)
        b->ids[i] = i;
    json_object_foreach(root, key, value) if ((rc = read_entry(b, a, key, value, e))) break;
out:
    json_decref(root);
    return rc;
}

int32_t bpe_find(const struct bpe *b, struct str name)
{
    const int32_t *id = map_get(&b->names, name);
    return id ? *id : BPE_NONE;
}

/* One line "left right" of merges.txt. */
static int read_rule(struct bpe *b, struct str line, int number, int rank, struct err *e)
{
    struct str left, right = line, rest;
    struct arena work = {0};
    int rc = 0;

    str_cut(&right, ' ', &left);
    rest = right;
    if (!right.p || memchr(rest.p, ' ', rest.n))
        return ERR(e, ERR_FORMAT, "merges: line %d is not two symbols with a blank between",
                   number);
    char *joined = arena_alloc(&work, line.n);
    memcpy(joined, left.p, left.n);
    memcpy(joined + left.n, right.p, right.n);
    struct bpe_rule rule = {.left = bpe_find(b, left),
                            .right = bpe_find(b, right),
                            .rank = rank,
                            .made = bpe_find(b, (struct str){joined, left.n + right.n})};
    if (rule.left == BPE_NONE || rule.right == BPE_NONE || rule.made == BPE_NONE)
        rc = ERR(e, ERR_FORMAT,
                 "merges: line %d, '%.*s', names a symbol that is not in the vocabulary", number,
                 (int)(line.n < 80 ? line.n : 80), line.p);
    else
        bpe_rules_add(b, rule);
    arena_release(&work);
    return rc;
}

static int read_merges(struct bpe *b, struct str text, struct err *e)
{
    struct str line;
    int number = 0, rank = 0, rc = 0;
    size_t lines = 1;

    for (size_t i = 0; i < text.n; i++)
        lines += text.p[i] == '\n';
    bpe_rules_new(b, lines);
    while (rc == 0 && text.n && str_cut(&text, '\n', &line)) {
        number++;
        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        if (!str_starts(line, "#version"))
            rc = read_rule(b, line, number, rank++, e);
    }
    return rc;
}

int bpe_parse(struct bpe *b, struct str vocab_json, struct str merges_txt, struct err *e)
{
    struct alphabet a;
    int rc;

    *b = (struct bpe){.unknown = BPE_NONE};
    alphabet_init(&a);
    if ((rc = read_vocab(b, &a, vocab_json, e)) || (rc = read_merges(b, merges_txt, e)))
        goto out;
    for (int i = 0; i < 256; i++) {
        char name[4 + sizeof MARK];
        size_t n = (size_t)rune_encode(a.rune[i], (unsigned char *)name);
        b->inner[i] = bpe_find(b, (struct str){name, n});
        memcpy(name + n, MARK, sizeof MARK);
        b->final[i] = bpe_find(b, str_from(name));
    }
out:
    if (rc)
        bpe_release(b);
    return rc;
}

/* Ids: 256 bytes, 256 bytes with the mark, one per merge, then the start and the end token, which
 * no merge makes. */
void bpe_standard(struct bpe *b)
{
    struct alphabet a;
    size_t room = 1 << 20, used = 0;
    int count = CLIP_MERGES;

    *b = (struct bpe){.unknown = CLIP_END, .size = CLIP_END + 1};
    alphabet_init(&a);
    b->spelt = arena_alloc(&b->memory, (size_t)b->size * sizeof *b->spelt);
    char *text = arena_alloc(&b->memory, room);
    for (int i = 0; i < 256; i++) {
        b->inner[a.order[i]] = i;
        b->final[a.order[i]] = 256 + i;
        text[used] = (char)a.order[i];
        text[used + 1] = ' ';
        b->spelt[i] = (struct str){text + used, 1};
        b->spelt[256 + i] = (struct str){text + used, 2};
        used += 2;
    }
    bpe_rules_new(b, (size_t)count);
    for (int i = 0; i < count; i++) {
        const unsigned char *pair = clip_merges + 4 * (size_t)i;
        struct bpe_rule rule = {pair[0] | pair[1] << 8, pair[2] | pair[3] << 8, i, 512 + i};
        struct str left = b->spelt[rule.left], right = b->spelt[rule.right];
        if (left.n + right.n > room - used)
            break;
        memcpy(text + used, left.p, left.n);
        memcpy(text + used + left.n, right.p, right.n);
        b->spelt[rule.made] = (struct str){text + used, left.n + right.n};
        used += left.n + right.n;
        bpe_rules_add(b, rule);
    }
    b->spelt[CLIP_START] = STR("<|startoftext|>");
    b->spelt[CLIP_END] = STR("<|endoftext|>");
}

void bpe_release(struct bpe *b)
{
    map_release(&b->names);
    arena_release(&b->memory);
    *b = (struct bpe){0};
}
