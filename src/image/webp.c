/*
 * webp.c: WebP by libwebp; text as in JPEG, in the EXIF and XMP chunks of the container.
 */
#include "image/codec.h"
#include "image/exif.h"
#include "image/text.h"
#include "image/xmp.h"

#include <stdlib.h>
#include <string.h>

#include <webp/decode.h>
#include <webp/encode.h>
#include <webp/mux.h>

enum { LOSSLESS_EFFORT = 6 };

static bool recognises(const unsigned char *bytes, size_t n)
{
    return n >= 12 && !memcmp(bytes, "RIFF", 4) && !memcmp(bytes + 8, "WEBP", 4);
}

static void read_meta(const unsigned char *bytes, size_t n, struct image_meta *meta)
{
    WebPData file = {bytes, n}, chunk;
    WebPMux *mux = WebPMuxCreate(&file, 0);
    struct exif exif;

    if (!mux)
        return;
    if (WebPMuxGetChunk(mux, "EXIF", &chunk) == WEBP_MUX_OK) {
        exif_read(chunk.bytes, chunk.size, &exif);
        meta->parameters = exif.comment;
    }
    if (WebPMuxGetChunk(mux, "XMP ", &chunk) == WEBP_MUX_OK)
        meta->recipe = xmp_read(chunk.bytes, chunk.size);
    WebPMuxDelete(mux);
}

static int read_pixels(const unsigned char *bytes, size_t n, const WebPBitstreamFeatures *has,
                       struct image *im, struct err *e)
{
    struct image picture;

    if (image_new(has->width, has->height, has->has_alpha ? 4 : 3, &picture, e))
        return e->code;
    int stride = picture.width * picture.channels;
    size_t room = (size_t)stride * (size_t)picture.height;
    uint8_t *done = has->has_alpha ? WebPDecodeRGBAInto(bytes, n, picture.pixels, room, stride)
                                   : WebPDecodeRGBInto(bytes, n, picture.pixels, room, stride);
    if (!done) {
        image_release(&picture);
        return ERR(e, ERR_FORMAT, "webp: broken or cut off");
    }
    *im = picture;
    return 0;
}

static int decode(const unsigned char *bytes, size_t n, struct image *im, struct image_meta *meta,
                  struct err *e)
{
    WebPBitstreamFeatures has;

    if (WebPGetFeatures(bytes, n, &has) != VP8_STATUS_OK)
        return ERR(e, ERR_FORMAT, "webp: broken header");
    if (has.has_animation)
        return ERR(e, ERR_UNSUPPORTED, "webp: animations are not supported");
    if (codec_check_size("webp", (unsigned long)has.width, (unsigned long)has.height, e))
        return e->code;
    if (im && read_pixels(bytes, n, &has, im, e))
        return e->code;
    if (meta)
        read_meta(bytes, n, meta);
    return 0;
}

/* The bare bitstream. */
static int compress(const struct image *im, struct image_encoding how, WebPMemoryWriter *writer,
                    struct err *e)
{
    WebPConfig config;
    WebPPicture picture;
    int stride = im->width * im->channels, ok;

    if (im->width > WEBP_MAX_DIMENSION || im->height > WEBP_MAX_DIMENSION)
        return ERR(e, ERR_UNSUPPORTED, "webp: %d x %d pixels are more than %d x %d", im->width,
                   im->height, WEBP_MAX_DIMENSION, WEBP_MAX_DIMENSION);
    if (!WebPConfigInit(&config) || !WebPPictureInit(&picture) ||
        (how.lossless && !WebPConfigLosslessPreset(&config, LOSSLESS_EFFORT)))
        return ERR(e, ERR_UNSUPPORTED, "webp: another version of libwebp than it was built with");
    config.exact = how.lossless; /* colours under full transparency stay */
    if (!how.lossless)
        config.quality = (float)how.quality;
    picture.use_argb = how.lossless;
    picture.width = im->width;
    picture.height = im->height;
    picture.writer = WebPMemoryWrite;
    picture.custom_ptr = writer;
    ok = im->channels == 4 ? WebPPictureImportRGBA(&picture, im->pixels, stride)
                           : WebPPictureImportRGB(&picture, im->pixels, stride);
    ok = ok && WebPEncode(&config, &picture);
    WebPPictureFree(&picture);
    return ok ? 0
              : ERR(e, ERR_NOMEM, "webp: cannot encode (libwebp's error %d)",
                    (int)picture.error_code);
}

static int add_chunk(WebPMux *mux, const char *name, const struct buf *b)
{
    WebPData data = {(const uint8_t *)b->p, b->n};
    return WebPMuxSetChunk(mux, name, &data, 1) == WEBP_MUX_OK ? 0 : ERR_NOMEM;
}

static int add_meta(WebPMux *mux, const struct image_meta *meta)
{
    struct buf b;
    int rc = 0;

    buf_init(&b, 6 * TEXT_MAX);
    if (meta->parameters && !(rc = exif_write(&b, meta->parameters)))
        rc = add_chunk(mux, "EXIF", &b);
    buf_release(&b);
    if (!rc && meta->recipe && !(rc = xmp_write(&b, meta->recipe)))
        rc = add_chunk(mux, "XMP ", &b);
    buf_release(&b);
    return rc;
}

static int assemble(const WebPMemoryWriter *writer, const struct image_meta *meta, struct buf *out)
{
    WebPMux *mux = WebPMuxNew();
    WebPData bare = {writer->mem, writer->size}, whole = {0};
    int rc = ERR_NOMEM;

    if (mux && WebPMuxSetImage(mux, &bare, 0) == WEBP_MUX_OK && !add_meta(mux, meta) &&
        WebPMuxAssemble(mux, &whole) == WEBP_MUX_OK)
        rc = buf_add(out, whole.bytes, whole.size);
    WebPDataClear(&whole);
    WebPMuxDelete(mux);
    return rc;
}

static int encode(const struct image *im, struct image_encoding how, const struct image_meta *meta,
                  struct buf *out, struct err *e)
{
    struct image rgb = {0};
    WebPMemoryWriter writer;
    int rc = 0;

    WebPMemoryWriterInit(&writer);
    if ((im->channels == 1 && (rc = image_to_rgb(im, &rgb, e))) ||
        (rc = compress(im->channels == 1 ? &rgb : im, how, &writer, e)))
        goto out;
    rc = meta->parameters || meta->recipe ? assemble(&writer, meta, out)
                                          : buf_add(out, writer.mem, writer.size);
    if (rc)
        rc = ERR(e, ERR_NOMEM, "webp: no memory for the file");
out:
    WebPMemoryWriterClear(&writer);
    image_release(&rgb);
    return rc;
}

const struct codec codec_webp = {IMAGE_WEBP, "webp", {".webp"}, recognises, decode, encode};
