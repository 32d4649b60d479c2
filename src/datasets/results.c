#include "datasets/results.h"

#include "base/json.h"
#include "datasets/results_inside.h"

#include <stdlib.h>
#include <string.h>

static const struct results_backend *const backends[] = {&results_collection, &results_record,
                                                         &results_jsonl};
enum { BACKENDS = sizeof backends / sizeof *backends, KEY_MOST = 128 };

static const struct results_backend *backend_of(const json_t *document)
{
    const char *type = json_text(document, "type", "");

    for (size_t i = 0; i < BACKENDS; i++)
        if (strcmp(backends[i]->type, type) == 0)
            return backends[i];
    return NULL;
}

/* The one of a document's type; NULL: ERR_ARG, with the problem. */
static const struct results_backend *find_backend(const json_t *document, struct arena *a,
                                                  struct dataset_problem *problem, struct err *e)
{
    const struct results_backend *b = backend_of(document);

    if (!json_is_object(document))
        member_problem(NULL, "an object", a, problem, e);
    else if (!b)
        member_problem("type", "one of mongodb, record, jsonl", a, problem, e);
    return b;
}

int results_check(const json_t *document, const json_t *source, const struct dataset_access *access,
                  struct arena *a, struct dataset_problem *problem, struct err *e)
{
    const struct results_backend *b = find_backend(document, a, problem, e);

    return !b ? ERR_ARG : b->check(document, source, access, a, problem, e);
}

int results_open(const json_t *document, const json_t *source, const struct dataset_access *access,
                 struct results **out, struct err *e)
{
    struct arena a = {0};
    struct dataset_problem problem;
    const struct results_backend *b = NULL;
    struct results *r = NULL;
    int rc = ERR_ARG;

    if (!(b = find_backend(document, &a, &problem, e)) ||
        (rc = b->check(document, source, access, &a, &problem, e)))
        goto out;
    if (!(r = calloc(1, sizeof *r))) {
        rc = ERR(e, ERR_NOMEM, "no memory for results");
        goto out;
    }
    r->backend = b;
    if ((rc = b->open(r, document, source, access, e)))
        goto out;
    *out = r;
    r = NULL;
out:
    results_close(r);
    arena_release(&a);
    return rc;
}

void results_close(struct results *r)
{
    if (!r)
        return;
    r->backend->close(r);
    free(r);
}

int results_ping(struct results *r, struct err *e)
{
    return r->backend->ping(r, e);
}

static bool is_key(const char *key)
{
    size_t n = strspn(key, "0123456789abcdef");

    return n >= 1 && n <= KEY_MOST && !key[n];
}

int results_put(struct results *r, const struct result *rows, size_t count, int64_t *missing,
                struct err *e)
{
    int64_t vanished = 0;
    int rc;

    for (size_t i = 0; i < count; i++) {
        json_t *id = json_string(rows[i].record_id);
        json_decref(id);
        if (!id || !is_key(rows[i].key) || !json_is_object(rows[i].body))
            return ERR(e, ERR_ARG,
                       "a result needs a key of lower-case hex digits, a record and an object");
    }
    if (count == 0)
        return 0;
    if ((rc = r->backend->put(r, rows, count, &vanished, e)))
        return rc;
    if (missing)
        *missing += vanished;
    return 0;
}

int results_finish(struct results *r, struct err *e)
{
    return r->backend->finish(r, e);
}

bool results_are_local(const json_t *document)
{
    const struct results_backend *b = backend_of(document);

    return b && b->local;
}
