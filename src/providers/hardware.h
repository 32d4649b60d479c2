/*
 * hardware.h: what this machine offers a program that draws: the CPU, its cores and memory as far
 * as this process may use them, and GPUs. Linux only: read from /proc, /sys and the control group.
 *
 *   struct arena a = {0};
 *   struct hardware hw;
 *   hardware_read("/", &a, &hw);
 *   printf("%s, %d cores, %.1f GiB\n", hw.cpu, hw.cores, (double)hw.memory / (1 << 30));
 *
 * What cannot be read is "", 0 or absent; nothing fails. Threads: any. Ownership: the arena.
 */
#ifndef PROVIDERS_HARDWARE_H
#define PROVIDERS_HARDWARE_H

#include "base/arena.h"

#include <stddef.h>
#include <stdint.h>

struct hardware_gpu {
    const char *name; /* "NVIDIA H100 80GB HBM3" */
    const char *bus;  /* "0000:17:00.0" */
};
struct hardware {
    const char *os, *machine; /* "Linux 6.1.0", "x86_64" */
    const char *cpu;          /* "AMD EPYC 9R14" */
    const char *features;     /* those of the CPU's features that matter here, between blanks */
    int cores;                /* that this process may use: affinity and the group's quota */
    int cores_online;         /* of the machine */
    int64_t memory;      /* bytes: of the machine, or of its control group where that has less */
    int64_t memory_free; /* what can be had without swapping, inside the group's limit */
    int64_t cache;       /* bytes of the last-level cache; 0: unknown */
    const struct hardware_gpu *gpus;
    size_t gpu_count;
};

/* `root`: "/", or a folder with proc/ and sys/ below it, for tests. */
void hardware_read(const char *root, struct arena *a, struct hardware *out);
/* Only memory and memory_free again: cheap enough for every heartbeat. */
void hardware_read_memory(const char *root, struct hardware *out);

#endif
