/*
 * s3_xml.h: the XML that S3 answers: elements and text, no document types.
 *
 *   static int on(void *user, const char *path, const char *text, struct err *e)
 *   {
 *       "ListBucketResult/Contents/Key" with its text, then "ListBucketResult/Contents" ...
 *   }
 *   if (xml_read(body, on, user, &e)) ...                            ERR_FORMAT
 *
 * Each element is told when it ends: the names from the root to it, without prefixes, and the text
 * that stood directly in it, entities replaced. Attributes, comments and processing instructions
 * are passed over. A document type is refused: with it go entities of one's own, which are how XML
 * becomes a weapon. Memory is bounded: a depth of 16, names of 64 bytes, texts of 8 KiB.
 * Threads: pure. Ownership: both texts are lent for the call.
 */
#ifndef OBJECTS_S3_XML_H
#define OBJECTS_S3_XML_H

#include "base/err.h"
#include "base/str.h"

/* What `on` returns but 0 ends the reading and is returned. */
WARN_UNUSED_RESULT int
xml_read(struct str text, int (*on)(void *user, const char *path, const char *text, struct err *e),
         void *user, struct err *e);

#endif
