/* a1111_notes.c: which model is meant, and what is remembered between requests. */
#include "api/a1111.h"

#include "api/access.h"
#include "storage/events.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { NAME_MAX = 96 };

static void note_name(const struct request *r, const char *what, char out[NAME_MAX])
{
    const char *user = access_user(r);

    snprintf(out, NAME_MAX, "a1111:%s:%s", what, user ? user : "");
}

int a1111_remember(struct request *r, const char *what, const char *value, struct err *e)
{
    char name[NAME_MAX];
    struct tx *tx;
    int rc;

    note_name(r, what, name);
    if ((rc = tx_begin(app_of(r)->db, TX_WRITE, &tx, e)))
        return rc;
    if ((rc = settings_set(tx, name, value, e))) {
        tx_rollback(tx);
        return rc;
    }
    return tx_commit(tx, e);
}

int a1111_recall(struct request *r, const char *what, const char **out, struct err *e)
{
    char name[NAME_MAX];
    struct tx *tx;
    int rc;

    note_name(r, what, name);
    if ((rc = tx_begin(app_of(r)->db, TX_READ, &tx, e)))
        return rc;
    rc = settings_get(tx, name, request_arena(r), out, e);
    tx_rollback(tx);
    return rc;
}

/* ==== models ==== */

const char *a1111_title(const struct provider_model *m, struct arena *a)
{
    return m->digest ? arena_printf(a, "%s [%.10s]", m->name, m->digest) : m->name;
}

/* Without a " [hash]" and a file's extension. */
static struct str plain_name(const char *text)
{
    struct str s = str_from(text);
    const char *bracket = strstr(text, " [");

    if (bracket && str_ends(s, "]"))
        s.n = (size_t)(bracket - text);
    if (str_ends(s, ".safetensors"))
        s.n -= strlen(".safetensors");
    else if (str_ends(s, ".ckpt"))
        s.n -= strlen(".ckpt");
    return s;
}

static bool same(struct str a, struct str b)
{
    return a.n == b.n && strncasecmp(a.p, b.p, a.n) == 0;
}

static bool means(const struct provider_model *m, const char *text)
{
    struct str name = plain_name(m->name), wanted = plain_name(text);
    const char *slash = strrchr(m->name, '/');
    size_t n = strlen(text);

    if (strcasecmp(m->name, text) == 0 || same(name, wanted))
        return true;
    if (slash && same(plain_name(slash + 1), wanted))
        return true;
    return m->digest && (n == 10 || n == 64) && strncasecmp(m->digest, text, n) == 0;
}

const char *a1111_model(struct request *r, const char *text)
{
    struct provider_model *models;
    struct err ignored;
    size_t count;

    if (provider_models(app_of(r)->provider, request_arena(r), &models, &count, &ignored))
        return text;
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(models[i].name, text) == 0)
            return models[i].name;
    for (size_t i = 0; i < count; i++)
        if (means(&models[i], text))
            return models[i].name;
    return text;
}
