#include "check.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READABLE = 64 };

uint32_t pick(struct check *c, uint32_t below)
{
    c->state = c->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((c->state >> 33) % below);
}

static void *take(struct check *c, size_t bytes, bool guarded)
{
    size_t around = guarded ? CANARY : 0;
    struct block b = {.bytes = bytes, .guarded = guarded};

    if (c->used == CHECK_BLOCKS ||
        posix_memalign((void **)&b.base, 64, bytes + 2 * around + (bytes + around == 0))) {
        fprintf(stderr, "check_kernels: out of memory\n");
        abort();
    }
    memset(b.base, CANARY_BYTE, bytes + 2 * around);
    b.from = b.base + around;
    c->blocks[c->used++] = b;
    return b.from;
}

void *check_exact(struct check *c, size_t bytes)
{
    return take(c, bytes, false);
}

void *check_scratch(struct check *c, size_t bytes)
{
    void *p = take(c, bytes, true);
    memset(p, 0xff, bytes);
    return p;
}

float *check_output(struct check *c, size_t n)
{
    return check_scratch(c, n * sizeof(float));
}

float *check_copy(struct check *c, const float *x, size_t n)
{
    float *y = take(c, n * sizeof *y + READABLE, false);
    memset(y, 0xff, n * sizeof *y + READABLE);
    memcpy(y, x, n * sizeof *y);
    return y;
}

float *check_input(struct check *c, size_t n, float mean, float spread)
{
    float *x = take(c, n * sizeof *x + READABLE, false);
    for (size_t i = 0; i < n; i++)
        x[i] = mean + spread * ((float)pick(c, 1 << 20) / (1 << 19) - 1);
    memset(x + n, 0xff, READABLE);
    return x;
}

void check_case(struct check *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(c->text, sizeof c->text, format, args);
    va_end(args);
}

void check_fail(struct check *c, const char *format, ...)
{
    va_list args;
    if (!c->failed)
        printf("FAIL %s --isa %s --seed %u --rounds 1: %s\n", c->op, c->k->isa, c->seed, c->text);
    c->failed = true;
    printf("     ");
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
}

void check_close(struct check *c, const float *got, const float *want, size_t n, double worst,
                 double rms)
{
    double error = 0, size = 0, most = 0;
    size_t at = 0;

    for (size_t i = 0; i < n; i++) {
        double d = (double)got[i] - (double)want[i];
        double scaled = fabs(d) / fmax(1, fabs((double)want[i]));
        error += d * d;
        size += (double)want[i] * (double)want[i];
        if (!(scaled <= most)) {
            most = scaled;
            at = i;
            if (isnan(scaled))
                break;
        }
    }
    double relative = size > 0 ? sqrt(error / size) : sqrt(error);
    if (!(most <= worst))
        check_fail(c, "worst error %.3g (bound %.3g) at %zu of %zu: %.9g, ref %.9g", most, worst,
                   at, n, (double)got[at], (double)want[at]);
    if (!(relative <= rms))
        check_fail(c, "relative RMS error %.3g (bound %.3g)", relative, rms);
}

void check_same(struct check *c, const float *a, const float *b, size_t n, const char *what)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(a + i, b + i, sizeof *a) != 0) {
            check_fail(c, "bits differ, %s: at %zu of %zu %.9g and %.9g", what, i, n, (double)a[i],
                       (double)b[i]);
            return;
        }
}
