/*
 * tree.h: files and folders of files, copied and removed as a whole.
 *
 *   if (tree_copy("models/demo", "data/models/demo", &e)) ...
 *   if (tree_remove("data/models/demo", &e)) ...
 *
 * A copy gets its name when it is complete: what was begun under a temporary name is removed after
 * a failure or an interrupt. Links are followed when copying and never when removing. Threads: any.
 */
#ifndef CLI_TREE_H
#define CLI_TREE_H

#include "base/err.h"

WARN_UNUSED_RESULT int tree_copy(const char *from, const char *to, struct err *e);
WARN_UNUSED_RESULT int tree_remove(const char *path, struct err *e);

#endif
