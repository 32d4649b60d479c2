#include "base/file.h"
#include "cli/commands.h"
#include "cli/find_model.h"
#include "cli/options.h"
#include "engine/kernels/kernels.h"

#include <curl/curl.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <png.h>
#include <sched.h>
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

/* The text after "key :" in a file of such lines, "" when there is none. */
static const char *field(const char *path, const char *key, struct arena *a)
{
    char line[8192];
    const char *found = "";
    FILE *f = fopen(path, "r");

    if (!f)
        return found;
    while (!found[0] && fgets(line, sizeof line, f)) {
        char *colon = strchr(line, ':');
        if (colon && strncmp(line, key, strlen(key)) == 0 &&
            strspn(line + strlen(key), " \t:") > 0) {
            line[strcspn(line, "\n")] = 0;
            found = arena_strdup(a, colon + 1 + strspn(colon + 1, " \t"));
        }
    }
    fclose(f);
    return found;
}

/* Of the CPU's features those that an executor cares about. */
static const char *features(struct arena *a)
{
    static const char *const wanted[] = {"avx2",        "fma",         "f16c",     "avx512f",
                                         "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8",
                                         "asimd",       "bf16"};
    const char *all = arena_printf(a, " %s ", field("/proc/cpuinfo", "flags", a)), *list = "";

    if (strlen(all) <= 2)
        all = arena_printf(a, " %s ", field("/proc/cpuinfo", "Features", a));
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (strstr(all, arena_printf(a, " %s ", wanted[i])))
            list = arena_printf(a, "%s %s", list, wanted[i]);
    return list[0] ? list + 1 : "no vector features that matter here";
}

static bool check_cpu(struct arena *a)
{
    const char *name = field("/proc/cpuinfo", "model name", a);
    return say(true, "cpu", "%s (%s)", name[0] ? name : "unknown", features(a));
}

static bool check_cores(void)
{
    cpu_set_t set;
    long online = sysconf(_SC_NPROCESSORS_ONLN);

    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) != online)
        return say(true, "cores", "%d of %ld (the rest is closed to this process)", CPU_COUNT(&set),
                   online);
    return say(true, "cores", "%ld", online);
}

static bool check_memory(struct arena *a)
{
    double total = strtod(field("/proc/meminfo", "MemTotal", a), NULL) / (1024 * 1024);
    double available = strtod(field("/proc/meminfo", "MemAvailable", a), NULL) / (1024 * 1024);

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
    struct arena a = {0};
    int status = options_parse(&spec, argc, argv, NULL, &o);

    if (status >= 0)
        return status;
    bool good = check_cpu(&a);
    good &= check_cores();
    good &= check_memory(&a);
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
