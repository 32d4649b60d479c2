#include "engine/weights/tokenizer_files.h"

#include "base/buf.h"
#include "base/file.h"
#include "engine/weights/config_json.h"

#include <stdlib.h>

enum { MAX_FILE = 32 << 20 };

static int optional(struct model *m, const char *folder, const char *name, struct str *out,
                    struct err *e)
{
    const char *path = arena_printf(&m->arena, "%s/%s", folder, name);

    *out = (struct str){"", 0};
    return file_exists(path) ? file_read(&m->arena, path, MAX_FILE, out, e) : 0;
}

/* "merges": ["a b", ...] or [["a", "b"], ...] to the lines of a merges.txt. */
static int merges_text(const json_t *merges, struct buf *out)
{
    size_t i;
    json_t *one;

    if (!json_is_array(merges) || buf_addf(out, "#version: 0.2\n"))
        return ERR_FORMAT;
    json_array_foreach(merges, i, one)
    {
        const char *whole = json_string_value(one);
        const char *left = json_string_value(json_array_get(one, 0));
        const char *right = json_string_value(json_array_get(one, 1));
        if (whole ? buf_addf(out, "%s\n", whole)
                  : !left || !right || buf_addf(out, "%s %s\n", left, right))
            return ERR_FORMAT;
    }
    return 0;
}

/* tokenizer.json of the tokenizers library: a BPE model with its vocabulary and merges inside. */
static int unpack(struct model *m, int encoder, const char *path, struct err *e)
{
    struct str text;
    struct config c;
    struct buf merges;
    char *vocab = NULL;
    int rc = file_read(&m->arena, path, MAX_FILE, &text, e);

    if (rc == 0)
        rc = config_parse(text, path, &c, e);
    if (rc)
        return rc;
    buf_init(&merges, MAX_FILE);
    const json_t *model = json_object_get(c.root, "model");
    const char *type = json_string_value(json_object_get(model, "type"));
    const json_t *entries = json_object_get(model, "vocab");
    if (!type || !str_is(str_from(type), "BPE") || !json_is_object(entries)) {
        rc = ERR(e, ERR_UNSUPPORTED, "'%s' is not a byte-pair encoding", path);
    } else if (merges_text(json_object_get(model, "merges"), &merges) ||
               !(vocab = json_dumps(entries, JSON_COMPACT))) {
        rc = ERR(e, ERR_FORMAT, "'%s': broken vocabulary or merges", path);
    } else {
        m->vocab[encoder] = str_from(arena_strdup(&m->arena, vocab));
        m->merges[encoder] =
            str_from(arena_str(&m->arena, (struct str){merges.p ? merges.p : "", merges.n}));
    }
    free(vocab);
    buf_release(&merges);
    json_decref(c.root);
    return rc;
}

int tokenizer_files_read(struct model *m, int encoder, const char *folder, struct err *e)
{
    const char *vocab = arena_printf(&m->arena, "%s/vocab.json", folder);
    const char *merges = arena_printf(&m->arena, "%s/merges.txt", folder);
    const char *packed = arena_printf(&m->arena, "%s/tokenizer.json", folder);
    int rc = 0;

    if (file_exists(vocab) && file_exists(merges)) {
        rc = file_read(&m->arena, vocab, MAX_FILE, &m->vocab[encoder], e);
        if (rc == 0)
            rc = file_read(&m->arena, merges, MAX_FILE, &m->merges[encoder], e);
    } else if (file_exists(packed)) {
        rc = unpack(m, encoder, packed, e);
    } else {
        rc = ERR(e, ERR_NOT_FOUND, "'%s' has no %s", folder,
                 file_exists(vocab) ? "merges.txt" : "vocab.json");
    }
    if (rc == 0)
        rc = optional(m, folder, "tokenizer_config.json", &m->tokenizer_config[encoder], e);
    if (rc == 0)
        rc = optional(m, folder, "special_tokens_map.json", &m->special_tokens[encoder], e);
    return rc;
}
