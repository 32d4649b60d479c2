#include "datasets/dataset.h"

#include "base/json.h"
#include "datasets/inside.h"

#include <stdlib.h>
#include <string.h>

static const struct dataset_backend *const backends[] = {&dataset_mongo, &dataset_jsonl,
                                                         &dataset_csv};
enum { BACKENDS = sizeof backends / sizeof *backends };

static const struct dataset_backend *backend_of(const json_t *source)
{
    const char *type = json_text(source, "type", "");

    for (size_t i = 0; i < BACKENDS; i++)
        if (strcmp(backends[i]->type, type) == 0)
            return backends[i];
    return NULL;
}

/* The one of a document's type; NULL: ERR_ARG, with the problem. */
static const struct dataset_backend *find_backend(const json_t *source, struct arena *a,
                                                  struct dataset_problem *problem, struct err *e)
{
    const struct dataset_backend *b = backend_of(source);

    if (!json_is_object(source))
        member_problem(NULL, "an object", a, problem, e);
    else if (!b)
        member_problem("type", "one of mongodb, jsonl, csv", a, problem, e);
    return b;
}

int dataset_check(const json_t *source, const struct dataset_access *access, struct arena *a,
                  struct dataset_problem *problem, struct err *e)
{
    const struct dataset_backend *b = find_backend(source, a, problem, e);

    return !b ? ERR_ARG : b->check(source, access, a, problem, e);
}

int dataset_open(const json_t *source, const struct dataset_access *access, struct dataset **out,
                 struct err *e)
{
    struct arena a = {0};
    struct dataset_problem problem;
    const struct dataset_backend *b = NULL;
    struct dataset *d = NULL;
    int rc = ERR_ARG;

    if (!(b = find_backend(source, &a, &problem, e)) ||
        (rc = b->check(source, access, &a, &problem, e)))
        goto out;
    if (!(d = calloc(1, sizeof *d))) {
        rc = ERR(e, ERR_NOMEM, "no memory for a dataset");
        goto out;
    }
    d->backend = b;
    if ((rc = b->open(d, source, access, e)))
        goto out;
    *out = d;
    d = NULL;
out:
    dataset_close(d);
    arena_release(&a);
    return rc;
}

void dataset_close(struct dataset *d)
{
    if (!d)
        return;
    d->backend->close(d);
    free(d->name);
    free(d);
}

int dataset_seek(struct dataset *d, const char *position, struct err *e)
{
    return d->backend->seek(d, position, e);
}

int dataset_next(struct dataset *d, size_t limit, struct arena *a, struct record **out,
                 size_t *count, struct err *e)
{
    if (limit == 0)
        return ERR(e, ERR_ARG, "a page of a dataset has one record at least");
    return d->backend->next(d, limit, a, out, count, e);
}

void records_release(struct record *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        json_decref(records[i].fields);
        records[i].fields = NULL;
    }
}

int dataset_count(struct dataset *d, int64_t *out, struct err *e)
{
    return d->backend->count(d, out, e);
}

const char *dataset_name(const struct dataset *d)
{
    return d->name;
}

bool dataset_is_local(const json_t *source)
{
    const struct dataset_backend *b = backend_of(source);

    return b && b->local;
}
