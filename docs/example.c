/*
 * example.c: draw one picture with the library and write it as a PPM file.
 *
 *   cc example.c -lcauldron -o example
 *   ./example models/demo "a red circle left of a blue square" out.ppm
 */
#include <cauldron.h>

#include <stdio.h>

static int show_progress(void *user, const struct cauldron_progress *p)
{
    (void)user;
    fprintf(stderr, "\rstep %d/%d%s", p->step, p->steps, p->step == p->steps ? "\n" : "");
    return 0; /* anything else cancels */
}

static int write_ppm(const char *path, const struct cauldron_picture *p)
{
    FILE *f = fopen(path, "wb");
    size_t bytes = (size_t)p->width * (size_t)p->height * 3;

    if (!f)
        return -1;
    fprintf(f, "P6\n%d %d\n255\n", p->width, p->height);
    int failed = fwrite(p->pixels, 1, bytes, f) != bytes;
    return fclose(f) != 0 || failed ? -1 : 0;
}

int main(int argc, char **argv)
{
    struct cauldron_error e;
    struct cauldron_model *model;
    struct cauldron_picture picture;
    struct cauldron_options options = cauldron_options();
    int status = 1;

    if (argc != 4) {
        fprintf(stderr, "usage: example MODEL PROMPT OUT.ppm\n");
        return 2;
    }
    if (cauldron_open(argv[1], &options, &model, &e) != 0) {
        fprintf(stderr, "%s\n", e.message);
        return 1;
    }
    struct cauldron_request request = cauldron_request(model);
    request.prompt = argv[2];
    request.seed = 7;
    request.on_progress = show_progress;
    if (cauldron_generate(model, &request, 1, &picture, &e) != 0) {
        fprintf(stderr, "%s\n", e.message);
    } else {
        status = write_ppm(argv[3], &picture) == 0 ? 0 : 1;
        cauldron_picture_free(&picture);
    }
    cauldron_close(model);
    return status;
}
