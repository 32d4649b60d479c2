/*
 * measured.c: what can be computed about a picture, said in a sentence: size, colours, brightness,
 * contrast, sharpness.
 *
 * The score is the geometric mean of three numbers from 0 to 1, so that a picture that is blank,
 * blurred or over-exposed has a low one whatever the others say:
 *   sharpness  v / (v + 100), v the variance of the Laplacian (Pech-Pacheco et al. 2000; about 100
 *              is where people begin to call a picture blurred)
 *   contrast   RMS contrast / 0.25, at most 1 (Peli 1990; a quarter is that of a picture whose
 *              luma is spread evenly over nearly the whole range)
 *   exposure   1 - (2 m - 1)^2, m the mean luma from 0 to 1
 * Rounded to three digits, so that it is the same on every machine.
 */
#include "image/quality.h"
#include "plugins/describe_inside.h"

#include <math.h>
#include <string.h>

/* The basic colour terms of English (Berlin and Kay 1969), and cyan, which screens have. */
enum colour {
    BLACK,
    WHITE,
    GREY,
    RED,
    ORANGE,
    BROWN,
    YELLOW,
    GREEN,
    CYAN,
    BLUE,
    PURPLE,
    PINK,
    COLOURS,
};
static const char *const names[COLOURS] = {"black",  "white", "grey", "red",  "orange", "brown",
                                           "yellow", "green", "cyan", "blue", "purple", "pink"};

enum { SIDE = 64, TAGS = 12, SHOWN = 3 };

struct measured {
    int width, height;
    double luma, contrast, sharpness, colourfulness;
    double shares[COLOURS]; /* of all pixels */
};

/* ==== colours ==== */

/* Degrees of hue, each sector up to the angle where most people begin to use the next word. */
static enum colour by_hue(double hue, double value, double saturation)
{
    static const struct {
        double below;
        enum colour colour;
    } sectors[] = {{15, RED},   {45, ORANGE}, {68, YELLOW},  {165, GREEN},
                   {200, CYAN}, {260, BLUE},  {300, PURPLE}, {345, PINK}};
    enum colour colour = RED;

    for (size_t i = 0; i < sizeof sectors / sizeof *sectors; i++)
        if (hue < sectors[i].below) {
            colour = sectors[i].colour;
            break;
        }
    if (colour == ORANGE && value < 0.65)
        return BROWN;
    if (colour == RED && value > 0.75 && saturation < 0.5)
        return PINK;
    return colour;
}

static enum colour colour_of(const unsigned char *p)
{
    double r = p[0] / 255.0, g = p[1] / 255.0, b = p[2] / 255.0;
    double high = fmax(r, fmax(g, b)), low = fmin(r, fmin(g, b)), range = high - low;
    double saturation = high > 0 ? range / high : 0, hue;

    if (high < 0.15)
        return BLACK;
    if (saturation < 0.15)
        return high > 0.85 ? WHITE : high < 0.25 ? BLACK : GREY;
    if (high == r)
        hue = 60 * (g - b) / range;
    else if (high == g)
        hue = 60 * (b - r) / range + 120;
    else
        hue = 60 * (r - g) / range + 240;
    return by_hue(hue < 0 ? hue + 360 : hue, high, saturation);
}

static int count_colours(const struct image *rgb, struct measured *out, struct err *e)
{
    int width = rgb->width < SIDE ? rgb->width : SIDE;
    int height = rgb->height < SIDE ? rgb->height : SIDE;
    size_t pixels = (size_t)width * (size_t)height;
    struct image small = {0};
    double luma = 0;
    int rc = image_resize(rgb, width, height, IMAGE_BOX, &small, e);

    if (rc)
        return rc;
    for (size_t i = 0; i < pixels; i++) {
        const unsigned char *p = small.pixels + 3 * i;
        out->shares[colour_of(p)] += 1 / (double)pixels;
        luma += 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2];
    }
    out->luma = luma / (double)pixels / 255;
    image_release(&small);
    return 0;
}

/* ==== words ==== */

struct words {
    struct arena *a;
    const char *tags[TAGS + 1];
    size_t count;
};

static const char *tag(struct words *w, const char *name)
{
    if (w->count < TAGS)
        w->tags[w->count++] = name;
    return name;
}

/* The colours of an eighth of the picture and more, the most frequent first. */
static const char *colour_words(struct words *w, const struct measured *m)
{
    const char *text = "";
    bool said[COLOURS] = {false};

    for (int n = 0; n < SHOWN; n++) {
        int most = -1;
        for (int c = 0; c < COLOURS; c++)
            if (!said[c] && m->shares[c] >= 0.125 && (most < 0 || m->shares[c] > m->shares[most]))
                most = c;
        if (most < 0)
            break;
        said[most] = true;
        text = arena_printf(w->a, "%s%s%s", text, n ? ", " : "", tag(w, names[most]));
    }
    return text[0] ? text : "many colours";
}

static const char *shape_of(const struct measured *m)
{
    if (m->width > m->height)
        return "landscape";
    return m->width < m->height ? "portrait" : "square";
}

static const char *describe_words(struct words *w, const struct measured *m)
{
    const char *shape = tag(w, shape_of(m));
    const char *colours = colour_words(w, m);
    const char *light = m->luma < 0.25 ? "dark" : m->luma > 0.75 ? "bright" : "evenly lit";
    const char *contrast = m->contrast < 0.1    ? "low contrast"
                           : m->contrast > 0.25 ? "high contrast"
                                                : "medium contrast";
    const char *sharp = m->sharpness < 100 ? "blurred" : m->sharpness > 1000 ? "sharp" : "soft";
    const char *colour = m->colourfulness < 5    ? "monochrome"
                         : m->colourfulness > 60 ? "colourful"
                                                 : "muted colours";

    tag(w, light);
    tag(w, contrast);
    tag(w, sharp);
    tag(w, colour);
    return arena_printf(w->a, "A %s picture of %d x %d pixels, mostly %s; %s, %s, %s, %s.", shape,
                        m->width, m->height, colours, light, contrast, sharp, colour);
}

static double score_of(const struct measured *m)
{
    double sharpness = m->sharpness / (m->sharpness + 100);
    double contrast = fmin(1, m->contrast / 0.25);
    double exposure = 1 - (2 * m->luma - 1) * (2 * m->luma - 1);

    return round(1000 * cbrt(sharpness * contrast * fmax(0, exposure))) / 1000;
}

/* ==== the backend ==== */

static int measure(const struct image *rgb, struct measured *out, struct err *e)
{
    int rc = count_colours(rgb, out, e);

    out->width = rgb->width;
    out->height = rgb->height;
    if (!rc)
        rc = quality_contrast(rgb, &out->contrast, e);
    if (!rc)
        rc = quality_colourfulness(rgb, &out->colourfulness, e);
    if (!rc && rgb->width >= 3 && rgb->height >= 3)
        rc = quality_sharpness(rgb, &out->sharpness, e);
    return rc;
}

static int describe_measured(struct describer *d, const struct picture_to_describe *p,
                             struct arena *a, struct description *out, struct err *e)
{
    struct image im = {0}, rgb = {0};
    struct measured m = {0};
    struct words *w = ARENA_NEW(a, struct words);
    int rc = image_decode(p->bytes.p, p->bytes.n, &im, NULL, e);

    (void)d;
    if (!rc)
        rc = im.channels == 1 ? image_to_rgb(&im, &rgb, e) : image_flatten(&im, &rgb, e);
    if (!rc)
        rc = measure(&rgb, &m, e);
    image_release(&im);
    image_release(&rgb);
    if (rc)
        return rc;
    w->a = a;
    *out = (struct description){
        .text = describe_words(w, &m), .tags = w->tags, .quality_score = score_of(&m)};
    return 0;
}

static int open_measured(struct describer *d, const char *place, const struct describer_options *o,
                         struct err *e)
{
    (void)o;
    if (place[0])
        return ERR(e, ERR_ARG, "'measured:' takes nothing behind it, not '%.100s'", place);
    d->identity = "measured 1";
    return 0;
}

static void close_measured(struct describer *d)
{
    (void)d;
}

const struct describer_backend describer_measured = {
    .scheme = "measured",
    .open = open_measured,
    .close = close_measured,
    .describe = describe_measured,
};
