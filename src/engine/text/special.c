#include "engine/text/special.h"

#include "engine/text/clip_merges.h"

#include <jansson.h>
#include <string.h>

enum { MAX_SPECIALS = 1024 };

/* A token as the files write it: a string, or an object with flags. */
struct declared {
    const char *name;
    bool normalised, plain;
};

static int add(struct specials *s, const struct bpe *b, struct declared d, int32_t id,
               struct err *e)
{
    struct runes raw;
    struct special *token = NULL;

    for (size_t i = 0; i < s->count && !token; i++)
        if (str_is(s->list[i].name, d.name))
            token = &s->list[i];
    if (!token && s->count == MAX_SPECIALS)
        return ERR(e, ERR_FORMAT, "more than %d special tokens", MAX_SPECIALS);
    if (!token) {
        token = &s->list[s->count++];
        token->name = str_from(arena_strdup(&s->memory, d.name));
        token->id = id != BPE_NONE ? id : bpe_find(b, token->name);
        if (token->id == BPE_NONE)
            token->id = s->size++;
    }
    token->normalised = d.normalised;
    if (runes_decode(&s->memory, token->name, &raw, e))
        return e->code;
    token->text = raw;
    return d.normalised ? runes_normalise(&s->memory, raw, &token->text, e) : 0;
}

/* `normalised` is the flag's value where an object does not have it. */
static int declare(const json_t *value, bool normalised, struct declared *out, struct err *e)
{
    static const char *const refused[] = {"lstrip", "rstrip", "single_word"};
    const json_t *flag = json_object_get(value, "normalized");
    const char *name =
        json_string_value(json_is_object(value) ? json_object_get(value, "content") : value);

    if (!name || !name[0])
        return ERR(e, ERR_FORMAT, "tokenizer config: a special token has no text");
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (json_is_true(json_object_get(value, refused[i])))
            return ERR(e, ERR_UNSUPPORTED, "tokenizer config: '%s' has %s, which is not supported",
                       name, refused[i]);
    if (flag)
        normalised = json_is_true(flag);
    *out = (struct declared){name, json_is_object(value) && normalised, json_is_string(value)};
    return 0;
}

static int add_list(struct specials *s, const struct bpe *b, const json_t *list, struct err *e)
{
    struct declared d;

    for (size_t i = 0; i < json_array_size(list); i++)
        if (declare(json_array_get(list, i), false, &d, e) || add(s, b, d, BPE_NONE, e))
            return e->code;
    return 0;
}

/* added_tokens_decoder: {"49406": {"content": ...}, ...}, in the order of the ids. */
static int add_decoder(struct specials *s, const struct bpe *b, const json_t *decoder,
                       struct err *e)
{
    int64_t done = -1, next, id;
    const json_t *token = NULL;
    struct declared d;
    const char *key;
    json_t *value;

    if (json_object_size(decoder) > MAX_SPECIALS)
        return ERR(e, ERR_FORMAT, "more than %d special tokens", MAX_SPECIALS);
    for (;; done = next) {
        next = INT64_MAX;
        json_object_foreach((json_t *)(uintptr_t)decoder, key, value)
        {
            if (!str_to_i64(str_from(key), &id) || id < 0)
                return ERR(e, ERR_FORMAT, "tokenizer config: '%s' is not a token's id", key);
            if (id > done && id < next) {
                next = id;
                token = value;
            }
        }
        if (next == INT64_MAX)
            return 0;
        bool special = json_is_true(json_object_get(token, "special"));
        if (declare(token, !special, &d, e) || add(s, b, d, BPE_NONE, e))
            return e->code;
    }
}

static int32_t id_of(const struct specials *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (str_is(s->list[i].name, name))
            return s->list[i].id;
    return BPE_NONE;
}

/* The named tokens, after the listed ones. A token that was listed keeps its flags; otherwise those
 * that are not equal to an earlier one are added, and the later one's flags win. */
static int add_named(struct specials *s, const struct bpe *b, const json_t *config,
                     const json_t *map, struct err *e)
{
    static const struct {
        const char *key, *absent;
    } named[] = {{"bos_token", "<|startoftext|>"},
                 {"eos_token", "<|endoftext|>"},
                 {"unk_token", "<|endoftext|>"},
                 {"sep_token", NULL},
                 {"pad_token", "<|endoftext|>"},
                 {"cls_token", NULL},
                 {"mask_token", NULL}};
    enum { BOS = 0, EOS = 1, UNK = 2, PAD = 4, NAMED = sizeof named / sizeof named[0] };
    struct declared d[NAMED] = {0};
    size_t listed = s->count;

    for (int i = 0; i < NAMED; i++) {
        const json_t *over = json_object_get(map, named[i].key);
        const json_t *value = over ? over : json_object_get(config, named[i].key);
        bool known = false;
        if (value && !json_is_null(value)) {
            if (declare(value, !over, &d[i], e))
                return e->code;
        } else if (named[i].absent) {
            d[i] = (struct declared){named[i].absent, false, true};
        } else {
            continue;
        }
        for (size_t k = 0; k < listed; k++)
            known |= str_is(s->list[k].name, d[i].name);
        for (int k = 0; k < i; k++)
            known |= d[k].name && !strcmp(d[k].name, d[i].name) && d[k].plain == d[i].plain &&
                     d[k].normalised == d[i].normalised;
        if (!known && add(s, b, d[i], BPE_NONE, e))
            return e->code;
    }
    s->start = id_of(s, d[BOS].name);
    s->end = id_of(s, d[EOS].name);
    s->pad = id_of(s, d[PAD].name);
    s->unknown = bpe_find(b, str_from(d[UNK].name));
    return 0;
}

static int load_object(struct str text, const char *what, json_t **out, struct err *e)
{
    json_error_t where;
    json_t *root = NULL;

    if (text.n) {
        root = json_loadb(text.p, text.n, JSON_DECODE_INT_AS_REAL, &where);
        if (!json_is_object(root)) {
            json_decref(root);
            return ERR(e, ERR_FORMAT, "%s: not a JSON object (%s)", what,
                       root ? "another type" : where.text);
        }
    }
    *out = root;
    return 0;
}

static void specials_init(struct specials *s, const struct bpe *b)
{
    *s = (struct specials){.size = b->size, .max_length = 77};
    s->list = arena_alloc(&s->memory, MAX_SPECIALS * sizeof *s->list);
}

int specials_parse(struct specials *s, const struct bpe *b, struct str config, struct str map,
                   struct err *e)
{
    json_t *c = NULL, *m = NULL;
    const json_t *listed;
    int rc;

    specials_init(s, b);
    if ((rc = load_object(config, "tokenizer_config.json", &c, e)) ||
        (rc = load_object(map, "special_tokens_map.json", &m, e)))
        goto out;
    listed = json_object_get(c, "added_tokens_decoder");
    if (!listed && json_array_size(json_object_get(m, "additional_special_tokens"))) {
        rc = ERR(e, ERR_UNSUPPORTED,
                 "special_tokens_map.json: additional_special_tokens are not supported");
        goto out;
    }
    if ((rc = add_decoder(s, b, listed, e)) || (rc = add_named(s, b, c, listed ? NULL : m, e)) ||
        (rc = add_list(s, b, json_object_get(c, "additional_special_tokens"), e)) ||
        (rc = add_list(s, b, json_object_get(c, "extra_special_tokens"), e)))
        goto out;
    double length = json_number_value(json_object_get(c, "model_max_length"));
    if (length >= 2 && length <= 1 << 20)
        s->max_length = (int)length;
out:
    json_decref(c);
    json_decref(m);
    if (rc)
        specials_release(s);
    return rc;
}

int specials_standard(struct specials *s, const struct bpe *b, bool pad_with_zero, struct err *e)
{
    specials_init(s, b);
    s->start = CLIP_START;
    s->end = s->unknown = CLIP_END;
    s->pad = pad_with_zero ? 0 : CLIP_END;
    if (add(s, b, (struct declared){"<|startoftext|>", true, false}, CLIP_START, e) ||
        add(s, b, (struct declared){"<|endoftext|>", pad_with_zero, false}, CLIP_END, e) ||
        (pad_with_zero && add(s, b, (struct declared){"!", false, true}, 0, e))) {
        specials_release(s);
        return e->code;
    }
    return 0;
}

void specials_release(struct specials *s)
{
    arena_release(&s->memory);
    *s = (struct specials){0};
}

const struct special *specials_match(const struct specials *s, struct runes text, size_t at,
                                     bool normalised)
{
    const struct special *best = NULL;

    for (size_t i = 0; i < s->count; i++) {
        const struct special *token = &s->list[i];
        if (token->normalised == normalised && token->text.n && token->text.n <= text.n - at &&
            (!best || token->text.n > best->text.n) &&
            !memcmp(text.p + at, token->text.p, token->text.n * sizeof *text.p))
            best = token;
    }
    return best;
}
