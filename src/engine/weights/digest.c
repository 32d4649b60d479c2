/* The version of a model: a digest over the numbers that draw. */
#include "engine/weights/files.h"

#include "base/reading.h"
#include "base/sha256.h"

#include <stdlib.h>
#include <string.h>

struct named {
    const char *component;
    const struct tensor *tensor;
};

static int by_name(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    int order = strcmp(x->component, y->component);

    return order ? order : strcmp(x->tensor->name.p, y->tensor->name.p);
}

static size_t collect(struct named *out, const char *component, const struct weights *w)
{
    size_t n = 0;

    for (size_t i = 0; i < w->tensors.room; i++)
        if (w->tensors.slots[i].value)
            out[n++] = (struct named){component, w->tensors.slots[i].value};
    return n;
}

/* "unet/out.2.weight f16 4,320,3,3" and a newline, then the bytes. Trailing extents of one carry no
 * meaning (a 1x1 convolution is a product) and are left out, so that folders and single files of
 * the same model agree. */
static int add(struct sha256 *s, struct arena *a, const struct named *n,
               const struct reading *reading, struct err *e)
{
    const struct tensor *t = n->tensor;
    int dims = t->dims;

    while (dims > 1 && t->shape[dims - 1] == 1)
        dims--;
    const char *head = arena_printf(a, "%s/%s %s ", n->component, t->name.p, dtype_name(t->dtype));
    sha256_add(s, head, strlen(head));
    for (int i = 0; i < dims; i++) {
        head = arena_printf(a, "%s%lld", i ? "," : "", (long long)t->shape[i]);
        sha256_add(s, head, strlen(head));
    }
    sha256_add(s, "\n", 1);
    const char *p = t->data;
    for (size_t left = (size_t)tensor_count(t) * (size_t)dtype_size(t->dtype); left;) {
        size_t piece = left < READING_PIECE ? left : READING_PIECE;
        sha256_add(s, p, piece);
        if (!reading_tell(reading, piece))
            return ERR(e, ERR_CANCELLED, "interrupted");
        p += piece;
        left -= piece;
    }
    return 0;
}

int model_digest(const struct model *m, const struct reading *reading, char out[65], struct err *e)
{
    struct arena scratch = {0};
    struct sha256 s;
    struct err ignored;
    char digest[65];
    size_t n = 0;
    int rc = sha256_init(&s, e);

    if (rc)
        return rc;
    size_t most = m->clip_weights[0].tensors.count + m->clip_weights[1].tensors.count +
                  m->unet_weights.tensors.count + m->vae_weights.tensors.count;
    struct named *list = arena_alloc(&scratch, (most + 1) * sizeof *list);
    n += collect(list + n, "text_encoder", &m->clip_weights[0]);
    n += collect(list + n, "text_encoder_2", &m->clip_weights[1]);
    n += collect(list + n, "unet", &m->unet_weights);
    n += collect(list + n, "vae", &m->vae_weights);
    qsort(list, n, sizeof *list, by_name);
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = add(&s, &scratch, &list[i], reading, e);
    arena_release(&scratch);
    int finished = sha256_finish(&s, digest, rc ? &ignored : e); /* it releases in any case */
    if (rc || finished)
        return rc ? rc : finished;
    memcpy(out, digest, sizeof digest);
    return 0;
}
