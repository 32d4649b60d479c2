#include "image/image.h"

#include "base/arena.h"
#include "base/file.h"
#include "image/codec.h"
#include "image/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A file of this size holds the largest picture that is accepted, even when nothing compresses. */
#define MAX_FILE ((size_t)IMAGE_MAX_PIXELS * 4 + (1 << 20))

static const struct codec *const codecs[] = {&codec_png, &codec_jpeg, &codec_webp};
enum { CODECS = sizeof codecs / sizeof codecs[0] };

int codec_check_size(const char *name, unsigned long width, unsigned long height, struct err *e)
{
    if (!width || !height)
        return ERR(e, ERR_FORMAT, "%s: the picture has no pixels", name);
    if (width > IMAGE_MAX_SIDE || height > IMAGE_MAX_SIDE || width * height > IMAGE_MAX_PIXELS)
        return ERR(e, ERR_UNSUPPORTED, "%s: %lu x %lu pixels are more than the %d x %d supported",
                   name, width, height, IMAGE_MAX_SIDE, IMAGE_MAX_SIDE);
    return 0;
}

int image_new(int width, int height, int channels, struct image *out, struct err *e)
{
    if (width < 1 || height < 1 || width > IMAGE_MAX_SIDE || height > IMAGE_MAX_SIDE)
        return ERR(e, ERR_ARG, "no picture has %d x %d pixels: both must be in 1..%d", width,
                   height, IMAGE_MAX_SIDE);
    if (channels != 1 && channels != 3 && channels != 4)
        return ERR(e, ERR_ARG, "a picture has 1, 3 or 4 channels, not %d", channels);
    unsigned char *pixels = calloc((size_t)width * (size_t)height, (size_t)channels);
    if (!pixels)
        return ERR(e, ERR_NOMEM, "no memory for a picture of %d x %d pixels", width, height);
    *out = (struct image){width, height, channels, pixels};
    return 0;
}

void image_release(struct image *im)
{
    free(im->pixels);
    *im = (struct image){0};
}

void image_meta_release(struct image_meta *meta)
{
    free(meta->parameters);
    free(meta->recipe);
    *meta = (struct image_meta){0};
}

enum image_format image_format_of_path(const char *path)
{
    const char *dot = strrchr(path, '.');

    for (size_t i = 0; dot && i < CODECS; i++)
        for (size_t k = 0; codecs[i]->extensions[k]; k++)
            if (!strcasecmp(dot, codecs[i]->extensions[k]))
                return codecs[i]->format;
    return IMAGE_UNKNOWN;
}

static const struct codec *codec_of_bytes(const void *bytes, size_t n)
{
    for (size_t i = 0; i < CODECS; i++)
        if (codecs[i]->recognises(bytes, n))
            return codecs[i];
    return NULL;
}

static const struct codec *codec_of_format(enum image_format format)
{
    for (size_t i = 0; i < CODECS; i++)
        if (codecs[i]->format == format)
            return codecs[i];
    return NULL;
}

enum image_format image_format_of_bytes(const void *bytes, size_t n)
{
    const struct codec *codec = codec_of_bytes(bytes, n);
    return codec ? codec->format : IMAGE_UNKNOWN;
}

struct image_encoding image_encoding_default(enum image_format format)
{
    return (struct image_encoding){format, 95, format == IMAGE_WEBP};
}

static int decode(const void *bytes, size_t n, struct image *im, struct image_meta *meta,
                  struct err *e)
{
    const struct codec *codec = codec_of_bytes(bytes, n);
    struct image picture = {0};
    struct image_meta text = {0};

    if (!codec)
        return ERR(e, ERR_UNSUPPORTED, "not a PNG, JPEG or WebP picture");
    int rc = codec->decode(bytes, n, im ? &picture : NULL, meta ? &text : NULL, e);
    if (rc)
        return rc;
    if (im)
        *im = picture;
    if (meta)
        *meta = text;
    return 0;
}

int image_decode(const void *bytes, size_t n, struct image *out, struct image_meta *meta,
                 struct err *e)
{
    return decode(bytes, n, out, meta, e);
}

static int read_file(const char *path, struct image *im, struct image_meta *meta, struct err *e)
{
    struct arena a = {0};
    struct str bytes;
    int rc;

    if ((rc = file_read(&a, path, MAX_FILE, &bytes, e)))
        goto out;
    if ((rc = decode(bytes.p, bytes.n, im, meta, e)))
        err_prefix(e, "cannot read '%s'", path);
out:
    arena_release(&a);
    return rc;
}

int image_read(const char *path, struct image *out, struct image_meta *meta, struct err *e)
{
    return read_file(path, out, meta, e);
}

int image_read_meta(const char *path, struct image_meta *out, struct err *e)
{
    return read_file(path, NULL, out, e);
}

static int check_text(const char *text, const char *name, struct err *e)
{
    size_t n = text ? strlen(text) : 0;

    if (n > TEXT_MAX)
        return ERR(e, ERR_ARG, "the %s to write into the picture have %zu bytes, more than %d",
                   name, n, TEXT_MAX);
    if (!text_is_utf8(text, n))
        return ERR(e, ERR_ARG, "the %s to write into the picture are not UTF-8", name);
    return 0;
}

int image_encode(const struct image *im, struct image_encoding how, const struct image_meta *meta,
                 struct buf *out, struct err *e)
{
    const struct codec *codec = codec_of_format(how.format);
    static const struct image_meta none;

    if (!codec)
        return ERR(e, ERR_ARG, "no format to write the picture in");
    if (how.quality < 1 || how.quality > 100)
        return ERR(e, ERR_ARG, "quality %d is not in 1..100", how.quality);
    meta = meta ? meta : &none;
    int rc = check_text(meta->parameters, "parameters", e);
    if (rc || (rc = check_text(meta->recipe, "recipe's letters", e)))
        return rc;
    size_t before = out->n;
    if ((rc = codec->encode(im, how, meta, out, e)) && out->p) {
        out->n = before;
        out->p[before] = 0;
    }
    return rc;
}

int image_write(const char *path, const struct image *im, const struct image_encoding *how,
                const struct image_meta *meta, struct err *e)
{
    enum image_format format = image_format_of_path(path);
    struct image_encoding encoding = how ? *how : image_encoding_default(format);
    struct buf bytes;
    int rc;

    if (format == IMAGE_UNKNOWN && !how)
        return ERR(e, ERR_ARG, "cannot write '%s': the name must end in .png, .jpg, .jpeg or .webp",
                   path);
    buf_init(&bytes, MAX_FILE);
    if ((rc = image_encode(im, encoding, meta, &bytes, e)))
        err_prefix(e, "cannot write '%s'", path);
    else
        rc = file_write(path, bytes.p, bytes.n, e);
    buf_release(&bytes);
    return rc;
}
