#include "cli/hub_settings.h"
#include "cli/models.h"
#include "cli/options.h"
#include "cli/outside.h"
#include "cli/terminal.h"

#include <curl/curl.h>

struct want {
    const char *revision, *variant;
};

static const struct opt table[] = {
    {.name = "revision",
     .letter = 'r',
     .type = OPT_STRING,
     OPT_INTO(struct want, revision),
     .value = "R",
     .initial = "main",
     .help = "a branch, tag or commit"},
    {.name = "variant",
     .letter = 'v',
     .type = OPT_STRING,
     OPT_INTO(struct want, variant),
     .value = "fp16",
     .help = "which precision of the weights, where the repository has several"},
    {0},
};
static const struct opt_spec spec = {
    .command = "models pull",
    .usage = "[options] NAME",
    .summary =
        "Download a Diffusers pipeline into the Hugging Face cache, where diffusers finds it "
        "too. A download that breaks off goes on where it stopped. HF_ENDPOINT names "
        "another server, HF_TOKEN opens private models, HF_HOME moves the cache, "
        "CAULDRON_ALLOW_HOSTS lists the servers that may be asked.",
    .table = table,
    .min_rest = 1,
    .max_rest = 1,
    .rest = "a model's name, such as stabilityai/stable-diffusion-xl-base-1.0,",
};

struct watch {
    struct progress bar;
    bool started;
};

static bool stopped(void *user)
{
    (void)user;
    return interrupted();
}

static void on_progress(void *user, const struct model_progress *p)
{
    struct watch *w = user;

    if (!w->started) {
        progress_start(&w->bar, "B", p->total);
        w->started = true;
    }
    progress_set(&w->bar, p->done);
}

static int pull(const char *name, const struct want *w, struct arena *a, struct hub_result *got,
                struct err *e)
{
    struct watch watch = {0};
    struct model_hub hub;
    struct egress *egress = NULL;
    const char *offline = hub_offline();
    int rc = hub_from_environment(&hub, a, e);

    if (rc)
        return rc;
    if (offline)
        return ERR(e, ERR_ARG, "%s", offline);
    hub.watch = (struct model_watch){stopped, on_progress, &watch};
    if (outside_egress(&egress, e))
        return e->code;
    hub.egress = egress;
    if (curl_global_init(CURL_GLOBAL_DEFAULT)) {
        egress_free(egress);
        return ERR(e, ERR_NOMEM, "cannot start libcurl");
    }
    rc = hub_pull(&hub, name, w->revision, w->variant, a, got, e);
    if (watch.started)
        progress_end(&watch.bar);
    curl_global_cleanup();
    egress_free(egress);
    return rc;
}

static int run(int argc, char **argv)
{
    struct want w = {0};
    struct options o;
    struct hub_result got = {0};
    struct arena a = {0};
    struct err e;
    int status = options_parse(&spec, argc, argv, &w, &o);

    if (status >= 0)
        return status;
    interrupt_catch();
    int rc = pull(o.rest[0], &w, &a, &got, &e);
    if (rc == 0) {
        fprintf(stderr, "%s: %d files, %.1f MB, %d of them new\n", o.rest[0], got.files,
                (double)got.bytes / 1e6, got.fetched);
        puts(got.snapshot);
        status = EXIT_DONE;
    } else if (rc == ERR_CANCELLED) {
        status = fail_with(interrupt_status(),
                           "interrupted; the same command goes on where this one stopped");
    } else {
        status = fail(rc == ERR_ARG ? EXIT_USAGE : EXIT_FAILED, &e);
    }
    arena_release(&a);
    options_release(&o);
    return status;
}

const struct command models_pull = {
    .name = "pull",
    .summary = "download a model from a hub",
    .run = run,
};
