/*
 * form.h: bodies that browsers' forms send: multipart/form-data (RFC 7578 over RFC 2046 5.1.1) and
 * application/x-www-form-urlencoded.
 *
 *   if (form_boundary(&arena, content_type, &boundary, &e) ||
 *       form_multipart(&arena, body, boundary, &parts, &count, &e)) ...
 *
 * Values of multipart bodies are slices of the body, not copies; names are NUL-terminated in the
 * arena. At most 1000 parts. Threads: pure.
 */
#ifndef SERVER_FORM_H
#define SERVER_FORM_H

#include "server/http.h"

WARN_UNUSED_RESULT int form_boundary(struct arena *a, const char *content_type, struct str *out,
                                     struct err *e);
WARN_UNUSED_RESULT int form_multipart(struct arena *a, struct str body, struct str boundary,
                                      struct form_part **out, size_t *count, struct err *e);
WARN_UNUSED_RESULT int form_urlencoded(struct arena *a, struct str body, struct form_part **out,
                                       size_t *count, struct err *e);

#endif
