/*
 * weights_files.h: folders and weight files that the tests of src/engine/weights write for
 * themselves.
 *
 *   char *dir = folder_new();
 *   folder_text(dir, "unet/config.json", "{}");
 *   folder_tensors(dir, "unet/x.safetensors", "a.weight 4 3\nb.bias 4\n");
 *   folder_free(dir);                            removes everything
 */
#ifndef TESTS_UNIT_WEIGHTS_FILES_H
#define TESTS_UNIT_WEIGHTS_FILES_H

#include "test.h"

#include "base/arena.h"
#include "base/file.h"
#include "engine/weights/safetensors.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

static inline char *folder_new(void)
{
    char *path = strdup("/tmp/cauldron-weights-XXXXXX");
    assert_non_null(mkdtemp(path));
    return path;
}

static inline int folder_remove(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static inline void folder_free(char *dir)
{
    nftw(dir, folder_remove, 16, FTW_DEPTH | FTW_PHYS);
    free(dir);
}

/* DIR/FILE, its folders made; in a ring of static buffers. */
static inline const char *folder_path(const char *dir, const char *file)
{
    static char ring[8][1024];
    static int next;
    char *path = ring[next++ % 8];
    struct err e;

    snprintf(path, sizeof ring[0], "%s/%s", dir, file);
    char *slash = strrchr(path, '/');
    *slash = 0;
    assert_int_equal(file_make_dirs(path, &e), 0);
    *slash = '/';
    return path;
}

static inline void folder_bytes(const char *dir, const char *file, const void *bytes, size_t n)
{
    FILE *f = fopen(folder_path(dir, file), "wb"); /* not file_write: no fsync */
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static inline void folder_text(const char *dir, const char *file, const char *text)
{
    folder_bytes(dir, file, text, strlen(text));
}

/* Lines of "name [dtype] extent extent ...", dtype f32 unless said (f16, u8, i64); element i of
 * tensor k is (k + i) modulo 100. `notes`: key, value, key, value, ..., NULL; may be NULL. */
static inline void folder_tensors_noted(const char *dir, const char *file, const char *lines,
                                        const char *const *notes)
{
    struct arena a = {0};
    struct err e;
    struct tensor *list = arena_alloc(&a, 4096 * sizeof *list);
    struct safetensors_note note[8];
    int count = 0, note_count = 0;
    struct str rest = str_from(lines), line, word;

    while (str_cut(&rest, '\n', &line)) {
        if (!line.n)
            continue;
        struct tensor *t = &list[count];
        assert_true(count < 4096);
        assert_true(str_cut(&line, ' ', &t->name));
        t->dtype = DTYPE_F32;
        while (str_cut(&line, ' ', &word)) {
            int64_t extent;
            if (str_to_i64(word, &extent)) {
                t->shape[t->dims++] = extent;
                continue;
            }
            for (int d = 0; d < DTYPE_COUNT; d++)
                if (str_is(word, dtype_name((enum dtype)d)))
                    t->dtype = (enum dtype)d;
        }
        size_t n = (size_t)tensor_count(t), size = (size_t)dtype_size(t->dtype);
        unsigned char *data = arena_try(&a, n + 1, size);
        for (size_t i = 0; i < n; i++) {
            int value = (int)((count + i) % 100);
            float f = (float)value;
            uint16_t h = f16_from_f32(f);
            int64_t l = value;
            const void *from = t->dtype == DTYPE_F32   ? (const void *)&f
                               : t->dtype == DTYPE_F16 ? (const void *)&h
                                                       : (const void *)&l;
            memcpy(data + i * size, from, size);
        }
        t->data = data;
        count++;
    }
    for (; notes && notes[2 * note_count]; note_count++)
        note[note_count] = (struct safetensors_note){str_from(notes[2 * note_count]),
                                                     str_from(notes[2 * note_count + 1])};
    if (safetensors_write(folder_path(dir, file), list, count, note, note_count, &e))
        fail_msg("%s", e.message);
    arena_release(&a);
}

static inline void folder_tensors(const char *dir, const char *file, const char *lines)
{
    folder_tensors_noted(dir, file, lines, NULL);
}

/* A message must name what is wrong. */
static inline void assert_mentions(const char *message, const char *part)
{
    if (!strstr(message, part))
        fail_msg("the message \"%s\" does not mention \"%s\"", message, part);
}

#endif
