/*
 * png.c: PNG by libpng. Text as A1111's web UI (through PIL) keeps it: `parameters` in a tEXt chunk
 * when Latin-1 can hold it, else in iTXt; our recipe in iTXt under `cauldron`.
 */
#include "image/codec.h"
#include "image/text.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TEXTS = 64 };
#define PARAMETERS "parameters"
#define RECIPE     "cauldron"

struct reader {
    png_structp png;
    png_infop info;
    const unsigned char *bytes;
    size_t n, at;
    struct image im;
    unsigned char **rows;
    struct image_meta meta;
    struct err *e;
};

struct writer {
    png_structp png;
    png_infop info;
    const struct image *im;
    struct buf *out;
    struct buf latin1;
    struct err *e;
};

static bool recognises(const unsigned char *bytes, size_t n)
{
    return n >= 8 && !memcmp(bytes, "\x89PNG\r\n\x1a\n", 8);
}

static void failed(png_structp png, const char *message)
{
    ERR((struct err *)png_get_error_ptr(png), ERR_FORMAT, "png: %s", message);
    longjmp(png_jmpbuf(png), 1);
}

static void warned(png_structp png, const char *message)
{
    (void)png;
    (void)message;
}

static void pull(png_structp png, png_bytep data, size_t n)
{
    struct reader *r = png_get_io_ptr(png);

    if (n > r->n - r->at)
        png_error(png, "the file ends too early");
    memcpy(data, r->bytes + r->at, n);
    r->at += n;
}

/* libpng allocates what a chunk's header promises before it reads; so no chunk may be longer than
 * what is left of the file. */
static int check_chunks(const unsigned char *bytes, size_t n, struct err *e)
{
    enum { SIGNATURE = 8, FRAME = 12 };

    for (size_t at = SIGNATURE; n - at >= FRAME;) {
        size_t length = (size_t)bytes[at] << 24 | (size_t)bytes[at + 1] << 16 |
                        (size_t)bytes[at + 2] << 8 | bytes[at + 3];
        if (length > n - at - FRAME)
            return ERR(e, ERR_FORMAT, "png: the file ends too early");
        if (!memcmp(bytes + at + 4, "IEND", 4))
            break;
        at += FRAME + length;
    }
    return 0;
}

static char *text_of(const png_text *text)
{
    bool international = text->compression >= PNG_ITXT_COMPRESSION_NONE;
    size_t n = international ? text->itxt_length : text->text_length;
    struct buf b;

    buf_init(&b, TEXT_MAX);
    if (international && !text_is_utf8(text->text, n))
        return NULL;
    if (international ? buf_add(&b, text->text, n) : text_from_latin1(&b, text->text, n)) {
        buf_release(&b);
        return NULL;
    }
    return buf_take(&b);
}

/* The first chunk of a name counts. */
static void take_texts(struct reader *r)
{
    png_textp texts = NULL;
    int count = 0;

    png_get_text(r->png, r->info, &texts, &count);
    for (int i = 0; i < count; i++) {
        char **field = !strcmp(texts[i].key, PARAMETERS) ? &r->meta.parameters
                       : !strcmp(texts[i].key, RECIPE)   ? &r->meta.recipe
                                                         : NULL;
        if (field && !*field && texts[i].text)
            *field = text_of(&texts[i]);
    }
}

static int check_header(struct reader *r)
{
    return codec_check_size("png", png_get_image_width(r->png, r->info),
                            png_get_image_height(r->png, r->info), r->e);
}

/* To 8 bits and 1, 3 or 4 channels; the low byte of 16-bit samples is dropped, as PIL does. */
static int read_pixels(struct reader *r)
{
    int height = (int)png_get_image_height(r->png, r->info);
    int type = png_get_color_type(r->png, r->info);
    bool alpha = type & PNG_COLOR_MASK_ALPHA || png_get_valid(r->png, r->info, PNG_INFO_tRNS);

    png_set_strip_16(r->png);
    png_set_expand(r->png);
    if (alpha)
        png_set_gray_to_rgb(r->png);
    png_set_interlace_handling(r->png);
    png_read_update_info(r->png, r->info);
    int channels = png_get_channels(r->png, r->info);
    if (image_new((int)png_get_image_width(r->png, r->info), height, channels, &r->im, r->e))
        return r->e->code;
    r->rows = malloc((size_t)height * sizeof *r->rows);
    if (!r->rows)
        return ERR(r->e, ERR_NOMEM, "no memory for %d rows", height);
    for (int y = 0; y < height; y++)
        r->rows[y] = r->im.pixels + (size_t)y * (size_t)r->im.width * (size_t)channels;
    png_read_image(r->png, r->rows);
    return 0;
}

/* Text may follow the pixels, and libpng gets there only by inflating them. */
static void skip_pixels(struct reader *r)
{
    int passes = png_set_interlace_handling(r->png);
    png_uint_32 height = png_get_image_height(r->png, r->info);

    png_read_update_info(r->png, r->info);
    for (int pass = 0; pass < passes; pass++)
        for (png_uint_32 y = 0; y < height; y++)
            png_read_row(r->png, NULL, NULL);
}

static int read_all(struct reader *r, bool want_pixels, bool want_meta)
{
    if (setjmp(png_jmpbuf(r->png)))
        return r->e->code;
    png_set_read_fn(r->png, r, pull);
    png_set_user_limits(r->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* checked by check_header */
    png_set_chunk_malloc_max(r->png, TEXT_MAX);
    png_set_chunk_cache_max(r->png, MAX_TEXTS);
    png_read_info(r->png, r->info);
    if (check_header(r) || (want_pixels && read_pixels(r)))
        return r->e->code;
    if (!want_pixels)
        skip_pixels(r);
    if (want_meta) {
        png_read_end(r->png, r->info);
        take_texts(r);
    }
    return 0;
}

static int decode(const unsigned char *bytes, size_t n, struct image *im, struct image_meta *meta,
                  struct err *e)
{
    struct reader r = {.bytes = bytes, .n = n, .e = e};
    int rc = check_chunks(bytes, n, e);

    if (rc)
        return rc;
    r.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, e, failed, warned);
    r.info = r.png ? png_create_info_struct(r.png) : NULL;
    rc = r.info ? read_all(&r, im, meta) : ERR(e, ERR_NOMEM, "no memory to read a png");
    png_destroy_read_struct(&r.png, &r.info, NULL);
    free(r.rows);
    if (rc) {
        image_release(&r.im);
        image_meta_release(&r.meta);
        return rc;
    }
    if (im)
        *im = r.im;
    if (meta)
        *meta = r.meta;
    return 0;
}

static void append(png_structp png, png_bytep data, size_t n)
{
    struct writer *w = png_get_io_ptr(png);

    if (buf_add(w->out, data, n))
        png_error(png, "the file grows beyond its limit");
}

static void flush(png_structp png)
{
    (void)png;
}

static void add_text(struct writer *w, const char *key, const char *value, bool latin1)
{
    png_text text = {.compression = latin1 ? PNG_TEXT_COMPRESSION_NONE : PNG_ITXT_COMPRESSION_NONE,
                     .key = (char *)(uintptr_t)key,
                     .text = (char *)(uintptr_t)value,
                     .lang = (char *)(uintptr_t)"",
                     .lang_key = (char *)(uintptr_t)""};

    if (latin1)
        text.text_length = strlen(value);
    else
        text.itxt_length = strlen(value);
    png_set_text(w->png, w->info, &text, 1);
}

static int write_all(struct writer *w, const struct image_meta *meta)
{
    static const int types[] = {
        [1] = PNG_COLOR_TYPE_GRAY, [3] = PNG_COLOR_TYPE_RGB, [4] = PNG_COLOR_TYPE_RGB_ALPHA};
    const struct image *im = w->im;

    if (setjmp(png_jmpbuf(w->png)))
        return w->e->code;
    png_set_write_fn(w->png, w, append, flush);
    png_set_IHDR(w->png, w->info, (png_uint_32)im->width, (png_uint_32)im->height, 8,
                 types[im->channels], PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_set_compression_level(w->png, 6);
    if (meta->parameters) {
        bool latin1 = text_to_latin1(&w->latin1, meta->parameters) == 0;
        add_text(w, PARAMETERS, latin1 && w->latin1.p ? w->latin1.p : meta->parameters, latin1);
    }
    if (meta->recipe)
        add_text(w, RECIPE, meta->recipe, false);
    png_write_info(w->png, w->info);
    for (int y = 0; y < im->height; y++)
        png_write_row(w->png, im->pixels + (size_t)y * (size_t)im->width * (size_t)im->channels);
    png_write_end(w->png, w->info);
    return 0;
}

static int encode(const struct image *im, struct image_encoding how, const struct image_meta *meta,
                  struct buf *out, struct err *e)
{
    struct writer w = {.im = im, .out = out, .e = e};
    int rc;
    (void)how;

    buf_init(&w.latin1, TEXT_MAX);
    w.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, e, failed, warned);
    w.info = w.png ? png_create_info_struct(w.png) : NULL;
    rc = w.info ? write_all(&w, meta) : ERR(e, ERR_NOMEM, "no memory to write a png");
    png_destroy_write_struct(&w.png, &w.info);
    buf_release(&w.latin1);
    return rc;
}

const struct codec codec_png = {IMAGE_PNG, "png", {".png"}, recognises, decode, encode};
