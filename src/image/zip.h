/*
 * zip.h: a ZIP archive written piece by piece. Entries are stored as they are: pictures are
 * compressed already.
 *
 *   struct zip z;
 *   zip_init(&z);
 *   if (zip_add(&z, "001-demo-42.png", bytes, now, &out, &e)) ...   header and bytes go to `out`
 *   ... send what is in `out`, empty it, add the next ...
 *   if (zip_end(&z, &out, &e)) ...                                  the directory
 *   zip_release(&z);
 *
 * PKWARE APPNOTE.TXT 6.3.10, without Zip64: ERR_UNSUPPORTED from 4 GiB or 65,535 entries on.
 * Threads: one at a time. Ownership: the directory belongs to the zip, everything else to the
 * caller.
 */
#ifndef IMAGE_ZIP_H
#define IMAGE_ZIP_H

#include "base/buf.h"
#include "base/str.h"

#include <stdint.h>

struct zip {
    struct buf directory;
    uint64_t offset; /* bytes so far */
    unsigned entries;
};

#define ZIP_MAX ((uint64_t)0xffffffff)

void zip_init(struct zip *z);
void zip_release(struct zip *z);
/* `name`: UTF-8, '/' between folders; the caller sees to it that it is safe and not there twice.
 * `unix_ms` is written in UTC. ERR_ARG for a name of 0 or more than 65,535 bytes. */
WARN_UNUSED_RESULT int zip_add(struct zip *z, const char *name, struct str bytes, int64_t unix_ms,
                               struct buf *out, struct err *e);
WARN_UNUSED_RESULT int zip_end(struct zip *z, struct buf *out, struct err *e);

#endif
