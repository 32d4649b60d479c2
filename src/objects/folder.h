/*
 * folder.h: ways through a folder of objects, and its names in order.
 *
 *   const char *base;
 *   int at = folder_walk("/data/out", "set/7/42.png", false, &base);     set/7, and "42.png"
 *
 * Threads: any.
 */
#ifndef OBJECTS_FOLDER_H
#define OBJECTS_FOLDER_H

#include "objects/objects.h"

/* Files on their way into a name; no object of a list. */
#define FOLDER_HIDDEN ".cauldron-put-"
enum { FOLDER_TEMPORARY = sizeof FOLDER_HIDDEN + 16 };

/* The open folder of that name's last part, and the part; -1 and errno. Links below `root` are not
 * followed: ELOOP. The caller closes it. `make`: missing folders are made. */
int folder_walk(const char *root, const char *name, bool make, const char **base);

/* objects_list on a folder: names in the order of their bytes, `below` the start of each. A folder
 * that does not exist has none. */
WARN_UNUSED_RESULT int folder_list(const char *root, const char *below, size_t limit,
                                   const char *cursor, struct arena *a, struct object_entry **out,
                                   size_t *count, const char **next, struct err *e);

#endif
