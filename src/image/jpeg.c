/*
 * jpeg.c: JPEG by libjpeg-turbo. `parameters` lie in EXIF's UserComment as A1111's web UI writes
 * them, our recipe in XMP.
 */
#include "image/codec.h"
#include "image/exif.h"
#include "image/text.h"
#include "image/xmp.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

/* More scans than any encoder makes are an attack on time. */
enum { MARKER_MAX = 65533, MAX_SCANS = 200 };
#define EXIF_HEAD "Exif\0"
#define XMP_HEAD  "http://ns.adobe.com/xap/1.0/"

struct trap {
    struct jpeg_error_mgr manager; /* first: libjpeg hands it back */
    jmp_buf out;
    struct err *e;
};

static bool recognises(const unsigned char *bytes, size_t n)
{
    return n >= 3 && !memcmp(bytes, "\xff\xd8\xff", 3);
}

static void fail(j_common_ptr c)
{
    struct trap *trap = (struct trap *)c->err;
    char message[JMSG_LENGTH_MAX];

    c->err->format_message(c, message);
    if (message[0] >= 'A' && message[0] <= 'Z')
        message[0] = (char)(message[0] + 'a' - 'A');
    ERR(trap->e, ERR_FORMAT, "jpeg: %s", message);
    longjmp(trap->out, 1);
}

/* Warnings that mean missing pixels are errors; harmless ones, such as bytes between markers, are
 * not. */
static void warn(j_common_ptr c, int level)
{
    int code = c->err->msg_code;

    if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER))
        fail(c);
}

static void count_scans(j_common_ptr c)
{
    struct trap *trap = (struct trap *)c->err;

    if (c->is_decompressor && ((j_decompress_ptr)c)->input_scan_number > MAX_SCANS) {
        ERR(trap->e, ERR_FORMAT, "jpeg: more than %d scans", MAX_SCANS);
        longjmp(trap->out, 1);
    }
}

static void trap_init(struct trap *trap, struct err *e)
{
    jpeg_std_error(&trap->manager);
    trap->manager.error_exit = fail;
    trap->manager.emit_message = warn;
    trap->e = e;
}

struct reader {
    struct jpeg_decompress_struct c;
    struct jpeg_progress_mgr progress;
    struct trap trap;
    struct image im;
    unsigned char *row; /* of CMYK */
    struct exif exif;
    char *recipe;
};

static void take_markers(struct reader *r)
{
    for (jpeg_saved_marker_ptr m = r->c.marker_list; m; m = m->next) {
        if (m->data_length >= 6 && !memcmp(m->data, EXIF_HEAD, 6) && !r->exif.orientation)
            exif_read(m->data, m->data_length, &r->exif);
        else if (m->data_length >= sizeof XMP_HEAD && !memcmp(m->data, XMP_HEAD, sizeof XMP_HEAD) &&
                 !r->recipe)
            r->recipe = xmp_read(m->data, m->data_length);
    }
}

/* Adobe's files hold 255 - ink; others hold ink. The formula is PIL's. */
static void cmyk_to_rgb(const struct reader *r, unsigned char *out)
{
    const unsigned char *in = r->row;
    int flip = r->c.saw_Adobe_marker ? 255 : 0;

    for (int x = 0; x < r->im.width; x++, in += 4, out += 3) {
        int light = 255 - (in[3] ^ flip);
        for (int c = 0; c < 3; c++) {
            int ink = (in[c] ^ flip) * light + 128;
            int value = light - ((ink + (ink >> 8)) >> 8);
            out[c] = (unsigned char)(value < 0 ? 0 : value);
        }
    }
}

static int read_pixels(struct reader *r, struct err *e)
{
    struct jpeg_decompress_struct *c = &r->c;
    bool grey = c->jpeg_color_space == JCS_GRAYSCALE;
    bool cmyk = c->jpeg_color_space == JCS_CMYK || c->jpeg_color_space == JCS_YCCK;

    c->out_color_space = grey ? JCS_GRAYSCALE : cmyk ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(c);
    if (image_new((int)c->output_width, (int)c->output_height, grey ? 1 : 3, &r->im, e))
        return e->code;
    r->row = cmyk ? malloc((size_t)c->output_width * 4) : NULL;
    if (cmyk && !r->row)
        return ERR(e, ERR_NOMEM, "no memory for a row of a jpeg");
    while (c->output_scanline < c->output_height) {
        unsigned char *to = r->im.pixels +
                            (size_t)c->output_scanline * c->output_width * (size_t)r->im.channels;
        unsigned char *row = cmyk ? r->row : to;
        jpeg_read_scanlines(c, &row, 1);
        if (cmyk)
            cmyk_to_rgb(r, to);
    }
    return 0;
}

static int read_all(struct reader *r, const unsigned char *bytes, size_t n, bool want_pixels,
                    struct err *e)
{
    if (setjmp(r->trap.out))
        return e->code;
    jpeg_create_decompress(&r->c);
    r->progress.progress_monitor = count_scans;
    r->c.progress = &r->progress;
    jpeg_mem_src(&r->c, bytes, n);
    jpeg_save_markers(&r->c, JPEG_APP0 + 1, 0xffff);
    jpeg_read_header(&r->c, TRUE);
    if (codec_check_size("jpeg", r->c.image_width, r->c.image_height, e))
        return e->code;
    take_markers(r);
    return want_pixels ? read_pixels(r, e) : 0;
}

/* Turn by an EXIF orientation (2 mirrored, 3 upside down, 5..8 with the axes swapped). */
static int turn(const struct image *im, int orientation, struct image *out, struct err *e)
{
    bool swap = orientation >= 5;
    bool right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    bool down = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    int channels = im->channels, width = swap ? im->height : im->width;
    struct image turned;
    int rc = image_new(width, swap ? im->width : im->height, channels, &turned, e);

    if (rc)
        return rc;
    for (int y = 0; y < turned.height; y++)
        for (int x = 0; x < width; x++) {
            int from_x = swap ? y : x, from_y = swap ? x : y;
            from_x = right ? im->width - 1 - from_x : from_x;
            from_y = down ? im->height - 1 - from_y : from_y;
            memcpy(turned.pixels + ((size_t)y * (size_t)width + (size_t)x) * (size_t)channels,
                   im->pixels +
                       ((size_t)from_y * (size_t)im->width + (size_t)from_x) * (size_t)channels,
                   (size_t)channels);
        }
    *out = turned;
    return 0;
}

static int decode(const unsigned char *bytes, size_t n, struct image *im, struct image_meta *meta,
                  struct err *e)
{
    struct reader *r = calloc(1, sizeof *r);
    int rc;

    if (!r)
        return ERR(e, ERR_NOMEM, "no memory to read a jpeg");
    trap_init(&r->trap, e);
    r->c.err = &r->trap.manager;
    rc = read_all(r, bytes, n, im, e);
    jpeg_destroy_decompress(&r->c);
    if (!rc && im && r->exif.orientation > 1) {
        struct image turned;
        if (!(rc = turn(&r->im, r->exif.orientation, &turned, e))) {
            image_release(&r->im);
            r->im = turned;
        }
    }
    if (!rc && im) {
        *im = r->im;
        r->im = (struct image){0};
    }
    if (!rc && meta) {
        *meta = (struct image_meta){r->exif.comment, r->recipe};
        r->exif.comment = r->recipe = NULL;
    }
    image_release(&r->im);
    free(r->row);
    free(r->exif.comment);
    free(r->recipe);
    free(r);
    return rc;
}

struct writer {
    struct jpeg_compress_struct c;
    struct trap trap;
    unsigned char *bytes;
    unsigned long n;
    struct image rgb; /* the picture without alpha */
    struct buf exif, xmp;
};

static int write_all(struct writer *w, const struct image *im, int quality, struct err *e)
{
    struct jpeg_compress_struct *c = &w->c;

    if (setjmp(w->trap.out))
        return e->code;
    jpeg_create_compress(c);
    jpeg_mem_dest(c, &w->bytes, &w->n);
    c->image_width = (JDIMENSION)im->width;
    c->image_height = (JDIMENSION)im->height;
    c->input_components = im->channels;
    c->in_color_space = im->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(c);
    jpeg_set_quality(c, quality, TRUE);
    c->optimize_coding = TRUE;
    c->comp_info[0].h_samp_factor = c->comp_info[0].v_samp_factor = 1; /* 4:4:4 */
    jpeg_start_compress(c, TRUE);
    if (w->exif.n)
        jpeg_write_marker(c, JPEG_APP0 + 1, (const JOCTET *)w->exif.p, (unsigned)w->exif.n);
    if (w->xmp.n)
        jpeg_write_marker(c, JPEG_APP0 + 1, (const JOCTET *)w->xmp.p, (unsigned)w->xmp.n);
    while (c->next_scanline < c->image_height) {
        JSAMPROW row = im->pixels +
                       (size_t)c->next_scanline * (size_t)im->width * (size_t)im->channels;
        jpeg_write_scanlines(c, &row, 1);
    }
    jpeg_finish_compress(c);
    return 0;
}

static int make_markers(struct writer *w, const struct image_meta *meta, struct err *e)
{
    buf_init(&w->exif, MARKER_MAX);
    buf_init(&w->xmp, MARKER_MAX);
    if (meta->parameters &&
        (buf_add(&w->exif, EXIF_HEAD, 6) || exif_write(&w->exif, meta->parameters)))
        return ERR(e, ERR_ARG, "jpeg: the parameters have %zu bytes, too many for one marker",
                   strlen(meta->parameters));
    if (meta->recipe &&
        (buf_add(&w->xmp, XMP_HEAD, sizeof XMP_HEAD) || xmp_write(&w->xmp, meta->recipe)))
        return ERR(e, ERR_ARG, "jpeg: the recipe has %zu bytes, too many for one marker",
                   strlen(meta->recipe));
    return 0;
}

static int encode(const struct image *im, struct image_encoding how, const struct image_meta *meta,
                  struct buf *out, struct err *e)
{
    struct writer *w = calloc(1, sizeof *w);
    int rc;

    if (!w)
        return ERR(e, ERR_NOMEM, "no memory to write a jpeg");
    trap_init(&w->trap, e);
    w->c.err = &w->trap.manager;
    if ((rc = make_markers(w, meta, e)) ||
        (im->channels == 4 && (rc = image_flatten(im, &w->rgb, e))))
        goto out;
    rc = write_all(w, im->channels == 4 ? &w->rgb : im, how.quality, e);
    jpeg_destroy_compress(&w->c);
    if (!rc && buf_add(out, w->bytes, w->n))
        rc = ERR(e, ERR_NOMEM, "jpeg: %lu bytes are too many", w->n);
out:
    free(w->bytes);
    image_release(&w->rgb);
    buf_release(&w->exif);
    buf_release(&w->xmp);
    free(w);
    return rc;
}

const struct codec codec_jpeg = {IMAGE_JPEG, "jpeg", {".jpg", ".jpeg"}, recognises, decode, encode};
