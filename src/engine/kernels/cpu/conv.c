/* cpu/conv.c: convolutions as products: row r is the window of pixel r, never stored whole. */
#include "engine/kernels/cpu/gemm.h"
#include "engine/kernels/cpu/table.h"
#include "engine/kernels/cpu/winograd.h"

static struct product conv_product(const struct conv_args *a)
{
    const struct weight_source *s = &a->weight->source;
    struct product p = {.source = s, .bf16 = false, .m = a->pictures * a->oh * a->ow};

#ifdef __AVX512BF16__
    p.bf16 = a->weight->compute == COMPUTE_BF16;
#endif
    p.window = (struct window){.x = a->x,
                               .ldx = (size_t)s->in,
                               .h = a->h,
                               .w = a->w,
                               .oh = a->oh,
                               .ow = a->ow,
                               .stride = a->stride,
                               .pad_top = a->pad_top,
                               .pad_left = a->pad_left,
                               .kh = s->kh,
                               .kw = s->kw,
                               .upsample = a->upsample};
    p.finish = (struct finish){.y = a->y,
                               .columns = s->rows,
                               .bias = a->bias,
                               .shift = a->shift,
                               .residual = a->residual,
                               .rows_per_picture = a->oh * a->ow,
                               .act = a->act};
    return p;
}

size_t cpu_conv_scratch(const struct conv_args *a)
{
    struct product p = conv_product(a);
    return winograd_applies(&p) ? winograd_scratch(&p, a->threads)
                                : product_scratch(&p, a->threads);
}

void cpu_conv(const struct conv_args *a)
{
    struct product p = conv_product(a);
    if (winograd_applies(&p))
        winograd_run(&p, a->threads, a->scratch);
    else
        product_run(&p, a->threads, a->scratch);
}
