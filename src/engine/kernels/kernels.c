#include "kernels.h"

#include <stdlib.h>
#include <string.h>

#ifdef __x86_64__
/* Every CPU with AVX2 has F16C too; not every compiler can ask for it by name. */
static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

static bool has_avx512bf16(void)
{
    return has_avx512() && __builtin_cpu_supports("avx512bf16");
}

/* Best first. */
static const struct {
    const struct kernels *kernels;
    bool (*runs_here)(void);
} cpu_tables[] = {
    {&kernels_avx512bf16, has_avx512bf16},
    {&kernels_avx512, has_avx512},
    {&kernels_avx2, has_avx2},
};
enum { CPU_TABLES = sizeof cpu_tables / sizeof *cpu_tables };

static int pick_cpu(const char *isa, const struct kernels **out, struct err *e)
{
    for (int i = 0; i < CPU_TABLES; i++) {
        if (isa && strcmp(isa, cpu_tables[i].kernels->isa) != 0)
            continue;
        if (cpu_tables[i].runs_here()) {
            *out = cpu_tables[i].kernels;
            return 0;
        }
        if (isa)
            return ERR(e, ERR_UNSUPPORTED, "this CPU cannot run %s instructions", isa);
    }
    if (isa)
        return ERR(e, ERR_ARG, "unknown instruction set '%s'; use avx2, avx512 or avx512bf16", isa);
    return ERR(e, ERR_UNSUPPORTED, "this CPU lacks AVX2; use the executor 'ref'");
}
#else
static int pick_cpu(const char *isa, const struct kernels **out, struct err *e)
{
    (void)isa, (void)out;
    return ERR(e, ERR_UNSUPPORTED, "no fast kernels for this CPU; use the executor 'ref'");
}
#endif

int kernels_pick(const char *executor, const char *isa, const struct kernels **out, struct err *e)
{
    if (strcmp(executor, "ref") == 0) {
        *out = &kernels_ref;
        return 0;
    }
    if (strcmp(executor, "cpu") == 0)
        return pick_cpu(isa, out, e);
    return ERR(e, ERR_UNSUPPORTED, "no executor '%s'; use cpu or ref", executor);
}

int kernels_pack(const struct kernels *k, const struct weight_source *source,
                 const struct pack_hint *hint, int threads, struct packed *out, struct err *e)
{
    struct packed p = {.source = *source, .bytes = k->pack_size(source, hint)};

    if (p.bytes) {
        size_t rounded = (p.bytes + 63) & ~(size_t)63; /* aligned_alloc wants a multiple */
        p.data = aligned_alloc(64, rounded);
        if (!p.data)
            return ERR(e, ERR_NOMEM, "out of memory packing %zu bytes of weights", p.bytes);
    }
    k->pack(&p, hint, threads);
    *out = p;
    return 0;
}

void packed_release(struct packed *p)
{
    free(p->data);
    p->data = NULL;
}

void weight_row(float *out, const struct weight_source *s, int row)
{
    int64_t size = (int64_t)s->in * s->kh * s->kw;

    for (int i = 0; i < s->parts; i++) {
        int64_t rows = tensor_count(s->part[i]) / size;
        if (row < rows) {
            tensor_read(out, s->part[i], row * size, size);
            return;
        }
        row -= (int)rows;
    }
}
