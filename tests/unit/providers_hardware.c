/* What a machine offers, read from made-up /proc and /sys. */
#include "base/file.h"
#include "providers/hardware.h"

#include "test.h"

#include <unistd.h>

static const int64_t GIB = 1 << 30;

struct machine {
    struct arena arena;
    char root[64];
};

static void put(struct machine *m, const char *path, const char *text)
{
    struct err e = {0};
    char *whole = arena_printf(&m->arena, "%s/%s", m->root, path), *slash = strrchr(whole, '/');

    *slash = 0;
    if (file_make_dirs(whole, &e))
        fail_msg("%s", e.message);
    *slash = '/';
    if (file_write(whole, text, strlen(text), &e))
        fail_msg("%s", e.message);
}

static struct machine new_machine(void)
{
    struct machine m = {.root = "/tmp/cauldron-hardware-XXXXXX"};

    assert_non_null(mkdtemp(m.root));
    put(&m, "proc/cpuinfo",
        "processor\t: 0\nmodel name\t: Some CPU 9000\nflags\t\t: fpu avx2 fma avx512f avx512_bf16\n"
        "\nprocessor\t: 1\nmodel name\t: Other\n");
    put(&m, "proc/meminfo",
        "MemTotal:       16777216 kB\nMemFree:        1 kB\n"
        "MemAvailable:    8388608 kB\n");
    put(&m, "sys/devices/system/cpu/cpu0/cache/index0/size", "32K\n");
    put(&m, "sys/devices/system/cpu/cpu0/cache/index3/size", "32M\n");
    return m;
}

static void forget(struct machine *m)
{
    assert_int_equal(system(arena_printf(&m->arena, "rm -r '%s'", m->root)), 0);
    arena_release(&m->arena);
}

static struct hardware look(struct machine *m)
{
    struct hardware hw;

    hardware_read(m->root, &m->arena, &hw);
    return hw;
}

static void a_plain_machine(void **state)
{
    struct machine m = new_machine();
    struct hardware hw = look(&m);
    (void)state;

    assert_string_equal(hw.cpu, "Some CPU 9000");
    assert_string_equal(hw.features, "avx2 fma avx512f avx512_bf16");
    assert_true(hw.memory == 16 * GIB && hw.memory_free == 8 * GIB);
    assert_int_equal(hw.cache, 32 << 20);
    assert_true(hw.cores >= 1 && hw.cores <= hw.cores_online);
    assert_int_equal(hw.gpu_count, 0);
    assert_true(hw.os[0] && hw.machine[0]);
    forget(&m);
}

static void groups_limit(void **state)
{
    struct machine m = new_machine();
    (void)state;

    /* Version 2: the group above has the memory's limit, the process's own the processors'. */
    put(&m, "proc/self/cgroup", "0::/outer/inner\n");
    put(&m, "sys/fs/cgroup/outer/inner/memory.max", "max\n");
    put(&m, "sys/fs/cgroup/outer/inner/cpu.max", "max 100000\n");
    struct hardware hw = look(&m);
    assert_true(hw.memory == 16 * GIB && hw.memory_free == 8 * GIB);
    put(&m, "sys/fs/cgroup/outer/memory.max", "4294967296\n");
    put(&m, "sys/fs/cgroup/outer/memory.current", "3221225472\n");
    put(&m, "sys/fs/cgroup/outer/memory.stat", "anon 5\ninactive_file 1073741824\n");
    put(&m, "sys/fs/cgroup/outer/inner/cpu.max", "50000 100000\n");
    hw = look(&m);
    assert_true(hw.memory == 4 * GIB && hw.memory_free == 2 * GIB);
    assert_int_equal(hw.cores, 1);
    forget(&m);

    /* Version 1 in a container, which sees its own group at the top. */
    m = new_machine();
    put(&m, "proc/self/cgroup", "5:cpu,cpuacct:/docker/x\n4:memory:/docker/x\n0::/\n");
    put(&m, "sys/fs/cgroup/memory/memory.limit_in_bytes", "1073741824\n");
    put(&m, "sys/fs/cgroup/memory/memory.usage_in_bytes", "2147483648\n");
    put(&m, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
    put(&m, "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    hw = look(&m);
    assert_true(hw.memory == GIB && hw.memory_free == 0);
    assert_true(hw.cores >= 1);
    forget(&m);
}

static void gpus_are_named(void **state)
{
    struct machine m = new_machine();
    (void)state;

    put(&m, "proc/driver/nvidia/gpus/0000:17:00.0/information",
        "Model: \t\t NVIDIA H100 80GB HBM3\nBus Location: \t 0000:17:00.0\n");
    struct hardware hw = look(&m);
    assert_int_equal(hw.gpu_count, 1);
    assert_string_equal(hw.gpus[0].name, "NVIDIA H100 80GB HBM3");
    assert_string_equal(hw.gpus[0].bus, "0000:17:00.0");
    forget(&m);
}

/* Nothing there, or nonsense: zeros and empty texts. */
static void strange_files_are_no_trouble(void **state)
{
    struct machine m = {.root = "/nowhere"};
    struct hardware hw = look(&m);
    (void)state;

    assert_string_equal(hw.cpu, "");
    assert_true(hw.memory == 0 && hw.cores >= 1);
    arena_release(&m.arena);
    m = new_machine();
    put(&m, "proc/self/cgroup", "0::/../../etc\nnonsense\n::\n");
    put(&m, "proc/meminfo", "MemTotal: -5 kB\nMemAvailable: 99999999999999999999 kB\nMemFree\n");
    put(&m, "proc/cpuinfo", "flags\nmodel name");
    put(&m, "sys/devices/system/cpu/cpu0/cache/index3/size", "huge");
    hw = look(&m);
    assert_true(hw.memory == 0 && hw.memory_free == 0 && hw.cache == 32 << 10);
    assert_string_equal(hw.cpu, "");
    assert_string_equal(hw.features, "");
    forget(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_machine),
        cmocka_unit_test(groups_limit),
        cmocka_unit_test(gpus_are_named),
        cmocka_unit_test(strange_files_are_no_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
