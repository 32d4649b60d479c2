#include "base/file.h"
#include "cli/commands.h"
#include "cli/find_model.h"
#include "cli/options.h"
#include "engine/kernels/kernels.h"
#include "providers/hardware.h"

#include <curl/curl.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <png.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utf8proc.h>
#include <webp/encode.h>

static const struct opt table[] = {{0}};
static const struct opt_spec spec = {
    .command = "doctor",
    .usage = "",
    .summary = "Say what this machine offers and whether anything is in the way. Ends with 1 when "
               "something is wrong.",
    .table = table,
};

/* One line of the report; false counts as something wrong. */
static bool say(bool good, const char *topic, const char *format, ...) PRINTF_LIKE(3, 4);
static bool say(bool good, const char *topic, const char *format, ...)
{
    va_list args;

    printf("%-6s %-10s ", good ? "ok" : "WRONG", topic);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    return good;
}

/* ============================== The machine ============================== */

static bool check_cpu(const struct hardware *hw)
{
    return say(true, "cpu", "%s (%s)", hw->cpu[0] ? hw->cpu : "unknown",
               hw->features[0] ? hw->features : "no vector features that matter here");
}

static bool check_cores(const struct hardware *hw)
{
    if (hw->cores != hw->cores_online)
        return say(true, "cores", "%d of %d (the rest is closed to this process)", hw->cores,
                   hw->cores_online);
    return say(true, "cores", "%d", hw->cores);
}

static bool check_memory(const struct hardware *hw)
{
    double total = (double)hw->memory / (1 << 30), available = (double)hw->memory_free / (1 << 30);

    if (available < 0.5)
        return say(false, "memory",
                   "%.1f of %.1f GiB available; even the demo model needs half a GiB", available,
                   total);
    return say(true, "memory", "%.1f of %.1f GiB available", available, total);
}

static bool check_executor(void)
{
    const char *isa = getenv("CAULDRON_ISA");
    const struct kernels *k;
    struct err e;

    if (kernels_pick("cpu", isa && isa[0] ? isa : NULL, &k, &e))
        return say(false, "executor", "%s%s", e.message, isa ? " (from CAULDRON_ISA)" : "");
    return say(true, "executor", "cpu, %s instructions%s", k->isa,
               isa && isa[0] ? " (forced by CAULDRON_ISA)" : "");
}

static bool check_libraries(void)
{
    const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);
    int webp = WebPGetEncoderVersion();

    return say(true, "libraries",
               "libcurl %s, OpenSSL %s, jansson %s, libpng %s, libwebp %d.%d.%d, utf8proc %s",
               curl->version, OpenSSL_version(OPENSSL_VERSION_STRING), jansson_version_str(),
               png_get_libpng_ver(NULL), webp >> 16, webp >> 8 & 255, webp & 255,
               utf8proc_version());
}

/* ============================== Folders ============================== */

/* The nearest folder above a path that exists. */
static const char *existing_above(const char *path, struct arena *a)
{
    char *copy = arena_strdup(a, path), *slash;

    while ((slash = strrchr(copy, '/'))) {
        if (slash == copy)
            return "/";
        *slash = 0;
        if (access(copy, F_OK) == 0)
            return copy;
    }
    return ".";
}

static bool check_data(struct arena *a)
{
    const char *folder = data_folder(), *above = existing_above(folder, a);
    struct err e;

    if (access(folder, F_OK)) {
        if (!file_is_dir(above) || access(above, W_OK))
            return say(false, "data",
                       "'%s' cannot be made in '%s'; set CAULDRON_DATA to a folder "
                       "that can be written",
                       folder, above);
        return say(true, "data", "'%s' will be made when it is needed", folder);
    }
    const char *probe = arena_printf(a, "%s/.doctor", folder);
    if (file_write(probe, "", 0, &e))
        return say(false, "data", "%s; set CAULDRON_DATA to a folder that can be written",
                   e.message);
    unlink(probe);
    return say(true, "data", "'%s' can be written", folder);
}

static bool check_models(struct arena *a)
{
    struct model_paths places = model_places(a);
    struct model_entry *entries;
    int count;
    const char *where = arena_printf(a, "'%s'", places.folders[0]);

    for (int i = 1; i < places.count; i++)
        where = arena_printf(a, "%s, '%s'", where, places.folders[i]);
    if (places.hub)
        where = arena_printf(a, "%s, '%s'", where, places.hub);
    model_list(a, &places, &entries, &count);
    if (count == 0)
        return say(false, "models", "none in %s; 'cauldron models pull NAME' downloads one", where);
    return say(true, "models", "%d in %s", count, where);
}

static int run(int argc, char **argv)
{
    struct options o;
    struct hardware hw;
    struct arena a = {0};
    int status = options_parse(&spec, argc, argv, NULL, &o);

    if (status >= 0)
        return status;
    hardware_read("/", &a, &hw);
    bool good = check_cpu(&hw);
    good &= check_cores(&hw);
    good &= check_memory(&hw);
    good &= check_executor();
    good &= check_libraries();
    good &= check_data(&a);
    good &= check_models(&a);
    arena_release(&a);
    options_release(&o);
    return good ? EXIT_DONE : EXIT_FAILED;
}

const struct command command_doctor = {
    .name = "doctor",
    .summary = "what this machine offers, and what is in the way",
    .run = run,
};
