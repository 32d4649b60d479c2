/*
 * preview.c: latents as a small picture, cheap enough for every step. With a TAESD decoder: its
 * picture. Without: every latent becomes one pixel by a linear map, which is fitted once per model
 * by least squares to what the model's own decoder makes of flat patches, so that it suits any
 * autoencoder.
 */
#include "engine/pipeline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PROBE = 16, PATCH = 4, LATENT = 16 /* most channels */, UNKNOWNS = LATENT + 1 };

static unsigned char level(float x)
{
    return (unsigned char)rintf(fminf(fmaxf(x, 0), 1) * 255);
}

static int allocate(struct cauldron_picture *out, int w, int h, struct err *e)
{
    *out = (struct cauldron_picture){
        .width = w, .height = h, .pixels = malloc(3 * (size_t)w * (size_t)h)};
    return out->pixels ? 0 : ERR(e, ERR_NOMEM, "no memory for a preview");
}

/* Gauss-Jordan with partial pivoting on a positive matrix: a[n][n] x = b[n][3], the result in b. */
static void solve(double (*a)[UNKNOWNS], double (*b)[3], int n)
{
    for (int k = 0; k < n; k++) {
        int best = k;
        for (int i = k + 1; i < n; i++)
            if (fabs(a[i][k]) > fabs(a[best][k]))
                best = i;
        for (int j = 0; j < n; j++) {
            double t = a[k][j];
            a[k][j] = a[best][j];
            a[best][j] = t;
        }
        for (int j = 0; j < 3; j++) {
            double t = b[k][j];
            b[k][j] = b[best][j];
            b[best][j] = t;
        }
        for (int i = 0; i < n; i++) {
            double f = i == k ? 0 : a[i][k] / a[k][k];
            for (int j = 0; j < n; j++)
                a[i][j] -= f * a[k][j];
            for (int j = 0; j < 3; j++)
                b[i][j] -= f * b[k][j];
        }
    }
    for (int k = 0; k < n; k++)
        for (int j = 0; j < 3; j++)
            b[k][j] /= a[k][k];
}

/* The mean colour of the pixels that latent i of the probe covers. */
static void colour_of(const float *pixels, int scale, int i, double out[3])
{
    int side = PROBE * scale, x0 = i % PROBE * scale, y0 = i / PROBE * scale;

    for (int c = 0; c < 3; c++) {
        double sum = 0;
        for (int y = 0; y < scale; y++)
            for (int x = 0; x < scale; x++)
                sum += (double)pixels[((size_t)c * (size_t)side + (size_t)(y0 + y)) * (size_t)side +
                                      (size_t)(x0 + x)];
        out[c] = sum / (scale * scale) / 2 + 0.5;
    }
}

static int fit(struct cauldron_model *m, struct err *e)
{
    int channels = m->files->vae.latent_channels, n = channels + 1, scale = latent_scale(m);
    double a[UNKNOWNS][UNKNOWNS] = {{0}}, b[UNKNOWNS][3] = {{0}};
    float latents[LATENT * PROBE * PROBE], patches[LATENT * PATCH * PATCH];
    struct noise noise;

    if (channels > LATENT)
        return ERR(e, ERR_UNSUPPORTED, "previews of latents with %d channels", channels);
    float *pixels = malloc(sizeof(float) * 3 * (size_t)(PROBE * scale) * (size_t)(PROBE * scale));
    if (!pixels)
        return ERR(e, ERR_NOMEM, "no memory for a preview");
    noise_init(&noise, NOISE_CPU, 0);
    noise_normal(&noise, patches, (size_t)channels * PATCH * PATCH);
    for (int c = 0; c < channels; c++)
        for (int i = 0; i < PROBE * PROBE; i++)
            latents[c * PROBE * PROBE + i] =
                patches[(c * PATCH + i / PROBE / (PROBE / PATCH)) * PATCH +
                        i % PROBE / (PROBE / PATCH)];
    int rc = pass_decode(m, latents, PROBE, PROBE, pixels, e);
    for (int i = 0; rc == 0 && i < PROBE * PROBE; i++) {
        double row[UNKNOWNS] = {0}, colour[3];
        for (int c = 0; c < channels; c++)
            row[c] = (double)latents[c * PROBE * PROBE + i];
        row[channels] = 1;
        colour_of(pixels, scale, i, colour);
        for (int k = 0; k < n; k++) {
            for (int l = 0; l < n; l++)
                a[k][l] += row[k] * row[l];
            for (int c = 0; c < 3; c++)
                b[k][c] += row[k] * colour[c];
        }
    }
    free(pixels);
    if (rc)
        return rc;
    solve(a, b, n);
    for (int k = 0; k < n; k++)
        for (int c = 0; c < 3; c++)
            m->to_rgb[k][c] = (float)b[k][c];
    m->to_rgb_fitted = true;
    return 0;
}

static int project(struct cauldron_model *m, const struct cauldron_progress *p,
                   struct cauldron_picture *out, struct err *e)
{
    size_t pixels = (size_t)p->latent_width * (size_t)p->latent_height;
    int rc = m->to_rgb_fitted ? 0 : fit(m, e);

    if (rc || (rc = allocate(out, p->latent_width, p->latent_height, e)))
        return rc;
    for (size_t i = 0; i < pixels; i++)
        for (int c = 0; c < 3; c++) {
            float x = m->to_rgb[p->latent_channels][c];
            for (int k = 0; k < p->latent_channels; k++)
                x += m->to_rgb[k][c] * p->predicted[(size_t)k * pixels + i];
            out->pixels[3 * i + (size_t)c] = level(x);
        }
    return 0;
}

static int decode_small(struct cauldron_model *m, const struct cauldron_progress *p,
                        struct cauldron_picture *out, struct err *e)
{
    size_t pixels = (size_t)p->latent_width * (size_t)p->latent_height;
    struct pass *pass;
    int rc = pass_get(m, NETWORK_PREVIEW, 1, p->latent_height, p->latent_width, 0, &pass, e);

    if (rc)
        return rc;
    float *in = pass_value(m, pass, "latents");
    to_channels_last(in, p->predicted, 4, pixels);
    for (size_t i = 0; i < 4 * pixels; i++)
        in[i] = tanhf(in[i] / 3) * 3;
    rc = pass_run(m, pass, PLAN_ALL, e);
    if (rc == 0)
        rc = allocate(out, 8 * p->latent_width, 8 * p->latent_height, e);
    if (rc)
        return rc;
    const float *image = pass_value(m, pass, "image");
    for (size_t i = 0; i < 3 * 64 * pixels; i++)
        out->pixels[i] = level(image[i]);
    return 0;
}

int preview_draw(struct cauldron_model *m, const struct cauldron_progress *p,
                 struct cauldron_picture *out, struct err *e)
{
    if (m->files->taesd && p->latent_channels == 4)
        return decode_small(m, p, out, e);
    return project(m, p, out, e);
}
