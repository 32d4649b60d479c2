/*
 * safetensors.h: the weight files of Hugging Face: eight bytes of header length, a JSON header, raw
 * numbers.
 *
 *   struct safetensors file;
 *   if (safetensors_open(&arena, "unet.safetensors", &file, &e)) ...
 *   for (int i = 0; i < file.count; i++)
 *       use(&file.tensors[i]);
 *   safetensors_close(&file);
 *
 * Format: https://github.com/huggingface/safetensors#format. Nothing in a file is believed: header
 * length, JSON, every dtype, shape, offset, overlap and gap are checked before a tensor is handed
 * out. Threads: read-only after opening. Ownership: tensors, names and copies of misaligned data
 * live in the arena, other data in the mapping, which safetensors_close ends.
 */
#ifndef ENGINE_SAFETENSORS_H
#define ENGINE_SAFETENSORS_H

#include "base/file.h"
#include "engine/tensor.h"

enum {
    SAFETENSORS_MAX_HEADER = 100000000, /* as the reference implementation */
    SAFETENSORS_MAX_TENSORS = 100000,
};

struct safetensors_note {
    struct str key, value;
};

struct safetensors {
    struct mapping map;
    struct tensor *tensors; /* in the order of the header */
    int count;
    struct safetensors_note *notes; /* __metadata__ */
    int note_count;
};

/* ERR_FORMAT names file, tensor and reason; ERR_UNSUPPORTED for a dtype that the engine does not
 * read. */
WARN_UNUSED_RESULT int safetensors_open(struct arena *a, const char *path, struct safetensors *out,
                                        struct err *e);
void safetensors_close(struct safetensors *s);

/* The same for bytes in memory (`name` is for messages); out->map stays empty. Tensors point into
 * the bytes where these are aligned for their dtype. */
WARN_UNUSED_RESULT int safetensors_parse(struct arena *a, const char *name, const void *bytes,
                                         size_t n, struct safetensors *out, struct err *e);

/* The value of a __metadata__ key; empty (p NULL) when there is none. */
struct str safetensors_note(const struct safetensors *s, const char *key);

/* Write a file: complete under its name or not at all. Tensors are laid out by falling element
 * size, so every one is aligned. ERR_ARG for a tensor without numbers or name. */
WARN_UNUSED_RESULT int safetensors_write(const char *path, const struct tensor *tensors, int count,
                                         const struct safetensors_note *notes, int note_count,
                                         struct err *e);

#endif
