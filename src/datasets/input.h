/*
 * input.h: a file of records, read from any place on, one record in memory at a time.
 *
 *   struct input in;
 *   if (input_open(&in, path, access, &e)) ...
 *   while (input_next(&in, &scan, &piece, &e) == 0 && !piece.end) ... piece.text ...
 *   const char *position = input_position(&in, &arena);      of the last record
 *   if (input_seek(&in, position, &e)) ...
 *   input_close(&in);
 *
 * A position is "1:offset:number:line:length:sha256": where the next record begins, how many
 * records and lines there were before, and the fingerprint of the first `length` bytes (64 KiB at
 * most). A file that has grown since is the same file; one that is shorter than the offset, begins
 * otherwise, or whose last line was continued, is ERR_CONFLICT. A byte order mark at the beginning
 * is skipped. Threads: one at a time. Ownership: a piece's text is valid until the next call.
 */
#ifndef DATASETS_INPUT_H
#define DATASETS_INPUT_H

#include "datasets/dataset.h"

struct input {
    int fd;
    char *path;
    char *bytes; /* [from, to) is read ahead; bytes[from] is byte `offset` of the file */
    size_t from, to, room;
    int64_t offset;
    int64_t number, line; /* of the last record: its number, and its last line's */
    size_t printed;       /* bytes that the fingerprint covers */
    char print[65];
};

/* Finds where a record ends. */
struct scan {
    /* How many of n bytes belong to it, including what ends it; *done when they end it. */
    size_t (*step)(struct scan *s, const char *p, size_t n, bool *done);
    void (*begin)(struct scan *s); /* a record begins; NULL */
    int64_t lines;                 /* ends of lines within it: counted by step */
    int state, delimiter;          /* of the step */
};
extern const struct scan scan_line; /* a record is a line */

struct piece {
    struct str text;    /* with what ends it */
    int64_t first_line; /* 1, 2, ... */
    size_t bytes;       /* of it in the file */
    bool too_large;     /* more than DATASET_RECORD_MOST: text is its beginning */
    bool end;           /* there is no more */
};

WARN_UNUSED_RESULT int input_open(struct input *in, const char *path,
                                  const struct dataset_access *access, struct err *e);
void input_close(struct input *in);
/* From the beginning of the same open file, with a buffer of its own; released by input_forget. */
void input_again(const struct input *in, struct input *out);
void input_forget(struct input *in);
/* Advances lines; `number` is the caller's. */
WARN_UNUSED_RESULT int input_next(struct input *in, struct scan *s, struct piece *out,
                                  struct err *e);
const char *input_position(const struct input *in, struct arena *a);
/* NULL: the beginning. On failure nothing has moved. */
WARN_UNUSED_RESULT int input_seek(struct input *in, const char *position, struct err *e);
/* Bytes of the file at this moment. */
WARN_UNUSED_RESULT int input_size(const struct input *in, int64_t *out, struct err *e);

#endif
