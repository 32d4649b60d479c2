/*
 * range.h: parts of a file and whether the client has it already (RFC 9110 8.8.3, 13, 14).
 *
 *   switch (range_parse("bytes=0-99", size, &first, &length)) ...
 *   if (etag_listed("W/\"a\", \"b\"", "\"b\"")) ...    304
 *
 * Threads: pure.
 */
#ifndef SERVER_RANGE_H
#define SERVER_RANGE_H

#include <stdbool.h>
#include <stdint.h>

enum range { RANGE_WHOLE, RANGE_PART, RANGE_BEYOND };

/* One range of bytes. What is not understood, and a list of ranges, gives the whole (14.2 lets a
 * server ignore them); a range that begins behind the end is RANGE_BEYOND (416). */
enum range range_parse(const char *header, uint64_t size, uint64_t *first, uint64_t *length);

/* If-None-Match: "*" or a list that holds `etag`; compared weakly (8.8.3.2). */
bool etag_listed(const char *list, const char *etag);

/* If-Range: exactly this strong tag. Dates are not compared: the whole is sent then. */
bool etag_is(const char *header, const char *etag);

#endif
