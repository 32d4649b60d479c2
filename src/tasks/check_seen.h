/*
 * check_seen.h: which texts were there before, in eight bytes each; private to tasks/.
 *
 *   struct seen s = {0};
 *   if (seen_add(&s, "key") == SEEN_BEFORE) ...
 *   seen_release(&s);
 *
 * By the first 64 bits of their SHA-256: of ten million texts two are mistaken for each other with
 * a chance of one in three hundred thousand. Threads: one at a time.
 */
#ifndef TASKS_CHECK_SEEN_H
#define TASKS_CHECK_SEEN_H

#include <stddef.h>
#include <stdint.h>

enum { SEEN_MOST = 1 << 24 }; /* texts: 256 MiB at most */
enum seen_answer { SEEN_NEW, SEEN_BEFORE, SEEN_FULL };

struct seen {
    uint64_t *slots; /* open addressing, 0: free */
    size_t room, count;
};
enum seen_answer seen_add(struct seen *s, const char *text);
void seen_release(struct seen *s);

#endif
