#include "api/pictures.h"

#include "storage/blob.h"
#include "storage/generations.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A stored file may be as large as the largest picture without compression. */
#define FILE_MAX ((size_t)IMAGE_MAX_PIXELS * 4 + (1 << 20))

static const struct format {
    enum image_format format;
    const char *name, *type, *extension;
} formats[] = {
    {IMAGE_PNG, "png", "image/png", "png"},
    {IMAGE_JPEG, "jpeg", "image/jpeg", "jpg"},
    {IMAGE_WEBP, "webp", "image/webp", "webp"},
};
enum { FORMATS = sizeof formats / sizeof *formats };

static const struct format *find_format(enum image_format format)
{
    for (int i = 0; i < FORMATS; i++)
        if (formats[i].format == format)
            return &formats[i];
    return &formats[0];
}

const char *picture_type(enum image_format format)
{
    return find_format(format)->type;
}

bool picture_format_by_name(const char *name, enum image_format *format)
{
    for (int i = 0; name && i < FORMATS; i++)
        if (strcmp(formats[i].name, name) == 0) {
            *format = formats[i].format;
            return true;
        }
    return false;
}

static bool is_stored(const struct picture_form *form)
{
    return form->format == IMAGE_UNKNOWN && !form->width && !form->longest;
}

void picture_name(const char *sha256, const struct picture_form *form, char out[PICTURE_NAME])
{
    char width[16] = "", longest[16] = "", quality[16] = "";

    if (is_stored(form)) {
        snprintf(out, PICTURE_NAME, "%.64s", sha256);
        return;
    }
    if (form->width)
        snprintf(width, sizeof width, "-w%d", form->width);
    if (form->longest)
        snprintf(longest, sizeof longest, "-t%d", form->longest);
    if (form->format != IMAGE_PNG)
        snprintf(quality, sizeof quality, "-q%d", form->quality);
    snprintf(out, PICTURE_NAME, "%.64s%s%s%s.%s", sha256, width, longest, quality,
             find_format(form->format)->name);
}

/* Whether the cache may keep it: a bounded number of forms of each picture. */
static bool is_usual(const struct picture_form *form)
{
    static const int widths[] = {0, 128, 256, 512, 768, 1024, 1536, 2048};

    if (form->longest)
        return true; /* thumbnails: the caller has three sizes */
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        if (form->width == widths[i])
            return form->quality == PICTURE_QUALITY || form->format == IMAGE_PNG;
    return false;
}

static int scaled(int side, int from, int to)
{
    int n = (int)(((int64_t)side * to + from / 2) / from);

    return n < 1 ? 1 : n > IMAGE_MAX_SIDE ? IMAGE_MAX_SIDE : n;
}

/* Scale `im` in place. */
static int scale(struct image *im, const struct picture_form *form, struct err *e)
{
    int longer = im->width > im->height ? im->width : im->height;
    int width = form->width ? form->width : im->width, height;
    struct image out;
    int rc;

    if (form->longest && longer > form->longest)
        width = scaled(im->width, longer, form->longest);
    height = scaled(im->height, im->width, width);
    if (form->longest && longer > form->longest && im->height == longer)
        height = form->longest;
    if (width == im->width)
        return 0;
    if ((rc = image_resize(im, width, height, IMAGE_LANCZOS, &out, e)))
        return rc;
    image_release(im);
    *im = out;
    return 0;
}

static int read_stored(struct app *app, const char *sha256, struct arena *a, struct str *out,
                       struct err *e)
{
    int rc = blob_get(app->blobs, sha256, FILE_MAX, a, out, e);

    if (rc == ERR_NOT_FOUND)
        return ERR(e, ERR_IO, "the file of picture %.64s is missing", sha256);
    return rc;
}

static int convert(struct str bytes, const struct picture_form *form, struct buf *out,
                   struct err *e)
{
    struct image im = {0};
    struct image_meta meta = {0};
    struct image_encoding how = {.format = form->format, .quality = form->quality};
    int rc;

    if (how.format == IMAGE_UNKNOWN)
        how.format = image_format_of_bytes(bytes.p, bytes.n);
    if (image_decode(bytes.p, bytes.n, &im, &meta, e))
        return ERR(e, ERR_IO, "a stored picture cannot be read: %s", e->message);
    if ((rc = scale(&im, form, e)))
        goto out;
    rc = image_encode(&im, how, form->longest ? NULL : &meta, out, e);
out:
    image_meta_release(&meta);
    image_release(&im);
    return rc;
}

int picture_bytes_of(struct app *app, const char *sha256, const struct picture_form *form,
                     struct buf *out, struct err *e)
{
    struct arena a = {0};
    struct str bytes;
    int rc;

    buf_init(out, FILE_MAX);
    if ((rc = read_stored(app, sha256, &a, &bytes, e)))
        goto out;
    if (is_stored(form))
        rc = buf_add(out, bytes.p, bytes.n) ? ERR(e, ERR_NOMEM, "no memory for a picture") : 0;
    else
        rc = convert(bytes, form, out, e);
out:
    arena_release(&a);
    if (rc)
        buf_release(out);
    return rc;
}

static int in_memory(const struct buf *b, int *out, struct err *e)
{
    int fd = memfd_create("picture", MFD_CLOEXEC);

    if (fd < 0)
        return ERR(e, ERR_IO, "no memory file for a picture: %m");
    for (size_t done = 0; done < b->n;) {
        ssize_t n = write(fd, b->p + done, b->n - done);
        if (n <= 0) {
            close(fd);
            return ERR(e, ERR_IO, "cannot write a memory file: %m");
        }
        done += (size_t)n;
    }
    lseek(fd, 0, SEEK_SET);
    *out = fd;
    return 0;
}

int picture_open(struct app *app, const char *sha256, const struct picture_form *form, int *fd,
                 struct err *e)
{
    char name[PICTURE_NAME];
    struct buf made;
    int64_t size;
    int rc;

    if (is_stored(form)) {
        rc = blob_open(app->blobs, sha256, fd, &size, e);
        return rc == ERR_NOT_FOUND ? ERR(e, ERR_IO, "the file of picture %.64s is missing", sha256)
                                   : rc;
    }
    picture_name(sha256, form, name);
    if (is_usual(form) && cache_open(app->blobs, name, fd, &size, e) == 0)
        return 0;
    if ((rc = picture_bytes_of(app, sha256, form, &made, e)))
        return rc;
    /* A full disk must not keep anybody from seeing a picture. */
    if (!is_usual(form) || cache_put(app->blobs, name, made.p, made.n, e) ||
        cache_open(app->blobs, name, fd, &size, e))
        rc = in_memory(&made, fd, e);
    buf_release(&made);
    return rc;
}

json_t *bytes_base64(struct str bytes)
{
    size_t room = sodium_base64_ENCODED_LEN(bytes.n, sodium_base64_VARIANT_ORIGINAL);
    char *text = malloc(room);

    if (!text)
        return NULL;
    sodium_bin2base64(text, room, (const unsigned char *)bytes.p, bytes.n,
                      sodium_base64_VARIANT_ORIGINAL);
    json_t *string = json_stringn_nocheck(text, room - 1);
    free(text);
    return string;
}

json_t *picture_base64(struct app *app, const char *sha256, const struct picture_form *form,
                       struct err *e)
{
    struct buf bytes;

    if (picture_bytes_of(app, sha256, form, &bytes, e))
        return NULL;
    json_t *text = bytes_base64((struct str){bytes.p, bytes.n});
    buf_release(&bytes);
    if (!text)
        ERR(e, ERR_NOMEM, "no memory for a picture as text");
    return text;
}

void picture_file_name(const struct generation *g, enum image_format format, char *out, size_t n)
{
    char words[48];
    size_t used = 0;

    for (const char *p = g->prompt ? g->prompt : ""; *p && used + 1 < sizeof words; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                     (*p >= '0' && *p <= '9');
        if (plain)
            words[used++] = *p;
        else if (used && words[used - 1] != '-')
            words[used++] = '-';
    }
    while (used && words[used - 1] == '-')
        used--;
    snprintf(out, n, "%.*s-%llu.%s", used ? (int)used : 8, used ? words : "cauldron",
             (unsigned long long)g->seed, find_format(format)->extension);
}
