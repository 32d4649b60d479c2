/* Any bytes as a prompt, or as a tokenizer's four files, cut at the byte 0x1e, and then as a prompt
 * for what came of them. */
#include "fuzz.h"

#include "engine/text/tokenizer.h"

#include <stdlib.h>

enum { LENGTH = 77, SEPARATOR = 0x1e };

static void encode(const struct tokenizer *t, struct str text)
{
    struct arena a = {0};
    struct tokenized out;
    struct err e;
    int ids[LENGTH];

    if (tokenizer_encode(t, text, LENGTH, ids, &a, &out, &e) == 0) {
        if (out.used < 2 || out.used > LENGTH || !out.cut != !out.cut_text)
            abort();
        for (int i = 0; i < LENGTH; i++)
            if (ids[i] < 0 || ids[i] >= tokenizer_size(t))
                abort();
    }
    arena_release(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static struct tokenizer *standard[2]; /* made once: they cost milliseconds */
    struct str text = {(const char *)bytes, n}, rest = text, files[4] = {0};
    struct tokenizer *own = NULL;
    struct err e;

    for (int i = 0; i < 2; i++) {
        if (!standard[i] && tokenizer_standard(i, &standard[i], &e))
            abort();
        encode(standard[i], text);
    }
    for (int i = 0; i < 4 && str_cut(&rest, SEPARATOR, &files[i]); i++)
        ;
    if (tokenizer_parse(files[0], files[1], files[2], files[3], &own, &e) == 0) {
        encode(own, text);
        tokenizer_free(own);
    }
    return 0;
}
