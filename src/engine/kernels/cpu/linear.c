/* cpu/linear.c: linear layers, and the form of the weights. */
#include "engine/kernels/cpu/gemm.h"
#include "engine/kernels/cpu/table.h"

size_t cpu_pack_size(const struct weight_source *source, const struct pack_hint *hint)
{
    (void)source, (void)hint;
    return 0; /* see pack.h */
}

void cpu_pack(struct packed *out, const struct pack_hint *hint, int threads)
{
    (void)threads;
    out->form = 0;
    out->compute = hint->compute;
    out->data = NULL;
    out->bytes = 0;
}

static struct product linear_product(const struct linear_args *a)
{
    const struct weight_source *source = &a->w->source;
    struct product p = {.source = source, .bf16 = false, .m = a->m};

#ifdef __AVX512BF16__
    p.bf16 = a->w->compute == COMPUTE_BF16;
#endif
    p.window = (struct window){.x = a->x,
                               .ldx = (size_t)a->ldx,
                               .h = 1,
                               .w = a->m,
                               .oh = 1,
                               .ow = a->m,
                               .stride = 1,
                               .kh = 1,
                               .kw = 1};
    p.finish = (struct finish){.y = a->y,
                               .columns = weight_columns(source),
                               .bias = a->bias,
                               .shift = a->shift,
                               .residual = a->residual,
                               .rows_per_picture = a->rows_per_picture,
                               .act = a->act};
    return p;
}

size_t cpu_linear_scratch(const struct linear_args *a)
{
    struct product p = linear_product(a);
    return product_scratch(&p, a->threads);
}

void cpu_linear(const struct linear_args *a)
{
    struct product p = linear_product(a);
    product_run(&p, a->threads, a->scratch);
}
