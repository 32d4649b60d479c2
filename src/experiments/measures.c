#include "experiments/measures.h"

#include "base/json.h"
#include "image/quality.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const struct measure_info measure_infos[MEASURE_COUNT] = {
    [MEASURE_SSIM] = {"ssim", "SSIM to the reference", "", 1, 4},
    [MEASURE_MS_SSIM] = {"ms_ssim", "MS-SSIM to the reference", "", 1, 4},
    [MEASURE_PSNR] = {"psnr", "PSNR to the reference", "dB", 1, 2},
    [MEASURE_SSIM_NEIGHBOUR] = {"ssim_neighbour", "SSIM to the value before", "", 1, 4},
    [MEASURE_PSNR_NEIGHBOUR] = {"psnr_neighbour", "PSNR to the value before", "dB", 1, 2},
    [MEASURE_SHARPNESS] = {"sharpness", "Sharpness", "", 0, 1},
    [MEASURE_CONTRAST] = {"contrast", "Contrast", "", 0, 4},
    [MEASURE_COLOURFULNESS] = {"colourfulness", "Colourfulness", "", 0, 2},
    [MEASURE_SECONDS] = {"seconds", "Time", "s", -1, 2},
    [MEASURE_STEPS_PER_SECOND] = {"steps_per_second", "Speed", "steps/s", 1, 2},
    [MEASURE_MEMORY] = {"memory", "Memory", "bytes", -1, 0},
};

enum measure measure_by_name(const char *name)
{
    for (int i = 0; i < MEASURE_COUNT; i++)
        if (strcmp(measure_infos[i].name, name) == 0)
            return (enum measure)i;
    return MEASURE_COUNT;
}

struct results *results_new(size_t count)
{
    struct results *r = calloc(1, sizeof *r);

    if (!r || !(r->at = calloc(count ? count : 1, sizeof *r->at)))
        abort();
    r->count = count;
    for (size_t i = 0; i < count; i++)
        for (int m = 0; m < MEASURE_COUNT; m++)
            r->at[i].values[m] = NAN;
    return r;
}

void results_free(struct results *r)
{
    if (!r)
        return;
    arena_release(&r->arena);
    free(r->at);
    free(r);
}

/* The cell on the same line of the reference's axis, at another point. */
static size_t moved(const struct plan *p, size_t cell, size_t point)
{
    size_t stride = p->spec->seed_count;

    for (size_t i = p->spec->axis_count - 1; i > p->spec->reference_axis; i--)
        stride *= p->spec->axes[i].point_count;
    return cell + (point - plan_point(p, cell, p->spec->reference_axis)) * stride;
}

size_t measure_reference(const struct plan *p, size_t cell)
{
    return p->spec->reference_axis == SIZE_MAX ? SIZE_MAX
                                               : moved(p, cell, p->spec->reference_point);
}

/* The point before this one: by value on an axis of numbers, else as listed. */
static size_t point_before(const struct spec_axis *axis, size_t point)
{
    size_t best = SIZE_MAX;

    if (!axis->numeric)
        return point ? point - 1 : SIZE_MAX;
    double here = json_number_value(axis->points[point].values[0]), value = -INFINITY;
    for (size_t i = 0; i < axis->point_count; i++) {
        double x = json_number_value(axis->points[i].values[0]);
        if (x < here && x > value) {
            value = x;
            best = i;
        }
    }
    return best;
}

size_t measure_neighbour(const struct plan *p, size_t cell)
{
    if (p->spec->reference_axis == SIZE_MAX)
        return SIZE_MAX;
    size_t before = point_before(&p->spec->axes[p->spec->reference_axis],
                                 plan_point(p, cell, p->spec->reference_axis));
    return before == SIZE_MAX ? SIZE_MAX : moved(p, cell, before);
}

static bool comparable(const struct image *a, const struct image *b, int side)
{
    return b && b->pixels && a->width == b->width && a->height == b->height &&
           a->channels == b->channels && a->width >= side && a->height >= side;
}

int measure_picture(const struct image *im, const struct image *reference,
                    const struct image *neighbour, double values[MEASURE_COUNT], struct err *e)
{
    double v[MEASURE_COUNT];
    int rc = 0;

    memcpy(v, values, sizeof v);
    if (comparable(im, reference, 1))
        rc = quality_psnr(im, reference, &v[MEASURE_PSNR], e);
    if (rc == 0 && comparable(im, reference, 11))
        rc = quality_ssim(im, reference, &v[MEASURE_SSIM], e);
    if (rc == 0 && comparable(im, reference, 176))
        rc = quality_ms_ssim(im, reference, &v[MEASURE_MS_SSIM], e);
    if (rc == 0 && comparable(im, neighbour, 1))
        rc = quality_psnr(im, neighbour, &v[MEASURE_PSNR_NEIGHBOUR], e);
    if (rc == 0 && comparable(im, neighbour, 11))
        rc = quality_ssim(im, neighbour, &v[MEASURE_SSIM_NEIGHBOUR], e);
    if (rc == 0 && im->width >= 3 && im->height >= 3)
        rc = quality_sharpness(im, &v[MEASURE_SHARPNESS], e);
    if (rc == 0)
        rc = quality_contrast(im, &v[MEASURE_CONTRAST], e);
    if (rc == 0)
        rc = quality_colourfulness(im, &v[MEASURE_COLOURFULNESS], e);
    if (rc == 0)
        memcpy(values, v, sizeof v);
    return rc;
}

/* One decoded picture and whose it is. */
struct held {
    size_t cell; /* SIZE_MAX: none */
    struct image im;
};
struct measuring {
    const struct plan *plan;
    const struct measure_loader *loader;
    bool *known;
    bool over; /* the loader has had enough */
    struct results *results;
    struct held reference, neighbour, current;
};

static void drop(struct held *h)
{
    image_release(&h->im);
    *h = (struct held){.cell = SIZE_MAX};
}

/* Make `h` hold that cell's picture, or nothing when there is none. */
static int hold(struct measuring *m, struct held *h, size_t cell, struct err *e)
{
    if (h->cell == cell)
        return 0;
    drop(h);
    if (cell == SIZE_MAX || m->results->at[cell].state != RESULT_DONE)
        return 0;
    int rc = m->loader->load(m->loader->user, cell, &h->im, e);
    if (rc == ERR_NOT_FOUND)
        return 0;
    if (rc == 0)
        h->cell = cell;
    return rc;
}

static const struct image *shown(const struct held *h)
{
    return h->cell == SIZE_MAX ? NULL : &h->im;
}

/* Cells that are one picture are not compared with themselves. */
static size_t other(const struct plan *p, size_t cell, size_t candidate)
{
    return candidate != SIZE_MAX && p->cells[candidate].twin == p->cells[cell].twin ? SIZE_MAX
                                                                                    : candidate;
}

static int measure_cell(struct measuring *m, size_t cell, struct err *e)
{
    struct result *r = &m->results->at[cell];
    double seconds = r->values[MEASURE_SECONDS];

    if (isnan(r->values[MEASURE_STEPS_PER_SECOND]) && seconds > 0 && m->plan->cells[cell].steps)
        r->values[MEASURE_STEPS_PER_SECOND] = m->plan->cells[cell].steps / seconds;
    if (m->known && m->known[cell])
        return 0;
    /* The picture before this one in the walk is its neighbour, most often. */
    size_t reference = other(m->plan, cell, measure_reference(m->plan, cell)),
           neighbour = other(m->plan, cell, measure_neighbour(m->plan, cell));
    if (m->current.cell != SIZE_MAX && m->current.cell == neighbour) {
        struct held former = m->neighbour;
        m->neighbour = m->current;
        m->current = former;
    }
    if ((reference != SIZE_MAX && hold(m, &m->reference, reference, e)) ||
        hold(m, &m->neighbour, neighbour, e) || hold(m, &m->current, cell, e))
        return e->code;
    if (m->current.cell == SIZE_MAX)
        return 0;
    int rc = measure_picture(&m->current.im, reference == SIZE_MAX ? NULL : shown(&m->reference),
                             shown(&m->neighbour), r->values, e);
    if (rc == 0 && m->known)
        m->known[cell] = true;
    m->over = m->loader->enough && m->loader->enough(m->loader->user);
    return rc;
}

/* All points of the reference's axis, ascending where they are numbers. */
static int measure_line(struct measuring *m, size_t first, const size_t *sequence, size_t n,
                        struct err *e)
{
    for (size_t i = 0; i < n && !m->over; i++) {
        size_t cell = moved(m->plan, first, sequence[i]);
        if (m->results->at[cell].state == RESULT_DONE && measure_cell(m, cell, e))
            return e->code;
    }
    return 0;
}

/* From each point to the one after it. */
static void sequence_of(const struct spec_axis *axis, size_t *out)
{
    for (size_t i = 0; i < axis->point_count; i++) {
        size_t at = i;
        double x = axis->numeric ? json_number_value(axis->points[i].values[0]) : 0;
        for (; at && axis->numeric && json_number_value(axis->points[out[at - 1]].values[0]) > x;
             at--)
            out[at] = out[at - 1];
        out[at] = i;
    }
}

int measures_run(const struct plan *p, const struct measure_loader *loader, bool *known,
                 struct results *results, struct err *e)
{
    struct measuring m = {.plan = p, .loader = loader, .known = known, .results = results};
    size_t axis = p->spec->reference_axis;
    struct arena a = {0};
    int rc = 0;

    if (results->count != p->count)
        return ERR(e, ERR_ARG, "%zu results for a plan of %zu cells", results->count, p->count);
    m.reference.cell = m.neighbour.cell = m.current.cell = SIZE_MAX;
    if (axis == SIZE_MAX) {
        for (size_t i = 0; i < p->count && rc == 0 && !m.over; i++)
            if (results->at[i].state == RESULT_DONE)
                rc = measure_cell(&m, i, e);
    } else {
        size_t n = p->spec->axes[axis].point_count;
        size_t *sequence = arena_alloc(&a, n * sizeof *sequence);
        sequence_of(&p->spec->axes[axis], sequence);
        for (size_t i = 0; i < p->count && rc == 0 && !m.over; i++)
            if (plan_point(p, i, axis) == 0)
                rc = measure_line(&m, i, sequence, n, e);
    }
    drop(&m.reference);
    drop(&m.neighbour);
    drop(&m.current);
    arena_release(&a);
    return rc;
}

json_t *measures_to_json(const double values[MEASURE_COUNT])
{
    json_t *out = json_object();

    for (int i = 0; i < MEASURE_COUNT; i++)
        if (isfinite(values[i]))
            json_object_set_new(out, measure_infos[i].name, json_real(values[i]));
        else if (!isnan(values[i]))
            json_object_set_new(out, measure_infos[i].name, json_string("infinity"));
    return out;
}

void measures_from_json(const json_t *object, double values[MEASURE_COUNT])
{
    for (int i = 0; i < MEASURE_COUNT; i++) {
        const json_t *v = json_object_get(object, measure_infos[i].name);
        if (json_is_number(v))
            values[i] = json_number_value(v);
        else if (json_is_string(v) && strcmp(json_string_value(v), "infinity") == 0)
            values[i] = INFINITY;
    }
}
