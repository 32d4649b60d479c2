/*
 * safetensors_header.h: the JSON header of a safetensors file, parsed without building a JSON tree:
 * memory is bounded by the header's own size whatever it holds.
 *
 * Private to safetensors.c.
 */
#ifndef ENGINE_SAFETENSORS_HEADER_H
#define ENGINE_SAFETENSORS_HEADER_H

#include "engine/weights/safetensors.h"

struct header_entry {
    struct str name, dtype;
    int dims;
    int64_t shape[TENSOR_MAX_DIMS];
    uint64_t begin, end; /* bytes from the start of the data */
};

struct header {
    struct header_entry *entries; /* malloc'ed: the caller frees it */
    int count, room;
    struct safetensors_note *notes; /* in the arena, newest first in memory order of the file */
    int note_count, note_room;
};

/* Strings go to the arena. On failure the header holds what was allocated so far. */
WARN_UNUSED_RESULT int header_parse(struct arena *a, const char *file, struct str json,
                                    struct header *out, struct err *e);

#endif
