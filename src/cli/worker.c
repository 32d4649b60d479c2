#include "base/log.h"
#include "cli/commands.h"
#include "cli/platform.h"

#include <string.h>

struct want {
    struct platform_options platform;
    const char *name, *device;
    double stop_seconds;
};

static const struct opt table[] = {
    {.name = "name",
     .type = OPT_STRING,
     OPT_INTO(struct want, name),
     .value = "TEXT",
     .help = "how it is called in lists; else the host, the process and random digits"},
    {.name = "device",
     .type = OPT_STRING,
     OPT_INTO(struct want, device),
     .value = "NAME",
     .initial = "auto",
     .help = "auto or cpu"},
    {.name = "stop-seconds",
     .type = OPT_F64,
     OPT_INTO(struct want, stop_seconds),
     .value = "F",
     .min = 0,
     .max = 3600,
     .initial = "30",
     .help = "that nearly finished pictures get when the program is asked to end"},
    PLATFORM_STORE(struct want, platform),
    PLATFORM_DRAW(struct want, platform),
    PLATFORM_PUSH(struct want, platform),
    {.heading = "Reports"},
    PLATFORM_REPORT(struct want, platform),
    {0},
};

static const struct opt_spec spec = {
    .command = "worker",
    .usage = "[options]",
    .summary = "Draw what servers accept: one process per device, any number of them, sharing "
               "DATABASE_URL, REDIS_URL and BLOB_URL. Every option can be set in the environment, "
               "too: the variable is named in brackets.",
    .table = table,
    .environment = true,
};

static int work(const void *asked, struct platform *p, struct err *e)
{
    const struct want *want = asked;
    struct worker_options o = platform_worker(p, &want->platform);
    struct worker *worker;

    o.device = want->device;
    o.name = want->name;
    if (platform_notify(p, &want->platform, e) || worker_start(&o, &worker, e))
        return e->code;
    LOG(LOG_INFO, "working", LOG_TEXT("device", want->device));
    int number = signals_wait();
    LOG(LOG_INFO, "stopping", LOG_TEXT("signal", strsignal(number)));
    worker_stop(worker, want->stop_seconds);
    return 0;
}

static int run(int argc, char **argv)
{
    struct want want = {0};

    return platform_main(&spec, argc, argv, &want, &want.platform, work);
}

const struct command command_worker = {
    .name = "worker",
    .summary = "a process that draws what servers accept",
    .run = run,
};
