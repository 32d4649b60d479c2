#include "tasks/kind_picture.h"

#include "base/uuid.h"
#include "image/image.h"
#include "tasks/mapping.h"

#include <stdlib.h>
#include <string.h>

struct asking {
    struct named_pictures *p;
    const struct kind_context *c;
    const char *name;
    struct arena *a;
    struct mapping_problem *problem;
};

static int wrong(struct asking *x, struct err *e, const char *why)
{
    return mapping_wrong(x->problem, x->a, "image", e, "'%.200s': %s", x->name,
                         arena_strdup(x->a, why));
}

/* What is not there, or not for us, will not be later either. */
static int settle(struct asking *x, int rc, struct err *e)
{
    if (rc == 0 || rc == ERR_NETWORK || rc == ERR_NOMEM || rc == ERR_IO || rc == ERR_CANCELLED)
        return rc;
    return wrong(x, e, arena_strdup(x->a, e->message));
}

/* ==== generations ==== */

static int of_generation(struct asking *x, struct str *out, struct err *e)
{
    const struct task *task = x->c->task;
    struct submitter *s = x->c->tasks->submitter;
    struct generation g;
    struct tx *tx;
    int rc = tx_begin(s->db, TX_READ, &tx, e);

    if (rc)
        return rc;
    rc = generations_get(tx, x->name, x->a, &g, e);
    tx_rollback(tx);
    bool theirs = !rc && !task->trusted &&
                  (!g.user_id || !task->user_id ? g.user_id != task->user_id
                                                : strcmp(g.user_id, task->user_id) != 0);
    if (rc == ERR_NOT_FOUND || theirs)
        return wrong(x, e, "there is no such generation");
    if (rc)
        return rc;
    if (!g.sha256)
        return wrong(x, e, "this generation has no picture");
    return settle(x, blob_get(s->blobs, g.sha256, PICTURE_BYTES, x->a, out, e), e);
}

/* ==== object storage and folders ==== */

static int from_store(struct asking *x, const char *url, const char *object, struct str *out,
                      struct err *e)
{
    struct named_pictures *p = x->p;
    struct objects_options options = {.net = x->c->tasks->net, .settings = x->c->tasks->settings};
    int rc = 0;

    if (!p->store || strcmp(p->store_url, url) != 0) {
        named_pictures_release(p);
        rc = objects_open(url, &options, &p->store, e);
        p->store_url = strdup(url);
        if (!p->store_url && !rc)
            rc = ERR(e, ERR_NOMEM, "no memory for a URL");
    }
    if (!rc)
        rc = object_get(p->store, object, PICTURE_BYTES, x->a, out, NULL, e);
    return settle(x, rc, e);
}

/* "gs://bucket" of "gs://bucket/name". */
static size_t bucket_length(const char *url)
{
    const char *slash = strchr(url + strlen("gs://"), '/');

    return slash ? (size_t)(slash - url) : strlen(url);
}

static int of_bucket(struct asking *x, struct str *out, struct err *e)
{
    const char *own = x->c->document->url;
    size_t n = bucket_length(x->name);

    if (!x->name[n] || !x->name[n + 1])
        return wrong(x, e, "expected the URL of an object");
    if (!x->c->document->access.inside)
        return from_store(x, arena_str(x->a, (struct str){x->name, n}), x->name + n + 1, out, e);
    if (strncmp(own, x->name, n) != 0 || (own[n] && own[n] != '/'))
        return wrong(x, e, "only objects in the bucket of the task's destination");
    return from_store(x, arena_str(x->a, (struct str){x->name, n}), x->name + n + 1, out, e);
}

static int of_folder(struct asking *x, const char *path, struct str *out, struct err *e)
{
    const struct dataset_access *access = &x->c->document->access;
    const char *slash = strrchr(path, '/'), *folder;

    while (path[0] == '/' && path[1] == '/')
        path++; /* file:///a/b */
    if (path[0] == '/' && access->inside)
        return wrong(x, e, "only files below the folder of the task's sources");
    if (path[0] != '/')
        return from_store(x, arena_printf(x->a, "file:%s", access->folder), path, out, e);
    folder = arena_str(x->a, (struct str){path, slash > path ? (size_t)(slash - path) : 1});
    return from_store(x, arena_printf(x->a, "file:%s", folder), slash + 1, out, e);
}

/* ==== https ==== */

static int of_web(struct asking *x, struct str *out, struct err *e)
{
    struct net_request r = {.url = x->name,
                            .headers = (const char *const[]){"Accept: image/*", NULL},
                            .max_answer = PICTURE_BYTES,
                            .refuse_private = true};
    struct net_answer answer = {0};
    int rc = x->c->tasks->net ? net_ask(x->c->tasks->net, &r, x->a, &answer, e)
                              : ERR(e, ERR_DENIED, "there is no network");

    if (rc)
        return settle(x, rc, e);
    if (answer.status == 200) {
        *out = answer.body;
        return 0;
    }
    if (answer.status == 408 || answer.status == 429 || answer.status >= 500)
        return ERR(e, ERR_NETWORK, "'%.200s' answers %d", x->name, answer.status);
    return wrong(x, e, arena_printf(x->a, "it answers %d", answer.status));
}

/* ==== any of them ==== */

int named_picture(struct named_pictures *p, const char *name, struct arena *a, struct str *out,
                  struct mapping_problem *problem, struct err *e)
{
    struct asking x = {p, p->context, name, a, problem};
    struct str rest = str_from(name), bytes = {0};
    int rc;

    if (uuid_valid(rest))
        rc = of_generation(&x, &bytes, e);
    else if (str_starts(rest, "gs://") || str_starts(rest, "s3://"))
        rc = of_bucket(&x, &bytes, e);
    else if (str_starts(rest, "https://"))
        rc = of_web(&x, &bytes, e);
    else if (str_skip(&rest, "file:"))
        rc = of_folder(&x, rest.p, &bytes, e);
    else
        rc = wrong(&x, e, "expected the id of a generation, or a URL of gs:, s3:, file: or https:");
    if (rc)
        return rc;
    if (image_format_of_bytes(bytes.p, bytes.n) == IMAGE_UNKNOWN)
        return wrong(&x, e, "it is no PNG, JPEG or WebP picture");
    *out = bytes;
    return 0;
}

void named_pictures_release(struct named_pictures *p)
{
    objects_close(p->store);
    free(p->store_url);
    p->store = NULL;
    p->store_url = NULL;
}
