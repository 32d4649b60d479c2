/* Replays tests/parity/tokenizer (made by tools/parity/tokenizer.py from transformers), and what
 * the reference does not say: limits and broken files. */
#include "engine/text/tokenizer.h"

#include "base/file.h"

#include "test.h"

#include <jansson.h>
#include <zlib.h>

enum { ROOM = 1 << 18 };

static int ids[ROOM];
static struct err e;

static const char *golden(struct arena *a, const char *name)
{
    const char *root = getenv("CAULDRON_SOURCE");
    return arena_printf(a, "%s/tests/parity/tokenizer/%s", root ? root : ".", name);
}

static struct str content(struct arena *a, const char *folder, const char *name)
{
    const char *path = golden(a, arena_printf(a, "%s/%s", folder, name));
    struct str text = {"", 0};

    if (file_exists(path))
        assert_int_equal(file_read(a, path, 1 << 24, &text, &e), 0);
    return text;
}

static struct tokenizer *from_folder(const char *folder)
{
    struct arena a = {0};
    struct tokenizer *t = NULL;

    if (tokenizer_parse(content(&a, folder, "vocab.json"), content(&a, folder, "merges.txt"),
                        content(&a, folder, "tokenizer_config.json"),
                        content(&a, folder, "special_tokens_map.json"), &t, &e))
        fail_msg("%s: %s", folder, e.message);
    arena_release(&a);
    return t;
}

static struct tokenizer *standard(bool pad_with_zero)
{
    struct tokenizer *t = NULL;
    assert_int_equal(tokenizer_standard(pad_with_zero, &t, &e), 0);
    return t;
}

/* The ids without start, end and padding; their count. */
static int encode(const struct tokenizer *t, struct str text)
{
    struct arena a = {0};
    struct tokenized out;

    /* never more ids than bytes, once normalised */
    if (tokenizer_encode(t, text, 3 * (int)text.n + 3, ids, &a, &out, &e))
        fail_msg("%s", e.message);
    assert_null(out.cut_text);
    arena_release(&a);
    return out.used - 2;
}

static void check_case(const struct tokenizer *t, const char *name, const char *line)
{
    const char *tab = strchr(line, '\t');
    json_t *text = json_loadb(line, (size_t)(tab - line), JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    int count, i = 0;

    assert_non_null(text);
    count = encode(t, (struct str){json_string_value(text), json_string_length(text)});
    for (char *at = (char *)(uintptr_t)tab + 1; *at && *at != '\n'; i++) {
        long want = strtol(at, &at, 10);
        if (i >= count || ids[1 + i] != want)
            fail_msg("%s: %.*s: id %d is %d, not %ld", name, (int)(tab - line), line, i,
                     i < count ? ids[1 + i] : -1, want);
    }
    assert_int_equal(i, count);
    json_decref(text);
}

static void replay(struct tokenizer *t, const char *name, int at_least)
{
    static char line[1 << 19];
    struct arena a = {0};
    gzFile in = gzopen(golden(&a, name), "rb");
    int cases = 0;

    assert_non_null(in);
    for (; gzgets(in, line, sizeof line); cases++)
        check_case(t, name, line);
    assert_true(cases >= at_least);
    gzclose(in);
    tokenizer_free(t);
    arena_release(&a);
}

static void equals_the_reference(void **state)
{
    (void)state;
    replay(standard(false), "standard.txt.gz", 2000);
}

static void equals_the_reference_padded_with_zero(void **state)
{
    (void)state;
    replay(standard(true), "standard-zero.txt.gz", 800);
}

static void equals_the_reference_with_own_files(void **state)
{
    (void)state;
    replay(from_folder("small"), "small.txt.gz", 800);
}

static void equals_the_reference_where_bytes_have_no_symbol(void **state)
{
    (void)state;
    replay(from_folder("holes"), "holes.txt.gz", 800);
}

static size_t utf8(char *out, uint32_t c)
{
    int n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};

    for (int i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(lead[n] | c);
    return (size_t)n;
}

static uint32_t checksum(const struct tokenizer *t, uint32_t first, bool blanks)
{
    char text[64 * 5];
    size_t n = 0;

    for (uint32_t c = first; c < first + 64; c++) {
        if (c >= 0xd800 && c <= 0xdfff)
            continue;
        if (blanks && n)
            text[n++] = ' ';
        n += utf8(text + n, c);
    }
    int count = encode(t, (struct str){text, n});
    return (uint32_t)crc32(crc32(0, NULL, 0), (const Bytef *)(ids + 1), 4 * (unsigned)count);
}

static void equals_the_reference_on_every_character(void **state)
{
    struct tokenizer *t = standard(false);
    struct arena a = {0};
    gzFile in = gzopen(golden(&a, "sweep.txt.gz"), "rb");
    char line[64];
    int blocks = 0;
    (void)state;

    assert_non_null(in);
    for (; gzgets(in, line, sizeof line); blocks++) {
        unsigned first, apart, joined;
        assert_int_equal(sscanf(line, "%x %x %x", &first, &apart, &joined), 3);
        if (checksum(t, first, true) != apart || checksum(t, first, false) != joined)
            fail_msg("the block of 64 characters from U+%04X differs", first);
    }
    assert_int_equal(blocks, 5 * 1024);
    gzclose(in);
    tokenizer_free(t);
    arena_release(&a);
}

static void pads_and_cuts(void **state)
{
    struct tokenizer *t = standard(false), *zero = standard(true);
    struct arena a = {0};
    struct tokenized out;
    (void)state;

    assert_int_equal(tokenizer_encode(t, STR("a cat"), 77, ids, &a, &out, &e), 0);
    assert_int_equal(out.used, 4);
    assert_int_equal(out.cut, 0);
    assert_true(ids[0] == 49406 && ids[1] == 320 && ids[2] == 2368 && ids[3] == 49407);
    assert_int_equal(ids[76], 49407);
    assert_int_equal(tokenizer_encode(zero, STR("a cat"), 77, ids, &a, &out, &e), 0);
    assert_true(ids[3] == 49407 && ids[4] == 0 && ids[76] == 0);

    assert_int_equal(tokenizer_encode(t, STR("a cat  sat's"), 4, ids, &a, &out, &e), 0);
    assert_true(ids[1] == 320 && ids[2] == 2368 && ids[3] == 49407);
    assert_int_equal(out.cut, 2);
    assert_string_equal(out.cut_text, "sat 's");
    /* the cut falls into a character: three tokens of one emoji's four bytes */
    assert_int_equal(tokenizer_encode(t, STR("\xf3\xa0\x80\x81"), 3, ids, &a, &out, &e), 0);
    assert_true(out.cut > 0);
    assert_non_null(strstr(out.cut_text, "\xef\xbf\xbd"));

    assert_int_equal(tokenizer_size(t), 49408);
    assert_int_equal(tokenizer_max_length(t), 77);
    assert_int_equal(tokenizer_end(t), 49407);
    arena_release(&a);
    tokenizer_free(t);
    tokenizer_free(zero);
}

static void refuses_bad_text(void **state)
{
    static const struct {
        struct str text;
        const char *says;
    } bad[] = {
        {STR("abc\xff"), "offset 3"},          {STR("\xc0\x80"), "offset 0"},
        {STR("a\xed\xa0\x80"), "offset 1"},    {STR("ab\xe4\xb8"), "offset 2"},
        {STR("\xf4\x90\x80\x80"), "offset 0"}, {STR("\x80"), "0x80"},
    };
    static char big[TOKENIZER_MAX_TEXT + 1];
    struct tokenizer *t = standard(false);
    struct arena a = {0};
    struct tokenized out;
    (void)state;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(tokenizer_encode(t, bad[i].text, 77, ids, &a, &out, &e), ERR_ARG);
        if (!strstr(e.message, bad[i].says))
            fail_msg("'%s' does not say '%s'", e.message, bad[i].says);
    }
    memset(big, 'a', sizeof big);
    assert_int_equal(tokenizer_encode(t, (struct str){big, sizeof big}, 77, ids, &a, &out, &e),
                     ERR_ARG);
    assert_int_equal(
        tokenizer_encode(t, (struct str){big, TOKENIZER_MAX_TEXT}, 77, ids, &a, &out, &e), 0);
    assert_int_equal(tokenizer_encode(t, STR("a"), 1, ids, &a, &out, &e), ERR_ARG);
    arena_release(&a);
    tokenizer_free(t);
}

static void refuses_broken_files(void **state)
{
    static const struct {
        const char *vocab, *merges, *config, *special, *says;
    } bad[] = {
        {"", "", "", "", "vocabulary"},
        {"[1]", "", "", "", "another type"},
        {"{}", "", "", "", "largest id"},
        {"{\"a\": 0, \"b\": 0}", "", "", "", "another entry"},
        {"{\"a\": -1, \"b\": 0}", "", "", "", "'a' has no id"},
        {"{\"a\": \"x\", \"b\": 0}", "", "", "", "'a' has no id"},
        {"{\"a\": 9999999999}", "", "", "", "largest id"},
        {"{\"a\": 0}", "a\n", "", "", "line 1"},
        {"{\"a\": 0}", "#version: 0.2\na b c\n", "", "", "line 2"},
        {"{\"a\": 0, \"b\": 1}", "a b\n", "", "", "line 1"},
        {"{\"a\": 0}", "", "[]", "", "tokenizer_config.json"},
        {"{\"a\": 0}", "", "{\"bos_token\": 3}", "", "no text"},
        {"{\"a\": 0}", "", "{\"added_tokens_decoder\": {\"x\": {\"content\": \"a\"}}}", "", "'x'"},
        {"{\"a\": 0}", "",
         "{\"added_tokens_decoder\": {\"3\": {\"content\": \"a\", \"lstrip\": true}}}", "",
         "lstrip"},
        {"{\"a\": 0}", "", "", "{\"additional_special_tokens\": [\"b\"]}", "additional_special"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct tokenizer *t = NULL;
        assert_true(tokenizer_parse(str_from(bad[i].vocab), str_from(bad[i].merges),
                                    str_from(bad[i].config), str_from(bad[i].special), &t, &e) < 0);
        assert_null(t);
        if (!strstr(e.message, bad[i].says))
            fail_msg("case %zu: '%s' does not say '%s'", i, e.message, bad[i].says);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_reference),
        cmocka_unit_test(equals_the_reference_padded_with_zero),
        cmocka_unit_test(equals_the_reference_with_own_files),
        cmocka_unit_test(equals_the_reference_where_bytes_have_no_symbol),
        cmocka_unit_test(equals_the_reference_on_every_character),
        cmocka_unit_test(pads_and_cuts),
        cmocka_unit_test(refuses_bad_text),
        cmocka_unit_test(refuses_broken_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
