#include "cli/find_model.h"
#include "cli/models.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "models/check.h"

#include <stdio.h>

static const struct opt table[] = {{0}};
static const struct opt_spec spec = {
    .command = "models verify",
    .usage = "[NAME|DIR|FILE ...]",
    .summary = "Read every byte of the models (all of them, when none is named) and compare with "
               "what is recorded: SHA256SUMS beside or inside the folder, the hashes in the "
               "Hugging Face cache, and the digest remembered from earlier.",
    .table = table,
    .max_rest = -1,
};

static bool stopped(void *user)
{
    (void)user;
    return interrupted();
}

static int verify(struct arena *a, const char *name, const char *path, struct err *e)
{
    struct model_check found;
    int rc = model_check(a, path, data_folder(), &(struct model_watch){.stop = stopped}, &found, e);

    if (rc == 0)
        printf("%s: ok, %s\n", name, model_check_text(&found, a));
    return rc;
}

static int verify_named(struct arena *a, int count, char **names)
{
    int status = EXIT_DONE;
    struct err e;
    char *path;

    for (int i = 0; i < count && !interrupted(); i++)
        if (find_model(a, names[i], &path, &e) || verify(a, names[i], path, &e))
            status = fail(EXIT_FAILED, &e);
    return status;
}

static int verify_all(struct arena *a)
{
    struct model_paths places = model_places(a);
    struct model_entry *entries;
    int count, status = EXIT_DONE;
    struct err e;

    model_list(a, &places, &entries, &count);
    for (int i = 0; i < count && !interrupted(); i++)
        if (verify(a, entries[i].name, entries[i].path, &e))
            status = fail(EXIT_FAILED, &e);
    if (count == 0)
        fputs("no models to verify\n", stderr);
    return status;
}

static int run(int argc, char **argv)
{
    struct options o;
    struct arena a = {0};
    int status = options_parse(&spec, argc, argv, NULL, &o);

    if (status >= 0)
        return status;
    interrupt_catch();
    status = o.rest_count ? verify_named(&a, o.rest_count, o.rest) : verify_all(&a);
    if (interrupted())
        status = interrupt_status();
    arena_release(&a);
    options_release(&o);
    return status;
}

const struct command models_verify = {
    .name = "verify",
    .summary = "compare models with their recorded checksums",
    .run = run,
};
