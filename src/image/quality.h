/*
 * quality.h: numbers that say how alike two pictures are, and how sharp, rich in contrast or
 * colourful one is.
 *
 *   double value;
 *   if (quality_ssim(&a, &b, &value, &e)) ...
 *
 * Pictures that are compared have equal width, height and channels; alpha counts as a channel.
 * Threads: pure functions. Errors: ERR_ARG for unequal or too small pictures, ERR_NOMEM.
 */
#ifndef IMAGE_QUALITY_H
#define IMAGE_QUALITY_H

#include "image/image.h"

/* 10 log10(255^2 / mean squared error) over all channels, dB; infinity for equal pictures. */
WARN_UNUSED_RESULT int quality_psnr(const struct image *a, const struct image *b, double *out,
                                    struct err *e);
/* Wang, Bovik, Sheikh, Simoncelli 2004, "Image quality assessment: from error visibility to
 * structural similarity": Gaussian window 11x11 of sigma 1.5, K1 0.01, K2 0.03, population
 * covariance, mean over all windows that lie inside the picture and over the channels. This is
 * scikit-image's structural_similarity(gaussian_weights=True, sigma=1.5,
 * use_sample_covariance=False, data_range=255). At least 11 x 11 pixels. */
WARN_UNUSED_RESULT int quality_ssim(const struct image *a, const struct image *b, double *out,
                                    struct err *e);
/* Wang, Simoncelli, Bovik 2003, "Multiscale structural similarity": five scales by 2x2 means,
 * weights 0.0448 0.2856 0.3001 0.2363 0.1333, mean over the channels. At least 176 x 176 pixels. */
WARN_UNUSED_RESULT int quality_ms_ssim(const struct image *a, const struct image *b, double *out,
                                       struct err *e);

/* The following look at the luma 0.299 R + 0.587 G + 0.114 B. */

/* Variance of the 4-neighbour Laplacian inside the picture (Pech-Pacheco et al. 2000). */
WARN_UNUSED_RESULT int quality_sharpness(const struct image *im, double *out, struct err *e);
/* RMS contrast (Peli 1990): standard deviation of luma / 255. */
WARN_UNUSED_RESULT int quality_contrast(const struct image *im, double *out, struct err *e);
/* Hasler and Suesstrunk 2003, "Measuring colourfulness in natural images", M3: sigma_rgyb + 0.3
 * mu_rgyb; 0 for grey pictures. */
WARN_UNUSED_RESULT int quality_colourfulness(const struct image *im, double *out, struct err *e);

#endif
