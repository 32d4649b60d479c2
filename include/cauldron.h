/*
 * cauldron.h: draw pictures from prompts with Stable Diffusion 1, 2 and XL.
 *
 *   struct cauldron_error e;
 *   struct cauldron_model *model;
 *   struct cauldron_options options = cauldron_options();
 *   if (cauldron_open("models/demo", &options, &model, &e) != 0) {
 *       fprintf(stderr, "%s\n", e.message);
 *       return 1;
 *   }
 *   struct cauldron_request request = cauldron_request(model);
 *   struct cauldron_picture picture;
 *   request.prompt = "a red circle left of a blue square";
 *   request.seed = 7;
 *   if (cauldron_generate(model, &request, 1, &picture, &e) == 0) {
 *       ... picture.width * picture.height * 3 bytes at picture.pixels ...
 *       cauldron_picture_free(&picture);
 *   }
 *   cauldron_close(model);
 *
 * Equal to Hugging Face diffusers: the same model, prompt, seed, sampler, steps and guidance give
 * every pixel within 1/255 in f32. Functions return 0 or one of the negative codes below, fill the
 * caller's struct cauldron_error, and leave outputs untouched. Threads: a model is used by one
 * thread at a time; different models by different threads at once. cauldron_cancel may be called
 * from any thread and from a signal handler. The library prints nothing, never exits, keeps no
 * global state. Ownership: the library copies every text and picture it is given before a function
 * returns.
 */
#ifndef CAULDRON_H
#define CAULDRON_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CAULDRON_API     __attribute__((visibility("default")))
#define CAULDRON_VERSION "0.1.0"

enum cauldron_code {
    CAULDRON_OK = 0,
    CAULDRON_BAD_REQUEST = -1,
    CAULDRON_IO = -2,
    CAULDRON_BAD_FILE = -3,
    CAULDRON_UNSUPPORTED = -4,
    CAULDRON_NOT_FOUND = -5,
    CAULDRON_NO_MEMORY = -6,
    CAULDRON_CANCELLED = -7,
};

struct cauldron_error {
    int code;
    char message[1024]; /* one line, lower case: what, where, what to do */
};

struct cauldron_model;

/* How a model is run. */
struct cauldron_options {
    const char *executor; /* "cpu" (default), or "ref": plain C, slow, the definition */
    const char *isa;      /* NULL: the best of this CPU; "avx2", "avx512", "avx512bf16" */
    const char *dtype;   /* "auto" and "f32": equal to the reference; "bf16": products in bf16 where
                            the CPU has them */
    const char *variant; /* of a Diffusers folder's weight files ("fp16"); NULL: the plain ones,
                            else what is there */
    int threads;         /* 0: one per core that this process may use */
    int low_memory; /* let the mapped pages of each network go when its part of a picture is done */
    int max_rows;   /* pictures (two per guided request) in one pass of the network; 0: 4 */
};
CAULDRON_API struct cauldron_options cauldron_options(void);

/* `path`: a Diffusers folder or a .safetensors checkpoint. */
CAULDRON_API int cauldron_open(const char *path, const struct cauldron_options *options,
                               struct cauldron_model **out, struct cauldron_error *e);
CAULDRON_API void cauldron_close(struct cauldron_model *model); /* NULL is fine */

struct cauldron_info {
    const char *architecture; /* "sd1", "sd2", "sdxl"; lives as long as the model */
    const char *executor;     /* "ref", "cpu" */
    const char *isa;
    const char *dtype;   /* "f32", "bf16" */
    const char *sampler; /* the model's own */
    int threads;
    int width, height; /* native */
    int multiple;      /* sizes must be multiples of this many pixels */
    int inpainting;    /* whether the network was trained to fill masks (9 channels) */
    size_t weight_bytes, packed_bytes;
};
CAULDRON_API void cauldron_describe(const struct cauldron_model *model, struct cauldron_info *out);
/* SHA-256 over the tensors: 64 hex digits and NUL. */
CAULDRON_API int cauldron_digest(const struct cauldron_model *model, char out[65],
                                 struct cauldron_error *e);

struct cauldron_pixels {
    int width, height;
    const unsigned char
        *pixels; /* rows from the top, 3 bytes (RGB) a pixel; masks 1 byte, 255 = draw anew */
};

struct cauldron_progress {
    int request;            /* index into the array given to cauldron_generate */
    int step, steps;        /* evaluations of the network done, and in all */
    const float *latents;   /* [channels][height][width] after the step, as diffusers'
                               callback_on_step_end sees them */
    const float *predicted; /* the same shape: the current estimate of the finished latents */
    int latent_channels, latent_width, latent_height;
};

/* A tensor on its way: "text.cond" [tokens][width], "text.uncond", "noise", "latent.000" ...,
 * "image" [3][h][w] in 0..1. */
struct cauldron_trace {
    int request;
    const char *name;
    int dims;
    int64_t shape[3];
    const float *data; /* valid during the call */
};

/* One picture to draw. Take cauldron_request() and change what you need. */
struct cauldron_request {
    const char *prompt;   /* UTF-8 */
    const char *negative; /* NULL: none, which is not the same as "" on SDXL */
    uint64_t seed;
    int steps;
    double guidance; /* guided only above 1 */
    double guidance_rescale;
    int width, height;
    const char *sampler;  /* "euler", ...; NULL: the model's own */
    const char *schedule; /* "model", "uniform", "karras", "exponential", "beta", "sgm_uniform" */
    const char *spacing;  /* NULL: as the model says; "leading", "linspace", "trailing" */
    const char *rng;      /* "cpu", "cuda": whose random numbers */
    double eta;
    int clip_skip; /* layers of the text encoder left out; 0: none */

    struct cauldron_pixels init; /* image to image when pixels is set; resized to width x height */
    struct cauldron_pixels mask; /* inpainting when pixels is set; needs init */
    double strength;             /* 0..1 */

    int original_width, original_height, crop_left, crop_top, target_width,
        target_height; /* SDXL; 0: width and height */

    void *user; /* handed to the functions below */
    int (*on_progress)(
        void *user, const struct cauldron_progress *progress); /* non-zero: cancel this request */
    void (*on_warning)(void *user, const char *text); /* e.g. what of the prompt was cut off */
    void (*on_trace)(void *user, const struct cauldron_trace *trace);
};
/* Defaults: 20 steps, guidance 7.5 (5 for SDXL), the model's sampler and size, seed 0, strength
 * 0.8. */
CAULDRON_API struct cauldron_request cauldron_request(const struct cauldron_model *model);

struct cauldron_picture {
    int status; /* 0, or the code why this one was not drawn (CAULDRON_CANCELLED) */
    int width, height;
    unsigned char *pixels; /* RGB; freed by cauldron_picture_free */
    double seconds;
};

/*
 * Draw `count` requests together: those of one size share passes of the network, step by step. Each
 * picture is the one that its request alone gives. Returns 0 when every request was drawn or
 * cancelled through its own callback; otherwise nothing is kept and e says why.
 */
CAULDRON_API int cauldron_generate(struct cauldron_model *model,
                                   const struct cauldron_request *requests, int count,
                                   struct cauldron_picture *out, struct cauldron_error *e);
CAULDRON_API void cauldron_picture_free(struct cauldron_picture *p);
/* Make the running cauldron_generate return CAULDRON_CANCELLED soon. Forgotten when it returns. */
CAULDRON_API void cauldron_cancel(struct cauldron_model *model);

/* A small RGB picture of latents from on_progress, for previews: TAESD (8 times the latents' size)
 * when the model has one, else a fixed projection (the latents' size). Free with
 * cauldron_picture_free. */
CAULDRON_API int cauldron_preview(struct cauldron_model *model,
                                  const struct cauldron_progress *progress,
                                  struct cauldron_picture *out, struct cauldron_error *e);

#ifdef __cplusplus
}
#endif

#endif
