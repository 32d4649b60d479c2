/* hardware.c: /proc, /sys and control groups of both versions (proc(5), cgroups(7)). */
#include "providers/hardware.h"

#include "base/buf.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { MAX_TEXT = 4 << 20, MAX_GPUS = 64, MAX_DEPTH = 32 };

struct reader {
    struct arena *arena;
    const char *root;
};

/* A file of /proc or /sys below the root, whose size stat() does not know; "" when there is none.
 */
static struct str text(const struct reader *r, const char *path)
{
    const char *whole = arena_printf(r->arena, "%s/%s", r->root, path);
    char part[4096];
    FILE *f = fopen(whole, "re");
    struct buf b;
    size_t n;

    if (!f)
        return (struct str){0};
    buf_init(&b, MAX_TEXT);
    do
        n = fread(part, 1, sizeof part, f);
    while (buf_add(&b, part, n) == 0 && n == sizeof part);
    fclose(f);
    struct str copy = str_from(arena_str(r->arena, (struct str){b.p, b.n}));
    buf_release(&b);
    return copy;
}

static struct str trim(struct str s)
{
    while (s.n && strchr(" \t\r\n", s.p[0]))
        s.p++, s.n--;
    while (s.n && strchr(" \t\r\n", s.p[s.n - 1]))
        s.n--;
    return s;
}

/* The text after "key :" in lines of such, empty when there is none. */
static struct str field(struct str lines, const char *key)
{
    struct str line;

    while (str_cut(&lines, '\n', &line))
        if (str_skip(&line, key) && (line = trim(line)).n && line.p[0] == ':')
            return trim((struct str){line.p + 1, line.n - 1});
    return (struct str){0};
}

/* ==== CPU ==== */

/* Between blanks, in the order of `wanted`. */
static const char *features(struct arena *a, struct str cpuinfo)
{
    static const char *const wanted[] = {"avx2",        "fma",         "f16c",     "avx512f",
                                         "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8",
                                         "asimd",       "bf16"};
    struct str flags = field(cpuinfo, "flags");
    const char *list = "";

    if (!flags.n)
        flags = field(cpuinfo, "Features");
    const char *all = arena_printf(a, " %s ", arena_str(a, flags));
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (strstr(all, arena_printf(a, " %s ", wanted[i])))
            list = arena_printf(a, "%s%s%s", list, list[0] ? " " : "", wanted[i]);
    return list;
}

/* "32768K" of the highest level that sysfs lists. */
static int64_t last_cache(const struct reader *r)
{
    int64_t bytes = 0, n;

    for (int i = 0; i < 8; i++) {
        struct str size = trim(
            text(r, arena_printf(r->arena, "sys/devices/system/cpu/cpu0/cache/index%d/size", i)));
        char unit = size.n ? size.p[size.n - 1] : 0;
        size.n -= unit == 'K' || unit == 'M';
        if (str_to_i64(size, &n) && n > 0 && n < 1 << 20)
            bytes = n * (unit == 'M' ? 1 << 20 : unit == 'K' ? 1 << 10 : 1);
    }
    return bytes;
}

/* ==== control groups ==== */

/* The path of this process in the hierarchy of a controller; version 2 has one line "0::/path". */
static const char *group_path(const struct reader *r, const char *controller)
{
    struct str lines = text(r, "proc/self/cgroup"), line, number, names, name;

    while (str_cut(&lines, '\n', &line)) {
        if (!str_cut(&line, ':', &number) || !str_cut(&line, ':', &names) || !line.p)
            continue;
        if (!controller[0] && names.n == 0)
            return arena_str(r->arena, line);
        while (controller[0] && str_cut(&names, ',', &name))
            if (str_is(name, controller))
                return arena_str(r->arena, line);
    }
    return NULL;
}

/* A file of the process's group or, when the container sees only its own part of the hierarchy, of
 * the group at the top. Limits of the groups above hold as well: `above` levels up. */
static struct str group_file(const struct reader *r, const char *mount, const char *path, int above,
                             const char *name)
{
    struct str p = str_from(path);

    for (; above > 0 && p.n > 1; above--)
        do
            p.n--;
        while (p.n && p.p[p.n] != '/');
    if (above > 0 || strstr(path, ".."))
        return (struct str){0};
    return text(r, arena_printf(r->arena, "%s%.*s/%s", mount, (int)p.n, p.p, name));
}

static int64_t number(struct str s)
{
    int64_t n;

    return str_to_i64(trim(s), &n) && n >= 0 ? n : -1;
}

static void limit(int64_t *total, int64_t *available, int64_t most, int64_t used)
{
    if (most < 0 || most >= (int64_t)1 << 60)
        return;
    if (most < *total)
        *total = most;
    if (used >= 0 && most - used < *available)
        *available = most > used ? most - used : 0;
}

static void group_memory(const struct reader *r, int64_t *total, int64_t *available)
{
    static const struct {
        const char *controller, *mount, *most, *used, *idle;
    } versions[] = {
        {"", "sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"},
        {"memory", "sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
         "total_inactive_file"},
    };

    for (int v = 0; v < 2; v++) {
        const char *path = group_path(r, versions[v].controller);
        for (int above = 0; path && above < MAX_DEPTH; above++) {
            const char *mount = versions[v].mount;
            int64_t most = number(group_file(r, mount, path, above, versions[v].most));
            int64_t used = number(group_file(r, mount, path, above, versions[v].used)), idle;
            struct str stat = group_file(r, mount, path, above, "memory.stat"), line;
            /* Cached files that nobody uses are given back before anything fails. */
            while (str_cut(&stat, '\n', &line))
                if (str_skip(&line, versions[v].idle) && (idle = number(line)) > 0 && idle <= used)
                    used -= idle;
            limit(total, available, most, used);
        }
    }
}

/* Cores that the group's quota pays for, rounded up; `cores` when there is none. */
static int quota(int cores, int64_t time, int64_t period)
{
    if (time <= 0 || period <= 0 || time / period >= cores)
        return cores;
    return (int)((time + period - 1) / period);
}

static int group_cores(const struct reader *r, int cores)
{
    const char *path = group_path(r, "");
    struct str time;

    for (int above = 0; path && above < MAX_DEPTH; above++) {
        struct str both = group_file(r, "sys/fs/cgroup", path, above, "cpu.max");
        if (str_cut(&both, ' ', &time))
            cores = quota(cores, number(time), number(both));
    }
    path = group_path(r, "cpu");
    for (int above = 0; path && above < MAX_DEPTH; above++)
        cores = quota(cores,
                      number(group_file(r, "sys/fs/cgroup/cpu", path, above, "cpu.cfs_quota_us")),
                      number(group_file(r, "sys/fs/cgroup/cpu", path, above, "cpu.cfs_period_us")));
    return cores;
}

/* ==== GPUs ==== */

/* What NVIDIA's driver tells without its library: /proc/driver/nvidia/gpus/BUS/information. */
static void read_gpus(const struct reader *r, struct hardware *out)
{
    const char *folder = arena_printf(r->arena, "%s/proc/driver/nvidia/gpus", r->root);
    struct hardware_gpu *gpus = arena_alloc(r->arena, MAX_GPUS * sizeof *gpus);
    DIR *dir = opendir(folder);

    for (const struct dirent *d; dir && out->gpu_count < MAX_GPUS && (d = readdir(dir));) {
        if (d->d_name[0] == '.')
            continue;
        struct str info =
            text(r, arena_printf(r->arena, "proc/driver/nvidia/gpus/%s/information", d->d_name));
        struct str model = field(info, "Model"), bus = field(info, "Bus Location");
        gpus[out->gpu_count++] = (struct hardware_gpu){
            model.n ? arena_str(r->arena, model) : "NVIDIA GPU",
            bus.n ? arena_str(r->arena, bus) : arena_strdup(r->arena, d->d_name)};
    }
    if (dir)
        closedir(dir);
    out->gpus = gpus;
}

/* ==== all ==== */

static int64_t kilobytes(struct str meminfo, const char *key)
{
    struct str value = field(meminfo, key), n;

    return str_cut(&value, ' ', &n) && number(n) > 0 ? number(n) * 1024 : 0;
}

static int usable_cores(int online)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : online;
}

static void read_memory(const struct reader *r, struct hardware *out)
{
    struct str meminfo = text(r, "proc/meminfo");

    out->memory = kilobytes(meminfo, "MemTotal");
    out->memory_free = kilobytes(meminfo, "MemAvailable");
    group_memory(r, &out->memory, &out->memory_free);
}

void hardware_read_memory(const char *root, struct hardware *out)
{
    struct arena a = {0};

    read_memory(&(struct reader){&a, root}, out);
    arena_release(&a);
}

void hardware_read(const char *root, struct arena *a, struct hardware *out)
{
    const struct reader r = {a, root};
    struct hardware hw = {.os = "", .machine = ""};
    struct utsname system;
    struct str cpuinfo = text(&r, "proc/cpuinfo");
    long online = sysconf(_SC_NPROCESSORS_ONLN);

    if (uname(&system) == 0) {
        hw.os = arena_printf(a, "%s %s", system.sysname, system.release);
        hw.machine = arena_strdup(a, system.machine);
    }
    hw.cpu = arena_str(a, field(cpuinfo, "model name"));
    hw.features = features(a, cpuinfo);
    hw.cores_online = online > 0 ? (int)online : 1;
    hw.cores = group_cores(&r, usable_cores(hw.cores_online));
    read_memory(&r, &hw);
    hw.cache = last_cache(&r);
    read_gpus(&r, &hw);
    *out = hw;
}
