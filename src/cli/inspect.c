/* inspect.c: `cauldron inspect`: the recipe that a picture carries. */
#include "cli/commands.h"
#include "cli/options.h"
#include "image/image.h"
#include "recipe/recipe.h"

#include <stdio.h>

struct want {
    bool json;
};

static const struct opt table[] = {
    {.name = "json",
     .type = OPT_FLAG,
     OPT_INTO(struct want, json),
     .help = "print the recipe's JSON instead of the text"},
    {0},
};

static const struct opt_spec spec = {
    .command = "inspect",
    .usage = "[options] FILE...",
    .summary = "Print how a PNG, JPEG or WebP picture was drawn.",
    .table = table,
    .min_rest = 1,
    .max_rest = -1,
    .rest = "a picture",
};

static int inspect(const char *path, bool json, struct err *e)
{
    struct image_meta meta = {0};
    int rc = image_read_meta(path, &meta, e);

    if (rc)
        return rc;
    if (!meta.recipe && !meta.parameters)
        rc = ERR(e, ERR_NOT_FOUND, "'%s' does not say how it was drawn", path);
    else if (json && !meta.recipe)
        rc = ERR(e, ERR_NOT_FOUND, "'%s' carries no recipe of this program, only a text", path);
    else
        puts(json || !meta.parameters ? meta.recipe : meta.parameters);
    image_meta_release(&meta);
    return rc;
}

static int run(int argc, char **argv)
{
    struct want want = {0};
    struct options o;
    struct err e = {0};
    int status = options_parse(&spec, argc, argv, &want, &o);

    if (status >= 0)
        return status;
    status = EXIT_DONE;
    for (int i = 0; i < o.rest_count; i++)
        if (inspect(o.rest[i], want.json, &e))
            status = fail(EXIT_FAILED, &e);
    options_release(&o);
    return status;
}

const struct command command_inspect = {
    .name = "inspect",
    .summary = "print how a picture was drawn",
    .run = run,
};
