/*
 * file.h: whole files: mapped for reading, read with a limit, written so that nobody sees half of
 * one.
 *
 *   struct mapping m;
 *   if (file_map(path, &m, e)) ...
 *   file_unmap(&m);
 *
 *   if (file_write(path, bytes, n, e)) ...        (temporary name, fsync, rename)
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mapping {
    const unsigned char *p; /* NULL for an empty file */
    size_t n;
};

/* Map a regular file read-only. ERR_NOT_FOUND, ERR_IO (also for directories, pipes, devices). */
WARN_UNUSED_RESULT int file_map(const char *path, struct mapping *out, struct err *e);
void file_unmap(struct mapping *m);
/* Give the resident pages of a mapping back to the system; they are read again when touched. */
void file_forget(const struct mapping *m);

/* Read a regular file of at most `max` bytes into the arena, NUL-terminated. */
WARN_UNUSED_RESULT int file_read(struct arena *a, const char *path, size_t max, struct str *out,
                                 struct err *e);

/* Replace `path` by these bytes: written under a temporary name in the same folder, then renamed.
 * On failure nothing is left behind and a former file is untouched. */
WARN_UNUSED_RESULT int file_write(const char *path, const void *bytes, size_t n, struct err *e);

bool file_exists(const char *path); /* a regular file, links followed */
bool file_is_dir(const char *path);
/* mkdir -p. */
WARN_UNUSED_RESULT int file_make_dirs(const char *path, struct err *e);

#endif
