/*
 * fuzz_main.c: runs a fuzz target over files and folders of files, without libFuzzer.
 *
 *   fuzz_safetensors tests/fuzz/corpus/safetensors
 */
#include "fuzz.h"

#include "base/file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

static int run_file(const char *path)
{
    struct mapping m;
    struct err e;

    if (file_map(path, &m, &e)) {
        fprintf(stderr, "%s\n", e.message);
        return 1;
    }
    /* A copy of the exact size, so that a sanitizer sees a read past the end. */
    uint8_t *bytes = malloc(m.n ? m.n : 1);
    if (!bytes)
        abort();
    for (size_t i = 0; i < m.n; i++)
        bytes[i] = m.p[i];
    LLVMFuzzerTestOneInput(bytes, m.n);
    free(bytes);
    file_unmap(&m);
    return 0;
}

static int run_folder(const char *path)
{
    DIR *folder = opendir(path);
    int failed = 0, count = 0;

    if (!folder) {
        perror(path);
        return 1;
    }
    for (struct dirent *entry; (entry = readdir(folder));) {
        struct arena a = {0};
        if (entry->d_name[0] != '.') {
            failed |= run_file(arena_printf(&a, "%s/%s", path, entry->d_name));
            count++;
        }
        arena_release(&a);
    }
    closedir(folder);
    if (count == 0)
        fprintf(stderr, "no inputs in '%s'\n", path);
    return failed || count == 0;
}

int main(int argc, char **argv)
{
    int failed = argc < 2;

    for (int i = 1; i < argc; i++)
        failed |= file_is_dir(argv[i]) ? run_folder(argv[i]) : run_file(argv[i]);
    return failed;
}
