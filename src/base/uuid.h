/*
 * uuid.h: identifiers (RFC 9562): version 7, which sort by the time they were made.
 *
 *   char id[UUID_TEXT];
 *   uuid_v7(id);
 *
 * Random bits come from the system's getrandom. Threads: any; two identifiers of one thread made
 * within a millisecond are in order, too.
 */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UUID_TEXT = 37 };

/* Lower-case, "xxxxxxxx-xxxx-7xxx-xxxx-xxxxxxxxxxxx" and a NUL. */
void uuid_v7(char out[UUID_TEXT]);

/* The smallest version 7 identifier of that millisecond: where to start in an index. */
void uuid_v7_floor(int64_t unix_ms, char out[UUID_TEXT]);

/* Any version, lower case, canonical form. */
bool uuid_valid(struct str text);

/* n bytes that nobody can guess; n at most 256. */
void random_bytes(void *out, size_t n);

/* 2 * n lower-case hex digits and a NUL, of n random bytes; n at most 64. */
void random_hex(char *out, size_t n);

#endif
