/*
 * results_merge.h: two files of results become one: sorted by number, one line per key.
 *
 *   if (merge_files(folder, "results.jsonl", growing, path, &e)) ...
 *
 * The growing file counts where both have a key, and in each the last line. The name is given to a
 * complete, fsynced file, so whoever reads it sees the former or the merged one. A file under that
 * name which holds anything else than results is ERR_CONFLICT and stays.
 */
#ifndef DATASETS_RESULTS_MERGE_H
#define DATASETS_RESULTS_MERGE_H

#include "base/err.h"

/* `growing` -1: there is none; then an existing file stays as it is, and a missing one is made
 * empty. `path` is for messages. */
WARN_UNUSED_RESULT int merge_files(int folder, const char *name, int growing, const char *path,
                                   struct err *e);
/* Whether the file, if it is there, begins as one of results does. */
WARN_UNUSED_RESULT int merge_check(int folder, const char *name, const char *path, struct err *e);

#endif
