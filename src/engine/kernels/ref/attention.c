/*
 * ref/attention.c: scaled dot product attention, one query at a time: its scores, their softmax,
 * the weighted mean of the values. One row of scores per thread is all it holds.
 */
#include "ref.h"

#include <math.h>
#include <omp.h>

enum { MAX_DIM = 512 };

size_t ref_attention_scratch(const struct attention_args *a)
{
    return (size_t)a->threads * (size_t)a->nk * sizeof(double);
}

/* y[dim] for one query; k, v: the first key and value of its picture and head. */
static void attend(const struct attention_args *a, float *y, const float *q, const float *k,
                   const float *v, int keys, double *score)
{
    double top = -INFINITY, total = 0, sum[MAX_DIM] = {0};

    for (int j = 0; j < keys; j++) {
        score[j] = ref_dot(q, k + (size_t)j * a->ldk, a->dim) * (double)a->scale;
        top = fmax(top, score[j]);
    }
    for (int j = 0; j < keys; j++) {
        double weight = exp(score[j] - top); /* at most 1: no overflow */
        total += weight;
        for (int d = 0; d < a->dim; d++)
            sum[d] += weight * (double)v[(size_t)j * a->ldv + d];
    }
    for (int d = 0; d < a->dim; d++)
        y[d] = (float)(sum[d] / total);
}

void ref_attention(const struct attention_args *a)
{
    int64_t queries = (int64_t)a->pictures * a->heads * a->nq;

#pragma omp parallel for num_threads(a->threads)
    for (int64_t at = 0; at < queries; at++) {
        int i = (int)(at % a->nq), head = (int)(at / a->nq % a->heads);
        size_t n = (size_t)(at / a->nq / a->heads), column = (size_t)head * a->dim;
        size_t query = n * a->nq + i, key = n * a->nk;
        int keys = a->causal && i + 1 < a->nk ? i + 1 : a->nk;
        attend(a, a->y + query * a->ldy + column, a->q + query * a->ldq + column,
               a->k + key * a->ldk + column, a->v + key * a->ldv + column, keys,
               (double *)a->scratch + (size_t)omp_get_thread_num() * a->nk);
    }
}
