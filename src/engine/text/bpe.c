#include "engine/text/bpe.h"

#include <string.h>

struct symbol {
    int32_t id, previous, next; /* neighbours; BPE_NONE at the ends */
    bool merged;                /* into its left neighbour */
};

/* A rule that may apply at `at`; stale when its symbols have changed since. */
struct candidate {
    int32_t rank, at, made;
};

struct bpe_scratch {
    struct symbol *symbols;
    struct candidate *heap; /* the best on top: lowest rank, then leftmost */
    size_t waiting;
};

struct bpe_scratch *bpe_scratch_new(struct arena *a, size_t longest, struct err *e)
{
    struct bpe_scratch *s = ARENA_NEW(a, struct bpe_scratch);

    s->symbols = arena_try(a, longest, sizeof *s->symbols);
    /* One candidate per pair of bytes, and at most two new ones for each merge. */
    s->heap = arena_try(a, 3 * longest, sizeof *s->heap);
    if (!s->symbols || !s->heap) {
        ERR(e, ERR_NOMEM, "no memory for words of %zu bytes", longest);
        return NULL;
    }
    return s;
}

static size_t slot_of(const struct bpe *b, int32_t left, int32_t right)
{
    uint64_t key = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
    size_t i = (size_t)(key * 0x9e3779b97f4a7c15u >> 32) & (b->room - 1);

    while (b->rules[i].left != BPE_NONE && (b->rules[i].left != left || b->rules[i].right != right))
        i = (i + 1) & (b->room - 1);
    return i;
}

void bpe_rules_new(struct bpe *b, size_t count)
{
    b->room = 64;
    while (b->room < 2 * count)
        b->room *= 2;
    b->rules = arena_alloc(&b->memory, b->room * sizeof *b->rules);
    for (size_t i = 0; i < b->room; i++)
        b->rules[i].left = BPE_NONE;
}

void bpe_rules_add(struct bpe *b, struct bpe_rule rule)
{
    b->rules[slot_of(b, rule.left, rule.right)] = rule;
}

static bool better(struct candidate a, struct candidate b)
{
    return a.rank < b.rank || (a.rank == b.rank && a.at < b.at);
}

static void push(struct bpe_scratch *s, struct candidate c)
{
    size_t i = s->waiting++;

    while (i && better(c, s->heap[(i - 1) / 2])) {
        s->heap[i] = s->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    s->heap[i] = c;
}

static struct candidate pop(struct bpe_scratch *s)
{
    struct candidate top = s->heap[0], last = s->heap[--s->waiting];
    size_t i = 0, child;

    while ((child = 2 * i + 1) < s->waiting) {
        if (child + 1 < s->waiting && better(s->heap[child + 1], s->heap[child]))
            child++;
        if (!better(s->heap[child], last))
            break;
        s->heap[i] = s->heap[child];
        i = child;
    }
    s->heap[i] = last;
    return top;
}

static void consider(const struct bpe *b, struct bpe_scratch *s, int32_t at)
{
    const struct symbol *left = &s->symbols[at];

    if (left->next == BPE_NONE)
        return;
    const struct bpe_rule *rule = &b->rules[slot_of(b, left->id, s->symbols[left->next].id)];
    if (rule->left != BPE_NONE)
        push(s, (struct candidate){rule->rank, at, rule->made});
}

static void merge_all(const struct bpe *b, struct bpe_scratch *s, size_t n)
{
    s->waiting = 0;
    for (size_t i = 0; i + 1 < n; i++)
        consider(b, s, (int32_t)i);
    while (s->waiting) {
        struct candidate c = pop(s);
        struct symbol *left = &s->symbols[c.at];
        if (left->merged || left->next == BPE_NONE)
            continue;
        struct symbol *right = &s->symbols[left->next];
        const struct bpe_rule *rule = &b->rules[slot_of(b, left->id, right->id)];
        if (rule->left == BPE_NONE || rule->made != c.made)
            continue;
        left->id = c.made;
        left->next = right->next;
        right->merged = true;
        if (left->next != BPE_NONE)
            s->symbols[left->next].previous = c.at;
        if (left->previous != BPE_NONE)
            consider(b, s, left->previous);
        consider(b, s, c.at);
    }
}

size_t bpe_word(const struct bpe *b, struct bpe_scratch *s, const unsigned char *bytes, size_t n,
                int32_t *ids)
{
    size_t count = 0, written = 0;

    for (size_t i = 0; i < n; i++) {
        int32_t id = i + 1 < n ? b->inner[bytes[i]] : b->final[bytes[i]];
        id = id == BPE_NONE ? b->unknown : id;
        if (id == BPE_NONE)
            continue;
        s->symbols[count] =
            (struct symbol){.id = id, .previous = (int32_t)count - 1, .next = (int32_t)count + 1};
        count++;
    }
    if (!count)
        return 0;
    s->symbols[count - 1].next = BPE_NONE;
    merge_all(b, s, count);
    for (int32_t i = 0; i != BPE_NONE; i = s->symbols[i].next)
        ids[written++] = s->symbols[i].id;
    return written;
}
